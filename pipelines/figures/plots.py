"""The pictures of a run."""

import pathlib
import warnings
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from commands.files import replacing
from shaky_letters.examples import CLASSES

GREY = "#9aa5b1"
COLORS = ("#0b6e99", "#d9480f", "#2b8a3e", "#9c36b5", "#b08900", "#5c6773")
_TRAIN, _SPARSE, _ZEROS = GREY, *COLORS[:2]


def convergence(
    path: pathlib.Path,
    history: list[dict[str, float]],
    validation: str = "test",
    held: int | None = None,
    cut: bool = False,
    best: int | None = None,
) -> None:
    """Draws accuracy and sparsity over the epochs.

    Args:
        path: of the picture.
        history: a row per epoch with epoch, accuracy, val_accuracy and sparsity.
        validation: what val_accuracy was measured on, in a word.
        held: after how many epochs zeros were held; None if they were not.
        cut: whether what was zero was cut out then.
        best: the epoch whose weights were kept; None for the last.
    """
    epochs = [row["epoch"] for row in history]
    figure = Figure(figsize=(7, 5), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    above.plot(
        epochs,
        [row["accuracy"] for row in history],
        color=_TRAIN,
        marker=".",
        label="training images, dense weights w",
    )
    above.plot(
        epochs,
        [row["val_accuracy"] for row in history],
        color=_SPARSE,
        marker=".",
        label=f"{validation} images, sparse weights u",
    )
    above.set_ylabel("accuracy")
    below.plot(epochs, [row["sparsity"] for row in history], color=_ZEROS, marker=".")
    below.set_ylabel("zeros in the split kernels")
    below.set_ylim(-0.02, 1.02)
    below.set_xlabel("epoch")
    below.xaxis.set_major_locator(MaxNLocator(integer=True))
    if best is not None:
        chosen = next(row for row in history if row["epoch"] == best)
        above.plot(best, chosen["val_accuracy"], "o", color=_SPARSE, label="kept")
    # Outside the axes: inside there is not room for it in every run.
    figure.legend(loc="outside upper left", ncols=3, frameon=False, fontsize="small")
    if held is not None:
        what = "cut out" if cut else "zeros held"
        below.text(held + 0.8, 0.04, f"{what}, the rest fine-tuned")
    if cut:
        below.set_ylabel("zeros, and weights cut out")
    for axes in (above, below):
        if held is not None:
            axes.axvline(held + 0.5, color=_TRAIN, linestyle="--")
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        plain(axes)
    save(figure, path)


def weights(path: pathlib.Path, w: np.ndarray, u: np.ndarray) -> None:
    """Draws the histograms of dense and sparse weights.

    Args:
        path: of the picture.
        w: the split kernels' weights before thresholding, shape (n,).
        u: the same after thresholding.
    """
    limit = np.quantile(np.abs(w), 0.9999) or 1.0
    edges = np.linspace(-limit, limit, 121)
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    left.hist(w, edges, color=_TRAIN)
    left.set_title("dense: w")
    left.set_ylabel("number of weights")
    right.hist(u[u != 0], edges, color=_SPARSE, label="not zero")
    zeros = int((u == 0).sum())
    right.bar(
        0,
        zeros,
        width=edges[1] - edges[0],
        color=_ZEROS,
        label=f"exactly zero: {zeros / u.size:.1%}",
    )
    right.set_title("sparse: u")
    right.legend(frameon=False, fontsize="small", loc="upper right")
    for axes in (left, right):
        axes.set_yscale("log")
        axes.set_xlabel("weight")
        plain(axes)
    save(figure, path)


def samples(
    path: pathlib.Path,
    image: np.ndarray,
    label: np.ndarray,
    classes: tuple[str, ...] = CLASSES,
) -> None:
    """Draws a sheet of images, the classes side by side.

    Args:
        path: of the picture.
        image: uint8, shape (n, 100, 100, 1), ink 255 on 0.
        label: shape (n,).
        classes: their names, by label; the first ten are drawn.
    """
    shown = classes[:10]
    rows, columns = 6, max(1, 12 // len(shown))
    width = 0.83 * columns * len(shown)
    figure = Figure(figsize=(width, 5.4), layout="constrained")
    parts = figure.subfigures(1, len(shown), wspace=0.04, squeeze=False)[0]
    for value, (part, name) in enumerate(zip(parts, shown)):
        part.suptitle(name)
        chosen = image[label == value][: rows * columns, :, :, 0]
        places = part.subplots(rows, columns, squeeze=False).ravel()
        for axes in places:
            axes.set(xticks=[], yticks=[])
            axes.set_visible(False)
        for axes, picture in zip(places, chosen):
            axes.set_visible(True)
            axes.imshow(255 - picture, cmap="gray", vmin=0, vmax=255)
            for spine in axes.spines.values():
                spine.set_color("#d0d7de")
    save(figure, path)


def plain(axes: Axes) -> None:
    """Gives axes the look of all our pictures."""
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def save(figure: Figure, path: pathlib.Path, **kwargs: Any) -> None:
    """Writes a picture; letters that the font has not are boxes."""
    with replacing(path) as draft, warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+", UserWarning)
        figure.savefig(draft, dpi=130, **kwargs)
