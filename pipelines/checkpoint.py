"""What survives a kill: the model and the history after every epoch."""

import pathlib
import time

import click
import keras

from commands.cli import InputError
from commands.files import read_rows, replacing, write_rows
from rvsm_tf.litert import models

from .config import CHECKPOINT, HISTORY
from .waiting import Waiting


def read_model(file: pathlib.Path) -> keras.Model:
    """Returns the model in a `.keras` file.

    Raises:
        InputError: there is no such file, it is damaged, or no model of ours.
    """
    if not file.is_file():
        fold = min(file.parent.glob(f"*/{file.name}"), default=None)
        hint = (
            f"give a run, such as {str(fold.parent)!r}" if fold else "has it finished?"
        )
        raise InputError(f"no model {str(file)!r}: {hint}")
    try:
        return models.load(file)
    except models.Damaged:
        raise InputError(
            f"{str(file)!r} is damaged: delete it and train again, or name another "
            "folder"
        ) from None


def read_history(output: pathlib.Path, epochs: int) -> list[dict[str, float]]:
    """Returns the rows of a run's first epochs.

    Raises:
        InputError: the file is damaged, or has fewer.
    """
    file = output / HISTORY
    rows = read_rows(file)
    if len(rows) < epochs:
        raise InputError(
            f"{str(file)!r} has {len(rows)} epochs, the run beside it {epochs}: train "
            "again into a new folder"
        )
    return rows[:epochs]


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
