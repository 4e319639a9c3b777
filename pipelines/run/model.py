"""The models in a run's folder."""

import pathlib

import keras

from commands.cli import InputError
from rvsm_tf.litert import models


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
