"""Writes small pen recordings, and reads them."""

import pytest

from pipelines.collection import recording
from pipelines.collection.photo.unusable import Unusable


def written(folder, content, name="drawing.txt"):
    """The path of a new file that holds a text, or bytes."""
    file = folder / name
    if isinstance(content, bytes):
        file.write_bytes(content)
    else:
        file.write_text(content, "utf-8")
    return file


def read(folder, content, name="drawing.txt"):
    """The path of a file's one drawing."""
    (drawing,) = recording.read(written(folder, content, name)).drawings
    assert drawing.part == 0
    return drawing.path


def strokes(folder, content, name="drawing.txt"):
    """The points of each stroke of a file's one drawing: lists of (x, y).

    Samples in the air are left out.
    """
    path = read(folder, content, name)
    found = [[]]
    for x, y, down in zip(path.x.tolist(), path.y.tolist(), path.pen_down):
        if down:
            found[-1].append((x, y))
        elif found[-1]:
            found.append([])
    return [stroke for stroke in found if stroke]


def guesses(folder, content, name="drawing.txt"):
    """What was guessed of a file."""
    return recording.read(written(folder, content, name)).guesses


def unusable(folder, content):
    """Why there is no drawing in a file."""
    with pytest.raises(Unusable) as error:
        recording.read(written(folder, content))
    reason = str(error.value)
    assert "\n" not in reason
    assert len(reason) < 200
    return reason
