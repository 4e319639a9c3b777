"""SVG whose lines are strokes: https://www.w3.org/TR/SVG2/.

`<path>`, `<polyline>`, `<polygon>` and `<line>` are read, where `transform` puts them,
curves as points so near that no picture shows it. y counts downwards, as SVG says.

A shape that is filled and has no line around it is no stroke: programs write strokes of
changing width so, as their outline. What says neither, as style sheets do instead, is
taken for a stroke. That is told, and what was left out.
"""

import dataclasses
import math
import re
from collections.abc import Iterator

import numpy as np
from fontTools.misc.transform import Identity, Transform
from fontTools.pens.transformPen import TransformPen
from fontTools.svgLib.path import parse_path
from fontTools.svgLib.path.arc import EllipticalArc

from ..photo.unusable import Unusable
from .content import FileContent
from .markup import Element
from .path import (
    FINEST,
    LARGEST,
    MOST,
    Path,
    check_size,
    joined,
    path,
    too_long,
)
from .recorded import Recording, alone

_FINE = 2000
"""Points of a curve are so near that lines between them miss it by at most this part of
the drawing's larger side: a twentieth of a pixel of the picture."""

_GROUPS = {"g", "a", "switch"}
_LINES = {"path", "polyline", "polygon", "line"}
_OTHERS = {
    *("rect", "circle", "ellipse", "image", "text", "use", "foreignObject", "svg"),
}
_NOTHING = {None, "none", "transparent"}

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_FLAG = re.compile("[01]")
_SEPARATOR = re.compile(r"[\s,]*")
_ARC = (*[_NUMBER] * 3, *[_FLAG] * 2, *[_NUMBER] * 2)
_COMMAND = re.compile(r"([MmZzLlHhVvCcSsQqTtAa])")
_CALL = re.compile(r"\s*(\w+)\s*\(([^()]*)\)[\s,]*")

_Point = tuple[float, float]
_Bend = tuple[_Point, ...]
"""A line or a Bézier curve from where the pen is: its control points and its end."""

_Style = dict[str, str]


class _Strokes:
    """A pen of fontTools that keeps what it draws.

    Attributes:
        strokes: each begins with a bend that is its first point alone.
    """

    def __init__(self) -> None:
        self.strokes: list[list[_Bend]] = []
        self._bends = 0

    def moveTo(self, point: _Point) -> None:
        self.strokes.append([(point,)])

    def lineTo(self, *points: _Point) -> None:
        self.strokes[-1].append(points)
        self._bends += 1
        if self._bends > MOST:
            raise too_long(self._bends)

    curveTo = qCurveTo = lineTo

    def closePath(self) -> None:
        """Does nothing: the line to the start was drawn before."""

    endPath = closePath


class _Arc(EllipticalArc):
    """An arc that is a line where a radius is zero, as SVG says; fontTools has none."""

    def draw(self, pen: _Strokes) -> None:
        if self.rx and self.ry:
            super().draw(pen)
        else:
            pen.lineTo((self.target_point.real, self.target_point.imag))


def recognises(content: FileContent) -> bool:
    """Whether it is XML whose outermost element is `<svg>`."""
    return content.is_markup and content.root.name == "svg"


def read(content: FileContent) -> Recording:
    """Reads all strokes, in the document's order.

    Raises:
        Unusable: there are none, or one is malformed.
    """
    pen = _Strokes()
    others, unsaid = set(), False
    # The outermost element is a group; one inside has a coordinate system of its own.
    top = dataclasses.replace(content.root, name="g")
    for element, place, style in _shapes(top, Identity, {}):
        stroke, fill = style.get("stroke"), style.get("fill")
        if element.name in _OTHERS:
            others.add(f"<{element.name}>")
        elif stroke in _NOTHING and (stroke or fill not in _NOTHING):
            others.add(f"<{element.name}> without a line")
        else:
            unsaid |= stroke is None
            _draw(element, TransformPen(pen, place))
    left = ", ".join(sorted(others))
    strokes = [stroke for stroke in pen.strokes if len(stroke) > 1]
    if not strokes:
        raise Unusable(
            f"holds no strokes{left and ', only '}{left}: give an SVG of lines, or a "
            "picture such as PNG"
        )
    guesses = []
    if unsaid:
        guesses.append(
            "lines that say neither stroke nor fill are strokes; if they go around "
            "ink, give a picture such as PNG"
        )
    if left:
        guesses.append(f"{left} are no strokes, and are left out")
    return alone(_joined(strokes), *guesses)


def _shapes(
    element: Element, place: Transform, style: _Style
) -> Iterator[tuple[Element, Transform, _Style]]:
    """Yields all that is shown, with where it is put and what it looks like."""
    said = {k: v.strip() for k, v in element.attributes.items()}
    for declaration in said.get("style", "").split(";"):
        name, _, value = declaration.partition(":")
        said[name.strip()] = value.replace("!important", "").strip()
    inherited = ("stroke", "fill", "visibility")
    style = style | {name: said[name] for name in inherited if name in said}
    if said.get("display") == "none":
        return
    place = place.transform(_transform(said.get("transform", "")))
    if element.name in _GROUPS:
        for child in element.children:
            yield from _shapes(child, place, style)
    elif element.name in _LINES | _OTHERS and style.get("visibility") != "hidden":
        yield element, place, style


