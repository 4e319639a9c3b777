"""Few drawings, shown again and again, each time on another sheet.

A sheet is turned, sheared and stretched like rubber, by as much as the generated
letters' are (`shaky_letters.pen.distort`). Of a pen recording the path is distorted,
and drawn anew with a pen of another width; of a photo the picture that the network
sees.
Nothing is mirrored or lies on its side: what is to be told apart may be a 6 and a 9.
"""

import cv2
import numpy as np
import tensorflow as tf

from shaky_letters import canonical
from shaky_letters.fit import PEN, fit
from shaky_letters.pen import distort
from shaky_letters.raster import INK, SIZE, rasterize

from ..collection.drawn import Path
from .images import Images

SHOWN = 5_000
"""Images that an epoch shows at least, as many as the generated sets have: schedules
and rates then mean what they mean there."""

_PEN = (PEN - 0.5, PEN + 0.5)  # pixels; of a pen recording

# Where the distortion of a picture is worked out; between, it is smooth.
_EVERY = 4


def shown(images: int) -> int:
    """Returns how many images an epoch shows: each as often as the others."""
    return images * -(-SHOWN // images)


def training_batches(
    images: Images, batch_size: int, seed: int, epochs: range
) -> tf.data.Dataset:
    """Returns the batches of several epochs, one after the other.

    Args:
        images: with their paths, where there are any.
        batch_size: what does not fill a batch at an epoch's end is left out.
        seed: with an epoch's number it decides all that is random in it.
        epochs: their numbers.

    Returns:
        (image, label) batches: float32, ink 1.0 on 0.0; int64.
    """
    steps = shown(len(images)) // batch_size

    def batch(number: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        epoch, step = divmod(int(number), steps)
        order = _order(len(images), np.random.default_rng([seed, epoch]))
        chosen = order[step * batch_size :][:batch_size]
        rng = np.random.default_rng([seed, epoch, step])
        pictures = np.stack([_distorted(images, i, rng) for i in chosen])
        return (pictures / INK).astype("float32"), images.label[chosen]

    @tf.autograph.experimental.do_not_convert
    def as_tensors(number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        image, label = tf.numpy_function(batch, [number], [tf.float32, tf.int64])
        image.set_shape((batch_size, images.size, images.size, 1))
        label.set_shape((batch_size,))
        return image, label

    return (
        tf.data.Dataset.range(epochs.start * steps, epochs.stop * steps)
        .map(as_tensors)
        .prefetch(tf.data.AUTOTUNE)
    )


def _order(images: int, rng: np.random.Generator) -> np.ndarray:
    """Returns the order in which an epoch shows images: all, and all again."""
    passes = shown(images) // images
    return np.concatenate([rng.permutation(images) for _ in range(passes)])


def _distorted(images: Images, i: int, rng: np.random.Generator) -> np.ndarray:
    """Returns an image on another sheet: uint8, shape (size, size, 1)."""
    path = images.path[i] if images.path else None
    if path is not None:
        return _redrawn(path, images.size, rng)
    return distorted(images.image[i], rng)


def _redrawn(path: Path, size: int, rng: np.random.Generator) -> np.ndarray:
    x, y, _ = fit(path.x, path.y, path.pen_down)
    x, y = distort(x, y, rng)
    if size == canonical.SIZE:
        return canonical.of_path(x, y, path.pen_down)
    x, y, _ = fit(x, y, path.pen_down)
    return rasterize(x, y, path.pen_down, rng.uniform(*_PEN))


def distorted(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Returns a picture on a sheet that was turned, sheared and stretched.

    Args:
        picture: uint8, shape (size, size, 1), ink 255 on 0.
        rng: draws the distortion.

    Returns:
        the same, ink and background alone; what leaves the sheet is lost.
    """
    size = len(picture)
    middles = np.arange(size // _EVERY) * _EVERY + _EVERY / 2
    grid = np.meshgrid(middles, middles)
    # Where each pixel comes from: a way back is as good a distortion as a way there.
    # The sheet is as large as the generated letters'; OpenCV counts from a pixel's
    # middle.
    scale = SIZE / size
    came = distort(*(axis.ravel() * scale - 0.5 for axis in grid), rng)
    x, y = (
        cv2.resize(c.reshape(grid[0].shape).astype("float32"), (size, size))
        for c in ((c + 0.5) / scale - 0.5 for c in came)
    )
    moved = cv2.remap(picture, x, y, cv2.INTER_LINEAR)
    return np.where(moved > INK // 2, np.uint8(INK), np.uint8(0))[..., None]
