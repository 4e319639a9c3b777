"""From a photo or a scan to the network's picture: which pixels are ink.

What is measured is the ink's density: the logarithm of how much darker a pixel is than
the paper around it. Light and shadow then no longer matter, and densities add up where
a pen crosses a printed line, so that a line can be taken away from under a stroke.

    page        its four corners, where they are seen, are moved to a rectangle's
    paper       its brightness everywhere, ink left out; densities are against it
    guides      long straight lines in parallel, which also say how the page lies
    ink         its colour; a pixel's density in multiples of that of full ink
    frame       of a plot, and a scanner's: dropped, with what lies outside it
    faint       the density in multiples of that of the stroke it is in, faint or dark
    mask        where the density is above half of the stroke's; specks dropped
    redrawing   for the paper's picture: strokes that are too thin for it made wider,
                centre line scaled to `fit.SIDE`, strokes thinned or thickened to
                `fit.PEN` by their distance transform
    canonical   the same for the canonical picture: `shaky_letters.canonical`
"""

import dataclasses

import cv2
import numpy as np
from skimage.filters import threshold_otsu

from shaky_letters import canonical, raster

from . import faint, frame, guides, page, paper, redrawing
from .unusable import Unusable

_BLACK = 40  # of 255; nothing is to be seen in a picture that is darker
_RIM = 0.04  # of the larger side, from the picture's sides, where nobody draws
_RARE = 0.05  # of the strokes; less than that is no second colour
_APART = 0.2  # radians between two colours
_DARK = 0.08  # density of the faintest drawing, if that is no pencil's
_SPECK = 0.004  # of the largest stroke's area
_NO_INK = "shows no ink: draw with a dark pen on bright paper"


@dataclasses.dataclass(frozen=True)
class Extraction:
    """What was found in a photo or a scan.

    Attributes:
        picture: uint8, shape (size, size, 1), ink 255 on 0.
        corners: of the sheet, float64, shape (4, 2), pixels from the upper left one
            clockwise; None where they are not seen.
        turned: degrees by which the page was turned back, clockwise.
        guides: how many printed lines were dropped.
        pen: width of the strokes before they were normalised, pixels of the picture;
            of those made wider, see `redrawing`, the new one.
        mask: which pixels are strokes, bool: of the photo, shape (h, w), of the sheet
            as `page.straighten` shows it where corners are seen, or of a small raster
            as `paper.of_raster` enlarges it.
    """

    picture: np.ndarray
    corners: np.ndarray | None
    turned: float
    guides: int
    pen: float
    mask: np.ndarray


def picture(pixels: np.ndarray, size: int = raster.SIZE) -> np.ndarray:
    """Returns what the network sees of a photo or a scan.

    Args:
        pixels: uint8, shape (h, w, 3), RGB.
        size: of the picture: `raster.SIZE` for the paper's, `canonical.SIZE`.

    Returns:
        uint8, shape (size, size, 1), ink 255 on 0.

    Raises:
        Unusable: there is no ink.
    """
    return find(pixels, size).picture


def find(pixels: np.ndarray, size: int = raster.SIZE) -> Extraction:
    """Finds the ink in a photo or a scan, its sheet and its printed lines.

    See `picture`.
    """
    if paper.small_of(pixels).max() < _BLACK:
        raise Unusable("is all black")
    # The paper's pictures stay what networks were trained on.
    fine = size == canonical.SIZE
    corners, lines = None, []
    if paper.is_raster(pixels):
        density = paper.of_raster(pixels)
    else:
        pixels, corners = page.flatten(pixels)
        density = paper.density_of(pixels, faint=fine)
        sheet = page.find_part(pixels) if corners is None else None
        if sheet is not None:
            density[~sheet] = 0
        gray = density @ paper.GRAY
        if fine:
            off = frame.outside(gray)
            density[off], gray[off] = 0, 0
        lines = guides.find_guides(gray)
    ink = _ink(density, lines, paper.FAINTEST if fine else _DARK)
    turned = -(guides.tilt(lines, ink.shape) or 0.0)
    if fine:
        ink, mask = faint.find(_covered(ink, density))
        mask = _without_specks(mask, lines, cropped=True)
        picture, pen = canonical.of_ink(redrawing.of_strokes(ink, mask), turned)
    else:
        mask = faint.even(ink)
        mask = _without_specks(mask, lines, cropped=False)
        picture, pen = redrawing.redraw(ink, mask, turned)
    return Extraction(picture, corners, turned, len(lines), pen, mask)


