"""From a folder of scans to a .tflite: the commands of docs/scans.md, one by one.

python -m docs.tutorial FOLDER

The scans are made first, as nobody's are at hand: letters by persons with a hand, a
pen and a tremor of their own, photographed by a simulated camera. With scans of your
own, leave that out and put their folder in the place of `scans`.
"""

import dataclasses
import os
import pathlib
import shlex
import subprocess
import sys

import click
import numpy as np

from commands.cli import Command, InputError
from shaky_letters.config import SEEN
from shaky_letters.pen import Hands, write
from shaky_letters.strokes import LETTERS, alphabet
from testing import camera

COMMANDS = """
python -m pipelines.train --dataset scans --output runs/scans
python -m pipelines.evaluate runs/scans
python -m pipelines.train --dataset scans --folds 5 --output runs/5
python -m export.convert runs/scans
python -m pipelines.predict runs/scans/export/float32-sparse.tflite new/scan.jpg
"""

PERSONS, EACH = 12, 4
"""Of each class, and letters by each; a researcher's collection is rarely larger."""


def draw(folder: pathlib.Path) -> None:
    """Makes scans/<class>/<person>_<letter>.jpg, and new/scan.jpg by somebody else."""
    rng = np.random.default_rng(0)
    for label, name in enumerate(("regular", "shaky")):
        place = folder / "scans" / name
        place.mkdir(parents=True)
        for person in range(1, PERSONS + 1):
            hands = _person(rng)
            for letter in rng.choice(list(LETTERS), EACH, replace=False):
                who = f"P{label * PERSONS + person:02}"
                photo = _photo(hands, letter, bool(label), rng)
                (place / f"{who}_letter_{ord(letter)}.jpg").write_bytes(photo)
    (folder / "new").mkdir()
    photo = _photo(_person(rng), "R", True, rng)
    (folder / "new" / "scan.jpg").write_bytes(photo)


def _person(rng: np.random.Generator) -> Hands:
    """Returns the hand of one person, whose letters are alike."""

    def own(low: float, high: float) -> tuple[float, float]:
        value, spread = rng.uniform(low, high), 0.05 * (high - low)
        return value - spread, value + spread

    everyone = dataclasses.asdict(Hands())
    return Hands(**{name: own(*between) for name, between in everyone.items()})


def _photo(hands: Hands, letter: str, shaky: bool, rng: np.random.Generator) -> bytes:
    """Returns a letter on paper as a JPEG file."""
    path = alphabet(SEEN[rng.integers(len(SEEN))])[letter]
    pen = write(path, hands, shaky, rng)
    strokes = camera.Strokes(pen.x, pen.y, pen.pen_down, pen.pen_width)
    paper = camera.PAPERS[rng.integers(len(camera.PAPERS))]
    return camera.jpeg(camera.photograph(strokes, rng, paper), 85)


@click.command(cls=Command)
@click.argument("folder", type=click.Path(path_type=pathlib.Path))
def main(folder: pathlib.Path) -> None:
    """Make scans in FOLDER, and run the commands of docs/scans.md on them there."""
    if folder.exists() and any(folder.iterdir()):
        raise InputError(f"{str(folder)!r} is not empty: name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    draw(folder)
    # The programs are those of this checkout, in whatever folder they run.
    environment = {**os.environ, "PYTHONPATH": str(pathlib.Path(__file__).parents[1])}
    for line in COMMANDS.strip().splitlines():
        click.secho(f"\n$ {line}", bold=True)
        words = [sys.executable, *shlex.split(line)[1:]]
        if subprocess.run(words, cwd=folder, env=environment, check=False).returncode:
            raise InputError(f"stopped at {line!r}, which says why")
    click.echo(f"\nall of it is in {folder}")


if __name__ == "__main__":
    main()
