"""The figures, drawn from the runs' files; samples from the data."""

import pathlib
import statistics

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..figures import plots
from ..figures.plots import COLORS, GREY, plain, save
from ..images import data
from ..recipe.recipe import penalty, threshold
from .measure import EDGES
from .plan import TableRow
from .result import Result, baseline
from .tables import share

_WEIGHTS = 5408 * 128  # of the dense kernel


def samples(path: pathlib.Path, dataset: str) -> None:
    """Draws training images of a set: regular on the left, shaky on the right."""
    images = data.load(data.prepare(dataset, quiet=True), "train")
    plots.samples(path, images.image, images.label)


def convergence(path: pathlib.Path, results: list[Result]) -> None:
    """Draws accuracy and zeros over the epochs, a line for each penalty.

    Args:
        path: of the picture.
        results: of table 1 or 2.
    """
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    split = [r for r in results if r.row.paper]
    for result, color in zip(split, COLORS):
        for axes, key in ((left, "val_accuracy"), (right, "sparsity")):
            curves = 100 * np.array([c["history"][key] for c in result.cells])
            epochs = np.arange(1, curves.shape[1] + 1)
            axes.plot(epochs, curves.mean(0), color=color, label=result.row.label)
            axes.fill_between(
                *(epochs, curves.min(0), curves.max(0)),
                color=color,
                alpha=0.12,
                linewidth=0,
            )
    # The first epochs would press the others together.
    late = [c["history"]["val_accuracy"][3:] for r in split for c in r.cells]
    lowest = min((min(curve) for curve in late if curve), default=0.5)
    left.set_ylim(100 * max(0.5, lowest - 0.02), 100.2)
    left.set_title("accuracy of the sparse model on test, %")
    right.set_title("zeros in the dense kernel, %")
    right.legend(frameon=False, fontsize="small")
    for axes in (left, right):
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        plain(axes)
    save(figure, path)


def histograms(path: pathlib.Path, results: list[Result]) -> None:
    """Draws how many weights of the dense kernel have which size, seed 0.

    Args:
        path: of the picture.
        results: the dense network's, and those of table 3.
    """
    figure = Figure(figsize=(10, 2.6 * ((len(results) + 1) // 2)), layout="constrained")
    rows = -(-len(results) // 2)
    grid = list(figure.subplots(rows, 2, sharex=True, sharey=True).flat)
    colors = {"rvsm": COLORS[0], "loss": COLORS[3]}
    for axes, result in zip(grid, results):
        dense = result.row.config.penalty == "none"
        color = GREY if dense else colors[result.row.config.method]
        cell = result.cells[0]
        counts = np.array(cell["histogram"])
        axes.stairs(counts, EDGES, fill=True, color=color)
        zeros = cell["sparsity"]
        if zeros:
            axes.bar(EDGES[0] - 0.6, _WEIGHTS - counts.sum(), 0.5, color=COLORS[1])
            axes.text(
                *(EDGES[0] - 0.1, 0.6 * _WEIGHTS),
                f"exactly zero: {100 * zeros:.1f} %",
                va="center",
            )
        if result.row.config.method == "rvsm" and zeros:
            limit = np.log10(threshold(result.row.config))
            axes.axvline(limit, color="black", linestyle=":", linewidth=1)
        axes.set_title(result.row.label, fontsize="medium")
        axes.set_yscale("log")
        axes.set_ylim(0.7, 2 * _WEIGHTS)
        plain(axes)
    for axes in grid[len(results) :]:
        axes.set_visible(False)
    figure.supxlabel("size |w|, powers of ten; dotted: the threshold")
    figure.supylabel("number of weights")
    save(figure, path)


def penalties(path: pathlib.Path, rows: list[TableRow]) -> None:
    """Draws the penalties, and what their thresholding makes of a weight.

    Args:
        path: of the picture.
        rows: one for each penalty, with its λ and β.
    """
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for row, color in zip(rows, COLORS):
        config, P = row.config, penalty(row.config)
        x = np.linspace(-1.5, 1.5, 601)
        left.plot(x, [float(P(np.array([v]))) for v in x], color=color, label=row.label)
        step = config.lam / config.beta
        x = np.linspace(-0.15, 0.15, 1201)
        u = np.array(P.prox(x.astype("float32"), step))
        # The jump is no part of the function.
        jumps = np.flatnonzero(np.abs(np.diff(u)) > 0.01) + 1
        right.plot(
            np.insert(x, jumps, np.nan), np.insert(u, jumps, np.nan), color=color
        )
    left.set_title("penalty P(w)")
    left.set_xlabel("w")
    left.set_ylim(0, 1.6)
    left.legend(frameon=False, fontsize="small")
    right.set_title("thresholded weight u(w), λ = 5e-4, β = 0.1")
    right.set_xlabel("w")
    for axes in (left, right):
        plain(axes)
    save(figure, path)


def past(path: pathlib.Path, results: list[Result]) -> None:
    """Draws wrong answers against zeros, a line for each method."""
    dense = baseline(results)
    others = [r for r in results if r is not dense]
    labels = list(dict.fromkeys(r.row.label for r in others))
    figure = Figure(figsize=(8, 4.6), layout="constrained")
    axes = figure.subplots()
    for label, color in zip(labels, COLORS):
        line = sorted((r for r in others if r.row.label == label), key=share)
        zeros = [100 * (1 - share(r)) for r in line]
        errors = [[100 * (1 - a) for a in r.accuracy] for r in line]
        axes.plot(
            zeros,
            list(map(statistics.mean, errors)),
            color=color,
            marker="o",
            label=label,
        )
        axes.fill_between(
            *(zeros, list(map(min, errors)), list(map(max, errors))),
            color=color,
            alpha=0.15,
            linewidth=0,
        )
    error = 100 * (1 - statistics.mean(dense.accuracy))
    axes.axhline(error, color=GREY, linestyle="--", label="dense")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.invert_xaxis()
    ticks = sorted({100 * (1 - share(r)) for r in others}, reverse=True)
    axes.set_xticks(ticks, [f"{100 - tick:g} %" for tick in ticks])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set_yticks([0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50])
    highest = max(100 * (1 - min(r.accuracy)) for r in others)
    axes.set_ylim(0.5 * error, 1.3 * highest)
    axes.set_xlabel("zeros in the dense kernel")
    axes.set_ylabel("wrong answers in 100, test_large")
    axes.legend(frameon=False)
    plain(axes)
    save(figure, path)
