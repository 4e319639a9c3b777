"""Printed guide lines: the rules and squares of a page, straight, thin and parallel."""

import dataclasses

import cv2
import numpy as np

_SMALL = 800  # pixels of the larger side in which lines are looked for
_THIN = 9  # pixels there; guides are thinner
_STEEPEST = np.radians(24)  # against the picture's side
_COVERED = 0.6  # of a line's way across the picture that is dark
_FEWEST = 4  # lines in parallel: a letter has three at most
_FAINTEST = 0.015  # density
_PARALLEL = np.tan(np.radians(1.0))
_CLOSE = 5.0  # pixels; lines nearer to each other are one


@dataclasses.dataclass(frozen=True)
class Line:
    """A line from one side of a picture to the other.

    Attributes:
        down: whether it runs from top to bottom, and not from left to right.
        curve: coefficients of its place (y, or x if `down`) as a polynomial in the
            other coordinate, highest first; pixels.
        width: pixels.
    """

    down: bool
    curve: np.ndarray
    width: float


def find_guides(density: np.ndarray) -> list[Line]:
    """Returns the guide lines of a page.

    Args:
        density: float32, shape (h, w), 0 where the paper is bare.
    """
    scale = min(1.0, _SMALL / max(density.shape))
    small = cv2.resize(density, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    # An opening takes away what is thin; without what it leaves, that remains alone.
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_THIN, _THIN))
    thin = small - cv2.morphologyEx(small, cv2.MORPH_OPEN, brush)
    lines = []
    for down in (False, True):
        for curve, width in _family(thin.T if down else thin):
            # From the small picture's pixel centres to those of the large one.
            shift = np.poly1d([scale, (scale - 1) / 2])
            large = (np.poly1d(curve)(shift) + 0.5) / scale - 0.5
            lines.append(Line(down, large.coeffs, width / scale))
    return lines


def tilt(lines: list[Line], shape: tuple[int, ...]) -> float | None:
    """Returns by how much guide lines are turned clockwise, in degrees.

    None where there are no lines.
    """
    slopes = []
    for line in lines:
        length = shape[0] if line.down else shape[1]
        slope = np.polyval(np.polyder(np.poly1d(line.curve)), length / 2)
        slopes.append(-slope if line.down else slope)
    return float(np.degrees(np.arctan(np.median(slopes)))) if lines else None


def drop(density: np.ndarray, lines: list[Line]) -> np.ndarray:
    """Returns the densities without the lines; strokes across them stay whole.

    Densities add up where a stroke crosses a line, so that the line's own, its median
    along its way, can be taken away. What a line hides because it is as dark as the
    stroke is mended from what lies on both sides of it.
    """
    density = density.copy()
    for line in lines:
        _drop_one(density.T if line.down else density, line)
    return density


def drawn(lines: list[Line], shape: tuple[int, int]) -> np.ndarray:
    """Returns where the lines are, with a pixel on both sides: bool, shape (h, w)."""
    where = np.zeros(shape, "uint8")
    for line in lines:
        along = np.arange(shape[0] if line.down else shape[1])
        place = np.polyval(line.curve, along)
        points = (place, along) if line.down else (along, place)
        points = np.rint(np.stack(points, axis=1)).astype("int32")
        cv2.polylines(where, [points], False, 1, round(line.width) + 2)
    return where > 0


def _family(thin: np.ndarray) -> list[tuple[np.ndarray, float]]:
    """Returns curve and width of the parallel lines from left to right."""
    width = thin.shape[1]
    level = np.median(thin)
    level += 5 * np.median(np.abs(thin - level)) + _FAINTEST
    mask = (thin > level).astype("uint8")
    votes = cv2.HoughLines(
        mask,
        1,
        np.pi / 720,
        int(0.45 * width),
        min_theta=np.pi / 2 - _STEEPEST,
        max_theta=np.pi / 2 + _STEEPEST,
    )
    kept: list[tuple[float, float]] = []  # heights at the left and the right side
    curves = []
    for rho, theta in votes[:2000, 0] if votes is not None else ():
        left, right = (
            (rho - x * np.cos(theta)) / np.sin(theta) for x in (0, width - 1)
        )
        if any(
            abs(left - a) < _CLOSE
            or abs(right - b) < _CLOSE
            or (left - a) * (right - b) < 0
            for a, b in kept
        ):
            continue
        kept.append((left, right))
        curve = _trace(thin, mask, np.array([(right - left) / (width - 1), left]))
        if curve is not None and _width(thin, curve):
            curves.append(curve)
    return [(curve, _width(thin, curve)) for curve in _parallel(curves, width)]


