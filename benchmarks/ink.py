"""How much of the ink in scans and photos is found, and in how many pieces.

python -m benchmarks.ink --drawings DIR --drawings DIR --output docs/results

- scans of a folder, against a segmentation that shares nothing with the extraction: the
  background is a wide median, and hysteresis thresholds are laid on the smoothed
  difference, at 6 and 3.2 deviations of the paper's noise;
- letters by a simulated camera (`camera`), against where the pen was.
"""

import dataclasses
import os
import pathlib
import time
from collections.abc import Sequence
from typing import Any

import click
import cv2
import numpy as np
from skimage.filters import apply_hysteresis_threshold
from skimage.morphology import skeletonize

from commands import children
from commands.cli import Command, InputError
from commands.folder import make
from pipelines.collection.known import IMAGES
from pipelines.collection.photo import ink, page, picture
from pipelines.collection.photo.unusable import Unusable
from shaky_letters import canonical
from shaky_letters.config import ShakyLettersConfig
from shaky_letters.examples import example
from testing import camera

from . import contact
from . import page as results

_MEDIAN = 63  # pixels of the wide median's side
_LOW, _HIGH = 3.2, 6.0  # deviations of the noise
_SPECK = 12  # pixels; what is smaller is dust
_NEAR = 2.5  # pixels between a line and what was found of it
_GOOD = 0.95  # of a drawing's lines, found
_FEW = 2  # pieces
_SEED = 11
_QUALITY = (60, 93)  # of the JPEG files
_SHOWN, _ACROSS = 24, 3  # on the contact sheet
_CELL = 140  # pixels


@dataclasses.dataclass(frozen=True)
class Compared:
    """A drawing, and what was found of it.

    Attributes:
        recall: share of the drawing's centre lines that was found.
        precision: share of the found centre lines that was drawn.
        pieces: connected parts of what was found.
        milliseconds: of one core, that finding took.
        cell: the drawing, what was found, and the picture: uint8, shape
            (140, 420, 3), RGB. What was missed is red there, what is too much blue.
    """

    recall: float
    precision: float
    pieces: int
    milliseconds: float
    cell: np.ndarray


def segmented(pixels: np.ndarray) -> np.ndarray:
    """Returns which pixels are ink, independently of the extraction.

    Args:
        pixels: uint8, shape (h, w, 3), dark ink on one sheet, without guide lines.

    Returns:
        bool, shape (h, w).
    """
    gray = pixels.mean(2).astype("float32")
    half = _MEDIAN // 2
    wide = cv2.copyMakeBorder(gray, *[half] * 4, cv2.BORDER_REFLECT)
    background = cv2.medianBlur(np.rint(wide).astype("uint8"), _MEDIAN)
    background = background[half:-half, half:-half].astype("float32")
    darker = cv2.GaussianBlur(background - gray, None, 1.0)
    off = np.abs(darker - np.median(darker))
    noise = max(1.4826 * float(np.median(off)), 0.5)  # a clean plot has none
    mask = apply_hysteresis_threshold(darker, _LOW * noise, _HIGH * noise)
    _, parts, stats, _ = cv2.connectedComponentsWithStats(mask.astype("uint8"))
    large = stats[:, cv2.CC_STAT_AREA] >= _SPECK
    large[0] = False
    return large[parts]


def compare(pixels: np.ndarray, reference: np.ndarray) -> Compared:
    """Looks for the ink in pixels, and compares it with what is known.

    Args:
        pixels: uint8, shape (h, w, 3), RGB.
        reference: which of them are ink, bool, shape (h, w).
    """
    start = time.process_time()
    try:
        found = ink.find(pixels, canonical.SIZE)
    except Unusable:
        found = None
    spent = 1000 * (time.process_time() - start)
    mask = np.zeros(reference.shape, bool) if found is None else found.mask
    if found is not None and found.corners is not None:
        pixels = page.straighten(pixels, found.corners)
        reference = page.straighten(reference.astype("uint8"), found.corners) > 0
    if mask.shape != reference.shape:
        raise InputError(
            f"pictures of {pixels.shape[1]} × {pixels.shape[0]} pixels are enlarged "
            "first: give larger ones"
        )
    shown = np.full(pixels.shape, 255, "uint8")
    shown[mask | reference] = (220, 40, 40)
    shown[mask] = (60, 60, 220)
    shown[mask & reference] = 0
    seen = np.zeros((1, 1, 1), "uint8") if found is None else found.picture
    cells = [pixels, shown, 255 - np.repeat(seen, 3, axis=2)]
    return Compared(
        recall=_near(reference, mask),
        precision=_near(mask, reference),
        pieces=cv2.connectedComponents(mask.astype("uint8"))[0] - 1,
        milliseconds=spent,
        cell=np.concatenate([_fitted(cell) for cell in cells], axis=1),
    )


def _near(lines: np.ndarray, mask: np.ndarray) -> float:
    """Returns which share of strokes' centre lines lies in a mask, or beside it."""
    middle = skeletonize(lines)
    if not middle.any() or not mask.any():
        return 0.0
    away = cv2.distanceTransform((~mask).astype("uint8"), cv2.DIST_L2, 5)
    return float((away[middle] <= _NEAR).mean())


