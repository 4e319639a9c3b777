"""A trained network that answers, from a run's folder or a .tflite file."""

import pathlib
from collections.abc import Callable

import numpy as np

from commands.cli import InputError, quietly
from shaky_letters.examples import CLASSES

PICTURE = (100, 100, 1)
"""Shape of what is classified."""

MOST_OFF = 0.05
"""By how much probabilities may miss a sum of 1. int8 rounds each to a 256th, and has
no 1."""


class Classifier:
    """A trained classifier: a run of Keras, or an exported file.

    Args:
        model: a run's folder, or a .tflite file.

    Attributes:
        labels: the classes' names, in the order of the probabilities.

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
        self.labels, self._answers = _in_litert(model) if is_file else _in_keras(model)

    def __call__(self, pictures: np.ndarray) -> np.ndarray:
        """Returns the probability of each class; together they are 1.

        Args:
            pictures: uint8, shape (n, 100, 100, 1), ink 255 on 0.

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


def _in_keras(folder: pathlib.Path) -> tuple[tuple[str, ...], Answers]:
    with quietly():
        from . import handover
        from .model import read_model

    model = read_model(folder / "model.keras")
    labels = handover.read_labels(folder)
    return labels, lambda images: model.predict(images, verbose=0)


def _in_litert(file: pathlib.Path) -> tuple[tuple[str, ...], Answers]:
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
        labels = card.read(file.read_bytes()).get("labels", CLASSES)
        sound = selftest.is_sound(file, {"image": (1, *PICTURE)})
    except (ValueError, runtime.RuntimeFailure) as error:
        raise InputError(f"{str(file)!r} does not run: {error}") from None
    if not sound:
        raise InputError(
            f"{str(file)!r} does not run correctly here: its golden vectors get other "
            "answers; export the model again"
        )
    return tuple(labels), answers
