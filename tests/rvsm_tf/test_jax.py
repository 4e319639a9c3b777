"""The method on Keras's JAX backend: the same as on TensorFlow's, and without it."""

import subprocess
import sys

import numpy as np
import pytest

from tests.processes import ROOT, on_backend

pytestmark = pytest.mark.slow

CASES = ["numbers", "schedules", "units", "unbuilt", "float16"]
OPERATORS = ["penalties", "sparsity", "holding", "saliency"]


def alone(backend, *command):
    """Runs Python on a backend; a process has one for good."""
    result = subprocess.run(
        [sys.executable, *map(str, command)],
        capture_output=True,
        text=True,
        check=False,
        env=on_backend(backend),
        cwd=ROOT,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """What `cases` found on both backends, by backend and name."""
    folder = tmp_path_factory.mktemp("backends")
    found = {}
    for backend in ("jax", "tensorflow"):
        file = folder / f"{backend}.npz"
        alone(backend, "tests/rvsm_tf/cases.py", file)
        found[backend] = dict(np.load(file))
    return found


@pytest.mark.parametrize("case", CASES)
def test_training_on_jax_is_training_on_tensorflow(trained, case):
    names = [n for n in trained["jax"] if n.startswith(f"{case}/")]
    assert {f"{case}/w0", f"{case}/u0", f"{case}/gap", f"{case}/predict"} < set(names)
    assert names == [n for n in trained["tensorflow"] if n.startswith(f"{case}/")]
    half = case == "float16"
    for name in names:
        np.testing.assert_allclose(
            trained["jax"][name],
            trained["tensorflow"][name],
            rtol=2e-3 if half else 1e-4,
            atol=1e-3 if half else 1e-5,
            err_msg=name,
        )


@pytest.mark.parametrize("backend", ["jax", "tensorflow"])
def test_the_sparse_model_is_what_is_measured(trained, backend):
    for case in CASES:
        found = {
            name.removeprefix(f"{case}/"): value
            for name, value in trained[backend].items()
        }
        np.testing.assert_array_equal(found["predict"], found["hardened"])
        assert found["val_loss"][-1] == pytest.approx(found["evaluate"][0], rel=1e-6)
        assert 0 < found["sparsity"][-1] < 1
    # Of eight batches the first overflows; of eight, two make one accumulated step.
    assert trained[backend]["float16/position"] == 7
    assert trained[backend]["units/position"] == 4


@pytest.mark.parametrize("backend", ["jax", "tensorflow"])
def test_a_saved_model_goes_on_as_if_it_had_not_been_saved(trained, backend):
    pairs = [v for name, v in trained[backend].items() if name.startswith("resumed/")]
    assert len(pairs) > 10
    for uninterrupted, loaded in pairs:
        np.testing.assert_array_equal(uninterrupted, loaded)


def test_operators_on_jax():
    files = [f"tests/rvsm_tf/test_{name}.py" for name in OPERATORS]
    # Keras's JAX variables warn of their own way of becoming NumPy arrays.
    alone("jax", "-m", "pytest", "-x", "-p", "no:cacheprovider", *files)
