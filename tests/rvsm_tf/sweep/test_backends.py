"""The same sweep on Keras's other backends, each in a process of its own."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TESTS = ["tests/rvsm_tf/sweep/test_sweep.py", "tests/rvsm_tf/sweep/test_refused.py"]

# Compiling takes most of the time, and nobody waits for what it makes.
FAST = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_the_sweep_on(backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    here = {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3", "XLA_FLAGS": FAST}
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *TESTS],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **here, "PYTHONPATH": path},
        cwd=ROOT,
    )
    assert result.returncode == 0, result.stdout + result.stderr
