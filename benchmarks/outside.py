"""Drawings that no set has: what the tablet's networks call shaky.

python -m benchmarks.outside --digits mnist.npz --drawings FOLDER --output docs/results

- letters of the generator that made the paper's sets, in which nothing is matched, by
  the pen's width and the tremor's amplitude;
- digits of MNIST, regular writing by real hands, as rasters and as `pipelines.predict`
  reads picture files;
- drawings of people, a folder with a folder for each class, the second one's hands
  taken for shaky: nothing is trained on them.

The networks were not trained on any of it, and nothing was chosen by the digits' test
split or the drawings.
"""

import functools
import pathlib
import tempfile
from collections.abc import Iterator
from typing import Any

import click
import cv2
import numpy as np

from commands.cli import Command, InputError
from commands.folder import make
from commands.markdown import table
from pipelines.collection import collection, reading
from pipelines.collection.drawn import Contents
from pipelines.figures.scores import scores, wilson
from pipelines.run import committed
from pipelines.run.classifier import Classifier
from shaky_letters import canonical
from shaky_letters.pen import Hands, write
from shaky_letters.raster import INK, rasterize
from shaky_letters.strokes import LETTERS, alphabet

from . import page

PENS = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)
"""Widths, pixels of a letter 70 large."""

AMPLITUDES = (None, 1.0, 1.5, 2.0)
"""Peaks of a tremor, pixels of such a letter; None is no tremor."""

ALPHABETS = ("simplex", "script", "print", "italic")

_SEED = 5
_SIDE = 70.0
_DIGIT, _FRAME = 84, 8  # pixels of an enlarged digit, and around it


def letters(count: int, pen: float, amplitude: float | None) -> np.ndarray:
    """Writes letters as in the set `letters`, on rasters of 100 pixels.

    Returns:
        canonical pictures, uint8, shape (count, 128, 128, 1).
    """
    hands = Hands(
        size=(_SIDE, _SIDE),
        width=(pen, pen),
        tremor_hz=(4.0, 7.0),
        tremor_amplitude=(amplitude or 1.0,) * 2,
    )
    pictures = []
    for number in range(count):
        rng = np.random.default_rng([_SEED, number])
        glyphs = alphabet(ALPHABETS[rng.integers(len(ALPHABETS))])
        path = glyphs[LETTERS[rng.integers(len(LETTERS))]]
        drawn = write(path, hands, amplitude is not None, rng)
        raster = rasterize(drawn.x, drawn.y, drawn.pen_down, drawn.pen_width)
        pictures.append(canonical.of_ink((raster[..., 0] / INK).astype("float32"))[0])
    return np.stack(pictures)


def digits(file: pathlib.Path, count: int) -> np.ndarray:
    """Returns digits of MNIST's test split, enlarged: uint8, ink bright, 100 × 100."""
    try:
        with np.load(file, allow_pickle=False) as arrays:
            found = arrays["x_test"][:count, 4:24, 4:24]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"--digits {str(file)!r} is not MNIST as an .npz file: {error}"
        ) from None
    large = [
        cv2.resize(d, (_DIGIT, _DIGIT), interpolation=cv2.INTER_CUBIC) for d in found
    ]
    return np.stack([np.pad(digit, _FRAME) for digit in large])


def as_rasters(grey: np.ndarray) -> np.ndarray:
    """Returns the canonical pictures of bright ink that is made black and white."""
    return np.stack([canonical.of_ink((d > 127).astype("float32"))[0] for d in grey])


def as_files(grey: np.ndarray) -> np.ndarray:
    """Returns the canonical pictures of picture files, ink dark on white."""
    with tempfile.TemporaryDirectory() as folder:
        files = [pathlib.Path(folder) / f"{i:05}.png" for i in range(len(grey))]
        for file, digit in zip(files, grey, strict=True):
            cv2.imwrite(str(file), 255 - cv2.resize(digit, None, fx=4, fy=4))
        found = [outcome for _, outcome in reading.read_all(files, canonical.SIZE)]
    return np.stack([c.drawings[0].picture for c in found if isinstance(c, Contents)])


