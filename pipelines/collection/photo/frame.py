"""A frame around a drawing: a plot's axes with their labels, or a scanner's edge."""

import cv2
import numpy as np

_DARK = 0.1  # of the darkest density, and the density that a line has at least
_WHOLE = 0.8  # of a side, along which a scanner's edge is dark
_LONG = 0.45  # of the picture's side, which a line is long
_THIN = 0.005  # of the larger side, and two pixels at least, which it is wide
_TICKS = 0.015  # of the larger side, which they may be long
_INSIDE = 0.3  # of the frame's side, which the drawing in it is large


def outside(density: np.ndarray) -> np.ndarray:
    """Returns what is no part of a picture: a frame, and all that is outside it.

    A plot's frame has a line at its left and one at its bottom, and may have two more:
    thin, exactly straight and along the picture's sides, as nobody draws them. A
    scanner's is what is dark along a side of the picture.

    Args:
        density: float32, shape (h, w), 0 where the paper is bare.

    Returns:
        bool, shape (h, w).
    """
    dark = (density > _DARK * max(1.0, float(density.max()))).astype("uint8")
    off = _around((*_bare(dark), *_bare(dark.T)), dark.shape)
    dark[off] = 0
    box = _plot(dark)
    return off if box is None else _around(box, dark.shape)


def _around(box: tuple[int, int, int, int], shape: tuple[int, ...]) -> np.ndarray:
    """Returns what is not in a box, top, bottom, left and right: bool."""
    top, bottom, left, right = box
    off = np.ones(shape, bool)
    off[top:bottom, left:right] = False
    return off


def _bare(dark: np.ndarray) -> tuple[int, int]:
    """Returns the first row that is not dark along most of it, and that after the last.

    Two rows more are left out where there are some, for the edge's blur. All rows, if
    nothing bare is near the sides: then a stroke fills the picture.
    """
    rows = np.flatnonzero(dark.mean(1) < _WHOLE)
    count, most = len(dark), 0.1 * len(dark)
    if not len(rows) or rows[0] > most or count - 1 - rows[-1] > most:
        return 0, count
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    return top + 2 * (top > 0), bottom - 2 * (bottom < count)


def _plot(dark: np.ndarray) -> tuple[int, int, int, int] | None:
    """Returns the inside of a plot's frame: top, bottom, left and right, pixels."""
    width = dark.shape[1]
    tick = max(3, round(_TICKS * max(dark.shape)))
    across, down = _lines(dark), _lines(dark.T)
    for x, upper, lower in down:
        for y, first, last in across:
            # The lines meet in the lower left corner.
            if max(abs(first - x), abs(lower - y)) > tick:
                continue
            right = max((n for n, *_ in down if abs(n - last) <= tick), default=width)
            top = min((n for n, *_ in across if abs(n - upper) <= tick), default=0)
            box = (
                top + tick if top else 0,
                y - tick,
                x + tick,
                right - tick if right < width else width,
            )
            if _holds_a_drawing(dark, box):
                return box
    return None


def _lines(dark: np.ndarray) -> list[tuple[int, int, int]]:
    """Returns the row of each thin line across a picture, its first and last column."""
    long = max(2, round(_LONG * dark.shape[1]))
    rows = np.flatnonzero(dark.sum(1) >= long)
    if not len(rows):
        return []
    runs = cv2.morphologyEx(dark[rows], cv2.MORPH_OPEN, np.ones((1, long), "uint8"))
    rows, runs = rows[runs.any(1)], runs[runs.any(1)]
    lines = []
    for group in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(rows) > 1) + 1):
        if 0 < len(group) <= max(2, round(_THIN * max(dark.shape))):
            columns = np.flatnonzero(runs[group].any(0))
            lines.append((int(rows[group].mean()), int(columns[0]), int(columns[-1])))
    return lines


def _holds_a_drawing(dark: np.ndarray, box: tuple[int, int, int, int]) -> bool:
    """Whether there is ink within a box, as large as a drawing."""
    top, bottom, left, right = box
    if bottom <= top or right <= left:
        return False
    _, _, width, height = cv2.boundingRect(dark[top:bottom, left:right])
    return max(width / (right - left), height / (bottom - top)) > _INSIDE
