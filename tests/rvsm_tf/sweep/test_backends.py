"""The sweep on each of Keras's backends, in a process of its own."""

import importlib.util
import subprocess
import sys

import pytest

from tests.processes import ROOT, on_backend

pytestmark = pytest.mark.slow

TESTS = ["tests/rvsm_tf/sweep/trainings.py", "tests/rvsm_tf/sweep/refusals.py"]

# At once, on two cores: what is compared with Keras's training, and all else.
HALVES = ["without_a_penalty", "not without_a_penalty"]


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_the_sweep_on(backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
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
            env=on_backend(backend),
            cwd=ROOT,
        )
        for half in HALVES
    ]
    said = [process.communicate()[0] for process in running]
    assert [process.returncode for process in running] == [0, 0], "\n".join(said)
