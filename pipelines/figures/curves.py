"""How a classifier's answers depend on what was drawn: amplitude, pen, renderer.

Of drawings with a tremor the share that is found, of those without one the share that
is called shaky all the same, with Wilson's 95 % intervals; and the amplitudes that are
found in half and in nine of ten cases, by a logistic curve over the amplitude's
logarithm.
"""

import itertools
import pathlib
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter, StrMethodFormatter
from scipy.optimize import minimize
from scipy.special import expit

from .plots import COLORS, GREY, plain, save
from .scores import wilson

EDGES = {
    "tremor_amplitude": (0.8, 1.0, 1.25, 1.5, 2.0, 2.5, 3.2, 4.0, 5.01),
    "tremor_hz": (3.5, 5.0, 6.5, 8.0, 10.0, 12.01),
    "pen_width": (0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 11.01),
}
"""Ends of the ranges that numbers are counted in: pixels of a drawing that is 70 large,
and hertz."""

NAMES = ("renderer", "kind")
"""What drawings are counted by besides: features with names."""

FOUND = (0.5, 0.9)
"""Shares of the shaky drawings whose amplitudes are told."""

_TITLES = {
    "tremor_amplitude": "tremor's amplitude, pixels of a drawing 70 large",
    "tremor_hz": "tremor's frequency, Hz",
    "pen_width": "pen's width, pixels of a drawing 70 large",
}


def curves(
    known: dict[str, np.ndarray], label: np.ndarray, called: np.ndarray
) -> dict[str, Any]:
    """Returns shares of drawings that were called shaky.

    Args:
        known: of each drawing, by feature: numbers (see `EDGES`; 0 where it does not
            apply), and names (see `NAMES`). Regular ones carry their twin's tremor.
        label: 1 of the shaky ones, shape (n,).
        called: whether each was called shaky, bool, shape (n,).

    Returns:
        rows (a list: by, value or low and high, label, n, called_shaky, interval) and
        amplitudes (by share, "0.5" and "0.9": the amplitude found so often; the
        smallest that was drawn where less would do, None where it is beyond the
        largest).
    """
    rows = []
    for by, edges in EDGES.items():
        for low, high in itertools.pairwise(edges):
            inside = (known[by] >= low) & (known[by] < high)
            rows += _rows({"by": by, "low": low, "high": high}, inside, label, called)
    for by in NAMES:
        for value in dict.fromkeys(known[by]):
            inside = known[by] == value
            rows += _rows({"by": by, "value": str(value)}, inside, label, called)
    shaky = label == 1
    amplitudes = found_amplitudes(known["tremor_amplitude"][shaky], called[shaky])
    return {"rows": rows, "amplitudes": amplitudes}


def _rows(
    where: dict[str, Any], inside: np.ndarray, label: np.ndarray, called: np.ndarray
) -> list[dict[str, Any]]:
    rows = []
    # A regular drawing has no amplitude and no frequency of its own.
    for which in (1,) if where["by"].startswith("tremor") else (0, 1):
        chosen = inside & (label == which)
        n = int(chosen.sum())
        if n:
            share = float(called[chosen].mean())
            interval = tuple(float(end) for end in wilson(share, n))
            known = {"label": which, "n": n, "called_shaky": share}
            rows.append({**where, **known, "interval": interval})
    return rows


def found_amplitudes(
    amplitude: np.ndarray, found: np.ndarray
) -> dict[str, float | None]:
    """Returns the amplitudes that are found in some shares of all cases.

    Args:
        amplitude: of each shaky drawing, shape (n,).
        found: whether it was called shaky, shape (n,).
    """
    log = np.log(amplitude)
    y = found.astype("float64")

    def loss(x: np.ndarray) -> float:
        # Some are missed however large they are: hidden where strokes run together.
        p = np.clip((1 - expit(x[2])) * expit(x[0] + x[1] * log), 1e-9, 1 - 1e-9)
        # A weak prior keeps the curve finite where all or none are found.
        return -(y * np.log(p) + (1 - y) * np.log(1 - p)).sum() + 0.01 * (x**2).sum()

    at, slope, lapse = minimize(loss, (0.0, 2.0, -3.0), method="Nelder-Mead").x
    most, result = 1 - expit(lapse), {}
    for share in FOUND:
        value = None
        if share < most and slope > 0:
            value = float(np.exp((np.log(share / (most - share)) - at) / slope))
            value = max(value, float(amplitude.min()))
            value = None if value > amplitude.max() else value
        result[str(share)] = value
    return result


