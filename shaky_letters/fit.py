"""A drawing of any size, moved to the middle of a picture: as the tablet does it.

Written with multiplications, additions and comparisons in this order alone, so that
float64 gives the same positions here and in JavaScript, bit for bit.
"""

import numpy as np

from .raster import SIZE

SIDE = 64.0
"""Larger side of the box around the pen's path in the paper's pictures, pixels: the
mean of the hands that `letters` and `shapes` are written by."""

PEN = 3.0
"""Diameter of the pen's tip there, pixels; the mean of those hands again."""


def fit(
    x: np.ndarray,
    y: np.ndarray,
    pen_down: np.ndarray,
    side: float = SIDE,
    size: int = SIZE,
) -> tuple[np.ndarray, np.ndarray, float]:
    """Moves and scales a pen's path to the middle of the picture.

    Args:
        x: shape (n,), to the right, in any unit.
        y: shape (n,), downwards, in the same.
        pen_down: shape (n,), bool; samples in the air move with the others, and do
            not count for the box.
        side: larger side of the box around the path afterwards, pixels.
        size: width and height of the picture, pixels.

    Returns:
        x and y in pixels of the picture, and how many pixels a unit has become.

    Raises:
        ValueError: there is no ink, or all of it in one point.
    """
    x, y = np.asarray(x, "float64"), np.asarray(y, "float64")
    pen_down = np.asarray(pen_down, bool)
    if not pen_down.any():
        raise ValueError("no ink: the pen was never down")
    left, right = x[pen_down].min(), x[pen_down].max()
    top, bottom = y[pen_down].min(), y[pen_down].max()
    larger = max(right - left, bottom - top)
    if larger == 0:
        raise ValueError("a single dot: draw a letter, a shape or a spiral")
    scale = side / larger
    return (
        (x - (left + right) / 2) * scale + size / 2,
        (y - (top + bottom) / 2) * scale + size / 2,
        float(scale),
    )
