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
    """The textbook formulas, in float64."""
    w = np.asarray(w, "float64")
    size = np.abs(w)
    if isinstance(penalty, rvsm.L0):
        return np.where(size > np.sqrt(2 * step), w, 0.0)
    if isinstance(penalty, rvsm.L1):
        return np.sign(w) * np.maximum(size - step, 0.0)
    if isinstance(penalty, rvsm.MCP):
        return _firm(w, step, penalty.a)
    if isinstance(penalty, rvsm.SCAD):
        return _clipped(w, step, penalty.a)
    if not isinstance(penalty, rvsm.TL1):
        raise TypeError(f"no textbook formula for {penalty!r}")
    a = penalty.a
    if step <= a**2 / (2 * (a + 1)):
        threshold = step * (a + 1) / a
    else:
        threshold = np.sqrt(2 * step * (a + 1)) - a / 2
    cosine = 1 - 27 * step * a * (a + 1) / (2 * (a + size) ** 3)
    angle = np.arccos(np.clip(cosine, -1, 1))
    kept = 2 / 3 * (a + size) * np.cos(angle / 3) - 2 * a / 3 + size / 3
    return np.where(size > threshold, np.sign(w) * kept, 0.0)


def _firm(w, step, a):
    """Firm thresholding (Gao and Bruce 1997), which is MCP's prox."""
    size = np.abs(w)
    if step >= a:
        return np.where(size > np.sqrt(step * a), w, 0.0)
    shrunk = np.sign(w) * np.maximum(size - step, 0) * a / (a - step)
    return np.where(size > a, w, shrunk)


def _clipped(w, step, a):
    """SCAD's prox: the best of the stationary points of each piece, and zero."""
    size, b = np.abs(w), a / 3.7
    pieces = [np.zeros_like(size), np.clip(size - step, 0, b), np.maximum(size, a)]
    if step != a - b:
        bent = (size * (a - b) - step * a) / (a - b - step)
        pieces.append(np.clip(bent, b, a))
    cost = [_scad(u, a) * step + (u - size) ** 2 / 2 for u in pieces]
    return np.sign(w) * np.choose(np.argmin(cost, axis=0), pieces)


def _scad(u, a):
    """SCAD's cost, the integral of its slope (Fan and Li 2001, with λ taken out)."""
    b = a / 3.7
    middle = (2 * a * u - u**2 - b**2) / (2 * (a - b))
    return np.where(u <= b, u, np.where(u <= a, middle, (a + b) / 2))


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