def measured(
    count: int, mnist: pathlib.Path, folders: tuple[pathlib.Path, ...]
) -> Iterator[dict[str, Any]]:
    """Yields a row for each kind of drawing and network.

    Args:
        count: of letters, for each pen and amplitude; of digits there are five times
            as many.
        mnist: the digits' file.
        folders: of people's drawings, with a folder for each of two classes.
    """
    networks = {name: Classifier(committed.file(name)) for name in ("dense", "sparse")}

    def told(what, pictures, pen=None, amplitude=None, score=None):
        for name, network in networks.items():
            answers = network(pictures)
            found = score(answers).classes[0] if score else None
            yield {
                "drawings": what,
                "pen_width": pen,
                "amplitude": amplitude,
                "method": name,
                "seed": 0,
                "n": len(pictures),
                "called_shaky": float((answers[:, 1] > 0.5).mean()),
                "auc": found and found.auc,
                "auc_interval": found and found.auc_interval,
            }

    grey = digits(mnist, 5 * count)
    yield from told("digits, as rasters", as_rasters(grey))
    yield from told("digits, as files", as_files(grey))
    for folder in folders:
        found = collection.read(folder, "skip", canonical.SIZE)
        pictures = np.stack([entry.drawn.picture for entry in found.entries])
        labels, classes = found.labels, found.found.classes
        for label, kind in enumerate(classes):
            yield from told(f"{folder.name}, {kind}", pictures[labels == label])
        known = {"classes": classes, "persons": found.groups}
        score = functools.partial(scores, labels, **known)
        yield from told(folder.name, pictures, score=score)
    for pen in PENS:
        for amplitude in AMPLITUDES:
            written = letters(count, pen, amplitude)
            yield from told("letters", written, pen, amplitude)


def text(rows: list[dict[str, Any]]) -> str:
    """Returns the page's text: shares and areas with their intervals."""
    parts = [_ABOUT]
    methods = list(dict.fromkeys(row["method"] for row in rows))
    written = [row for row in rows if row["drawings"] == "letters"]
    for method in methods:
        lines = []
        for pen in PENS:
            some = [
                r for r in written if (r["method"], r["pen_width"]) == (method, pen)
            ]
            lines.append([f"{pen:g}", *map(_share, some)])
        some = [row for row in written if row["method"] == method]
        mean = [[r for r in some if r["amplitude"] == a] for a in AMPLITUDES]
        lines.append(["all", *(_share(_together(part)) for part in mean)])
        heads = ["no tremor" if a is None else f"{a:g} px" for a in AMPLITUDES]
        parts += [f"## Letters, {method}", table(["pen width", *heads], lines)]
    others = [row for row in rows if row["drawings"] != "letters"]
    lines = []
    for what in dict.fromkeys(row["drawings"] for row in others):
        some = [row for row in others if row["drawings"] == what]
        show = _area if some[0]["auc"] is not None else _share
        lines.append([what, str(some[0]["n"]), *map(show, some)])
    parts += ["## Real hands", table(["drawings", "n", *methods], lines)]
    return "\n\n".join([*parts, "outside.json has a row for each figure."])


_ABOUT = """\
Shares of drawings that are called shaky, by the tablet's two networks, which saw none
of them in training; nothing was chosen by them either. Letters are written as in the
set `letters`, 70 pixels large, on rasters of 100; a tremor's amplitude is its peak.
Digits are the first ones of MNIST's test split, 84 pixels large: as rasters, black and
white, and as picture files in grey, read as `pipelines.predict` reads them. Of people's
drawings the area under the ROC curve, too, by image, with an interval over persons: a
diagnosis is no tremor, and nobody could be right about all of them. Intervals of shares
are Wilson's, 95 %."""


def _together(rows: list[dict[str, Any]]) -> dict[str, Any]:
    n = sum(row["n"] for row in rows)
    share = sum(row["n"] * row["called_shaky"] for row in rows) / n
    return {"n": n, "called_shaky": share}


def _share(row: dict[str, Any]) -> str:
    low, high = wilson(row["called_shaky"], row["n"])
    return f"{row['called_shaky']:.1%} ({low:.1%} to {high:.1%})"


def _area(row: dict[str, Any]) -> str:
    low, high = row["auc_interval"] or (float("nan"),) * 2
    return f"AUC {row['auc']:.3f} ({low:.3f} to {high:.3f})"


@click.command(cls=Command)
@click.option(
    "--digits",
    "mnist",
    type=click.Path(path_type=pathlib.Path),
    required=True,
    metavar="FILE",
    help="MNIST as an .npz file.",
)
@click.option(
    "--drawings",
    "folders",
    type=click.Path(path_type=pathlib.Path),
    multiple=True,
    metavar="DIR",
    help="Drawings of people, a folder for each of two classes; may be repeated.",
)
@click.option(
    "--letters",
    "count",
    type=click.IntRange(1),
    default=200,
    show_default=True,
    help="Of each pen and amplitude.",
)
@page.output_option("outside.md and outside.json")
def main(
    mnist: pathlib.Path,
    folders: tuple[pathlib.Path, ...],
    count: int,
    output: pathlib.Path,
) -> None:
    """Count what the tablet's networks call shaky of drawings that no set has."""
    make(output)
    rows = list(measured(count, mnist, folders))
    given = [f"--digits {mnist.name}", *(f"--drawings {f.name}" for f in folders)]
    words = [*given, f"--letters {count} --output {output}"]
    command = f"python -m benchmarks.outside {' '.join(words)}"
    title = "Drawings that no set has"
    page.write(output, "outside", title, command, text(rows), rows, tabled=False)
    click.echo(f"in {output}: outside.md, outside.json")


if __name__ == "__main__":
    main()