def text(result: dict[str, Any]) -> str:
    """Returns what `curves` returned, as tables for people."""
    lines = []
    for by in (*EDGES, *NAMES):
        rows = [row for row in result["rows"] if row["by"] == by]
        if not rows:
            continue
        lines += ["", f"called shaky, by {by.replace('_', ' ')}"]
        values = list(dict.fromkeys(_value(row) for row in rows))
        width = max(map(len, values))
        for value in values:
            told = [
                f"{('regular', 'shaky')[row['label']]} {row['called_shaky']:7.1%} "
                f"({row['interval'][0]:.1%} to {row['interval'][1]:.1%})"
                for row in rows
                if _value(row) == value
            ]
            lines.append(f"  {value:{width}}  {'   '.join(told)}")
    told = [
        f"{pixels(amplitude)} in {float(share):.0%} of the cases"
        for share, amplitude in result["amplitudes"].items()
    ]
    return "\n".join([*lines, "", f"A tremor is found at {', at '.join(told)}."])


def pixels(amplitude: float | None) -> str:
    """Returns an amplitude of `found_amplitudes` for people."""
    if amplitude is None:
        return "beyond what was drawn"
    smallest = EDGES["tremor_amplitude"][0]
    return f"{amplitude:.2f} pixels{' or less' if amplitude < 1.02 * smallest else ''}"


def _value(row: dict[str, Any]) -> str:
    if "value" in row:
        return row["value"]
    return f"{row['low']:g} to {row['high']:.3g}"


def draw(path: pathlib.Path, result: dict[str, Any]) -> None:
    """Draws what `curves` returned."""
    figure = Figure(figsize=(14, 8), layout="constrained")
    axes = figure.subplots(2, 3)
    for place, by in zip(axes[0], EDGES):
        _numbers(place, by, result)
    for place, by in zip(axes[1], NAMES):
        _named(place, by, result)
    axes[1, 2].set_axis_off()
    handles, labels = axes[0, 2].get_legend_handles_labels()
    axes[1, 2].legend(handles, labels, loc="center", frameon=False)
    save(figure, path)


def _numbers(axes: Axes, by: str, result: dict[str, Any]) -> None:
    if not any(row["by"] == by for row in result["rows"]):
        axes.set_axis_off()
        return
    for label, name in ((1, "shaky: found"), (0, "regular: false alarms")):
        rows = [r for r in result["rows"] if (r["by"], r["label"]) == (by, label)]
        if rows:
            share = np.array([row["called_shaky"] for row in rows])
            ends = np.transpose([row["interval"] for row in rows])
            axes.errorbar(
                [np.sqrt(row["low"] * row["high"]) for row in rows],
                share,
                np.abs(ends - share),
                color=COLORS[1 - label],
                marker="o",
                elinewidth=1,
                label=name,
            )
    if by == "tremor_amplitude":
        for share, amplitude in result["amplitudes"].items():
            if amplitude is not None:
                axes.plot([amplitude] * 2, [0, float(share)], color=GREY, linestyle=":")
                axes.annotate(f"{amplitude:.2f}", (amplitude, 0.02), color=GREY)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.minorticks_off()
    edges = EDGES[by][:-1]
    axes.set_xticks([round(edge, 2) for edge in edges[:: 2 if len(edges) > 8 else 1]])
    axes.set_xlabel(_TITLES[by])
    _share(axes.yaxis, axes)


def _named(axes: Axes, by: str, result: dict[str, Any]) -> None:
    rows = [row for row in result["rows"] if row["by"] == by]
    values = list(dict.fromkeys(row["value"] for row in rows))[::-1]
    for row in rows:
        share, label = row["called_shaky"], row["label"]
        low, high = row["interval"]
        axes.errorbar(
            share,
            values.index(row["value"]) + 0.12 * (2 * label - 1),
            xerr=[[share - low], [high - share]],
            color=COLORS[1 - label],
            marker="o",
            elinewidth=1,
        )
    axes.set_yticks(range(len(values)), values)
    axes.set_title(f"by {by}")
    _share(axes.xaxis, axes, along_x=True)


def _share(axis: Any, axes: Axes, along_x: bool = False) -> None:
    (axes.set_xlim if along_x else axes.set_ylim)(-0.03, 1.03)
    axis.set_major_formatter(PercentFormatter(1.0))
    plain(axes)
