"""What is written: letters and shapes as pen paths, before any hand moves.

A path is a tuple of strokes; a stroke is a float64 array of shape (n, 2), n >= 2,
with y pointing down. Letters stand on the line y = 0 and capitals are 100 high.
"""

import functools
import itertools
import json
import pathlib
import string

import numpy as np
from fontTools.pens.recordingPen import RecordingPen
from fontTools.svgLib.path import parse_path
from HersheyFonts import HersheyFonts

LETTERS = string.ascii_lowercase + string.ascii_uppercase
SHAPES = ("triangle", "quadrangle")

HERSHEY = {"simplex": "futural", "script": "scripts"}
"""The two single-stroke Latin alphabets among the Hershey fonts, by their name there.
The double-stroked ones fill in and hide a tremor."""

DRAWN = ("print", "italic", "cursive", "architect")
"""Alphabets drawn for this project: `alphabets/NAME.json`, SVG paths."""

Path = tuple[np.ndarray, ...]

_SPACING = 2.0  # between a path's points, hundredths of the cap height
_CORNER = np.radians(50)  # a Hershey polyline that turns further has a corner there


@functools.cache
def alphabet(name: str) -> dict[str, Path]:
    """Returns the 52 letters of an alphabet as paths.

    Args:
        name: one of `HERSHEY` or `DRAWN`, or the path of a `.ttf` or `.otf` file,
            whose letters are reduced to their centre lines.

    Raises:
        ValueError: there is no such alphabet, or the file is not a font.
    """
    if name in HERSHEY:
        return _hershey(HERSHEY[name], LETTERS)
    if name in DRAWN:
        return _drawn(name)
    if name.lower().endswith((".ttf", ".otf")):
        # Imported here: only users with a font of their own need scikit-image.
        from .fonts import trace_font

        traced = trace_font(name, LETTERS)
        return {c: tuple(resample(s) for s in traced[c]) for c in LETTERS}
    raise ValueError(
        f"unknown alphabet {name!r}: choose from {', '.join((*HERSHEY, *DRAWN))}, "
        "or give the path of a .ttf or .otf file"
    )


@functools.cache
def digits() -> tuple[Path, ...]:
    """Returns the ten digits of each of the `HERSHEY` alphabets as paths."""
    return tuple(
        path
        for name in HERSHEY.values()
        for path in _hershey(name, string.digits).values()
    )


def shape(rng: np.random.Generator) -> tuple[str, Path]:
    """Draws a random triangle or quadrangle, convex or not, as one closed stroke.

    Corners are kept apart and angles open, so that no shape collapses to a line.

    Returns:
        the shape's name, and its path, 100 high.
    """
    corners = int(rng.integers(3, 5))
    while True:
        # Corners in order of their angle around a centre: never self-crossing, but a
        # corner close to the centre makes a quadrangle concave.
        angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
        radius = rng.uniform(0.35, 1.0, corners)
        points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1)
        sides = np.roll(points, -1, axis=0) - points
        length = np.hypot(*sides.T)
        gaps = np.diff(np.r_[angle, angle[0] + 2 * np.pi])
        before = np.roll(sides, 1, axis=0)
        cosine = (before * sides).sum(1) / (length * np.roll(length, 1))
        if length.min() > 0.45 and gaps.max() < np.pi and cosine.min() > -0.85:
            break
    points *= 100 / np.ptp(points, axis=0).max()
    points[:, 1] -= points[:, 1].max()
    return SHAPES[corners - 3], (resample(np.r_[points, points[:1]]),)


def spiral(rng: np.random.Generator) -> Path:
    """Draws an Archimedean spiral from its middle outwards, as one stroke, 100 high.

    It has two to three turns, either way round, and ends in any direction.
    """
    turns, way = rng.uniform(2.0, 3.0), rng.choice([-1.0, 1.0])
    angle = np.linspace(0, 2 * np.pi * turns, 400)
    heading = way * angle + rng.uniform(0, 2 * np.pi)
    points = angle[:, None] * np.stack([np.cos(heading), np.sin(heading)], -1)
    points *= 100 / np.ptp(points, axis=0).max()
    points[:, 1] -= points[:, 1].max()
    return (resample(points),)


def _hershey(name: str, characters: str) -> dict[str, Path]:
    font = HersheyFonts()
    font.load_default_font(name)
    paths = {
        c: [np.array(s, "float64") for s in font.strokes_for_text(c)]
        for c in characters + "H"
    }
    capital = np.concatenate(paths["H"])[:, 1]
    baseline, scale = capital.max(), 100 / np.ptp(capital)
    return {
        c: tuple(
            resample(_smooth((s - [0, baseline]) * scale))
            for s in paths[c]
            if len(s) > 1
        )
        for c in characters
    }


def _drawn(name: str) -> dict[str, Path]:
    file = pathlib.Path(__file__).parent / "alphabets" / f"{name}.json"
    glyphs = json.loads(file.read_text("utf-8"))["glyphs"]
    return {c: tuple(resample(s) for s in _flatten(glyphs[c])) for c in LETTERS}


def _flatten(svg: str) -> list[np.ndarray]:
    """Returns an SVG path's strokes as polylines fine enough to resample."""
    pen = RecordingPen()
    parse_path(svg, pen)
    u = np.linspace(0, 1, 25)[1:, None]
    strokes: list[list] = []
    for command, points in pen.value:
        if command == "moveTo":
            strokes.append([np.array(points, "float64")])
        elif command in ("lineTo", "curveTo", "qCurveTo"):
            # Bézier curves of any degree by de Casteljau's rule.
            curve = [strokes[-1][-1][-1], *np.array(points, "float64")]
            curve = [np.broadcast_to(p, (len(u), 2)) for p in curve]
            while len(curve) > 1:
                curve = [(1 - u) * a + u * b for a, b in itertools.pairwise(curve)]
            strokes[-1].append(curve[0])
    return [np.concatenate(s) for s in strokes]


def _smooth(stroke: np.ndarray) -> np.ndarray:
    """Returns a Catmull-Rom spline through a polyline's points; corners stay sharp."""
    sides = np.diff(stroke, axis=0)
    heading = np.arctan2(sides[:, 1], sides[:, 0])
    turn = np.abs((np.diff(heading) + np.pi) % (2 * np.pi) - np.pi)
    corners = [0, *(np.flatnonzero(turn > _CORNER) + 1), len(stroke) - 1]
    pieces = [stroke[:1]]
    u = np.linspace(0, 1, 9)[1:, None]
    for first, last in itertools.pairwise(corners):
        p = stroke[first : last + 1]
        # Mirrored neighbours at the ends let the curve run out straight.
        p = np.concatenate([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]])
        for a, b, c, d in zip(p, p[1:], p[2:], p[3:]):
            pieces.append(
                b
                + u * (c - a) / 2
                + u**2 * (2 * a - 5 * b + 4 * c - d) / 2
                + u**3 * (3 * (b - c) + d - a) / 2
            )
    return np.concatenate(pieces)


def resample(stroke: np.ndarray) -> np.ndarray:
    """Returns points at equal distances along a polyline, ends included.

    Args:
        stroke: shape (n, 2), hundredths of the cap height.

    Returns:
        shape (m, 2), neighbours two hundredths apart or a little less.
    """
    steps = np.hypot(*np.diff(stroke, axis=0).T)
    along = np.r_[0, np.cumsum(steps)]
    count = max(2, int(np.ceil(along[-1] / _SPACING)) + 1)
    at = np.linspace(0, along[-1], count)
    return np.stack([np.interp(at, along, stroke[:, i]) for i in (0, 1)], -1)
