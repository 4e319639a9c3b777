"""The picture of a classifier's figures: ROC, reliability, confusion."""

import pathlib
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter, StrMethodFormatter

from .plots import COLORS, GREY, plain, save
from .scores import wilson

_SHADES = LinearSegmentedColormap.from_list("shades", ["white", COLORS[0]])


def draw(path: pathlib.Path, result: dict[str, Any]) -> None:
    """Draws what `pipelines.evaluate` writes.

    Args:
        path: of the picture.
        result: the figures.
    """
    figure = Figure(figsize=(14, 5), layout="constrained")
    figure.suptitle(
        f"{pathlib.Path(result['dataset']).name}, {result['split']}: "
        f"{result['images']:,} images, "
        f"{result['accuracy']:.2%} right",
        x=0.01,
        ha="left",
    )
    left, middle, right = figure.subfigures(1, 3, wspace=0.04)
    _roc(left.subplots(), result)
    _reliability(
        *middle.subplots(2, 1, sharex=True, height_ratios=(3, 1)),
        result,
    )
    _confusion(right.subplots(), result)
    save(figure, path)


def _roc(axes: Axes, result: dict[str, Any]) -> None:
    axes.plot([0, 1], [0, 1], color=GREY, linestyle=":")
    for i, one in enumerate(result["classes"]):
        if one["roc"] is None:
            continue
        label = f"{one['label']}: area {one['auc']:.3f}"
        if one["auc_interval"]:
            label += " ({:.3f} to {:.3f})".format(*one["auc_interval"])
        color = COLORS[i % len(COLORS)]
        axes.plot(*np.transpose(one["roc"]), color=color, label=label)
        # Where the answers are given: the most probable class.
        at = 1 - one["specificity"], one["sensitivity"]
        axes.plot(*at, color=color, marker="o")
    axes.set_title("ROC")
    axes.set_xlabel("1 − specificity")
    axes.set_ylabel("sensitivity")
    axes.set_aspect("equal")
    if axes.get_legend_handles_labels()[0]:
        size = "medium" if len(result["classes"]) <= 4 else "small"
        axes.legend(loc="lower right", frameon=False, fontsize=size)
    plain(axes)


def _reliability(above: Axes, below: Axes, result: dict[str, Any]) -> None:
    series = (
        ("uncalibrated", GREY, "s", f"before temperature {result['temperature']:.3g}"),
        ("calibration", COLORS[0], "o", "calibrated"),
    )
    bins = result["calibration"]["reliability"]
    low, width = bins[0]["low"], bins[0]["high"] - bins[0]["low"]
    above.plot([low, 1], [low, 1], color=GREY, linestyle=":")
    for place, (name, color, marker, label) in enumerate(series):
        found = result[name]
        full = [b for b in found["reliability"] if b["count"]]
        accuracy = np.array([b["accuracy"] for b in full])
        between = np.transpose([wilson(b["accuracy"], b["count"]) for b in full])
        above.errorbar(
            [b["confidence"] for b in full],
            accuracy,
            # Of the uncalibrated answers they would be about the same.
            np.abs(between - accuracy) if name == "calibration" else None,
            color=color,
            marker=marker,
            elinewidth=1,
            label=f"{label}: error {found['error']:.2%}",
        )
        below.bar(
            [b["low"] + (place + 0.5) * width / 2 for b in found["reliability"]],
            [b["count"] for b in found["reliability"]],
            width=width / 2.2,
            color=color,
        )
    above.set_title("reliability")
    above.set_ylabel("share of right answers")
    above.set_ylim(-0.24, 1.04)  # with room for the legend
    above.set_yticks(np.linspace(0, 1, 6))
    above.legend(loc="lower right", frameon=False)
    below.set_yscale("log")
    below.set_ylim(bottom=0.5)
    below.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    below.minorticks_off()
    below.set_ylabel("answers")
    below.set_xlabel("probability of the answer given")
    above.yaxis.set_major_formatter(PercentFormatter(1.0))
    below.xaxis.set_major_formatter(PercentFormatter(1.0))
    for axes in (above, below):
        plain(axes)


def _confusion(axes: Axes, result: dict[str, Any]) -> None:
    counts, labels = np.array(result["confusion"]), result["labels"]
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    axes.imshow(share, cmap=_SHADES, vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        axes.text(
            column,
            row,
            f"{count:,}\n{share[row, column]:.1%}" if counts[row].any() else "–",
            ha="center",
            va="center",
            fontsize="medium" if len(labels) <= 4 else "xx-small",
            color="white" if share[row, column] > 0.5 else "black",
        )
    places = range(len(labels))
    axes.set_xticks(places, labels, rotation=90 if len(labels) > 4 else 0)
    axes.set_yticks(places, labels, rotation=0 if len(labels) > 4 else 90, va="center")
    axes.tick_params(length=0)
    axes.set_title("confusion")
    axes.set_xlabel("answer")
    axes.set_ylabel("true class")
    axes.spines[:].set_color(GREY)
