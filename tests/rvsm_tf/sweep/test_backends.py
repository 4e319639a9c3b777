"""The sweep on each of Keras's backends, in a process of its own."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
TESTS = ["tests/rvsm_tf/sweep/trainings.py", "tests/rvsm_tf/sweep/refusals.py"]

# Compiling takes most of the time, and nobody waits for what it makes.
FAST = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"


# At once, on two cores: what is compared with Keras's training, and all else.
HALVES = ["without_a_penalty", "not without_a_penalty"]


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_the_sweep_on(backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    here = {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3", "XLA_FLAGS": FAST}
    running = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "pytest",
                "-p",
                "no:cacheprovider",
                *TESTS,
                "-k",
                half,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **here, "PYTHONPATH": path},
            cwd=ROOT,
        )
        for half in HALVES
    ]
    said = [process.communicate()[0] for process in running]
    assert [process.returncode for process in running] == [0, 0], "\n".join(said)
