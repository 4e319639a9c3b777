"""Zeros that stay zero in further training."""

import warnings
from typing import Any

import keras
import numpy as np
from keras import ops

from .inside import forget_traced_step, inner_layers
from .sparsity import kernels


def hold(model: keras.Model) -> None:
    """Holds the zeros of a model's kernels: whatever trains it next leaves them zero.

    Each kernel with zeros gets a constraint, which Keras's optimizers apply after every
    update, behind the one that it has. It belongs to the variable, not to the layer: a
    saved model is as plain as before, and one that is loaded has to be held again.

    An average of the weights is not held (`use_ema=True` of an optimizer): Keras takes
    it before the constraint, and ends a fit with it. Each constraint is tried before
    any is set: the kernel, moved as a whole, has to come out of it with its zeros.

    Args:
        model: a built, hardened model.

    Raises:
        ValueError: the model is compiled with an optimizer that averages weights, has
            a layer with LoRA, or a kernel's own constraint spoils it.

    Warns:
        UserWarning: a kernel is zero as a whole, and so learns nothing any more.

    Example:
        >>> net = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> net.set_weights([np.array([[0.0], [1.0]]), np.zeros(1)])
        >>> rvsm.hold(net)
        >>> net.compile("sgd", "mse")
        >>> history = net.fit(np.ones((8, 2)), np.zeros((8, 1)), verbose=0)
        >>> [float(w) != 0 for w in net.layers[0].kernel[:, 0]]
        [False, True]
    """
    if getattr(getattr(model, "optimizer", None), "use_ema", False):
        raise ValueError(
            "zeros cannot be held where the optimizer averages weights, which are not "
            "zero between its steps: compile the model without use_ema=True"
        )
    for layer in inner_layers(model):
        if getattr(layer, "lora_enabled", False):
            raise ValueError(
                f"zeros of {layer.path!r} cannot be held: LoRA adds to its kernel what "
                "is not zero there; hold the model without LoRA"
            )
    held = []
    for w in kernels(model):
        alive = ops.convert_to_numpy(w) != 0
        if not alive.all():
            held.append((w, _Held(alive, w.constraint)))
            _check(*held[-1], alive)
        if not alive.any():
            warnings.warn(
                f"{w.path} is zero as a whole, is held so, and learns nothing",
                stacklevel=2,
            )
    for w, constraint in held:
        w.constraint = constraint
    forget_traced_step(model)  # which knows of no constraint


class _Held(keras.constraints.Constraint):
    def __init__(self, alive: np.ndarray, then: Any):
        self._alive, self._then = alive, then

    def __call__(self, w: Any) -> Any:
        w = ops.convert_to_tensor(w if self._then is None else self._then(w))
        return ops.where(self._alive, w, ops.zeros_like(w))


def _check(w: keras.Variable, held: _Held, alive: np.ndarray) -> None:
    """Makes sure that an update leaves a kernel's zeros zero and its shape as it is."""
    after = ops.convert_to_numpy(held(w + 1))
    sound = after.shape == alive.shape and np.isfinite(after).all()
    if not sound or after[~alive].any():
        raise ValueError(
            f"zeros of {w.path!r} cannot be held: behind its own constraint it is not "
            f"what it was, a finite array of shape {alive.shape}"
        )
