"""Pen paths from any TrueType or OpenType font.

A font stores the outline of the ink, a hand follows its middle. Each glyph is drawn
large and thinned to a skeleton one pixel wide. Read as a graph, the skeleton's edges
are pieces of strokes, and at a junction those two that continue each other most
nearly straight belong together.
"""

import itertools
import os
import struct
from collections.abc import Iterator

import cv2
import numpy as np
from fontTools.ttLib import TTFont, TTLibError
from PIL import Image, ImageDraw, ImageFont
from skimage.morphology import skeletonize

_CAPITAL = 200  # pixels; the height at which glyphs are drawn
_LARGEST = 10  # times as wide or high as a capital H; swashes stay below
_SPACING = 2.0  # between a path's points, hundredths of the cap height
_SMOOTHING = 5.0  # standard deviation along the path, pixels
_SPUR = 2.0  # half widths; side branches below are traces of thinning, not strokes
_BRIDGE = 1.5  # half widths; junctions that are closer are one
_BEND = 0.5  # cosine: a stroke does not turn by more than 60 degrees at a junction

# What the readers of fonts, which trust them, answer with.
_NO_FONT = (
    *(OSError, TTLibError, struct.error, ValueError, LookupError),
    *(TypeError, AttributeError, AssertionError, ArithmeticError),
)

_AROUND = [(r, c) for r in (-1, 0, 1) for c in (-1, 0, 1) if r or c]


def trace_font(path: str | os.PathLike, characters: str) -> dict[str, list[np.ndarray]]:
    """Traces the middle of the strokes of a font's glyphs.

    Args:
        path: a `.ttf` or `.otf` file.
        characters: the characters to trace.

    Returns:
        for each character its strokes, the top left one first: float64 arrays of
        shape (n, 2), n >= 2, of x and y, where y points down, the baseline is 0 and
        a capital H is 100 high. A dot is a stroke of length 2; a character without
        ink, such as the space, has no strokes.

    Raises:
        ValueError: the file is missing or not a font, or the font has no glyph for
            one of the characters or for H, which sets the scale, or a monstrous one.
    """
    path = os.fspath(path)
    try:
        with TTFont(path, fontNumber=0) as tables:
            known = tables.getBestCmap() or {}
        font = ImageFont.truetype(path, _CAPITAL, layout_engine=ImageFont.Layout.BASIC)
        top = font.getbbox("H", anchor="ls")[1]
    except _NO_FONT:
        what = "not a readable font" if os.path.exists(path) else "missing"
        raise ValueError(
            f"the font {path!r} is {what}: give the path of a .ttf or .otf file"
        ) from None
    for character in f"{characters}H":
        if ord(character) not in known or (
            character == "H" and top > -_CAPITAL / _LARGEST
        ):
            raise ValueError(
                f"the font {path!r} has no glyph for {character!r}: "
                "choose a font that has one"
            )
    try:
        font = font.font_variant(size=_CAPITAL**2 / -top)
        scale = 100 / -font.getbbox("H", anchor="ls")[1]
        drawn = {c: _draw(font, c) for c in characters}
    except (OSError, ValueError) as error:
        raise ValueError(
            f"the font {path!r} cannot be drawn ({error}): choose another"
        ) from None
    return {c: _trace(*inked, scale) for c, inked in drawn.items()}


def _draw(
    font: ImageFont.FreeTypeFont, character: str
) -> tuple[np.ndarray, tuple[int, int]]:
    """Returns a glyph's ink, 0 or 1, and where in it the pen started."""
    left, top, right, bottom = (int(v) for v in font.getbbox(character, anchor="ls"))
    origin = (2 - left, 2 - top)
    size = (right - left + 4, bottom - top + 4)
    if max(size) > _LARGEST * _CAPITAL:
        raise ValueError(
            f"{character!r} takes {size[0]} × {size[1]} where H is {_CAPITAL} high"
        )
    image = Image.new("L", size)
    ImageDraw.Draw(image).text(origin, character, 255, font, anchor="ls")
    return (np.asarray(image) >= 128).astype("uint8"), origin