def _ink(density: np.ndarray, lines: list[guides.Line], faintest: float) -> np.ndarray:
    """Returns densities in multiples of full ink's, without guide lines.

    Args:
        density: float32, shape (h, w, 3).
        lines: printed on the page.
        faintest: density of a drawing.
    """
    gray = guides.drop(density @ paper.GRAY, lines)
    small = cv2.GaussianBlur(gray, None, 1.2)
    noise = 1.5 * np.median(np.abs(small))
    low = max(5 * noise, faintest)
    marked = (small > low) & ~_rim(gray.shape)
    if marked.mean() < 2e-5:
        raise Unusable(_NO_INK)
    level = np.quantile(small[marked], 0.9)
    core = density[marked & (np.minimum(small, gray) > 0.5 * level)]
    if not len(core):
        raise Unusable(_NO_INK)
    weights = _weights(core[:: 1 + len(core) // 20_000])
    return guides.drop(density @ weights.astype("float32"), lines)


def _covered(ink: np.ndarray, density: np.ndarray) -> np.ndarray:
    """Returns which share of each pixel is ink, where its edges are soft.

    Light is what adds up in a pixel that ink covers in part, not its logarithm: half
    covered by black, it has a sixth of black's density.

    Args:
        ink: densities in multiples of full ink's, float32, shape (h, w).
        density: as logarithms, float32, shape (h, w, 3).
    """
    full = density @ paper.GRAY
    full = float(np.median(full[ink > 0.8])) if (ink > 0.8).any() else 0.0
    if full < 0.05:
        return ink
    return (np.expm1(-full * ink) / np.expm1(-full)).astype("float32")


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


def _from_side_to_side(mask: np.ndarray, rim: np.ndarray) -> bool:
    """Whether strokes reach a picture's rim at both ends of its width or its height."""
    x, y, width, height = cv2.boundingRect(mask.astype("uint8"))
    box = rim[y : y + height, x : x + width]
    return bool(width and (box[[0, -1]].all(1).all() or box[:, [0, -1]].all(0).all()))


def _without_specks(
    mask: np.ndarray, lines: list[guides.Line], cropped: bool
) -> np.ndarray:
    """Returns which pixels are strokes: bool, shape (h, w).

    Specks are not, nor what is left of guide lines, nor what lies along the
    picture's sides: a table's edge, or a scanner's frame.

    Args:
        mask: what is dark enough, bool, shape (h, w).
        lines: printed on the page.
        cropped: whether a drawing that reaches from side to side may be cropped to its
            box; then what lies along the sides is part of it.
    """
    dark = mask.astype("uint8")
    count, labels, stats, _ = cv2.connectedComponentsWithStats(dark)
    area = stats[:, cv2.CC_STAT_AREA].astype("float64")
    area[0] = 0  # what is no ink
    inside = cv2.distanceTransform(dark, cv2.DIST_L2, 3)
    half = np.zeros(count, "float32")
    np.maximum.at(half, labels[mask], inside[mask])

    # Strokes lie on lines as often as any place does; what is left of them, always.
    on_lines, rim = guides.drawn(lines, mask.shape), _rim(mask.shape)
    share = (1 + on_lines.mean()) / 2
    keep = np.bincount(labels[on_lines], minlength=count) < share * area
    inner = keep & (np.bincount(labels[rim], minlength=count) < 0.5 * area)
    if not (cropped and _from_side_to_side(inner[labels], rim)):
        keep = inner
    if not keep.any():
        raise Unusable(_NO_INK)
    largest = np.argmax(area * keep)
    # A dot is as wide as the pen, dust is not.
    keep &= (half > 0.4 * half[largest]) | (area > 0.1 * area[largest])
    keep &= area > _SPECK * area[largest]
    return keep[labels]