def _trace(thin: np.ndarray, mask: np.ndarray, line: np.ndarray) -> np.ndarray | None:
    """Returns a curve along a line that was found; None if too little of it is dark."""
    height, width = thin.shape
    x = np.arange(width)
    for reach, degree in ((4, 1), (3, 2), (2, 2)):
        middle = np.rint(np.polyval(line, x)).astype(int)
        rows = middle[:, None] + np.arange(-reach, reach + 1)
        inside = (rows[:, 0] >= 0) & (rows[:, -1] < height)
        if inside.sum() < 0.3 * width:
            return None
        here = np.clip(rows, 0, height - 1), x[:, None]
        weight = thin[here] * mask[here]
        dark = (weight.max(1) > 0) & inside
        if dark.sum() < _COVERED * inside.sum():
            return None
        total = weight.sum(1)[dark]
        place = (weight * rows).sum(1)[dark] / total
        line = np.polyfit(x[dark], place, degree)
    return line


def _parallel(curves: list[np.ndarray], width: int) -> list[np.ndarray]:
    """Returns the curves that go with most others: their slopes differ by the place.

    Lines in parallel that are seen in perspective meet in a point: their slopes at the
    middle column are a linear function of their heights there.
    """
    if len(curves) < _FEWEST:
        return []
    height = np.array([np.polyval(c, width / 2) for c in curves])
    slope = np.array([np.polyval(np.polyder(c), width / 2) for c in curves])
    # Theil and Sen's line: its slope is the median over all pairs of lines.
    i, j = np.triu_indices(len(curves), 1)
    fan = np.median((slope[i] - slope[j]) / (height[i] - height[j] + 1e-9))
    off = slope - fan * height
    kept = np.abs(off - np.median(off)) < _PARALLEL
    return [c for c, k in zip(curves, kept) if k] if kept.sum() >= _FEWEST else []


def _width(thin: np.ndarray, curve: np.ndarray) -> float | None:
    """Returns how wide a line is, where it is above a quarter of its density.

    None where nothing rises above what is beside it.
    """
    rows, columns, inside = _strip(thin, curve, _THIN)
    if not inside.any():
        return None
    profile = np.median(thin[rows[inside], columns[inside][:, None]], axis=0)
    profile -= np.median(profile)
    wide = (profile > 0.25 * profile.max()).sum()
    return float(wide) if wide <= _THIN and profile.max() > _FAINTEST else None


def _strip(
    density: np.ndarray, curve: np.ndarray, reach: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns rows, shape (w, 2 reach + 1), columns, and where all are inside."""
    columns = np.arange(density.shape[1])
    middle = np.rint(np.polyval(curve, columns)).astype(int)
    rows = middle[:, None] + np.arange(-reach, reach + 1)
    return rows, columns, (rows[:, 0] >= 0) & (rows[:, -1] < density.shape[0])


def _drop_one(density: np.ndarray, line: Line) -> None:
    half = int(np.ceil(line.width / 2)) + 1
    beside = 2  # pixels on each side that say what the line runs through
    rows, columns, inside = _strip(density, line.curve, half + beside)
    if not inside.any():
        return
    columns = columns[inside][:, None]
    rows = rows[inside]
    strip = density[rows, columns]
    paper = np.median(strip[:, [0, 1, -2, -1]])
    profile = np.maximum(np.median(strip, axis=0) - paper, 0)
    above, below = strip[:, :beside].min(1), strip[:, -beside:].min(1)
    mended = np.minimum(above, below)[:, None]
    inner = slice(beside, -beside)
    strip[:, inner] = np.maximum(strip - profile, mended)[:, inner]
    density[rows, columns] = strip
