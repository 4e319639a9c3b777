"""The picture of files' sizes against their latency."""

import itertools
import math
import pathlib
from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from matplotlib.transforms import Bbox

from commands.files import replacing

from .timing import Spread

_REFERENCE, _OTHER, _LEADER = "#d9480f", "#0b6e99", "#9aa5b1"
_DISTANCES = (9, 22, 36, 52, 70)
"""Points between a mark and its label, the nearest first."""
_SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1), (0.8, 0.8), (0.8, -0.8), (-0.8, 0.8),
          (-0.8, -0.8))  # fmt: skip
_LOG_FROM = 4
"""Latencies this many times apart are drawn on a logarithmic axis."""


class Point(NamedTuple):
    """A file in the picture."""

    label: str
    size: int
    ms: Spread


def draw(path: pathlib.Path, points: Sequence[Point]) -> None:
    """Draws size against latency, a labelled mark with spread for each file.

    Args:
        path: of the picture, a PNG about 900 pixels wide.
        points: at least one; the first is the reference.
    """
    figure = Figure(figsize=(7, 5), layout="constrained")
    axes = figure.subplots()
    for order, color, some in ((3, _REFERENCE, points[:1]), (2, _OTHER, points[1:])):
        axes.errorbar(
            [p.size for p in some],
            [p.ms.median for p in some],
            [
                [p.ms.median - p.ms.low for p in some],
                [p.ms.high - p.ms.median for p in some],
            ],
            fmt="o",
            color=color,
            capsize=3,
            markersize=6,
            zorder=order,
        )
    axes.set_xlabel("size of the file")
    axes.set_ylabel("milliseconds")
    axes.set_title(
        "one run: one thread, warm caches; median and quartiles over the rounds",
        fontsize="medium",
    )
    _scale(axes, points)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    _label(figure, axes, points)
    with replacing(path) as draft:
        figure.savefig(draft, dpi=130)


def _scale(axes: Axes, points: Sequence[Point]) -> None:
    """Sets limits that leave room for labels, and ticks at round values."""
    sizes = [p.size for p in points]
    axes.set_xscale("log")
    axes.set_xlim(*_wider(min(sizes), max(sizes)))
    axes.xaxis.set_major_locator(_ticks(sizes))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _: _bytes(size)))
    slowest = max(p.ms.high for p in points)
    fastest = min(p.ms.low for p in points)
    if slowest < _LOG_FROM * fastest:
        axes.set_ylim(0, 1.15 * slowest)
        return
    axes.set_yscale("log")
    axes.set_ylim(*_wider(fastest, slowest))
    axes.yaxis.set_major_locator(_ticks((fastest, slowest)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda ms, _: f"{ms:g}"))


def _wider(low: float, high: float) -> tuple[float, float]:
    """Returns a range for a logarithmic axis, a factor of at least four."""
    room = max((high / low) ** 0.15, 2 * (low / high) ** 0.5, 1.2)
    return low / room, high * room


def _ticks(values: Sequence[float]) -> LogLocator:
    """Returns the places of ticks, fewer where their labels would touch."""
    far = max(values) > 300 * min(values)
    return LogLocator(subs=(1,) if far else (1, 2, 5))


def _bytes(size: float) -> str:
    for unit, factor in (("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:g} {unit}"
    return f"{size:g} B"


def _label(figure: Figure, axes: Axes, points: Sequence[Point]) -> None:
    """Puts a label beside each mark, where it covers neither marks nor labels."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # Measured places stay where they are.
    marks = [_mark(axes, point) for point in points]
    middles = axes.transData.transform([(p.size, p.ms.median) for p in points])
    taken = []  # by labels, and by lines that lead to them
    for index, point in enumerate(points):
        text = f"{point.label} (reference)" if index == 0 else point.label
        label = axes.annotate(
            text,
            (point.size, point.ms.median),
            (0, 0),
            textcoords="offset points",
            fontsize="small",
            color=_REFERENCE if index == 0 else "black",
            annotation_clip=False,
            parse_math=False,
        )
        obstacles = marks + taken
        costs = {}
        for choice in itertools.product(_DISTANCES, _SIDES):
            place = _placed(label, *choice)
            line = _line(axes, point, *choice)
            crossed = sum(_covered(step, taken) for step in line)
            costs[choice] = (
                _covered(place, obstacles) + _outside(place, axes.bbox) + 20 * crossed
            )
            if choice[0] == _DISTANCES[0]:  # There is no line to tell whose it is.
                gaps = [_gap(place, middle) for middle in middles]
                costs[choice] += 50 * (gaps[index] > min(gaps) + 1)
        distance, side = min(costs, key=costs.get)
        taken.append(_placed(label, distance, side))
        if distance > _DISTANCES[0]:
            taken += _line(axes, point, distance, side)
            axes.annotate(
                "",
                (point.size, point.ms.median),
                (distance * side[0], distance * side[1]),
                textcoords="offset points",
                arrowprops={"arrowstyle": "-", "color": _LEADER, "linewidth": 0.8},
                zorder=1,
            )


def _mark(axes: Axes, point: Point) -> Bbox:
    """Returns the place of a mark and its spread, in pixels."""
    ends = [(point.size, point.ms.low), (point.size, point.ms.high)]
    (x, low), (_, high) = axes.transData.transform(ends)
    pad = 5 * axes.figure.dpi / 72
    return Bbox.from_extents(x - pad, low - pad, x + pad, high + pad)


def _placed(label: Annotation, distance: float, side: tuple[float, float]) -> Bbox:
    """Moves a label to a side of its mark and returns where it is, in pixels."""
    x, y = side
    label.set_position((distance * x, distance * y))
    label.set_horizontalalignment("left" if x > 0 else "right" if x < 0 else "center")
    label.set_verticalalignment("bottom" if y > 0 else "top" if y < 0 else "center")
    return label.get_window_extent().padded(1)


def _line(
    axes: Axes, point: Point, distance: float, side: tuple[float, float]
) -> list[Bbox]:
    """Returns places along the line from a mark to its label, in pixels."""
    x, y = axes.transData.transform((point.size, point.ms.median))
    steps = [0.1 * i * distance * axes.figure.dpi / 72 for i in range(11)]
    centres = [(x + side[0] * step, y + side[1] * step) for step in steps]
    return [Bbox.from_extents(x - 1, y - 1, x + 1, y + 1) for x, y in centres]


def _covered(place: Bbox, others: Sequence[Bbox]) -> float:
    """Returns how many pixels of a place others take."""
    shared = (Bbox.intersection(place, other) for other in others)
    return sum(box.width * box.height for box in shared if box)


def _gap(place: Bbox, middle: tuple[float, float]) -> float:
    """Returns how many pixels a place is from the middle of a mark."""
    x, y = middle
    return math.hypot(
        max(place.x0 - x, x - place.x1, 0), max(place.y0 - y, y - place.y1, 0)
    )


def _outside(place: Bbox, area: Bbox) -> float:
    """Returns how many pixels of a place are not in an area."""
    return place.width * place.height - _covered(place, [area])
