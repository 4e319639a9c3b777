"""Zeros of a Keras model that are still zeros in the file made of it."""

import dataclasses

import keras
import numpy as np

from rvsm_tf.sparsity import kernels

from .base import flatbuffer


@dataclasses.dataclass(frozen=True)
class Kept:
    """The zeros of one kernel.

    Attributes:
        kernel: its path in the Keras model.
        zeros: how many of its weights are zero there.
        kept: how many of those are zero in the file; None if it was not found there.
    """

    kernel: str
    zeros: int
    kept: int | None


def kept(model: keras.Model, file: bytes) -> list[Kept]:
    """Compares each kernel of a model with the file's, weight by weight.

    Args:
        model: the Keras model.
        file: a .tflite file made of it, its kernels stored densely.
    """
    contents = flatbuffer.read(file)
    stored = [
        values.reshape(tensor.shape)
        for tensor, values in flatbuffer.constants(contents)
        if len(tensor.shape) > 1
    ]
    rows = []
    for variable in kernels(model):
        w = keras.ops.convert_to_numpy(variable)
        # Kernels of one shape are told apart by their values, which come back nearly
        # up to a factor: rounded, or scaled by a normalisation.
        found = [
            (_likeness(x, values), i, x, values)
            for x in _as_stored(w)
            for i, values in enumerate(stored)
            if values.shape == x.shape
        ]
        best = max(found, key=lambda f: f[0], default=None)
        if best:
            del stored[best[1]]
        count = None if best is None else int(((best[2] == 0) & (best[3] == 0)).sum())
        rows.append(Kept(variable.path, int((w == 0).sum()), count))
    return rows


def _as_stored(w: np.ndarray) -> list[np.ndarray]:
    """Returns the ways in which TensorFlow Lite may store a Keras kernel."""
    if w.ndim == 2:  # dense: (inputs, units)
        return [w.T]
    if w.ndim == 4:  # convolution, depthwise convolution
        height, width, channels, filters = w.shape
        return [
            w.transpose(3, 0, 1, 2),
            w.reshape(1, height, width, channels * filters),
        ]
    return [w]


def _likeness(w: np.ndarray, values: np.ndarray) -> float:
    """Returns how alike two kernels are up to a factor, 0 to 1."""
    a, b = w.ravel().astype("float64"), values.ravel().astype("float64")
    size = np.sqrt((a @ a) * (b @ b))
    return abs(a @ b) / size if size else float(not a.any() and not b.any())
