"""The images: from TensorFlow Datasets to tf.data."""

import contextlib
import pathlib
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds
from absl import logging
from google.protobuf.json_format import ParseError

from commands.cli import InputError
from shaky_letters.shaky_letters_dataset_builder import Builder

from . import description
from .costs import costs
from .datasets import DATASETS, check_dataset
from .images import SIZES, Images

_KNOWN = ("kind", "renderer", "pen_width", "tremor_amplitude", "tremor_hz")
"""What is known of drawings of `hands`, besides their labels."""

# TFDS warns its users of its own deprecated attributes.
logging.set_verbosity(logging.ERROR)

# What TFDS and TensorFlow answer damaged files with.
_DAMAGE = (
    *(ParseError, ValueError, KeyError, TypeError, AssertionError, FileNotFoundError),
    *(tf.errors.DataLossError, tf.errors.InvalidArgumentError),
    *(tf.errors.NotFoundError, tf.errors.FailedPreconditionError),
)


def prepare(dataset: str, quiet: bool = False) -> tfds.core.DatasetBuilder:
    """Returns the builder of a dataset that is on disk; builds it first if needed.

    Args:
        dataset: one of `DATASETS`, or a folder that `tfds build` made.
        quiet: show no progress bar while building.

    Raises:
        InputError: there is no such dataset, or the folder holds something else.
    """
    check_dataset(dataset)
    if dataset in DATASETS:
        if quiet:
            tfds.disable_progress_bar()
        place = f"{tfds.core.constants.DATA_DIR}/{Builder.name}/{dataset}"
        with _reading(f"the dataset in {place!r}"):
            builder = Builder(config=dataset)
        builder.download_and_prepare()
        return builder
    folder = pathlib.Path(dataset)
    with _reading(f"the dataset in {dataset!r}"):
        description.check(folder)
        return tfds.builder_from_directory(folder)


@contextlib.contextmanager
def _reading(what: str) -> Iterator[None]:
    """Answers what TFDS stumbles over in the block: it trusts what it reads."""
    try:
        yield
    except _DAMAGE:
        raise InputError(
            f"{what} is damaged: delete that folder and run 'tfds build "
            "shaky_letters' again"
        ) from None


def load(builder: tfds.core.DatasetBuilder, split: str) -> Images:
    """Reads a split into memory.

    Raises:
        InputError: a file of the split is damaged or missing.
    """
    told = _KNOWN if "renderer" in builder.info.features else ()
    names = ("image", "label", *told)
    decoders = tfds.decode.PartialDecoding(dict.fromkeys(names, True))
    with _reading(f"split {split!r} in {builder.data_dir}"):
        dataset = builder.as_dataset(split=split, decoders=decoders)
        parts = list(dataset.batch(1000).as_numpy_iterator())
        image, label, *known = (
            np.concatenate([p[name] for p in parts]) for name in names
        )
        # What its description says of it may be damaged, too.
        if image.dtype != np.uint8 or image.shape[1:] not in [(n, n, 1) for n in SIZES]:
            raise ValueError(f"images of {image.dtype}, {image.shape}")
        features = builder.info.features
        known = {
            name: np.array(features[name].names)[values]
            if isinstance(features[name], tfds.features.ClassLabel)
            else values
            for name, values in zip(told, known, strict=True)
        }
    cost = costs(known["renderer"], label) if known else None
    return Images(image, label, known=known, cost=cost)


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

    They are (image, label), or (image, label, cost) where wrong answers differ in what
    they cost. Each epoch visits the images in an order of its own, and each image in
    one of the square's eight symmetries, drawn anew every time: a trembling hand is one
    however the sheet lies. Both depend on the seed and the number of the epoch alone,
    so that training that is resumed sees what it would have seen. What does not fill a
    batch at an epoch's end is left out.
    """
    side = images.image.shape[1]
    turned = tf.constant(_turned(images.image))
    told = [tf.constant(x) for x in (images.label, images.cost) if x is not None]
    # Eight pixels at once: the bits of every byte, as the network takes them.
    every_byte = np.arange(256, dtype="uint8")[:, None]
    pixels = tf.constant(np.unpackbits(every_byte, axis=1).astype("float32"))
    steps = len(images) // batch_size

    @tf.autograph.experimental.do_not_convert
    def epoch(number: tf.Tensor) -> tf.data.Dataset:
        key = tf.stack([tf.constant(seed, tf.int64), number])
        random = tf.random.stateless_uniform([4, len(images)], key)
        order = tf.argsort(random[0])
        turn = tf.reduce_sum(tf.where(random[1:] < 0.5, [[1], [2], [4]], 0), axis=0)
        whole = slice(steps * batch_size)
        return tf.data.Dataset.from_tensor_slices(
            tuple(tf.reshape(x[whole], (steps, batch_size)) for x in (order, turn))
        )

    @tf.autograph.experimental.do_not_convert
    def batch(order: tf.Tensor, turn: tf.Tensor) -> tuple[tf.Tensor, ...]:
        packed = tf.cast(tf.gather(turned, 8 * order + turn), tf.int32)
        flat = tf.reshape(tf.gather(pixels, packed), (batch_size, -1))
        image = tf.reshape(flat[:, : side * side], (batch_size, side, side, 1))
        return image, *(tf.gather(values, order) for values in told)

    return (
        tf.data.Dataset.range(epochs.start, epochs.stop)
        .flat_map(epoch)
        .map(batch)
        .prefetch(tf.data.AUTOTUNE)
    )


def _turned(image: np.ndarray) -> np.ndarray:
    """Returns square binary images in all their symmetries, a bit for each pixel.

    All eight together take the room that the images took.

    Returns:
        uint8, shape (8 n, bytes): row 8 i + k is image i, mirrored top to bottom if k
        has bit 1 set, then left to right if 2, then at the diagonal if 4.
    """
    turned = np.empty((len(image), 8, (image[0].size + 7) // 8), "uint8")
    for k in range(8):
        copy = image[..., 0] > 0
        copy = copy[:, ::-1] if k & 1 else copy
        copy = copy[:, :, ::-1] if k & 2 else copy
        copy = copy.transpose(0, 2, 1) if k & 4 else copy
        turned[:, k] = np.packbits(copy.reshape(len(image), -1), axis=1)
    return turned.reshape(-1, turned.shape[-1])


@tf.autograph.experimental.do_not_convert
def _as_input(image: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    return tf.cast(image, tf.float32) / 255.0, label
