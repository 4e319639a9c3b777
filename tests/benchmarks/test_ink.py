import json

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from benchmarks import ink
from commands.cli import InputError
from tests.commands.refusal import refused


def line(ends, dark=90):
    """A slanted line on noisy paper, as wide as three pixels, and where it is."""
    gray = np.full((220, 260), 235.0)
    where = np.zeros(gray.shape, "uint8")
    for a, b in ends:
        cv2.line(where, a, b, 1, 3)
    gray += np.random.default_rng(0).normal(0, 2, gray.shape) - dark * where
    return np.repeat(np.rint(gray).astype("uint8")[..., None], 3, axis=2), where > 0


@pytest.mark.parametrize("dark", [20, 150])
@pytest.mark.parametrize("ends", [((60, 50), (200, 170)), ((0, 110), (259, 130))])
def test_the_segmentation_finds_a_line_and_nothing_else(ends, dark):
    pixels, where = line([ends], dark)
    found = ink.segmented(pixels)
    assert found[where].mean() > 0.98
    near = cv2.dilate(where.astype("uint8"), np.ones((7, 7), "uint8")) > 0
    assert not found[~near].any()
    assert not ink.segmented(line([], dark)[0]).any()


def test_what_was_missed_and_what_is_too_much_by_hand():
    left, right = ((40, 40), (40, 180)), ((200, 40), (200, 180))
    pixels, both = line([left, right])
    _, one = line([left])
    whole = ink.compare(pixels, both)
    assert (whole.recall, whole.precision, whole.pieces) == (1, 1, 2)
    more = ink.compare(pixels, one)
    assert more.recall == 1
    assert more.precision == pytest.approx(0.5, abs=0.03)
    missed = ink.compare(line([left])[0], both)
    assert missed.recall == pytest.approx(0.5, abs=0.03)
    assert missed.precision == 1
    nothing = ink.compare(line([])[0], both)
    assert (nothing.recall, nothing.precision, nothing.pieces) == (0, 0, 0)


def test_a_row_by_hand():
    cell = np.zeros((140, 420, 3), "uint8")
    found = [
        ink.Compared(*figures, cell)
        for figures in [(1, 1, 1, 10), (0.95, 0.9, 2, 20), (0.6, 0.8, 9, 60)]
    ]
    assert ink.row("waves", found) == {
        "drawings": "waves",
        "n": 3,
        "recall": 0.85,
        "share_with_recall_of_0.95": 0.6667,
        "precision": 0.9,
        "pieces": 4.0,
        "share_in_two_pieces_at_most": 0.6667,
        "milliseconds": 20.0,
    }


def test_a_picture_that_is_enlarged_has_no_mask_of_its_own():
    pixels, where = line([((40, 40), (90, 60))])
    with pytest.raises(InputError, match="100 × 90 pixels"):
        ink.compare(pixels[:90, :100], where[:90, :100])


def test_a_folder_without_pictures(tmp_path):
    (tmp_path / "notes.txt").write_text("none")
    arguments = ["--drawings", tmp_path, "--output", tmp_path / "out"]
    assert "holds no PNG" in refused(ink.main, *arguments)


@pytest.mark.slow
def test_the_page(tmp_path):
    folder = tmp_path / "lines"
    (folder / "healthy").mkdir(parents=True)
    for i in range(4):
        pixels, _ = line([((40, 40 + 9 * i), (220, 180))])
        Image.fromarray(pixels).save(folder / "healthy" / f"{i}.png")
    output = tmp_path / "out"
    arguments = ["--drawings", folder, "--photos", 3, "--output", output]
    result = CliRunner().invoke(ink.main, [str(word) for word in arguments])
    assert result.exit_code == 0, result.output
    rows = json.loads((output / "ink.json").read_text("utf-8"))
    assert [(row["drawings"], row["n"]) for row in rows] == [
        ("lines", 4),
        *((f"photos, {paper}", 1) for paper in ("plain", "ruled", "squared")),
    ]
    # The pen was where ink is found in the photos, seen in perspective or not.
    assert all(row["recall"] > 0.98 for row in rows)
    assert all(row["precision"] > 0.95 for row in rows)
    assert "| lines | 4 |" in (output / "ink.md").read_text("utf-8")
    with Image.open(output / "ink.png") as image:
        assert image.mode == "RGB"
