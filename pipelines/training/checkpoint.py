"""What survives a kill: the model and the history after every epoch."""

import pathlib
import time

import click
import keras

from commands.files import replacing, write_rows

from ..run.folder import CHECKPOINT, HISTORY, read_history
from ..run.model import read_model
from .waiting import Waiting


class Checkpoint(keras.callbacks.Callback):
    """Saves the whole training state after every epoch: w, optimizer, λ, β, position.

    Args:
        output: the run's folder.
    """

    def __init__(self, output: pathlib.Path):
        super().__init__()
        self.file = output / CHECKPOINT

    def restore(self) -> keras.Model | None:
        """Returns the model as it was saved last, compiled; None if it never was.

        Raises:
            InputError: the file is damaged.
        """
        return read_model(self.file) if self.file.exists() else None

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Saves the model; the checkpoint before it stays until this one is whole."""
        with replacing(self.file) as draft:
            self.model.save(draft)


class History(keras.callbacks.Callback):
    """Keeps `history.csv`, and prints a line per epoch.

    It stands before `Checkpoint` in the list, so that the file never has fewer epochs
    than the checkpoint; what it has more is forgotten on resuming.

    Args:
        output: the run's folder.
        first: number of epochs already done.
        epochs: of the whole run.
        images: per epoch.
        sparsity: of a model that does not say it itself.
        validation: what training is watched by, in a word.
        waiting: watches the batches, if anything does.
        quiet: print nothing.
    """

    def __init__(
        self,
        output: pathlib.Path,
        first: int,
        epochs: int,
        images: int,
        sparsity: float,
        validation: str,
        waiting: Waiting | None,
        quiet: bool,
    ):
        super().__init__()
        self._file = output / HISTORY
        self.rows = read_history(output, first)
        self._epochs = epochs
        self._images = images
        self._sparsity = sparsity
        self._validation = validation
        self._waiting = waiting
        self._quiet = quiet

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Starts the clock."""
        self._start = time.perf_counter()
        if self._waiting:
            self._waiting.take()

    def on_test_begin(self, logs: dict | None = None) -> None:
        """Stops the clock: the time is that of training alone."""
        self._seconds = time.perf_counter() - self._start
        if self._waiting:
            self._waited = self._waiting.take() / self._seconds

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Writes and prints the epoch."""
        sparsity = logs.get("sparsity", self._sparsity)
        row = {"epoch": epoch + 1, "seconds": self._seconds, "images": self._images}
        waiting = ""
        if self._waiting:
            row["waiting"] = self._waited
            waiting = f", {100 * self._waited:.1f} % of it waiting for images"
        self.rows.append({**row, "sparsity": sparsity, **logs})
        write_rows(self._file, self.rows)
        if not self._quiet:
            click.echo(
                f"epoch {epoch + 1:3d}/{self._epochs}   "
                f"{self._validation} accuracy {100 * logs['val_accuracy']:6.2f} %   "
                f"zeros {100 * sparsity:6.2f} %   "
                f"loss {logs['loss']:.4f}   {self._seconds:.1f} s{waiting}"
            )
