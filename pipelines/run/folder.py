"""The folder of a run: its files, and what they say of it."""

import pathlib
from typing import Any

from commands.cli import InputError
from commands.files import read_json, read_rows

CONFIG, HISTORY, METRICS = "config.json", "history.csv", "metrics.json"
CHECKPOINT, BEST = "checkpoint.keras", "best.keras"
FOLDS = "folds.json"
"""In place of metrics.json, where a run is several."""


def read_config(folder: pathlib.Path) -> dict[str, Any]:
    """Returns the configuration of the run in a folder.

    Raises:
        InputError: there is no run in the folder, or its configuration is damaged.
    """
    file = folder / CONFIG
    if not file.is_file():
        raise InputError(
            f"no run in {str(folder)!r}: give a folder that pipelines.train wrote"
        )
    return read_json(file)


def epochs_done(folder: pathlib.Path) -> int:
    """Returns how many epochs the run in a folder has behind it; 0 without a run.

    Raises:
        InputError: the run's history is damaged.
    """
    try:
        return len(read_rows(folder / HISTORY))
    except FileNotFoundError:  # it has just finished, and tidied up
        return 0


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
