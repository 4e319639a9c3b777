"""Strokes of any pen, as the training's pen would have drawn them."""

import cv2
import numpy as np
from skimage.morphology import skeletonize

from shaky_letters.fit import PEN, SIDE
from shaky_letters.raster import INK, SIZE

_FINE = 8  # pixels of the fine grid, on which strokes are measured, per pixel
_THINNEST = 1.0  # pixels of the picture; what is thinner is lost on the fine grid
_LOST = 0.16  # fine pixels, along the strokes' outline, that count as nothing


def redraw(
    ink: np.ndarray, mask: np.ndarray, turned: float
) -> tuple[np.ndarray, float]:
    """Returns the picture, and the strokes' width in its pixels.

    Args:
        ink: densities in multiples of full ink's, float32, shape (h, w).
        mask: which of them belong to strokes.
        turned: degrees, clockwise, that the page is turned by first.
    """
    turn = cv2.getRotationMatrix2D((0, 0), -turned, 1.0)[:, :2]
    y, x = np.nonzero(mask)
    points = turn @ (np.stack([x, y]) + 0.5)
    low, high = points.min(1) - 0.5, points.max(1) + 0.5
    # How wide the strokes are is not known before they have been seen on the fine grid.
    scale = (SIDE + PEN) / (high - low).max()
    middle = (low + high) / 2
    ink = of_strokes(ink, mask, _THINNEST / scale)
    fine = _on_fine_grid(ink, turn * scale, middle * scale)
    pen = _pen(fine)
    low, high = _box(fine)
    middle += ((low + high) / 2 - SIZE / 2) / scale
    larger = SIDE / max((high - low).max() - pen, PEN)
    scale, pen = scale * larger, pen * larger
    fine = _on_fine_grid(ink, turn * scale, middle * scale)
    return _normalised(fine, pen), pen


def of_strokes(ink: np.ndarray, mask: np.ndarray, thinnest: float = 0.0) -> np.ndarray:
    """Returns the densities of strokes alone: float32, shape (h, w).

    Args:
        ink: densities in multiples of full ink's, float32, shape (h, w).
        mask: which of them belong to strokes.
        thinnest: strokes are at least as wide, pixels; those that are thinner would be
            lost on the fine grid, and are made wider here.
    """
    strokes = mask.astype("uint8")
    outline = (cv2.distanceTransform(strokes, cv2.DIST_L2, 3) < 1.5) & mask
    width = 2 * mask.sum() / outline.sum()
    if width >= thinnest:
        gate = cv2.dilate(strokes, np.ones((5, 5), "uint8"))
        return np.where(gate, ink, 0).astype("float32")
    away = cv2.distanceTransform(1 - strokes, cv2.DIST_L2, 5)
    return (away <= (thinnest - width) / 2).astype("float32")


def _on_fine_grid(ink: np.ndarray, turn: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """Returns which points of the picture's fine grid are ink: bool, shape (800, 800).

    Args:
        ink: densities, float32, shape (h, w).
        turn: of the photo's pixels into the picture's, shape (2, 2).
        middle: of the ink after that; it comes to lie in the picture's middle.
    """
    matrix = np.c_[turn, SIZE / 2 - middle] * _FINE
    # OpenCV counts from the first pixel's centre, not from its corner.
    matrix[:, 2] += matrix[:, :2] @ [0.5, 0.5] - 0.5
    size = (SIZE * _FINE, SIZE * _FINE)
    fine = cv2.warpAffine(ink, matrix, size, flags=cv2.INTER_CUBIC)
    return cv2.GaussianBlur(fine, None, 0.25 * _FINE) > 0.5


def _box(fine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the upper left and the lower right end of the ink, pixels."""
    x, y, width, height = cv2.boundingRect(fine.astype("uint8"))
    low = np.array([x, y])
    return low / _FINE, (low + np.array([width, height])) / _FINE


def _pen(fine: np.ndarray) -> float:
    """Returns the diameter of the pen that drew strokes, pixels of the picture.

    It is that of the largest disc with which the strokes can be painted again and lose
    nothing: a larger one does not reach into their ends and bumps. Where strokes have
    run together they are wider than the pen, but their outline still bends as it does.
    """
    inside = cv2.distanceTransform(fine.astype("uint8"), cv2.DIST_L2, 5)
    bearable = _LOST * (fine & (inside < 1.5)).sum()
    low, high = 0.0, float(inside.max())
    while high - low > 0.05 * high:
        radius = (low + high) / 2
        outside = (inside < radius).astype("uint8")
        away = cv2.distanceTransform(outside, cv2.DIST_L2, 5)
        if (fine & (away > radius)).sum() > bearable:
            high = radius
        else:
            low = radius
    return (low + high) / _FINE


def _normalised(fine: np.ndarray, pen: float) -> np.ndarray:
    """Returns the picture of strokes on the fine grid, as if `PEN` had drawn them."""
    more = (PEN - pen) / 2 * _FINE
    if more >= 0:
        # Strokes are the pen's disc along a line; a disc more is a larger disc.
        outside = cv2.distanceTransform(1 - fine.astype("uint8"), cv2.DIST_L2, 5)
        fine = outside <= more
    else:
        # A stroke that is thinner than others keeps its middle.
        inside = cv2.distanceTransform(fine.astype("uint8"), cv2.DIST_L2, 5)
        line = skeletonize(fine).astype("uint8")
        away = cv2.distanceTransform(1 - line, cv2.DIST_L2, 5)
        fine = (inside > -more) | (fine & (away < PEN / 2 * _FINE))
    covered = cv2.resize(
        fine.astype("float32"), (SIZE, SIZE), interpolation=cv2.INTER_AREA
    )
    return np.where(covered >= 0.5, INK, 0).astype("uint8")[..., None]
