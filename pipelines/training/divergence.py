"""Ends training whose figures are no numbers any more."""

import math
from collections.abc import Iterable, Mapping

import keras
import numpy as np

from commands.cli import InputError


class Divergence(keras.callbacks.Callback):
    """Calls `check` after each epoch; it stands before what keeps a record of them.

    Args:
        rate: the highest learning rate.
    """

    def __init__(self, rate: float):
        super().__init__()
        self._rate = rate

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Ends training if it diverged."""
        check(epoch + 1, logs or {}, self.model.get_weights(), self._rate)


def check(
    epoch: int, logs: Mapping[str, float], weights: Iterable[np.ndarray], rate: float
) -> None:
    """Accepts an epoch after which everything is finite.

    Args:
        epoch: from 1.
        logs: by name.
        weights: of the model, NaN at times while the loss is not: ReLU makes 0 of it.
        rate: the highest learning rate.

    Raises:
        InputError: something is infinite or NaN.
    """
    wrong = [
        f"{name} is {value:g}"
        for name, value in logs.items()
        if not math.isfinite(value)
    ]
    if not all(np.isfinite(w).all() for w in weights):
        wrong.append("weights are not finite")
    if wrong:
        raise InputError(
            f"training diverged in epoch {epoch}: {', '.join(wrong)}; try a smaller "
            f"--learning-rate, it was {rate:g}"
        )
