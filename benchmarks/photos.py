"""What a model that was trained on generated letters makes of photos of letters.

python -m benchmarks.photos --run runs/NAME --output docs/results

Every letter of two splits that the model was not trained on is drawn on paper, seen by
a simulated camera (`camera`), stored as JPEG, read and extracted as a user's photo is,
and shown to the model; beside it the letter's own raster, as the generator makes it.
"""

import dataclasses
import pathlib
import tempfile
from typing import Any

import click
import cv2
import numpy as np

from commands.cli import Command, quietly
from commands.files import replacing
from pipelines.collection import ink, picture
from pipelines.collection.drawn import Unusable
from shaky_letters.config import ShakyLettersConfig
from shaky_letters.examples import example
from shaky_letters.raster import SIZE

from . import camera, page

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


def take(split: str, i: int, folder: pathlib.Path) -> Photo:
    """Photographs letter i of a split, and reads the file; depends on both alone."""
    config = ShakyLettersConfig(name="letters")
    settings = config.splits()[split]
    drawn = example(config, settings, i)
    pen = drawn["strokes"]
    strokes = camera.Strokes(pen["x"], pen["y"], pen["pen_down"], drawn["pen_width"])
    rng = np.random.default_rng([_SEED, settings.stream, i])
    # Regular and shaky letters take turns: each paper gets as many of both.
    paper = camera.PAPERS[i // 2 % len(camera.PAPERS)]
    photo = camera.photograph(strokes, rng, paper)
    file = folder / "photo.jpg"
    file.write_bytes(camera.jpeg(photo, int(rng.integers(*_QUALITY))))
    pixels = picture.read(file)
    try:
        extracted = ink.picture(pixels)
    except Unusable:
        extracted = None
    size = (_HEIGHT * pixels.shape[1] // pixels.shape[0], _HEIGHT)
    before = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return Photo(paper, drawn["label"], drawn["image"], extracted, before)


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
    cells += [np.full_like(cells[0], 255)] * (-len(cells) % _ACROSS)
    rows = [cells[i : i + _ACROSS] for i in range(0, len(cells), _ACROSS)]
    return np.concatenate([np.concatenate(row, axis=1) for row in rows])


def run(folder: pathlib.Path, images: int) -> tuple[list[dict[str, Any]], np.ndarray]:
    """Measures a run's model; returns the rows and the contact sheet.

    Args:
        folder: of the run.
        images: of each split.
    """
    with quietly():
        from pipelines import checkpoint, data, evaluate

    model = checkpoint.read_model(folder / "model.keras")
    rows, shown, wrong = [], [], []
    rng = np.random.default_rng(0)
    for split in SPLITS:
        with tempfile.TemporaryDirectory() as scratch:
            place = pathlib.Path(scratch)
            photos = [take(split, i, place) for i in range(images)]
        labels = np.array([photo.label for photo in photos])
        empty = np.array([photo.extracted is None for photo in photos])
        nothing = np.zeros((SIZE, SIZE, 1), "uint8")
        seen = [nothing if p.extracted is None else p.extracted for p in photos]
        on_raster, on_photo = (
            evaluate.classify(model, data.Images(np.stack(pictures), labels))
            for pictures in ([photo.raster for photo in photos], seen)
        )
        on_photo = np.where(empty, -1, on_photo)
        rows += rows_of(split, photos, on_raster, on_photo)
        for i in rng.choice(images, min(_SHOWN // len(SPLITS), images), replace=False):
            shown.append(photos[i])
            wrong.append(on_photo[i] != labels[i])
    return rows, sheet(shown, np.array(wrong))


@click.command(cls=Command, context_settings={"show_default": True})
@click.option(
    "--run",
    "folder",
    type=click.Path(path_type=pathlib.Path),
    metavar="RUN_DIR",
    required=True,
    help="Trained on letters.",
)
@click.option("--images", default=1000, help="Of each split.")
@click.option("--output", type=click.Path(path_type=pathlib.Path), metavar="DIR")
def main(folder: pathlib.Path, images: int, output: pathlib.Path | None) -> None:
    """Compare a model's answers to photos of letters with those to their rasters."""
    rows, contact = run(folder, images)
    for row in rows:
        print(
            f"{row['split']:12} {row['paper']:8} rasters {row['raster_accuracy']:.4f}, "
            f"photos {row['photo_accuracy']:.4f}, ratio {row['ratio'] or 0:.4f}"
        )
    if not output:
        return
    output.mkdir(parents=True, exist_ok=True)
    with replacing(output / "photos.png") as draft:
        draft.write_bytes(cv2.imencode(".png", contact[..., ::-1])[1].tobytes())
    page.write(
        output,
        "photos",
        "Photos of letters",
        f"python -m benchmarks.photos --run RUN_DIR --images {images} "
        f"--output {output}",
        "A model trained on generated letters (`python -m pipelines.train --penalty "
        "tl1 --a 0.1 --output RUN_DIR`), asked about letters it was not trained on: as "
        "the generator draws them, and as photos by a simulated camera (perspective, "
        "shadow, blur, noise, white balance, JPEG), after extraction of the ink. A "
        "photo without ink counts as answered wrongly. Random examples, each photo "
        "beside what the network sees of it, wrong answers framed in red:\n\n"
        "![Photos and what the network sees of them](photos.png)",
        rows,
    )


if __name__ == "__main__":
    main()
