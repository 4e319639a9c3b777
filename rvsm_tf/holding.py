"""Zeros that stay zero in further training."""

import warnings
from typing import Any

import keras
import numpy as np
from keras import ops

from .inside import forget_traced_step
from .sparsity import kernels


def hold(model: keras.Model) -> None:
    """Holds the zeros of a model's kernels: whatever trains it next leaves them zero.

    Each kernel with zeros gets a constraint, which Keras's optimizers apply after every
    update, behind the one that it has. It belongs to the variable, not to the layer: a
    saved model is as plain as before, and one that is loaded has to be held again.

    An average of the weights is not held (`use_ema=True` of an optimizer): Keras takes
    it before the constraint, and ends a fit with it.

    Args:
        model: a built, hardened model.

    Raises:
        ValueError: the model is compiled with an optimizer that averages weights.

    Warns:
        UserWarning: a kernel is zero as a whole, and so learns nothing any more.
    """
    if getattr(getattr(model, "optimizer", None), "use_ema", False):
        raise ValueError(
            "zeros cannot be held where the optimizer averages weights, which are not "
            "zero between its steps: compile the model without use_ema=True"
        )
    forget_traced_step(model)  # which knows of no constraint
    for w in kernels(model):
        alive = ops.convert_to_numpy(w) != 0
        if not alive.all():
            w.constraint = _Held(alive, w.constraint)
        if not alive.any():
            warnings.warn(
                f"{w.path} is zero as a whole, is held so, and learns nothing",
                stacklevel=2,
            )


class _Held(keras.constraints.Constraint):
    def __init__(self, alive: np.ndarray, then: Any):
        self._alive, self._then = alive, then

    def __call__(self, w: Any) -> Any:
        w = ops.convert_to_tensor(w if self._then is None else self._then(w))
        return ops.where(self._alive, w, ops.zeros_like(w))
