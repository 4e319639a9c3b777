"""The images: from TensorFlow Datasets to tf.data."""

import dataclasses
import pathlib

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds
from absl import logging
from google.protobuf.json_format import ParseError

from shaky_letters.shaky_letters_dataset_builder import Builder

from .cli import InputError

# TFDS warns its users of its own deprecated attributes.
logging.set_verbosity(logging.ERROR)

NAMES = ("letters", "shapes")


@dataclasses.dataclass(frozen=True)
class Images:
    """A split in memory.

    Attributes:
        image: uint8, shape (n, 100, 100, 1), ink 255 on 0.
        label: int64, shape (n,).
    """

    image: np.ndarray
    label: np.ndarray

    def __len__(self) -> int:
        return len(self.label)


def prepare(dataset: str, quiet: bool = False) -> tfds.core.DatasetBuilder:
    """Returns the builder of a dataset that is on disk; builds it first if needed.

    Args:
        dataset: "letters", "shapes", or a folder that `tfds build` made.
        quiet: show no progress bar while building.

    Raises:
        InputError: there is no such dataset, or the folder holds something else.
    """
    if dataset in NAMES:
        builder = Builder(config=dataset)
        if quiet:
            tfds.disable_progress_bar()
        builder.download_and_prepare()
        return builder
    folder = pathlib.Path(dataset)
    if not (folder / "dataset_info.json").is_file():
        raise InputError(
            f"no dataset {dataset!r}: choose from {', '.join(NAMES)}, or give a folder "
            "that 'tfds build shaky_letters' made, with dataset_info.json in it"
        )
    try:
        builder = tfds.builder_from_directory(folder)
    except (ParseError, ValueError, FileNotFoundError):
        raise InputError(
            f"the dataset in {dataset!r} is damaged: delete that folder and run "
            "'tfds build shaky_letters' again"
        ) from None
    wanted = (Builder.name, str(Builder.VERSION))
    found = (builder.name, str(builder.version))
    if found != wanted:
        raise InputError(
            f"{dataset!r} holds {' '.join(found)}, this program reads "
            f"{' '.join(wanted)}: run 'tfds build shaky_letters' again"
        )
    return builder


def load(builder: tfds.core.DatasetBuilder, split: str) -> Images:
    """Reads a split into memory.

    Raises:
        InputError: a file of the split is damaged or missing.
    """
    names = ("image", "label")
    dataset = builder.as_dataset(
        split=split, decoders=tfds.decode.PartialDecoding(dict.fromkeys(names, True))
    )
    damage = tf.errors.DataLossError, tf.errors.InvalidArgumentError
    try:
        parts = list(dataset.batch(1000).as_numpy_iterator())
    except (*damage, tf.errors.NotFoundError):
        parts = []
    if sum(map(len, (p["label"] for p in parts))) != dataset.cardinality():
        raise InputError(
            f"split {split!r} in {builder.data_dir} is damaged: delete that folder and "
            "run 'tfds build shaky_letters' again"
        )
    return Images(*(np.concatenate([p[name] for p in parts]) for name in names))


def batches(images: Images, batch_size: int = 500) -> tf.data.Dataset:
    """Returns (image, label) batches in order: float32, ink 1.0 on 0.0."""
    return (
        tf.data.Dataset.from_tensor_slices((images.image, images.label))
        .batch(batch_size)
        .map(_as_input)
        .prefetch(tf.data.AUTOTUNE)
    )


def training_batches(
    images: Images, batch_size: int, seed: int, epochs: range
) -> tf.data.Dataset:
    """Returns the batches of several epochs, one after the other.

    Each epoch visits the images in an order of its own, and each image in one of the
    square's eight symmetries, drawn anew every time: a trembling hand is one however
    the sheet lies. Both depend on the seed and the number of the epoch alone, so that
    training that is resumed sees what it would have seen. What does not fill a batch
    at an epoch's end is left out.
    """
    # One copy of the images; the pipeline carries indices until a batch is complete.
    ink, label = tf.constant(images.image.ravel()), tf.constant(images.label)
    symmetries = tf.constant(_symmetries(images.image.shape[1]))
    pixels = symmetries.shape[1]

    def epoch(number: tf.Tensor) -> tf.data.Dataset:
        key = tf.stack([tf.constant(seed, tf.int64), number])
        random = tf.random.stateless_uniform([4, len(images)], key)
        order = tf.argsort(random[0])
        turn = tf.reduce_sum(tf.where(random[1:] < 0.5, [[1], [2], [4]], 0), axis=0)
        return tf.data.Dataset.from_tensor_slices((order, turn)).batch(
            batch_size, drop_remainder=True
        )

    def batch(order: tf.Tensor, turn: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        # One look-up both picks the images and turns them.
        first = tf.cast(order, tf.int64)[:, None] * pixels
        places = first + tf.gather(symmetries, turn)
        turned = tf.reshape(tf.gather(ink, places), (-1, *images.image.shape[1:]))
        return _as_input(turned, tf.gather(label, order))

    return (
        tf.data.Dataset.range(epochs.start, epochs.stop)
        .flat_map(epoch)
        .map(batch)
        .prefetch(tf.data.AUTOTUNE)
    )


def _symmetries(side: int) -> np.ndarray:
    """Returns where each pixel of a turned square comes from.

    Returns:
        int64, shape (8, side²): row k has bit 1 set if the picture is mirrored top to
        bottom, 2 if then left to right, 4 if then at the diagonal.
    """
    rows = []
    for k in range(8):
        places = np.arange(side * side, dtype="int64").reshape(side, side)
        places = places[::-1] if k & 1 else places
        places = places[:, ::-1] if k & 2 else places
        rows.append((places.T if k & 4 else places).ravel())
    return np.stack(rows)


def _as_input(image: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    return tf.cast(image, tf.float32) / 255.0, label
