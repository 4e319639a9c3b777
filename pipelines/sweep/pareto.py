"""Which settings nothing else beats, and their picture: accuracy over zeros."""

import math
import pathlib
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from ..figures.plots import COLORS, GREY, plain, save
from ..run.config import PENALTIES, TrainConfig
from .setting import Setting, varied

_TICKS = (0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999, 1)
_SYMBOLS = {"a": "a", "lam": "λ", "beta": "β"}

_FINEST = 1e-5
"""What is less far from 100 % than that is drawn there."""


def front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Returns which points no other beats: is better in one, and as good in the other.

    Args:
        points: the larger, the better, in both.

    Returns:
        their indices, from the smallest first coordinate to the largest.
    """
    found: list[int] = []
    for i in sorted(range(len(points)), key=lambda i: points[i], reverse=True):
        last = points[found[-1]] if found else (math.inf, -math.inf)
        if points[i][1] > last[1] or points[i] == last:
            found.append(i)
    return found[::-1]


def best(some: list[Setting]) -> list[Setting]:
    """Returns the settings on the front, from few zeros to many, by dataset.

    As tables tell them: what differs in the third decimal of a percent is equal.
    """
    found = []
    for group in _by_dataset(some).values():
        found += [group[i] for i in front([(s.zeros, s.accuracy) for s in group])]
    return found


def draw(path: pathlib.Path, some: list[Setting]) -> None:
    """Draws accuracy on test_large over zeros, a panel for each dataset.

    Both axes spread out towards 100 %, where settings are told apart. Those on the
    front have their numbers in `best`.
    """
    groups, chosen = _by_dataset(some), best(some)
    kinds = list(dict.fromkeys(map(_kind, some)))
    colors = dict(zip(kinds, COLORS * len(kinds)))
    figure = Figure(figsize=(9.5, 4.8 * len(groups)), layout="constrained")
    panels = figure.subplots(len(groups), 1, squeeze=False).flat
    for axes, (dataset, group) in zip(panels, groups.items()):
        numbers = {i: chosen.index(s) + 1 for i, s in enumerate(group) if s in chosen}
        for i, setting in enumerate(group):
            _dot(axes, setting, colors[_kind(setting)], numbers.get(i))
        _spread_out(axes.xaxis)
        _spread_out(axes.yaxis)
        _staircase(axes, [group[i] for i in numbers])
        _legend(axes, group, numbers, colors)
        axes.set_xlabel("zeros in the split kernels")
        axes.set_ylabel("accuracy on test_large")
        if len(groups) > 1:
            axes.set_title(pathlib.Path(dataset).name)
        plain(axes)
    save(figure, path)


def _dot(axes: Axes, setting: Setting, color: str, number: int | None) -> None:
    """Draws a setting: its mean, how far its seeds lie apart, its number if any."""
    x, y = _place(setting)
    style = {"color": color, "alpha": 0.4, "linewidth": 1.2, "zorder": 2}
    axes.plot(_reach(setting.figures("sparsity")), (y, y), **style)
    axes.plot((x, x), _reach(setting.figures("test_large_accuracy")), **style)
    axes.plot(
        *(x, y),
        marker="o",
        markersize=12 if number else 6,
        color=color if number else "white",
        markeredgecolor=color,
        zorder=4 if number else 3,
    )
    if number:
        style = {"color": "white", "fontsize": 8, "fontweight": "bold", "zorder": 5}
        axes.text(x, y, str(number), ha="center", va="center_baseline", **style)


def _spread_out(axis: Axis) -> None:
    """Gives an axis room around what is drawn, and percent at its ticks."""
    low, high = axis.get_view_interval()
    margin = max(0.05, 0.06 * (high - low))
    low, high = low - margin, high + margin
    axis.set_view_interval(low, high, ignore=True)
    inside = [tick for tick in _TICKS if low <= _far(tick) <= high]
    if len(inside) < 3:
        round_ones = MaxNLocator(5).tick_values(1 - 10**-low, 1 - 10**-high)
        inside = [tick for tick in round_ones if low <= _far(tick) <= high]
    ticks: list[float] = []
    for tick in inside:
        if not ticks or _far(tick) - _far(ticks[-1]) > 0.08 * (high - low):
            ticks.append(tick)
    axis.set_ticks([_far(t) for t in ticks], [f"{100 * t:.6g} %" for t in ticks])


def _staircase(axes: Axes, chosen: list[Setting]) -> None:
    """Draws the front, and shades what is behind it."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    x, y = np.array(sorted(map(_place, chosen))).T
    x, y = np.array([left, *x, x[-1]]), np.array([y[0], *y, bottom])
    axes.plot(x, y, drawstyle="steps-pre", color=GREY, zorder=1)
    axes.fill_between(x, bottom, y, step="pre", color=GREY, alpha=0.12, linewidth=0)
    axes.set(xlim=(left, right), ylim=(bottom, top))


def _legend(
    axes: Axes, group: list[Setting], numbers: dict[int, int], colors: dict[str, str]
) -> None:
    """Says beside the axes what colors and numbers stand for."""
    names = [n for n in varied(group) if n not in ("dataset", "method", "penalty")]
    present = {_kind(setting) for setting in group}
    handles = [
        Line2D([], [], color=color, marker="o", linestyle="", label=kind)
        for kind, color in colors.items()
        if kind in present
    ]
    handles.append(Line2D([], [], color=GREY, label="the front:"))
    for i, number in sorted(numbers.items(), key=lambda pair: pair[1]):
        label = f"{number}  {_label(group[i], names)}"
        handles.append(Line2D([], [], linestyle="", label=label))
    axes.legend(
        handles=handles,
        frameon=False,
        loc="upper left",
        bbox_to_anchor=(1.01, 1),
        borderaxespad=0,
    )


def _place(setting: Setting) -> tuple[float, float]:
    return _far(setting.zeros / 100), _far(setting.accuracy / 100)


def _reach(shares: list[float]) -> tuple[float, float]:
    return _far(min(shares)), _far(max(shares))


def _far(share: float) -> float:
    """Returns where a share is drawn: a step further for each digit 9."""
    return -math.log10(max(1 - share, _FINEST))


def _kind(setting: Setting) -> str:
    config = setting.config
    if config.method == "magnitude":
        return "magnitude pruning"
    added = config.method == "loss" and config.penalty != "none"
    return PENALTIES[config.penalty] + (" in the loss" if added else "")


def _label(setting: Setting, names: list[str]) -> str:
    """Returns what tells a setting from the others of the group."""
    parts = [_kind(setting)]
    for name in names:
        value = setting.option(name)
        if value and name in _SYMBOLS:
            parts.append(f"{_SYMBOLS[name]} = {value}")
        elif value and getattr(setting.config, name) != getattr(TrainConfig, name):
            parts.append(f"{name.replace('_', ' ')} {value}")
    return ", ".join(parts)


def _by_dataset(some: list[Setting]) -> dict[str, list[Setting]]:
    groups: dict[str, list[Setting]] = {}
    for setting in some:
        groups.setdefault(setting.config.dataset, []).append(setting)
    return groups
