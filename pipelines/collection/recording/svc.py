"""Wacom's .svc: seven numbers a line, their axes, time, button, angles and pressure.

The number of lines may come first. Which axis the first column is, no file says: by
PaHaW's own description its columns are y, x, time, button, azimuth, altitude and
pressure, other sets begin with x. Wacom's tablets count their first axis rightwards and
the second upwards; called y and x, they are those of a tablet turned by a quarter: y
downwards, x rightwards. So nothing is mirrored either way; but of the wrong one, the
drawing lies on its side.

- PaHaW's files, known by their names, are read by its description. Should that be
  wrong, drawings lie on their side, all alike.
- In a line of writing strokes follow each other to the right. Where they follow each
  other along one of the axes, that is x.
- Any other file is read as PaHaW's.

What was guessed is told. The order of the samples is the file's: times jump backwards
in PaHaW's.
"""

import re

import numpy as np

from ..photo.unusable import Unusable
from . import numbers
from .content import FileContent
from .path import Path, path
from .recorded import Recording, alone

PAHAW = r"(?P<subject>\d{5})__(?P<task>\d+)_\d+\.svc"
"""The name of a file of PaHaW's: a person, a task and a repetition."""

_FEWEST = 4  # strokes of a line of writing
_LONG = 3.0  # times as long as it is high
_ONWARD = 0.75  # share of strokes that are further on than the one before

_ELSE = (
    "if they are not, the drawing lies on its side: give a table that names x and y, y "
    "downwards"
)


def recognises(content: FileContent) -> bool:
    """Whether the first line is a number alone, or seven with spaces between."""
    numbers = r"[-+.\de]+"
    return bool(re.fullmatch(rf"\d+|{numbers}(\s+{numbers}){{6}}", content.lines[0]))


def read(content: FileContent) -> Recording:
    """Reads a recording.

    Raises:
        Unusable: a line is malformed, or there are fewer than the first one says.
    """
    lines = content.lines
    counted = lines[0].isdecimal()
    rows = [line.split() for line in lines[counted:]]
    table = numbers.read(rows, range(7), 1 + counted, 7)
    if counted and len(table) < int(lines[0][:12]):
        raise Unusable(f"is cut off: of {lines[0][:12]} samples it holds {len(table)}")
    first, second, _, button = table.T[:4]
    y_first = path(second, first, button > 0)
    x_first = path(first, -second, button > 0)
    if re.fullmatch(PAHAW, content.name, re.IGNORECASE):
        return alone(y_first)
    if _is_line_of_writing(x_first):
        return alone(
            x_first,
            "the first column is x and the second y, upwards, as its strokes follow "
            f"each other along the first; {_ELSE}",
        )
    if _is_line_of_writing(y_first):
        return alone(
            y_first,
            "the first column is y and the second x, as its strokes follow each other "
            f"along the second; {_ELSE}",
        )
    return alone(
        y_first,
        f"the first column is y and the second x, as in PaHaW's files; {_ELSE}",
    )


def _is_line_of_writing(path: Path) -> bool:
    """Whether strokes follow each other to the right, in a line."""
    down = path.pen_down
    ends = np.flatnonzero(np.diff(down)) + 1
    strokes = [x for x, d in zip(np.split(path.x, ends), np.split(down, ends)) if d[0]]
    if len(strokes) < _FEWEST:
        return False
    if np.ptp(path.x[down]) < _LONG * np.ptp(path.y[down]):
        return False
    return np.mean(np.diff([x.mean() for x in strokes]) > 0) >= _ONWARD
