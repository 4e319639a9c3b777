"""How small a tremor is found: by amplitude, pen and renderer.

python -m benchmarks.hands --output docs/results

Drawings of the set `hands` are made anew with a tremor, a pen and a renderer that are
given, and shown to the two networks of the tablet. The informed observer knows the
picture that each drawing would be without tremor and jitter, by the same pen and
renderer, and sees how much of the ink is away from that: more than anybody knows who
sees the picture alone.
"""

import dataclasses
import os
import pathlib
import sys
from typing import Any

import click
import cv2
import numpy as np
from matplotlib.figure import Figure

from commands import children
from commands.cli import Command, quietly
from commands.folder import make
from commands.markdown import table
from pipelines.figures import curves
from pipelines.figures.plots import save
from pipelines.figures.scores import wilson
from pipelines.run import committed
from pipelines.run.classifier import Classifier
from shaky_letters.config import SEEN, UNSEEN
from shaky_letters.hands import rendering, strangers, subjects, tremor, twins
from shaky_letters.hands.writers import writer

from . import page

AMPLITUDES = (0.0, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0)
"""Peaks, pixels of a drawing 70 large; 0 is no tremor."""

PENS = (1.0, 2.0, 4.0, 6.0, 8.0)
"""Widths, pixels of a drawing 70 large."""

SPLITS = {"test": rendering.RENDERERS, "test_unseen": strangers.RENDERERS}
"""The renderers of each split; see `shaky_letters.hands`."""

INFORMED = "informed observer"

_SEED = 11
_ALARMS = 0.02  # of the informed observer's answers to drawings without tremor
_AWAY = 1.5  # pixels


@dataclasses.dataclass(frozen=True)
class Drawing:
    """A drawing that was made.

    Attributes:
        picture: uint8, shape (128, 128, 1).
        off: share of its ink that is away from where it would be without tremor and
            jitter.
    """

    picture: np.ndarray
    off: float


def drawing(
    split: str, renderer: str, pen: float, amplitude: float, number: int
) -> Drawing:
    """Makes a drawing, which depends on what is given alone.

    Drawings that differ in their amplitude alone are alike in all else.
    """
    rng = np.random.default_rng([_SEED, list(SPLITS).index(split), number])
    alphabets = SEEN if split == "test" else UNSEEN
    kind, path = subjects.draw(rng, alphabets, twins.SHARES)
    pen *= twins.FINER.get(kind, 1.0)
    make = _known if split == "test" else _strange
    meant, picture = make(renderer, pen, amplitude, path, rng)
    return Drawing(picture, _off(picture, meant))


def _known(renderer, pen, amplitude, path, rng) -> tuple[np.ndarray, np.ndarray]:
    """Returns the pictures of a drawing of `twins`: as it is meant, and as it is."""
    who = writer(rng)
    # A slow pen has no room for the largest waves.
    who = dataclasses.replace(who, pace=max(who.pace, 75.0))
    size = max(amplitude, tremor.AMPLITUDE[0])
    made = twins.written(path, who, renderer, pen, (size, size), rng)
    return made.how(made.meant), made.how(made.shaky if amplitude else made.regular)


def _strange(renderer, pen, amplitude, path, rng) -> tuple[np.ndarray, np.ndarray]:
    """Returns the pictures of a drawing of `strangers`: as meant, and as it is."""
    how = strangers.stranger(rng)
    asked = {"renderer": renderer, "pen": pen, "amplitude": amplitude}
    calm = strangers.written(path, rng)
    return strangers.twins(calm, dataclasses.replace(how, **asked), rng)


def _off(picture: np.ndarray, meant: np.ndarray) -> float:
    """Returns which share of two pictures' ink is away from the other's."""
    shares = []
    for one, other in ((picture, meant), (meant, picture)):
        away = cv2.distanceTransform((other == 0).astype("uint8"), cv2.DIST_L2, 5)
        shares.append(away[one[..., 0] > 0] > _AWAY)
    return float(np.concatenate(shares).mean())


