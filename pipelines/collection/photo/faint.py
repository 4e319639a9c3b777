"""Strokes that are fainter in parts: each pixel against the stroke that it is in.

A pencil's line may be a third as dark at its end as at its start. One threshold for all
of it loses the end; a lower one makes what is dark broader, since soft edges pass it.
"""

import cv2
import numpy as np
from skimage.filters import apply_hysteresis_threshold

_SOFT = 1.2  # pixels that the paper's grain is smoothed by
_LOW, _HIGH = 3.2, 6.0  # deviations of the paper's grain: what goes on, what begins
_FAINT, _SURE = 0.08, 0.2  # of full ink, where paper has no grain
_PART = 0.35  # of the stroke nearby; the grain of ink makes no holes
_EVEN = 0.01  # of the strokes, which may be faint where all are taken as they are


def find(ink: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Finds strokes, faint parts of them, too.

    Args:
        ink: which share of each pixel is ink, 1 in full ink; float32, shape (h, w).

    Returns:
        the same against the stroke nearby, so that half of it is where any stroke
        ends, and which pixels may be strokes, bool; both of shape (h, w). Where no
        stroke is faint, the ink as it is: networks are trained on even pens.
    """
    soft = cv2.GaussianBlur(ink, None, _SOFT)
    grain = 1.5 * float(np.median(np.abs(soft - np.median(soft))))
    low, high = max(_LOW * grain, _FAINT), max(_HIGH * grain, _SURE)
    # From a stroke's edge its own middle is half its width away.
    reach = int(np.ceil(_half_width(soft > 0.5)))
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
    stroke = np.clip(cv2.dilate(soft, brush), 2 * low, 1)
    mask = apply_hysteresis_threshold(soft, low, high) & (soft > _PART * stroke)
    dark = even(ink)
    near = cv2.dilate(dark.astype("uint8"), brush) > 0
    whole = _pieces(dark) <= _pieces(mask)
    if whole and (mask & ~near).sum() <= _EVEN * mask.sum():
        return ink, dark
    return ink / stroke, mask


def even(ink: np.ndarray) -> np.ndarray:
    """Returns strokes of a pen that is dark all along: bool, shape (h, w).

    Args:
        ink: densities in multiples of full ink's, or shares, see `find`.
    """
    return cv2.GaussianBlur(ink, None, 0.8) > 0.5


def _pieces(mask: np.ndarray) -> int:
    return cv2.connectedComponents(mask.astype("uint8"))[0]


def _half_width(mask: np.ndarray) -> float:
    """Returns half the width of strokes, pixels: twice the mean way to the outline."""
    inside = cv2.distanceTransform(mask.astype("uint8"), cv2.DIST_L2, 5)
    return 2 * float(inside[mask].mean()) if mask.any() else 0.5