def _transform(text: str) -> Transform:
    """Returns what a list such as "translate(3 4) scale(2)" does to points."""
    whole = Identity
    makers = {
        ("matrix", 6): lambda *m: Transform(*m),
        ("translate", 1): lambda x: Identity.translate(x),
        ("translate", 2): lambda x, y: Identity.translate(x, y),
        ("scale", 1): lambda s: Identity.scale(s, s),
        ("scale", 2): lambda x, y: Identity.scale(x, y),
        ("rotate", 1): lambda a: Identity.rotate(math.radians(a)),
        ("rotate", 3): lambda a, x, y: (
            Identity.translate(x, y).rotate(math.radians(a)).translate(-x, -y)
        ),
        ("skewX", 1): lambda a: Identity.skew(math.radians(a), 0),
        ("skewY", 1): lambda a: Identity.skew(0, math.radians(a)),
    }
    end = 0
    while end < len(text) and text != "none":
        call = _CALL.match(text, end)
        given = _numbers(call[2], "transform") if call else []
        maker = makers.get((call[1], len(given))) if call else None
        if maker is None:
            raise Unusable(f"has the transform {text[:60]!r}, which is none of SVG's")
        whole = whole.transform(maker(*given))
        end = call.end()
    return whole


def _draw(element: Element, pen: TransformPen) -> None:
    """Draws a shape with a pen."""
    said = element.attributes
    if element.name == "path":
        _draw_path(said.get("d", ""), pen)
        return
    if element.name == "line":
        ends = (said.get(name, "0") for name in ("x1", "y1", "x2", "y2"))
        given = _numbers(" ".join(end.removesuffix("px") for end in ends), "line")
    else:
        given = _numbers(said.get("points", ""), element.name)
    if len(given) % 2:
        raise Unusable(
            f"has a {element.name} of {len(given)} numbers: x and y belong together"
        )
    points = list(zip(given[::2], given[1::2]))
    if element.name == "polygon":
        points += points[:1]
    for draw, point in zip([pen.moveTo, *[pen.lineTo] * len(points)], points):
        draw(point)


def _draw_path(text: str, pen: TransformPen) -> None:
    """Draws what a path's attribute d says.

    fontTools reads over what is no number; so it is given numbers that were looked at.

    Raises:
        Unusable: it is malformed.
    """
    before, *parts = _COMMAND.split(text)
    written = [f"{number:.17g}" for number in _numbers(before, "path")]
    try:
        for command, given in zip(parts[::2], parts[1::2]):
            read = _arcs if command in ("A", "a") else _numbers
            written += [command, *map("{:.17g}".format, read(given, "path"))]
        parse_path(" ".join(written), pen, arc_class=_Arc)
    except (ValueError, ArithmeticError):
        raise Unusable(
            f"has a path that is damaged: {' '.join(text.split())[:60]!r}"
        ) from None


def _arcs(text: str, what: str) -> Iterator[float]:
    """Yields the numbers and flags of arcs; flags may stand together, "01" say.

    Raises:
        Unusable: a number is too large.
        ValueError: there is something else.
    """
    end = _SEPARATOR.match(text).end()
    while end < len(text):
        for kind in _ARC:
            found = kind.match(text, end)
            if found is None:
                raise ValueError("no arc")
            yield from _numbers(found[0], what)
            end = _SEPARATOR.match(text, found.end()).end()


def _numbers(text: str, what: str) -> list[float]:
    """Returns numbers with spaces or commas between.

    Raises:
        Unusable: there is something else, or a number is too large.
    """
    rest = _NUMBER.sub(" ", text).replace(",", " ").split()
    found = [float(number) for number in _NUMBER.findall(text)]
    if rest:
        raise Unusable(f"has {rest[0][:40]!r} in a {what}, where a number belongs")
    if len(found) > 6 * MOST:
        raise too_long(len(found) // 2)
    largest = max(map(abs, found), default=0)
    if largest > LARGEST:
        raise Unusable(
            f"has {largest:.3g} in a {what}, where no number is above {LARGEST:g}"
        )
    return found


def _joined(strokes: list[list[_Bend]]) -> Path:
    """Returns strokes as one path, curves as points."""
    ends = np.array([point for stroke in strokes for bend in stroke for point in bend])
    check_size(ends)
    error = max(float(np.ptp(ends, axis=0).max()), FINEST) / _FINE
    return joined(_sampled(stroke, error) for stroke in strokes)


def _sampled(stroke: list[_Bend], error: float) -> Path:
    points: list[_Point] = []
    for bend in stroke:
        points += bend if len(bend) == 1 else _curve((points[-1], *bend), error)
        if len(points) > MOST:
            raise too_long(len(points))
    return path(*zip(*points))


def _curve(control: _Bend, error: float) -> list[_Point]:
    """Returns points of a Bézier curve, without its start.

    A chord of a curve, 1 / n of it in time, misses it by at most |B''| / 8n².

    Args:
        control: its control points, start and end among them.
        error: by how much lines between the points may miss it.
    """
    degree = len(control) - 1
    bent = np.hypot(*np.diff(control, 2, axis=0).T).max() * degree * (degree - 1)
    pieces = max(1, math.ceil(math.sqrt(bent / (8 * error))))
    t = np.arange(1, pieces + 1)[:, None] / pieces
    points = sum(
        math.comb(degree, k) * (1 - t) ** (degree - k) * t**k * np.array(point)
        for k, point in enumerate(control)
    )
    return list(map(tuple, points.tolist()))
