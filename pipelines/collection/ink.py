"""From a photo or a scan to the network's picture: which pixels are ink.

What is measured is the ink's density: the logarithm of how much darker a pixel is than
the paper around it. Light and shadow then no longer matter, and densities add up where
a pen crosses a printed line, so that a line can be taken away from under a stroke.

    page        its four corners, where they are seen, are moved to a rectangle's
    paper       its brightness everywhere, ink left out; densities are against it
    guides      long straight lines in parallel, which also say how the page lies
    ink         its colour; a pixel's density in multiples of that of full ink
    mask        where the density is above half of the stroke's; specks dropped, and
                strokes that are too thin for the picture made wider
    picture     centre line scaled to `fit.SIDE`, strokes thinned or thickened to
                `fit.PEN` by their distance transform
"""

import dataclasses

import cv2
import numpy as np
from skimage.filters import threshold_otsu
from skimage.morphology import skeletonize

from shaky_letters.fit import PEN, SIDE
from shaky_letters.raster import INK, SIZE

from . import guides, page
from .drawn import Unusable

_SMALL = 400  # pixels of the larger side; enough for the paper and the ink's colour
_BLACK = 40  # of 255; nothing is to be seen in a picture that is darker
_SMALLEST_PHOTO = 200  # pixels of the larger side, unless light differs in it
_GRAY = np.full(3, 1 / 3, "float32")  # weights of the colours
_RIM = 0.04  # of the larger side, from the picture's sides, where nobody draws
_RARE = 0.05  # of the strokes; less than that is no second colour
_APART = 0.2  # radians between two colours
_SPECK = 0.004  # of the largest stroke's area
_NO_INK = "shows no ink: draw with a dark pen on bright paper"
_DIGIT = 64  # pixels of the larger side; nobody has a photo so small
_SAME = 24  # levels of 255 by which the paper of a raster differs from place to place
_FINE = 8  # pixels of the fine grid, on which strokes are measured, per pixel
_THINNEST = 1.0  # pixels of the picture; what is thinner is lost on the fine grid
_LOST = 0.16  # fine pixels, along the strokes' outline, that count as nothing


@dataclasses.dataclass(frozen=True)
class Found:
    """What was found in a photo or a scan.

    Attributes:
        picture: uint8, shape (100, 100, 1), ink 255 on 0.
        corners: of the sheet, float64, shape (4, 2), pixels from the upper left one
            clockwise; None where they are not seen.
        turned: degrees by which the page was turned back, clockwise.
        guides: how many printed lines were dropped.
        pen: width of the strokes before they were normalised, pixels of the picture.
    """

    picture: np.ndarray
    corners: np.ndarray | None
    turned: float
    guides: int
    pen: float


def picture(pixels: np.ndarray) -> np.ndarray:
    """Returns what the network sees of a photo or a scan.

    Args:
        pixels: uint8, shape (h, w, 3), RGB.

    Returns:
        uint8, shape (100, 100, 1), ink 255 on 0.

    Raises:
        Unusable: there is no ink.
    """
    return find(pixels).picture


def find(pixels: np.ndarray) -> Found:
    """Returns the same with what was found on the way; see `picture`."""
    if _small(pixels).max() < _BLACK:
        raise Unusable("is all black")
    corners, lines = None, []
    if _is_raster(pixels):
        density = _of_raster(pixels)
    else:
        pixels, corners = page.flatten(pixels)
        density = _density(pixels)
        sheet = page.find_part(pixels) if corners is None else None
        if sheet is not None:
            density[~sheet] = 0
        lines = guides.find_guides(density @ _GRAY)
    ink = _ink(density, lines)
    mask = _strokes(ink, lines)
    turned = -(guides.tilt(lines, ink.shape) or 0.0)
    picture, pen = _picture(ink, mask, turned)
    return Found(picture, corners, turned, len(lines), pen)