def drawn(where: tuple[str, str, int]) -> dict[tuple[float, float], list[Drawing]]:
    """Makes drawings of every pen's width and amplitude, which are the keys.

    Args:
        where: the split, the renderer, and how many of each.
    """
    split, renderer, count = where
    return {
        (pen, amplitude): [
            drawing(split, renderer, pen, amplitude, i) for i in range(count)
        ]
        for pen in PENS
        for amplitude in AMPLITUDES
    }


def rows_of(
    where: tuple[str, str, int],
    drawings: dict[tuple[float, float], list[Drawing]],
    networks: dict[str, Classifier],
) -> list[dict[str, Any]]:
    """Returns what each observer calls shaky, a row for each pen and amplitude.

    Args:
        where: see `drawn`, which made the drawings.
        drawings: by the pen's width and the amplitude.
        networks: by name.
    """
    split, renderer, count = where
    pictures = np.stack([one.picture for some in drawings.values() for one in some])
    told = {name: network(pictures)[:, 1] > 0.5 for name, network in networks.items()}
    told[INFORMED] = np.concatenate(
        [
            _informed(drawings[pen, 0.0], some)
            for (pen, amplitude), some in drawings.items()
        ]
    )
    return [
        {
            "split": split,
            "method": method,
            "seed": 0,
            "amplitude": amplitude,
            "pen_width": pen,
            "renderer": renderer,
            "n": count,
            "called_shaky": float(called.mean()),
        }
        for method in (INFORMED, *networks)
        for (pen, amplitude), called in zip(
            drawings, np.split(told[method], len(drawings)), strict=True
        )
    ]


def _informed(calm: list[Drawing], some: list[Drawing]) -> np.ndarray:
    """Returns which drawings are farther from what was meant than calm ones are."""
    least = np.quantile([one.off for one in calm], 1 - _ALARMS)
    return np.array([one.off > least for one in some])


def measured(count: int) -> list[dict[str, Any]]:
    """Makes and shows so many drawings of each kind, on all cores."""
    networks = {n: Classifier(committed.file(n)) for n in ("dense", "sparse")}
    places = [
        (split, renderer, count)
        for split, renderers in SPLITS.items()
        for renderer in renderers
    ]
    rows = []
    with children.pool(os.cpu_count() or 1) as pool:
        made = pool.map(drawn, places)
        with click.progressbar(
            zip(places, made, strict=True),
            length=len(places),
            label="renderers",
            file=sys.stderr,
            hidden=not sys.stderr.isatty(),
        ) as progress:
            for where, drawings in progress:
                rows += rows_of(where, drawings, networks)
    return rows


def text(rows: list[dict[str, Any]]) -> str:
    """Returns the page's text: shares, and intervals, from the rows."""
    parts = [_ABOUT, "![drawings at each amplitude](hands.png)"]
    for split in SPLITS:
        here = [row for row in rows if row["split"] == split]
        shaky = [row for row in here if row["amplitude"]]
        calm = [row for row in here if not row["amplitude"]]
        parts += [
            f"## `{split}`: a tremor that is found, by its amplitude",
            _table(shaky, "amplitude"),
            _amplitudes(shaky),
            f"## `{split}`: false alarms, by the pen's width",
            _table(calm, "pen_width"),
            f"## `{split}`: false alarms, by renderer",
            _table(calm, "renderer"),
        ]
        for amplitude in (1.0, 1.5):
            some = [row for row in shaky if row["amplitude"] == amplitude]
            parts += [
                f"## `{split}`: found at {amplitude:g} pixels, by the pen's width",
                _table(some, "pen_width"),
            ]
    return "\n\n".join([*parts, "hands.json has a row for each cell."])