def _fitted(cell: np.ndarray) -> np.ndarray:
    """Returns a picture in a square of `_CELL` pixels, white below or beside it."""
    scale = _CELL / max(cell.shape)
    size = [max(1, round(side * scale)) for side in cell.shape[1::-1]]
    small = cv2.resize(cell, size, interpolation=cv2.INTER_AREA)
    whole = np.full((_CELL, _CELL, 3), 255, "uint8")
    whole[: size[1], : size[0]] = small
    return whole


def of_scan(file: pathlib.Path) -> Compared:
    """Compares what is found in a scan with the segmentation of it."""
    pixels = picture.read(file)
    return compare(pixels, segmented(pixels))


def of_photo(i: int) -> Compared:
    """Compares what is found in the photo of letter i with where the pen was."""
    config = ShakyLettersConfig(name="letters")
    drawn = example(config, config.splits()["test"], i)
    strokes = camera.Strokes.of(drawn)
    truth = camera.inked(strokes, np.random.default_rng([_SEED, i]))
    rng = np.random.default_rng([_SEED, i])
    photo = camera.photograph(strokes, rng, camera.PAPERS[i % len(camera.PAPERS)])
    file = np.frombuffer(camera.jpeg(photo, int(rng.integers(*_QUALITY))), "uint8")
    return compare(cv2.imdecode(file, cv2.IMREAD_COLOR)[..., ::-1].copy(), truth)


def row(name: str, found: Sequence[Compared]) -> dict[str, Any]:
    """Returns the figures of some drawings."""
    recall = np.array([one.recall for one in found])
    pieces = np.array([one.pieces for one in found])
    return {
        "drawings": name,
        "n": len(found),
        "recall": round(float(recall.mean()), 4),
        "share_with_recall_of_0.95": round(float((recall >= _GOOD).mean()), 4),
        "precision": round(float(np.mean([one.precision for one in found])), 4),
        "pieces": round(float(pieces.mean()), 2),
        "share_in_two_pieces_at_most": round(float((pieces <= _FEW).mean()), 4),
        "milliseconds": round(float(np.median([one.milliseconds for one in found])), 1),
    }


def sheet(found: Sequence[Compared]) -> np.ndarray:
    """Returns drawings and what was found, the worst first: uint8, RGB."""
    worst = sorted(found, key=lambda one: min(one.recall, one.precision))[:_SHOWN]
    cells = [
        cv2.copyMakeBorder(one.cell, *[3] * 4, cv2.BORDER_CONSTANT, value=(190,) * 3)
        for one in worst
    ]
    return contact.tiled(cells, _ACROSS)


def run(
    folders: Sequence[pathlib.Path], photos: int
) -> tuple[list[dict[str, Any]], np.ndarray]:
    """Measures folders and photos; returns the rows, and the scans' contact sheet."""
    kinds = {folder.name: _pictures(folder) for folder in folders}
    rows, scans = [], []
    with children.pool(os.cpu_count() or 1) as pool:
        for name, files in kinds.items():
            found = list(pool.map(of_scan, files, chunksize=4))
            rows.append(row(name, found))
            scans += found
        taken = list(pool.map(of_photo, range(photos), chunksize=4))
    for i, paper in enumerate(camera.PAPERS):
        rows.append(row(f"photos, {paper}", taken[i :: len(camera.PAPERS)]))
    return rows, sheet(scans)


def _pictures(folder: pathlib.Path) -> list[pathlib.Path]:
    files = sorted(f for f in folder.rglob("*") if f.suffix.lower() in IMAGES)
    if not files:
        raise InputError(f"--drawings {str(folder)!r} holds no PNG, JPEG, TIFF or BMP")
    return files


_ABOUT = """\
Recall is the share of the drawings' centre lines that lies in what is found, or 2.5
pixels beside it; precision the share of what is found, the other way round; pieces are
the connected parts of it. Scans are compared with a segmentation that shares nothing
with the extraction (background by a wide median, reflected at the sides; hysteresis
thresholds on the smoothed difference, at 6 and 3.2 deviations of the paper's noise),
photos by the simulated camera with where the pen was. Milliseconds are the median, of
one core.

Scans, the worst first: each beside what is found, missed lines in red, others that the
segmentation has not in blue, and the canonical picture.

![Scans beside what is found in them](ink.png)"""


@click.command(cls=Command)
@click.option(
    "--drawings",
    "folders",
    type=click.Path(path_type=pathlib.Path, exists=True, file_okay=False),
    required=True,
    multiple=True,
    metavar="DIR",
    help="Scans, in folders of any depth; may be repeated.",
)
@click.option(
    "--photos",
    type=click.IntRange(len(camera.PAPERS)),
    default=60,
    show_default=True,
    help="By the simulated camera.",
)
@results.output_option("ink.md, ink.json and ink.png")
def main(folders: tuple[pathlib.Path, ...], photos: int, output: pathlib.Path) -> None:
    """Measure how much of the ink in scans and photos is found."""
    make(output)
    rows, shown = run(folders, photos)
    contact.write(output / "ink.png", shown)
    given = " ".join(f"--drawings {folder.name}" for folder in folders)
    command = f"python -m benchmarks.ink {given} --photos {photos} --output {output}"
    title = "Ink that is found"
    results.write(output, "ink", title, command, _ABOUT, rows)
    click.echo(f"in {output}: ink.md, ink.json, ink.png")


if __name__ == "__main__":
    main()