def _small(pixels: np.ndarray) -> np.ndarray:
    scale = min(1.0, _SMALL / max(pixels.shape))
    return cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def _is_raster(pixels: np.ndarray) -> bool:
    """Whether a picture is a small one whose paper is the same all over: no photo."""
    side, edge = max(pixels.shape), _edge(pixels).mean(1)
    same = np.mean(np.abs(edge - np.median(edge)) < _SAME / 2)
    return side < _DIGIT or bool(side < _SMALLEST_PHOTO and same > 0.6)


def _edge(pixels: np.ndarray) -> np.ndarray:
    """Returns a picture's outermost pixels, shape (n, 3)."""
    return np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])


def _of_raster(pixels: np.ndarray) -> np.ndarray:
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


def _density(pixels: np.ndarray) -> np.ndarray:
    """Returns by how much the paper is brighter than each pixel, in its logarithm.

    Args:
        pixels: uint8, shape (h, w, 3).

    Returns:
        float32, shape (h, w, 3).
    """
    table = np.log((np.arange(256) + 4) / 259).astype("float32")
    small = _small(pixels)
    if _light_on_dark(small):
        pixels, small = 255 - pixels, 255 - small
    paper = _paper(table[small])
    paper = cv2.resize(paper, pixels.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return paper - table[pixels]


def _light_on_dark(small: np.ndarray) -> bool:
    """Whether what stands out from its surroundings is brighter than they are."""
    gray = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    around = cv2.medianBlur(gray, 2 * (min(gray.shape) // 6) + 1)
    off = gray.astype("float32") - around
    off = np.sign(off) * np.maximum(np.abs(off) - 16, 0)
    return bool(off.sum() > 0 and np.median(gray) < 128)


def _paper(light: np.ndarray) -> np.ndarray:
    """Returns the paper's brightness, ink left out, as logarithms.

    Args:
        light: logarithm of a small picture, float32, shape (h, w, 3).
    """
    reach = max(light.shape) // 8 | 1
    broadest = _broadest(light)
    if broadest > 0.8 * reach:
        reach = round(1.2 * broadest) | 1
    closed = _closed(cv2.blur(light, (3, 3)), reach)
    # Ink is darker than the paper around it; so are its blurred edges.
    ink = ((closed - light) @ _GRAY > 0.1).astype("uint8")
    bare = 1.0 - cv2.dilate(ink, np.ones((3, 3), "uint8")).astype("float32")
    # Under the ink, the mean of the paper nearby, however far that may be.
    paper = closed
    for spread in (reach / 2, reach / 4, reach / 8, 2.0):
        weight = cv2.GaussianBlur(bare, None, spread)[..., None]
        mean = cv2.GaussianBlur(light * bare[..., None], None, spread)
        sure = np.minimum(2 * weight, 1)
        paper = paper + sure * (mean / np.maximum(weight, 1e-6) - paper)
    return paper


def _broadest(light: np.ndarray) -> float:
    """Returns the diameter of the largest disc inside strokes, in pixels.

    Args:
        light: see `_paper`.
    """
    off = (_closed(light, max(light.shape) // 3 | 1) - light) @ _GRAY
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


def _ink(density: np.ndarray, lines: list[guides.Line]) -> np.ndarray:
    """Returns densities in multiples of full ink's, without guide lines.

    Args:
        density: float32, shape (h, w, 3).
        lines: printed on the page.
    """
    gray = guides.drop(density @ _GRAY, lines)
    small = cv2.GaussianBlur(gray, None, 1.2)
    noise = 1.5 * np.median(np.abs(small))
    low = max(5 * noise, 0.08)
    marked = (small > low) & ~_rim(gray.shape)
    if marked.mean() < 2e-5:
        raise Unusable(_NO_INK)
    level = np.quantile(small[marked], 0.9)
    core = density[marked & (np.minimum(small, gray) > 0.5 * level)]
    if not len(core):
        raise Unusable(_NO_INK)
    weights = _weights(core[:: 1 + len(core) // 20_000])
    return guides.drop(density @ weights.astype("float32"), lines)


def _weights(core: np.ndarray) -> np.ndarray:
    """Returns what the ink's red, green and blue densities are weighted by, shape (3,).

    Their sum is 1 in full ink, and 0 in what is printed, such as a spiral to be traced,
    where that has another colour. What is neutral is printed, if the other colour is a
    pen's: strong, and not red; else the neutral one is the pen's.

    Args:
        core: densities of pixels in the middle of strokes, shape (n, 3).
    """
    hue = core / np.linalg.norm(core, axis=1, keepdims=True)
    off = hue - np.median(hue, axis=0)
    along = off @ np.linalg.svd(off, full_matrices=False)[2][0]
    one = along > threshold_otsu(along) if np.ptp(along) > 0 else along > 0
    share = one.mean()
    if _RARE < share < 1 - _RARE:
        apart = along[one].mean() - along[~one].mean()
        if apart > max(_APART, 3 * (along[one].std() + along[~one].std())):
            colors = [np.median(core[group], axis=0) for group in (one, ~one)]
            colors.sort(key=lambda color: np.ptp(color) / color.max())
            neutral, colored = colors
            pen = colored.max() > 0.4 * neutral.max() and colored.argmin() != 0
            both = (colored, neutral) if pen else (neutral, colored)
            return np.linalg.pinv(np.stack(both, axis=1))[0]
    color = np.median(core[core.mean(1) >= np.median(core.mean(1))], axis=0)
    return color / (color @ color)


def _rim(shape: tuple[int, int]) -> np.ndarray:
    """Returns which pixels lie along a picture's sides: bool, shape (h, w)."""
    reach = max(1, round(_RIM * max(shape)))
    rim = np.ones(shape, bool)
    rim[reach:-reach, reach:-reach] = False
    return rim


def _strokes(ink: np.ndarray, lines: list[guides.Line]) -> np.ndarray:
    """Returns which pixels are strokes: bool, shape (h, w).

    Specks are not, nor what is left of guide lines, nor what lies along the
    picture's sides: a table's edge, or a scanner's frame.
    """
    mask = (cv2.GaussianBlur(ink, None, 0.8) > 0.5).astype("uint8")
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    area = stats[:, cv2.CC_STAT_AREA].astype("float64")
    area[0] = 0  # what is no ink
    inside = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    half = np.zeros(count, "float32")
    np.maximum.at(half, labels[mask > 0], inside[mask > 0])

    # Strokes lie on lines as often as any place does; what is left of them, always.
    on_lines = guides.drawn(lines, mask.shape)
    share = (1 + on_lines.mean()) / 2
    keep = np.bincount(labels[on_lines], minlength=count) < share * area
    keep &= np.bincount(labels[_rim(mask.shape)], minlength=count) < 0.5 * area
    if not keep.any():
        raise Unusable(_NO_INK)
    largest = np.argmax(area * keep)
    # A dot is as wide as the pen, dust is not.
    keep &= (half > 0.4 * half[largest]) | (area > 0.1 * area[largest])
    keep &= area > _SPECK * area[largest]
    return keep[labels]


def _picture(
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
    ink = _of_strokes(ink, mask, _THINNEST / scale)
    fine = _on_fine_grid(ink, turn * scale, middle * scale)
    pen = _pen(fine)
    low, high = _box(fine)
    middle += ((low + high) / 2 - SIZE / 2) / scale
    larger = SIDE / max((high - low).max() - pen, PEN)
    scale, pen = scale * larger, pen * larger
    fine = _on_fine_grid(ink, turn * scale, middle * scale)
    return _normalised(fine, pen), pen


def _of_strokes(ink: np.ndarray, mask: np.ndarray, thinnest: float) -> np.ndarray:
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
