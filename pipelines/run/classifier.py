"""A trained network that answers, from a run's folder or a .tflite file."""

import pathlib
from collections.abc import Callable

import numpy as np

from commands.cli import InputError, quietly
from shaky_letters import raster
from shaky_letters.examples import CLASSES

from ..images.images import SIZES

MOST_OFF = 0.05
"""By how much probabilities may miss a sum of 1. int8 rounds each to a 256th, and has
no 1."""


class Classifier:
    """A trained classifier: a run of Keras, or an exported file.

    Args:
        model: a run's folder, or a .tflite file.

    Attributes:
        labels: the classes' names, in the order of the probabilities.
        size: of the pictures that it takes: `raster.SIZE` for the paper's,
            `canonical.SIZE`.

    Raises:
        InputError: it is missing, damaged, or not one of ours.
    """

    def __init__(self, model: pathlib.Path):
        self._model = model
        is_file = model.suffix == ".tflite"
        if model.is_file() and not is_file:
            raise InputError(
                f"{str(model)!r} is no model: give a run's folder, or a .tflite file "
                "that export.convert wrote"
            )
        opened = _in_litert(model) if is_file else _in_keras(model)
        self.labels, self.size, self._answers = opened

    def __call__(self, pictures: np.ndarray) -> np.ndarray:
        """Returns the probability of each class; together they are 1.

        Args:
            pictures: uint8, shape (n, size, size, 1), ink 255 on 0.

        Returns:
            float64, shape (n, classes).

        Raises:
            InputError: the file does not run, or answers no probabilities.
        """
        said = self._answers((pictures / 255).astype("float32"))
        if said.shape[1:] != (len(self.labels),):
            raise InputError(
                f"{str(self._model)!r} gives {said.shape[1]} answers and names "
                f"{len(self.labels)} classes: train or export it again"
            )
        try:
            return probabilities(said)
        except ValueError as error:
            raise InputError(
                f"{str(self._model)!r} {error}: give a model that ends in a softmax"
            ) from None


def probabilities(said: np.ndarray) -> np.ndarray:
    """Returns answers scaled so that they add up to 1, float64.

    Those of an int8 file do so only nearly: each is rounded by itself.

    Args:
        said: what a model answers, shape (n, classes).

    Raises:
        ValueError: some miss 1 by more than `MOST_OFF`; the message goes on from the
            model's name.
    """
    said = said.astype("float64")
    total = said.sum(axis=1, keepdims=True)
    far = ~(np.abs(total - 1) <= MOST_OFF)  # NaN is
    if far.any():
        raise ValueError(
            f"answers no probabilities: they add up to {total[far][0]:.3g}"
        )
    return said / total


Answers = Callable[[np.ndarray], np.ndarray]


Opened = tuple[tuple[str, ...], int, Answers]


def _in_keras(folder: pathlib.Path) -> Opened:
    with quietly():
        from . import handover
        from .model import read_model

    model = read_model(folder / "model.keras")
    labels = handover.read_labels(folder)
    size = _size(folder, model.input_shape[1:])
    return labels, size, lambda images: model.predict(images, verbose=0)


def _size(model: pathlib.Path, shape: tuple[int, ...]) -> int:
    """Returns the size of the pictures that a model takes.

    Raises:
        InputError: it takes something else.
    """
    sizes = {(size, size, 1): size for size in SIZES}
    if shape not in sizes:
        raise InputError(
            f"{str(model)!r} takes inputs of shape {shape}: give a model whose input "
            f"has {' or '.join(map(str, sizes))}"
        )
    return sizes[shape]


def _in_litert(file: pathlib.Path) -> Opened:
    if not file.is_file():
        raise InputError(
            f"no {str(file)!r}: give a run's folder, or a file that export.convert "
            "wrote"
        )
    with quietly():
        from export import card, runtime, selftest

    def answers(images: np.ndarray) -> np.ndarray:
        try:
            return runtime.run(file, "on", {"image": images})[0]
        except runtime.RuntimeFailure as failure:
            raise InputError(f"{str(file)!r} does not run: {failure}") from None

    try:
        told = card.read(file.read_bytes())
        width = told.get("preprocessing", {}).get("width", raster.SIZE)
        size = _size(file, (width, width, 1))
        sound = selftest.is_sound(file, {"image": (1, size, size, 1)})
    except (ValueError, runtime.RuntimeFailure) as error:
        raise InputError(f"{str(file)!r} does not run: {error}") from None
    if not sound:
        raise InputError(
            f"{str(file)!r} does not run correctly here: its golden vectors get other "
            "answers; export the model again"
        )
    return tuple(told.get("labels", CLASSES)), size, answers
