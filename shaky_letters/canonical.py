"""The canonical picture: what a network sees of a drawing, whatever it was drawn with.

A line of one width in a box of one size, black on white: so a broad marker and a fine
pen, a scan and a pen recording of the same drawing look alike, and what is left to tell
drawings apart is the line's course. A tremor of a seventieth of the drawing's size is
one and a half pixels here.

    a pen's path     its line is drawn anew, by `raster`
    a picture        strokes are thinned around their middle, or thickened, by the
                     distance to their outline
"""

import math

import cv2
import numpy as np

from .fit import fit
from .raster import INK, rasterize

SIZE = 128
"""Width and height of the picture, pixels."""

SIDE = 108.0
"""Larger side of the box around the line's middle, pixels."""

PEN = 2.5
"""Width of the line, pixels."""

_FINE = 2  # points of the grid that strokes are thinned on, per pixel
_MARGIN = 4  # pixels around the ink that the line may need
_BLUR = 0.55  # pixels of a small picture: the steps of its outlines, not its bends
_BROAD = 1.6  # of most strokes' width; what is broader is where strokes meet
_FLAT = np.ones((3, 3), "uint8")


def of_path(x: np.ndarray, y: np.ndarray, pen_down: np.ndarray) -> np.ndarray:
    """Returns the canonical picture of a pen's path.

    Args:
        x: shape (n,), to the right, in any unit.
        y: shape (n,), downwards, in the same.
        pen_down: shape (n,), bool.

    Returns:
        uint8, shape (128, 128, 1), ink 255 on 0.

    Raises:
        ValueError: there is no ink, or all of it in one point.
    """
    x, y, _ = fit(x, y, pen_down, SIDE, SIZE)
    return rasterize(x, y, pen_down, PEN, SIZE)


def of_ink(ink: np.ndarray, turned: float = 0.0) -> tuple[np.ndarray, float]:
    """Returns the canonical picture of strokes in a picture of any size.

    Args:
        ink: how much of each pixel is ink, 0 to 1, strokes alone; float32, shape
            (h, w).
        turned: degrees, clockwise, that the sheet is turned by first.

    Returns:
        the picture, uint8, shape (128, 128, 1), ink 255 on 0, and how wide the strokes
        were in its pixels.

    Raises:
        ValueError: there is no ink.
    """
    mask = (ink > 0.5).astype("uint8")
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        raise ValueError("no ink")
    mask = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    around = cv2.copyMakeBorder(mask, *[1] * 4, cv2.BORDER_CONSTANT)
    width = max(2 * _inside(around)[1] - 0.5, 0.8)
    turn = cv2.getRotationMatrix2D((0, 0), -turned, 1.0)[:, :2]
    corners = np.array([columns[[0, -1]], rows[[0, -1]]], "float64")
    if turned:
        corners = np.stack(np.nonzero(mask)[::-1]) + corners[:, :1]
    corners = turn @ (corners + 0.5)
    low, high = corners.min(1) - 0.5, corners.max(1) + 0.5
    scale = SIDE / max((high - low).max() - width, 1.0)
    room = (high - low) * scale / 2 + _MARGIN
    fine = _enlarged(ink, turn * scale, (low + high) / 2 * scale, room, width * scale)
    return _redrawn(fine)[..., None], width * scale


def _inside(mask: np.ndarray) -> tuple[np.ndarray, float]:
    """Returns each point's distance to the outline, and half of most strokes' width."""
    inside = cv2.distanceTransform(mask, cv2.DIST_L2, 5)
    np.minimum(inside, max(mask.shape) / 2, out=inside)  # all ink: no outline
    middle = inside[(inside >= cv2.dilate(inside, _FLAT) - 0.01) & (mask > 0)]
    half = len(middle) // 2
    return inside, float(np.partition(middle, half)[half]) if len(middle) else 0.5


def _enlarged(
    ink: np.ndarray,
    turn: np.ndarray,
    middle: np.ndarray,
    room: np.ndarray,
    width: float,
) -> np.ndarray:
    """Returns which points of the fine grid are ink: uint8, shape (h, w).

    Args:
        ink: see `of_ink`.
        turn: of its pixels into the picture's, shape (2, 2).
        middle: of the ink after that, shape (2,); it becomes the grid's middle.
        room: from there to the grid's sides, pixels, shape (2,).
        width: of its strokes, pixels of the picture.
    """
    scale = math.sqrt(abs(np.linalg.det(turn)))
    half = np.minimum(np.ceil(room * _FINE), SIZE * _FINE / 2)
    matrix = np.c_[turn * _FINE, half - middle * _FINE]
    # OpenCV counts from the first pixel's centre, not from its corner.
    matrix[:, 2] += matrix[:, :2] @ [0.5, 0.5] - 0.5
    if scale * _FINE < 1:
        ink = cv2.GaussianBlur(ink, None, 0.4 / (scale * _FINE))
    fine = cv2.warpAffine(ink, matrix, (2 * half).astype("int64").tolist())
    blur = max(_BLUR * min(scale, 2.0), 0.3)
    fine = cv2.GaussianBlur(fine, None, blur * _FINE)
    # Half of what the blur leaves of a line so wide, where pixels touch at corners.
    level = 0.5 * math.erf(
        max(width - 0.6 * scale, 0.5 * scale) / (math.sqrt(8) * blur)
    )
    return (fine > level).astype("uint8")


def _redrawn(fine: np.ndarray) -> np.ndarray:
    """Returns the picture of strokes on the fine grid, as lines of one width.

    Args:
        fine: which points are ink, uint8, shape (h, w), even numbers both.
    """
    inside, half = _inside(fine)
    wanted = PEN / 2 * _FINE
    if half <= wanted:
        away = cv2.distanceTransform(1 - fine, cv2.DIST_L2, 5)
        line = np.float32(wanted - half + 1) - away
    else:
        # Off the middle the distance grows by one with every point: a stroke's middle
        # is found from as near as the line is wide. Where strokes meet and are much
        # wider they stay so, since nothing says where each goes on.
        brush = np.ones((2 * math.ceil(wanted) + 1,) * 2, "uint8")
        middle = np.minimum(cv2.dilate(inside, brush), np.float32(_BROAD * half))
        line = (inside - middle + np.float32(wanted + 0.5)) * fine
    whole = np.zeros((SIZE * _FINE,) * 2, "float32")
    top, left = (np.array(whole.shape) - fine.shape) // 2
    line = np.clip(line, 0, 1, out=line)
    whole[top : top + fine.shape[0], left : left + fine.shape[1]] = line
    covered = cv2.resize(whole, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    picture = (covered > 0.5).astype("uint8")
    if half > wanted:
        # The tip of a bump may be cut off from its line; a dot is larger than that.
        _, parts, stats, _ = cv2.connectedComponentsWithStats(picture)
        large = stats[:, cv2.CC_STAT_AREA] > math.pi * (PEN / 2) ** 2
        picture *= large[parts]
    return picture * np.uint8(INK)
