"""Zeros that stay zero in further training."""

from typing import Any

import keras
import numpy as np
from keras import ops

from .sparsity import kernels


def hold(model: keras.Model) -> None:
    """Holds the zeros of a model's kernels: whatever trains it next leaves them zero.

    Each kernel with zeros gets a constraint, which Keras's optimizers apply after every
    update, behind the one that it has. It belongs to the variable, not to the layer: a
    saved model is as plain as before, and one that is loaded has to be held again.

    Args:
        model: a built, hardened model.
    """
    model.train_function = None  # one that was traced knows of no constraint
    for w in kernels(model):
        alive = ops.convert_to_numpy(w) != 0
        if not alive.all():
            w.constraint = _Held(alive, w.constraint)


class _Held(keras.constraints.Constraint):
    def __init__(self, alive: np.ndarray, then: Any):
        self._alive, self._then = alive, then

    def __call__(self, w: Any) -> Any:
        w = ops.convert_to_tensor(w if self._then is None else self._then(w))
        return ops.where(self._alive, w, ops.zeros_like(w))
