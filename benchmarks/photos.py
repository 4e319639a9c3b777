"""What a model that was trained on generated letters makes of photos of letters.

python -m benchmarks.photos --run runs/ONE --run runs/OTHER --output docs/results

Every letter of two splits that the model was not trained on is drawn on paper, seen by
a simulated camera (`camera`), stored as JPEG, read and extracted as a user's photo is,
and shown to the model; beside it the letter's own raster, as the generator makes it.
"""

import dataclasses
import os
import pathlib
import statistics
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

import click
import cv2
import numpy as np

from commands import children
from commands.cli import Command, quietly
from pipelines.collection.photo import ink, picture
from pipelines.collection.photo.unusable import Unusable
from shaky_letters.config import ShakyLettersConfig
from shaky_letters.examples import example
from shaky_letters.raster import SIZE
from testing import camera

from . import contact, page

SPLITS = ("test", "test_unseen")
_SEED = 7
_QUALITY = (60, 93)  # of the JPEG files
_SHOWN, _ACROSS = 24, 4  # on the contact sheet
_HEIGHT = 150  # of a photo there, pixels


@dataclasses.dataclass(frozen=True)
class Photo:
    """A letter that was photographed.

    Attributes:
        paper: one of `camera.PAPERS`.
        label: 0 regular, 1 shaky.
        raster: uint8, shape (100, 100, 1), as the generator draws it.
        extracted: the same of the photo; None where no ink was found.
        before: the photo, uint8, shape (150, 200, 3), RGB.
    """

    paper: str
    label: int
    raster: np.ndarray
    extracted: np.ndarray | None
    before: np.ndarray


