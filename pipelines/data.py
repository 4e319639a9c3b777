"""The images: from TensorFlow Datasets to tf.data."""

import dataclasses
import pathlib

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from shaky_letters.shaky_letters_dataset_builder import Builder

from .cli import InputError

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
    if not folder.is_dir():
        raise InputError(
            f"no dataset {dataset!r}: choose from {', '.join(NAMES)}, or give the "
            "folder that 'tfds build shaky_letters' made"
        )
    try:
        builder = tfds.builder_from_directory(folder)
    except (FileNotFoundError, tfds.core.registered.DatasetNotFoundError):
        raise InputError(
            f"{dataset!r} holds no dataset: give the folder with dataset_info.json"
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
    wanted = tfds.decode.PartialDecoding({"image": True, "label": True})
    try:
        parts = list(
            builder.as_dataset(split=split, decoders=wanted, shuffle_files=False)
            .batch(1000)
            .as_numpy_iterator()
        )
        images = Images(*(np.concatenate([p[k] for p in parts]) for k in wanted))
        whole = len(images) == builder.info.splits[split].num_examples
    except (tf.errors.DataLossError, tf.errors.InvalidArgumentError):
        whole = False
    except tf.errors.NotFoundError:
        whole = False
    if not whole:
        raise InputError(
            f"split {split!r} in {builder.data_dir} is damaged: delete that folder and "
            "run 'tfds build shaky_letters' again"
        )
    return images


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

    Each epoch visits the images in an order of its own, which depends on the seed and
    the number of the epoch alone: training that is resumed sees what it would have
    seen. What does not fill a batch at an epoch's end is left out.
    """
    # One copy of the images; the pipeline carries indices until a batch is complete.
    image, label = tf.constant(images.image), tf.constant(images.label)

    def epoch(number: tf.Tensor) -> tf.data.Dataset:
        key = tf.random.stateless_uniform(
            [len(images)], seed=tf.stack([tf.constant(seed, tf.int64), number])
        )
        order = tf.data.Dataset.from_tensor_slices(tf.argsort(key))
        return order.batch(batch_size, drop_remainder=True)

    return (
        tf.data.Dataset.range(epochs.start, epochs.stop)
        .flat_map(epoch)
        .map(lambda i: _as_input(tf.gather(image, i), tf.gather(label, i)))
        .prefetch(tf.data.AUTOTUNE)
    )


def _as_input(image: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    return tf.cast(image, tf.float32) / 255.0, label
