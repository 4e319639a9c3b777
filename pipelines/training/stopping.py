"""Ends training when validation gets no better, and keeps the best epoch."""

import pathlib

import keras
import numpy as np

from commands.files import replacing

from ..run.folder import BEST
from ..run.model import read_model
from .checkpoint import History


class Stopping(keras.callbacks.Callback):
    """Saves the model whenever the sparse weights' validation loss is at its lowest.

    It stands between `History` and `Checkpoint`: what is known of earlier epochs is in
    the history, so that a run that was killed stops where it would have.

    Args:
        output: the run's folder.
        patience: epochs without progress after which training ends.
        history: the run's.
        start: epochs of the run before the phase.
    """

    def __init__(
        self, output: pathlib.Path, patience: int, history: History, start: int
    ):
        super().__init__()
        self._output, self._patience = output, patience
        self._history, self._start = history, start

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Saves the model if it is the best, or ends training."""
        rows = self._history.rows
        if best(rows, self._start) == len(rows):
            with replacing(self._output / BEST) as draft:
                self.model.save(draft)
        self.model.stop_training = over(rows, self._start, self._patience)


def best(rows: list[dict[str, float]], start: int) -> int:
    """Returns the epoch of a phase with the lowest validation loss, from 1.

    Args:
        rows: the run's history.
        start: epochs of the run before the phase.
    """
    losses = [row["val_loss"] for row in rows[start:]]
    return start + int(np.argmin(losses)) + 1


def over(rows: list[dict[str, float]], start: int, patience: int) -> bool:
    """Whether a phase has had so many epochs since its best."""
    return len(rows) > start and len(rows) - best(rows, start) >= patience


def read_best(output: pathlib.Path) -> keras.Model:
    """Returns the model of the best epoch.

    Raises:
        InputError: the file is damaged.
    """
    return read_model(output / BEST)