_ABOUT = """\
Shares of drawings that are called shaky: of those without a tremor they are false
alarms, of the others what is found. Amplitudes are peaks, and pens are widths, both in
pixels of a drawing that is 70 large; words are written with pens of half that width,
waves and loops of 0.7. `dense` and `sparse` are the tablet's networks. The informed
observer knows the picture that each drawing would be without tremor and jitter, and
sees which share of the ink is more than 1.5 pixels away from that: nobody knows as much
who sees one picture. Its false alarms are 2 % by construction; in `test_unseen`, whose
drawings have no jitter, none. It looks at distances alone, not at waves, and is no
upper bound. Tremor and ink of `test_unseen` come from code that training does not use.
Intervals are Wilson's, 95 %."""


def _table(rows: list[dict[str, Any]], by: str) -> str:
    """Returns shares by one property, a column for each method."""
    methods = list(dict.fromkeys(row["method"] for row in rows))
    lines = []
    for value in dict.fromkeys(row[by] for row in rows):
        line = [value if isinstance(value, str) else f"{value:g}"]
        for method in methods:
            some = [r for r in rows if (r[by], r["method"]) == (value, method)]
            line.append(_share(some))
        lines.append(line)
    return table([by.replace("_", " "), *methods], lines)


def _share(rows: list[dict[str, Any]]) -> str:
    n = sum(row["n"] for row in rows)
    share = sum(row["n"] * row["called_shaky"] for row in rows) / n
    low, high = wilson(share, n)
    return f"{share:.1%} ({low:.1%} to {high:.1%})"


def _amplitudes(rows: list[dict[str, Any]]) -> str:
    """Returns the amplitudes that are found in half and in nine of ten cases."""
    told = []
    for method in dict.fromkeys(row["method"] for row in rows):
        some = [row for row in rows if row["method"] == method]
        amplitude = np.repeat([r["amplitude"] for r in some], [r["n"] for r in some])
        hits = [np.arange(r["n"]) < round(r["n"] * r["called_shaky"]) for r in some]
        found = curves.found_amplitudes(amplitude, np.concatenate(hits))
        half, most = (curves.pixels(found[str(share)]) for share in curves.FOUND)
        told.append(f"{method}: {half}; {most}")
    return f"Found in half and in nine of ten cases: {', '.join(told)}."


def pictures(file: pathlib.Path) -> None:
    """Draws a few drawings at each amplitude: what people can see of it."""
    figure = Figure(figsize=(13, 9.5), layout="constrained")
    shown = [
        ("test", "pen", 2.0, 0),
        ("test", "smooth", 2.0, 2),
        ("test", "aliased", 4.0, 15),
        ("test", "grey", 8.0, 4),
        ("test_unseen", "marker", 2.0, 22),
    ]
    axes = figure.subplots(len(shown), len(AMPLITUDES))
    for row, (split, renderer, pen, number) in zip(axes, shown, strict=True):
        for place, amplitude in zip(row, AMPLITUDES, strict=True):
            made = drawing(split, renderer, pen, amplitude, number)
            place.imshow(255 - made.picture[..., 0], cmap="gray", vmin=0, vmax=255)
            place.set_xticks([])
            place.set_yticks([])
        row[0].set_ylabel(f"{renderer}, pen of {pen:g}")
    for place, amplitude in zip(axes[0], AMPLITUDES, strict=True):
        place.set_title(f"{amplitude:g} pixels" if amplitude else "no tremor")
    save(figure, file)


@click.command(cls=Command)
@click.option(
    "--drawings",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    help="Of each renderer, pen and amplitude.",
)
@page.output_option("hands.md, hands.json and hands.png")
def main(drawings: int, output: pathlib.Path) -> None:
    """Count what the tablet's networks call shaky."""
    make(output)
    rows = measured(drawings)
    with quietly():
        pictures(output / "hands.png")
    command = f"python -m benchmarks.hands --drawings {drawings} --output {output}"
    title = "How small a tremor is found"
    page.write(output, "hands", title, command, text(rows), rows, tabled=False)
    click.echo(f"in {output}: hands.md, hands.json, hands.png")


if __name__ == "__main__":
    main()
