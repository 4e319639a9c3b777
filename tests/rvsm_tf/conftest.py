import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pytest
from keras import layers

import rvsm_tf as rvsm


@pytest.fixture(autouse=True)
def _reset():
    keras.utils.set_random_seed(0)
    yield
    keras.config.set_dtype_policy("float32")


def _prox(penalty, w, step):
    """The textbook formulas (facts.md §1), in float64."""
    w = np.asarray(w, "float64")
    size = np.abs(w)
    if isinstance(penalty, rvsm.L0):
        return np.where(size > np.sqrt(2 * step), w, 0.0)
    if isinstance(penalty, rvsm.L1):
        return np.sign(w) * np.maximum(size - step, 0.0)
    a = penalty.a
    if step <= a**2 / (2 * (a + 1)):
        threshold = step * (a + 1) / a
    else:
        threshold = np.sqrt(2 * step * (a + 1)) - a / 2
    cosine = 1 - 27 * step * a * (a + 1) / (2 * (a + size) ** 3)
    angle = np.arccos(np.clip(cosine, -1, 1))
    kept = 2 / 3 * (a + size) * np.cos(angle / 3) - 2 * a / 3 + size / 3
    return np.where(size > threshold, np.sign(w) * kept, 0.0)


@pytest.fixture
def reference_prox():
    return _prox


@pytest.fixture
def make_net():
    """A network 6 → 8 → 3, weights of a size that thresholds cut in the middle."""

    def make(seed=1, **first):
        def normal(i):
            return keras.initializers.RandomNormal(0.0, 0.3, seed=10 * seed + i)

        return keras.Sequential(
            [
                keras.Input((6,)),
                layers.Dense(
                    8, "tanh", kernel_initializer=normal(0), name="dense", **first
                ),
                layers.Dense(3, kernel_initializer=normal(1), name="out"),
            ],
            name="net",
        )

    return make


@pytest.fixture
def data():
    """32 examples of 6 numbers, and 3 targets each."""
    rng = np.random.default_rng(7)
    x = rng.normal(size=(32, 6)).astype("float32")
    y = (np.tanh(x @ rng.normal(size=(6, 3))) + 0.1).astype("float32")
    return x, y
