"""A table whose first line names x and y, in any order.

Its columns are separated by commas, semicolons, tabs or, if there are none of these, by
spaces; but for commas, numbers may have a decimal comma. It may name `pen_down` (or
`button`), `pressure` and `stroke`: the pen is down where `pen_down` says so, else where
there is pressure, else all the time. y counts downwards, which is guessed.
"""

import csv

import numpy as np

from ..photo.unusable import Unusable
from . import columns, numbers
from .content import FileContent
from .path import Path, joined, path
from .recorded import Y_DOWN, Recording, alone


def recognises(content: FileContent) -> bool:
    """Whether it is no XML: of other text, its first line is looked at."""
    return not content.is_markup


def read(content: FileContent) -> Recording:
    """Reads a table.

    Raises:
        Unusable: it names no x and y, or a line is not as the first.
    """
    header, *rows = _cells(content.lines)
    at = {means: header.index(name) for means, name in columns.known(header).items()}
    if not {"x", "y"} <= at.keys():
        raise Unusable(
            f"begins with {content.lines[0][:60]!r}: its first line should name x and "
            "y, and may name pressure, pen_down or stroke"
        )
    table = numbers.read(rows, at.values(), 2, len(header))
    column = dict(zip(at, table.T))
    down = column.get("pen_down", column.get("pressure", np.ones(len(table))))
    whole = path(column["x"], column["y"], down > 0)
    if "stroke" in column:
        whole = _apart(whole, column["stroke"])
    return alone(whole, Y_DOWN)


def _cells(lines: list[str]) -> list[list[str]]:
    delimiter = max(",;\t", key=lines[0].count)
    if delimiter not in lines[0]:
        rows = [line.split() for line in lines]
    else:
        try:
            rows = list(csv.reader(lines, delimiter=delimiter, strict=True))
        except csv.Error:
            raise Unusable("holds no drawing: it is no table") from None
        if delimiter == ",":
            return rows
    # As spreadsheets write numbers in many languages: 1,5.
    header, *others = rows
    return [header, *([cell.replace(",", ".") for cell in row] for row in others)]


def _apart(whole: Path, stroke: np.ndarray) -> Path:
    """Returns a path that is lifted wherever the stroke's number changes."""
    changes = np.flatnonzero(np.diff(stroke)) + 1
    parts = np.split(np.arange(len(stroke)), changes)
    return joined(
        Path(whole.x[part], whole.y[part], whole.pen_down[part]) for part in parts
    )
