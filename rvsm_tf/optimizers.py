"""Which optimizer moves which weight, where there are several."""

from collections.abc import Iterable

import keras
from keras.optimizers import Optimizer

from .inside import squared_gradients, trained_by


def single(optimizers: Iterable[Optimizer]) -> list[Optimizer]:
    """Returns the optimizers that update weights themselves.

    A `keras.optimizers.MultiOptimizer` hands its weights to others.

    Raises:
        ValueError: it is not built, so that nobody knows which.
    """
    found = []
    for optimizer in optimizers:
        inner = _inner(optimizer)
        if not is_several(inner):
            found.append(optimizer)
        elif inner.built:
            found += inner.optimizers
        else:
            raise ValueError(
                "a MultiOptimizer must know its weights before the first step: call "
                "optimizer.build(net.trainable_variables)"
            )
    return found


def is_several(optimizer: Optimizer | None) -> bool:
    """Whether this is a `keras.optimizers.MultiOptimizer`, which Keras 3.12 has not."""
    return isinstance(optimizer, getattr(keras.optimizers, "MultiOptimizer", ()))


def mover(optimizers: list[Optimizer], w: keras.Variable) -> Optimizer | None:
    """Returns which of several optimizers updates a weight, None if none does yet."""
    if len(optimizers) == 1:
        return optimizers[0]
    for optimizer in optimizers:
        inner = _inner(optimizer)
        if inner.built and any(v is w for v in trained_by(inner)):
            return optimizer
    return None


def mean_squares(optimizer: Optimizer, w: keras.Variable) -> keras.Variable:
    """Returns the running mean of a weight's squared gradients, of its shape.

    Raises:
        ValueError: the optimizer keeps none.
    """
    inner = _inner(optimizer)
    found = squared_gradients(inner, w)
    if found is None:
        raise ValueError(
            'saliency="fisher" is about squared gradients, of which '
            f"{type(inner).__name__} keeps no mean: compile with Adam, AdamW, Nadam, "
            'Lamb or RMSprop, or choose saliency="magnitude"'
        )
    return found


def batches_per_step(optimizer: Optimizer | None) -> int:
    """Returns over how many batches an optimizer accumulates gradients."""
    return getattr(_inner(optimizer), "gradient_accumulation_steps", None) or 1


def _inner(optimizer: Optimizer) -> Optimizer:
    """Returns what scales no loss: the optimizer inside a LossScaleOptimizer."""
    return getattr(optimizer, "inner_optimizer", optimizer)
