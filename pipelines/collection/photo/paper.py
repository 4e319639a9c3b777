"""The paper of a photo or a scan: how bright it is everywhere, and what is darker.

Densities are against it: the logarithm of how much darker a pixel is than the paper
around it, so that light and shadow no longer matter.
"""

import cv2
import numpy as np

GRAY = np.full(3, 1 / 3, "float32")
"""Weights of the colours."""

FAINTEST = 0.03
"""Density of the faintest pencil."""

_SMALL = 400  # pixels of the larger side; enough for the paper and the ink's colour
_SMALLEST_PHOTO = 200  # pixels of the larger side, unless light differs in it
_DIGIT = 64  # pixels of the larger side; nobody has a photo so small
_SAME = 24  # levels of 255 by which the paper of a raster differs from place to place
_INK = 0.1  # density from which on a pixel is ink, and no paper


def small_of(pixels: np.ndarray) -> np.ndarray:
    """Returns a picture with no side above `_SMALL`."""
    scale = min(1.0, _SMALL / max(pixels.shape))
    return cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def is_raster(pixels: np.ndarray) -> bool:
    """Returns whether a picture is small, its paper the same all over: no photo."""
    side, edge = max(pixels.shape), _edge(pixels).mean(1)
    same = np.mean(np.abs(edge - np.median(edge)) < _SAME / 2)
    return side < _DIGIT or bool(side < _SMALLEST_PHOTO and same > 0.6)


def _edge(pixels: np.ndarray) -> np.ndarray:
    """Returns a picture's outermost pixels, shape (n, 3)."""
    return np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])


def of_raster(pixels: np.ndarray) -> np.ndarray:
    """Returns densities of a small picture: a training raster, or a scanned digit.

    The paper, which may be black, is what the picture's edge has most of. It is
    enlarged until strokes are several pixels wide.
    """
    scale = 2 * _SMALLEST_PHOTO / max(pixels.shape)
    paper = np.median(_edge(pixels), axis=0)
    # Without a logarithm: there is no light that differs from place to place.
    density = np.abs(pixels - paper).astype("float32") / 255
    border = int(np.ceil(0.1 * max(pixels.shape)))
    density = cv2.copyMakeBorder(density, *[border] * 4, cv2.BORDER_CONSTANT)
    large = cv2.resize(density, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    # Without the steps of pixels that are either black or white.
    return np.maximum(cv2.GaussianBlur(large, None, 0.5 * scale), 0)


def density_of(pixels: np.ndarray, faint: bool = False) -> np.ndarray:
    """Returns by how much the paper is brighter than each pixel, in its logarithm.

    Args:
        pixels: uint8, shape (h, w, 3).
        faint: whether ink may be as faint as a pencil's; otherwise what is nearly as
            bright as the paper is taken for paper.

    Returns:
        float32, shape (h, w, 3).
    """
    table = np.log((np.arange(256) + 4) / 259).astype("float32")
    small = small_of(pixels)
    if _light_on_dark(small):
        pixels, small = 255 - pixels, 255 - small
    paper = _paper(table[small], faint)
    paper = cv2.resize(paper, pixels.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return paper - table[pixels]


def _light_on_dark(small: np.ndarray) -> bool:
    """Whether what stands out from its surroundings is brighter than they are."""
    gray = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    around = cv2.medianBlur(gray, 2 * (min(gray.shape) // 6) + 1)
    off = gray.astype("float32") - around
    off = np.sign(off) * np.maximum(np.abs(off) - 16, 0)
    return bool(off.sum() > 0 and np.median(gray) < 128)


def _paper(light: np.ndarray, faint: bool) -> np.ndarray:
    """Returns the paper's brightness, ink left out, as logarithms.

    Args:
        light: logarithm of a small picture, float32, shape (h, w, 3).
        faint: see `density_of`.
    """
    reach = max(light.shape) // 8 | 1
    broadest = _broadest(light)
    if broadest > 0.8 * reach:
        reach = round(1.2 * broadest) | 1
    soft = cv2.blur(light, (3, 3))
    closed = _closed(soft, reach)
    # Ink is darker than the paper around it; so are its blurred edges.
    dark = _faint(closed - soft) if faint else (closed - light) @ GRAY > _INK
    ink = dark.astype("uint8")
    bare = 1.0 - cv2.dilate(ink, np.ones((3, 3), "uint8")).astype("float32")
    # Under the ink, the mean of the paper nearby, however far that may be.
    paper = closed
    for spread in (reach / 2, reach / 4, reach / 8, 2.0):
        weight = cv2.GaussianBlur(bare, None, spread)[..., None]
        mean = cv2.GaussianBlur(light * bare[..., None], None, spread)
        sure = np.minimum(2 * weight, 1)
        paper = paper + sure * (mean / np.maximum(weight, 1e-6) - paper)
    return paper


def _faint(off: np.ndarray) -> np.ndarray:
    """Returns what is no paper, where ink may be faint: bool, shape (h, w).

    Faint parts of dark ink are a tenth as dark; what is fainter beside it is a shadow.

    Args:
        off: how much brighter the paper may be, as logarithms, shape (h, w, 3).
    """
    off = off @ GRAY
    # Closing goes from peak to peak of the paper's grain.
    off -= np.median(off)
    least = max(FAINTEST, 7.5 * float(np.median(np.abs(off))))
    darkest = float(np.quantile(off[off > least], 0.9)) if (off > least).any() else 0.0
    return off > min(max(0.1 * darkest, least), _INK)


def _broadest(light: np.ndarray) -> float:
    """Returns the diameter of the largest disc inside strokes, in pixels.

    Args:
        light: see `_paper`.
    """
    off = (_closed(light, max(light.shape) // 3 | 1) - light) @ GRAY
    dark = off > 0.1
    if not dark.any():
        return 0.0
    # A shadow is less dark than strokes are.
    dark &= off > 0.5 * np.quantile(off[dark], 0.9)
    inside = cv2.distanceTransform(dark.astype("uint8"), cv2.DIST_L2, 5)
    return 2.0 * float(inside.max())


def _closed(light: np.ndarray, reach: int) -> np.ndarray:
    """Returns a picture without what is darker than its surroundings on both sides.

    Args:
        light: float32, shape (h, w, 3).
        reach: pixels up to which something is narrow.
    """
    fewer = 1 + reach // 64  # pixels: a large brush on many would take seconds
    small = light
    if fewer > 1:
        size = [max(1, side // fewer) for side in light.shape[1::-1]]
        small = cv2.resize(light, size, interpolation=cv2.INTER_AREA)
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, [reach // fewer | 1] * 2)
    closed = cv2.morphologyEx(small, cv2.MORPH_CLOSE, brush)
    return cv2.resize(closed, light.shape[1::-1], interpolation=cv2.INTER_LINEAR)
