"""Where a run's images come from: a set that was generated, or somebody's drawings."""

import dataclasses
from typing import Protocol

import tensorflow as tf
import tensorflow_datasets as tfds

from shaky_letters.shaky_letters_dataset_builder import CLASSES

from . import data
from .datasets import SPLITS
from .images import Images


class ImageSource(Protocol):
    """Where the images of each split come from.

    Attributes:
        classes: their names, by label.
        validation: the split that training is watched by.
        measured: the splits that a trained network is measured on.
    """

    classes: tuple[str, ...]
    validation: str
    measured: tuple[str, ...]

    def load(self, split: str) -> Images:
        """Returns the images and labels of a split.

        Raises:
            InputError: a file of it is damaged or missing.
        """

    def shown(self, images: Images) -> int:
        """Returns how many images a training epoch shows."""

    def training_batches(
        self, images: Images, batch_size: int, seed: int, epochs: range
    ) -> tf.data.Dataset:
        """Returns the batches of several epochs, as `data.training_batches` does."""


@dataclasses.dataclass(frozen=True)
class Generated:
    """A set of shaky letters.

    Its validation split is that of its tests: nothing is chosen by it but how sure the
    answers are, see `calibration`; test_large is there to measure that.
    """

    builder: tfds.core.DatasetBuilder
    classes: tuple[str, ...] = CLASSES
    validation: str = "test"
    measured: tuple[str, ...] = SPLITS

    def load(self, split: str) -> Images:
        """Returns the images and labels of a split."""
        return data.load(self.builder, split)

    def shown(self, images: Images) -> int:
        """Returns how many images a training epoch shows: each once."""
        return len(images)

    def training_batches(
        self, images: Images, batch_size: int, seed: int, epochs: range
    ) -> tf.data.Dataset:
        """Returns the batches of several epochs."""
        return data.training_batches(images, batch_size, seed, epochs)


def generated(dataset: str, quiet: bool) -> Generated:
    """Returns a set that was generated; builds it first if needed.

    Raises:
        InputError: there is no such set, or the folder holds something else.
    """
    return Generated(data.prepare(dataset, quiet))
