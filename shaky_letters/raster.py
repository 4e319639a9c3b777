"""Ink to picture: the one rasteriser, the same on every machine and in any language.

Pen positions are integers, 1/64 of a pixel each. A pixel is ink when its centre lies
within half a pen width of the pen's path. Every quantity below is then an integer
smaller than 2**53, so float64 arithmetic is exact, and so is JavaScript's: two
implementations of this page agree on every pixel, not on most.
"""

import numpy as np

SIZE = 100
"""Width and height of the paper's pictures in pixels."""

UNITS = 64
"""Pen positions per pixel."""

INK = 255

_CHUNK = 256  # segments drawn at a time: memory does not grow with a path


def quantize(values: np.ndarray) -> np.ndarray:
    """Returns pixels as whole pen positions, 1/64 pixel each (float64 integers)."""
    return np.rint(np.asarray(values, "float64") * UNITS)


def rasterize(
    x: np.ndarray,
    y: np.ndarray,
    pen_down: np.ndarray,
    width: float,
    size: int = SIZE,
) -> np.ndarray:
    """Draws a pen's path as a binary picture.

    Consecutive samples with the pen down are joined by a straight line; a sample
    with the pen up ends a stroke, and a stroke of one sample is a dot.

    Args:
        x: shape (n,), pixels from the picture's left edge. Rounded to 1/64 pixel.
        y: shape (n,), the same from its upper edge.
        pen_down: shape (n,), bool.
        width: diameter of the pen's round tip in pixels. Rounded to 1/32 pixel.
        size: width and height of the picture, pixels.

    Returns:
        uint8, shape (size, size, 1): 255 where there is ink, 0 elsewhere.
    """
    # One pixel of margin on each side takes what falls outside the picture.
    canvas = np.zeros((size + 2, size + 2), "uint8")
    pen_down = np.asarray(pen_down, bool)
    if not pen_down.any():
        return canvas[1:-1, 1:-1, None]
    x, y, radius = quantize(x), quantize(y), float(quantize(width / 2))

    # Segments: from a sample to the next while the pen is down. A sample whose
    # predecessor is in the air starts from itself, which also draws lone dots.
    end = np.flatnonzero(pen_down)
    start = end - np.concatenate([[False], pen_down[:-1]])[end]
    for first in range(0, len(end), _CHUNK):
        some = slice(first, first + _CHUNK)
        a, b = start[some], end[some]
        _draw(canvas, x[a], y[a], x[b], y[b], radius)
    return canvas[1:-1, 1:-1, None].copy()


def _draw(
    canvas: np.ndarray,
    ax: np.ndarray,
    ay: np.ndarray,
    bx: np.ndarray,
    by: np.ndarray,
    radius: float,
) -> None:
    """Draws segments onto a canvas that has a margin of one pixel.

    Args:
        canvas: uint8, shape (size + 2, size + 2).
        ax: where the segments begin, shape (n,), whole pen positions.
        ay: the same, downwards.
        bx: where they end.
        by: the same, downwards.
        radius: of the pen's tip, whole pen positions.
    """
    size = len(canvas) - 2
    dx, dy = (bx - ax)[:, None], (by - ay)[:, None]

    # Every pixel centre in a box of fixed size around each segment is tested.
    reach = max(np.abs(dx).max(), np.abs(dy).max()) + 2 * radius
    box = np.arange(int(reach // UNITS) + 2)
    column = ((np.minimum(ax, bx) - radius) // UNITS)[:, None] + box
    row = ((np.minimum(ay, by) - radius) // UNITS)[:, None] + box
    px = column * UNITS + (UNITS // 2) - ax[:, None]
    py = row * UNITS + (UNITS // 2) - ay[:, None]

    # Squared distance to the segment, times its squared length to stay whole: with
    # `along` the foot of the perpendicular and `foot` the same kept on the segment,
    # |p|² length − foot (2 along − foot).
    length = np.maximum(dx * dx + dy * dy, 1)
    along = (px * dx)[:, None, :] + (py * dy)[:, :, None]
    foot = np.minimum(np.maximum(along, 0), length[:, :, None])
    along += along
    along -= foot
    along *= foot
    distance = (px * px * length)[:, None, :] + (py * py * length)[:, :, None]
    distance -= along
    near = distance <= (radius * radius * length)[:, :, None]

    row = np.clip(row, -1, size).astype("int64") + 1
    column = np.clip(column, -1, size).astype("int64") + 1
    place = (row * (size + 2))[:, :, None] + column[:, None, :]
    canvas.flat[place[near]] = INK