def take(split: str, i: int) -> Photo:
    """Photographs letter i of a split, and reads the file; depends on both alone."""
    config = ShakyLettersConfig(name="letters")
    settings = config.splits()[split]
    drawn = example(config, settings, i)
    strokes = camera.Strokes.of(drawn)
    rng = np.random.default_rng([_SEED, settings.stream, i])
    # Regular and shaky letters take turns: each paper gets as many of both.
    paper = camera.PAPERS[i // 2 % len(camera.PAPERS)]
    photo = camera.photograph(strokes, rng, paper)
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "photo.jpg"
        file.write_bytes(camera.jpeg(photo, int(rng.integers(*_QUALITY))))
        pixels = picture.read(file)
    try:
        extracted = ink.picture(pixels)
    except Unusable:
        extracted = None
    size = (_HEIGHT * pixels.shape[1] // pixels.shape[0], _HEIGHT)
    before = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return Photo(paper, drawn["label"], drawn["image"], extracted, before)


def take_all(split: str, images: int) -> list[Photo]:
    """Photographs the first letters of a split, on all cores."""
    with children.pool(os.cpu_count() or 1) as pool:
        taken = pool.map(take, [split] * images, range(images), chunksize=4)
        with click.progressbar(
            taken,
            length=images,
            label=f"photos of {split}",
            file=sys.stderr,
            hidden=not sys.stderr.isatty(),
        ) as progress:
            return list(progress)


def rows_of(
    split: str, photos: list[Photo], on_raster: np.ndarray, on_photo: np.ndarray
) -> list[dict[str, Any]]:
    """Returns a row for each kind of paper, and one for all.

    Args:
        split: its name.
        photos: of its letters.
        on_raster: the model's answers to the rasters, shape (n,).
        on_photo: its answers to the photos, shape (n,); -1 where there was no ink.
    """
    labels = np.array([photo.label for photo in photos])
    papers = np.array([photo.paper for photo in photos])
    rows = []
    for paper in [*(p for p in camera.PAPERS if p in papers), "all"]:
        some = (papers == paper) | (paper == "all")
        raster, photo = (
            float((answers == labels)[some].mean()) for answers in (on_raster, on_photo)
        )
        rows.append(
            {
                "split": split,
                "paper": paper,
                "images": int(some.sum()),
                "without_ink": int((on_photo[some] < 0).sum()),
                "raster_accuracy": round(raster, 5),
                "photo_accuracy": round(photo, 5),
                "ratio": round(photo / raster, 5) if raster else None,
            }
        )
    return rows


def sheet(photos: list[Photo], wrong: np.ndarray) -> np.ndarray:
    """Returns photos and what the network saw of them, side by side: uint8, RGB.

    What the model answered wrongly has a red frame.
    """
    cells = []
    for photo, mark in zip(photos, wrong):
        seen = np.zeros((SIZE, SIZE, 1), "uint8")
        seen = seen if photo.extracted is None else photo.extracted
        seen = cv2.resize(seen, (_HEIGHT, _HEIGHT), interpolation=cv2.INTER_NEAREST)
        cell = np.concatenate([photo.before, np.repeat(seen[..., None], 3, 2)], axis=1)
        color = (214, 40, 40) if mark else (255, 255, 255)
        cells.append(
            cv2.copyMakeBorder(cell, *[4] * 4, cv2.BORDER_CONSTANT, value=color)
        )
    return contact.tiled(cells, _ACROSS)


def answers(model: Any, photos: list[Photo]) -> tuple[np.ndarray, np.ndarray]:
    """Returns a model's answers to the rasters and to the photos, -1 without ink."""
    with quietly():
        from pipelines.images import data
        from pipelines.run.answers import classify

    labels = np.array([photo.label for photo in photos])
    empty = np.array([photo.extracted is None for photo in photos])
    nothing = np.zeros((SIZE, SIZE, 1), "uint8")
    seen = [nothing if p.extracted is None else p.extracted for p in photos]
    on_raster, on_photo = (
        classify(model, data.Images(np.stack(pictures), labels))
        for pictures in ([photo.raster for photo in photos], seen)
    )
    return on_raster, np.where(empty, -1, on_photo)


def run(
    folders: Sequence[pathlib.Path], images: int
) -> tuple[list[dict[str, Any]], np.ndarray]:
    """Measures the models of runs; returns the rows, and the first one's contact sheet.

    Args:
        folders: of the runs.
        images: of each split.
    """
    with quietly():
        from pipelines.run.model import read_model

    models = {str(folder): read_model(folder / "model.keras") for folder in folders}
    rows, shown, wrong = [], [], []
    rng = np.random.default_rng(0)
    for split in SPLITS:
        photos = take_all(split, images)
        some = rng.choice(images, min(_SHOWN // len(SPLITS), images), replace=False)
        shown += [photos[i] for i in some]
        for name, model in models.items():
            on_raster, on_photo = answers(model, photos)
            found = rows_of(split, photos, on_raster, on_photo)
            rows += [{"run": name, **row} for row in found]
            if name == str(folders[0]):
                wrong += [on_photo[i] != photos[i].label for i in some]
    return rows, sheet(shown, np.array(wrong))


def kept(rows: list[dict[str, Any]], split: str) -> str:
    """Returns which share of their accuracy on rasters models keep on photos."""
    ratios = [
        row["ratio"] or 0
        for row in rows
        if (row["split"], row["paper"]) == (split, "all")
    ]
    mean, least, most = (
        f"{100 * figure(ratios):.1f}" for figure in (statistics.mean, min, max)
    )
    return f"{mean} %" if len(ratios) == 1 else f"{mean} % ({least} to {most} %)"


@click.command(cls=Command, context_settings={"show_default": True})
@click.option(
    "--run",
    "folders",
    type=click.Path(path_type=pathlib.Path),
    metavar="RUN_DIR",
    required=True,
    multiple=True,
    help="Trained on letters; several for several seeds.",
)
@click.option("--images", default=1000, help="Of each split.")
@click.option("--output", type=click.Path(path_type=pathlib.Path), metavar="DIR")
def main(
    folders: tuple[pathlib.Path, ...], images: int, output: pathlib.Path | None
) -> None:
    """Compare a model's answers to photos of letters with those to their rasters."""
    rows, shown = run(folders, images)
    for row in rows:
        print(
            f"{row['run']} {row['split']:12} {row['paper']:8} "
            f"rasters {row['raster_accuracy']:.4f}, "
            f"photos {row['photo_accuracy']:.4f}, ratio {row['ratio'] or 0:.4f}"
        )
    if not output:
        return
    output.mkdir(parents=True, exist_ok=True)
    contact.write(output / "photos.png", shown)
    runs = " ".join(f"--run {folder}" for folder in folders)
    page.write(
        output,
        "photos",
        "Photos of letters",
        f"python -m benchmarks.photos {runs} --images {images} --output {output}",
        "Models trained on generated letters (`python -m pipelines.train --penalty "
        "tl1 --a 0.1 --seed SEED --output RUN_DIR`), asked about letters they were not "
        "trained on: as the generator draws them, and as photos by a simulated camera "
        "(perspective, shadow, blur, noise, white balance, JPEG), after extraction of "
        "the ink. A photo without ink counts as answered wrongly.\n\n"
        f"**On photos they keep {kept(rows, 'test')} of their accuracy on `test`** "
        f"and {kept(rows, 'test_unseen')} of that on `test_unseen`: the pens there are "
        "broader and finer than those of the training, and extraction draws all lines "
        "alike. Mean of the runs, lowest and highest.\n\n"
        "Random examples, each photo beside what the network sees of it; what the "
        "first model answers wrongly is framed in red:\n\n"
        "![Photos and what the network sees of them](photos.png)",
        rows,
    )


if __name__ == "__main__":
    main()