def _trace(ink: np.ndarray, origin: tuple[int, int], scale: float) -> list[np.ndarray]:
    # Closed, as a narrow notch can leave a hole of one pixel.
    ink = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((3, 3), "uint8"))
    width = cv2.distanceTransform(ink, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    skeleton = _prune(skeletonize(ink > 0), width)
    # A pixel's middle lies half a pixel inside the outline's grid.
    strokes = [
        (_finish(points, closed, _SPACING / scale) + 0.5 - origin) * scale
        for points, closed in _strokes(_links(skeleton), width)
    ]
    return sorted(strokes, key=lambda stroke: _rank(stroke[0]))


def _rank(point: np.ndarray) -> float:
    """Is least where a hand starts: at the top, and rather left than right."""
    return point[1] + 0.5 * point[0]


def _length(points: np.ndarray) -> float:
    return float(np.hypot(*np.diff(points, axis=0).T).sum())


def _links(skeleton: np.ndarray) -> dict[tuple, list[tuple]]:
    """Maps each pixel to its neighbours.

    A diagonal neighbour does not count where a third pixel links the two around the
    corner, so that more than two links mean a true junction.
    """
    pixels = dict.fromkeys(map(tuple, np.argwhere(skeleton).tolist()))
    return {
        (r, c): [
            (r + i, c + j)
            for i, j in _AROUND
            if (r + i, c + j) in pixels
            and not (i and j and ((r + i, c) in pixels or (r, c + j) in pixels))
        ]
        for r, c in pixels
    }


def _edges(links: dict[tuple, list[tuple]]) -> list[list[tuple]]:
    """Splits a skeleton at its ends and junctions; a ring ends where it starts."""
    edges, seen = [], set()
    for start in sorted(links, key=lambda p: len(links[p]) == 2):
        if not links[start]:
            edges.append([start])
        for step in links[start]:
            if start in seen or (start, step) in seen:
                continue
            edge = [start, step]
            while len(links[edge[-1]]) == 2 and edge[-1] != start:
                a, b = links[edge[-1]]
                edge.append(b if a == edge[-2] else a)
            seen.update(edge[1:-1], [(start, step), (edge[-1], edge[-2])])
            edges.append(edge)
    return edges


def _prune(skeleton: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Removes the spurs with which thinning answers corners of the outline."""
    spurs = [(0, 0)]  # in the margin
    while spurs:
        skeleton[tuple(np.transpose(spurs))] = False
        links, spurs = _links(skeleton), []
        for edge in _edges(links):
            root, tip = sorted((edge[0], edge[-1]), key=lambda p: len(links[p]) == 1)
            # A spur tapers into a corner, a short stroke of the pen ends blunt.
            out = _length(edge) + 2 * width[tip] > _SPUR * width[root]
            if len(links[tip]) == 1 and len(links[root]) > 2 and not out:
                spurs += [p for p in edge if p != root]
    return skeleton


def _strokes(
    links: dict[tuple, list[tuple]], width: np.ndarray
) -> Iterator[tuple[np.ndarray, bool]]:
    """Yields strokes as (n, 2) points of x and y, and whether they are closed."""
    edges = _edges(links)
    # Where strokes cross, thinning leaves two junctions and a bridge: they are one.
    node = {p: p for p in links if len(links[p]) > 2}
    for edge in list(edges):
        a, b = node.get(edge[0]), node.get(edge[-1])
        if a and b and a != b and _length(edge) < _BRIDGE * width[a]:
            node = {p: a if n == b else n for p, n in node.items()}
            edges.remove(edge)
    # An edge has two ends: (edge, 0) and (edge, -1).
    ends = [(i, side) for i in range(len(edges)) for side in (0, -1)]
    lines, partner = _joints(edges, node, width)
    used = set()
    for end in sorted(ends, key=partner.__contains__):
        pieces, tip = [], edges[end[0]][end[1]]
        while end and end[0] not in used:
            i, side = end
            used.add(i)
            pieces.append(lines[i][:: 2 * side + 1])
            end = partner.get((i, -1 - side))
        if pieces:
            points = np.concatenate(pieces)
            if _length(points) < width[tip]:
                if tip in node:
                    continue  # lies within the junction
                points = points.mean(axis=0, keepdims=True)  # a dot
            yield points, end is not None


def _joints(
    edges: list[list[tuple]], node: dict[tuple, tuple], width: np.ndarray
) -> tuple[list[np.ndarray], dict[tuple, tuple]]:
    """Returns the edges as (x, y) points, and for each joined end its partner."""
    lines, partner = [np.array(e, "float64")[:, ::-1] for e in edges], {}
    met: dict[tuple, list] = {n: [] for n in node.values()}
    for i, edge in enumerate(edges):
        for side in (0, -1):
            if edge[side] in node:
                met[node[edge[side]]].append((i, side))
            elif edge[0] == edge[-1] and len(edge) > 1:  # a ring
                partner[i, side] = i, -1 - side
            else:
                arm = _straighten(lines[i][:: 2 * side + 1], width)
                lines[i] = arm[:: 2 * side + 1]
    for n, ends in met.items():
        cluster = [p for p in node if node[p] == n]
        centre = np.mean(cluster, axis=0)[::-1]
        radius = int(max(width[p] for p in cluster))
        foot, heading = {}, {}
        for i, side in ends:
            # Thinning bends strokes near a junction: go by what lies beyond.
            arm = lines[i][:: 2 * side + 1][min(radius, (len(edges[i]) - 1) // 2) :]
            foot[i, side], far = arm[0], arm[: 2 * radius + 2][-1]
            heading[i, side] = (far - arm[0]) / max(np.hypot(*(far - arm[0])), 1)
            lines[i] = arm[:: 2 * side + 1]
        pairs = itertools.combinations(ends, 2)
        for cosine, a, b in sorted((heading[a] @ heading[b], a, b) for a, b in pairs):
            if cosine < -_BEND and a not in partner and b not in partner:
                partner |= {a: b, b: a}
                # Other arms end on the straight line that now joins the two.
                along = foot[b] - foot[a]
                share = (centre - foot[a]) @ along / max(along @ along, 1)
                centre = foot[a] + np.clip(share, 0, 1) * along
        for i, side in ends:
            if (i, side) not in partner:
                lines[i] = np.insert(lines[i], -side * len(lines[i]), centre, 0)
    return lines, partner


def _straighten(arm: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Replaces the hook with which a skeleton runs into a corner of the outline."""
    half = [width[int(y), int(x)] for x, y in arm]
    # The hook lasts as long as the ink widens.
    cut = next((i for i, w in enumerate(half[:-5]) if half[i + 5] < w + 1), len(arm))
    if len(arm) < 2 * cut or 2 * half[0] > half[cut]:
        return arm
    hook, ahead = arm[0] - arm[cut], arm[cut] - arm[2 * cut - 1]
    ahead /= max(np.hypot(*ahead), 1)
    if hook @ ahead < _BEND * np.hypot(*hook):
        return arm  # a corner of the stroke itself
    reach = max(hook @ ahead - half[cut], 0)
    return np.concatenate([[arm[cut] + reach * ahead], arm[cut:]])


def _finish(points: np.ndarray, closed: bool, spacing: float) -> np.ndarray:
    """Smooths the pixels' steps away, thins the points out and sets the direction."""
    if len(points) == 1:
        return points + np.outer([-0.5, 0.5], [0, spacing])
    if closed:
        # As an o is written: from the top, down on the left.
        points = np.roll(points, -int(points[:, 1].argmin()), axis=0)
        x, y = (points - points[0]).T
        if (x[:-1] * y[1:] - x[1:] * y[:-1]).sum() > 0:
            points = points[::-1]
        points = np.concatenate([points, points[:1]])
    elif _rank(points[-1]) < _rank(points[0]):
        points = points[::-1]
    points = _resample(points, 1.0)
    reach = int(3 * _SMOOTHING)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / _SMOOTHING) ** 2)
    if closed:
        padded = np.pad(points[:-1], ((reach, reach + 1), (0, 0)), mode="wrap")
    else:
        pad = ((reach, reach), (0, 0))
        padded = np.pad(points, pad, mode="reflect", reflect_type="odd")
    smooth = [np.convolve(p, kernel / kernel.sum(), "valid") for p in padded.T]
    return _resample(np.stack(smooth, -1), spacing)


def _resample(points: np.ndarray, spacing: float) -> np.ndarray:
    """Returns points at equal distances along a polyline, ends included."""
    along = np.r_[0, np.cumsum(np.hypot(*np.diff(points, axis=0).T))]
    at = np.linspace(0, along[-1], max(2, round(along[-1] / spacing) + 1))
    return np.stack([np.interp(at, along, axis) for axis in points.T], -1)
