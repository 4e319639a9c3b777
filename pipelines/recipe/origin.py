"""The run that another one starts from."""

import pathlib

import keras
import numpy as np

from commands.cli import InputError

from ..run import handover
from ..run.model import read_model


def begin(network: keras.Model, folder: pathlib.Path, classes: tuple[str, ...]) -> None:
    """Gives a network the weights that a finished run ended with.

    Where the run told other classes apart, the last layer keeps its initial weights.

    Args:
        network: the paper's.
        folder: of the run.
        classes: that the network is to tell apart.

    Raises:
        InputError: the folder holds no finished run, or its network is another.
    """
    trained = read_model(folder / "model.keras")
    same = handover.read_labels(folder) == classes
    pairs = list(zip(network.layers, trained.layers))
    if not same:
        *pairs, _ = pairs
    shapes = [
        [[np.shape(w) for w in layer.get_weights()] for layer in pair] for pair in pairs
    ]
    if len(network.layers) != len(trained.layers) or any(a != b for a, b in shapes):
        raise InputError(
            f"--from {str(folder)!r}: its network has other layers, or narrower ones, "
            "than the one to be trained: give a run without --target-size, with the "
            "same --kernel-size"
        )
    for layer, other in pairs:
        layer.set_weights(other.get_weights())
