"""What is said of a folder's drawings once they have been read."""

import numpy as np
import pytest

from commands.cli import InputError
from pipelines.collection import collection
from shaky_letters import raster
from tests.pipelines.collection import folders


@pytest.fixture
def letters(tmp_path):
    """Drawings by P01 to P06, whom their names tell."""
    folders.class_folders(tmp_path, 3, 2, np.random.default_rng(0))
    return tmp_path


def report(drawings):
    return drawings.report([drawings.divided(0)])


def test_a_file_without_a_drawing_does_not_unname_the_others(letters):
    (letters / "shaky" / "scan.jpg").write_bytes(b"")
    drawings = collection.read(letters, "skip", raster.SIZE)
    assert [left.file.name for left in drawings.skipped] == ["scan.jpg"]
    assert {entry.item.subject for entry in drawings.entries} == {
        f"P{number}" for number in range(1, 7)
    }
    assert "unknown" not in report(drawings)


def test_a_drawing_that_tells_nobody_unnames_them_and_is_named(letters):
    folders.image(letters / "shaky" / "scan.png", 1, np.random.default_rng(1))
    drawings = collection.read(letters, "skip", raster.SIZE)
    assert {entry.item.subject for entry in drawings.entries} == {None}
    told = report(drawings)
    assert "'P01_letter_1.png' would tell who drew what, but 'scan.png' tells" in told
    assert "unknown for 13 of 13 drawings" in told


def test_the_same_file_in_two_classes_is_named(letters):
    copy = letters / "shaky" / "P01_letter_1.png"
    copy.write_bytes((letters / "regular" / copy.name).read_bytes())
    told = report(collection.read(letters, "skip", raster.SIZE))
    assert f"'regular/{copy.name}' and 'shaky/{copy.name}' are the same file" in told


@pytest.mark.parametrize("suffix", [".heic", ".GIF", ".webp", ".pdf"])
def test_pictures_of_other_kinds_are_left_out_by_name(letters, suffix, capfd):
    other = letters / "regular" / f"P01_letter_9{suffix}"
    other.write_bytes(b"\0\0\0\x18ftypheic")
    drawings = collection.read(letters, "skip", raster.SIZE)
    assert [left.file for left in drawings.skipped] == [other]
    assert len(drawings.entries) == 12
    assert "convert it" in capfd.readouterr().err
    with pytest.raises(InputError, match="convert it"):
        collection.read(letters, "stop", raster.SIZE)


def test_traces_of_other_programs_are_drawings_and_guesses_are_told(letters, capfd):
    new = {
        "regular/P01_letter_8.inkml": "<ink><trace>1 2, 3 4, 5 9</trace></ink>",
        "regular/P01_letter_9.svg": "<svg stroke='red'><path d='M1 2 3 4 5 9'/></svg>",
        "shaky/P04_letter_7.json": '[{"x": 1, "y": 2}, {"x": 3, "y": 4}]',
        "shaky/P04_letter_8.json": '{"strokes": [[[1, 2, 0], [3, 4, 1]]]}',
        "shaky/P04_letter_9.svc": "2 1 0 1 0 0 0\n4 3 5 1 0 0 0\n",
    }
    for name, text in new.items():
        (letters / name).write_text(text, "utf-8")
    drawings = collection.read(letters, "stop", raster.SIZE)
    found = {e.item.file.relative_to(letters).as_posix(): e for e in drawings.entries}
    assert len(found) == 12 + len(new)
    assert set(new) < set(found)
    assert all(found[name].drawn.path is not None for name in new)
    assert found["shaky/P04_letter_9.svc"].item.subject == "P4"
    told = capfd.readouterr().err.splitlines()
    first = str(letters / "shaky" / "P04_letter_7.json")
    assert len(told) == 2
    assert told[0].startswith(f"guessed of {first!r} and 1 more: y counts downwards, ")
    assert "P04_letter_9.svc': the first column is y and the second x, " in told[1]
