"""Rows of numbers, written as text."""

from collections.abc import Iterable, Sequence

import numpy as np

from ..photo.unusable import Unusable


def read(
    rows: Sequence[Sequence[str]], columns: Iterable[int], first: int, width: int
) -> np.ndarray:
    """Returns columns of a table of numbers, float64, shape (rows, columns).

    Args:
        rows: cells, as text.
        columns: which to read.
        first: number of the first row's line.
        width: cells in each row.

    Raises:
        Unusable: there are no rows, one has another width, or a cell is no number.
    """
    if not rows:
        raise Unusable("holds no samples")
    columns = list(columns)
    numbers = []
    for line, row in enumerate(rows, first):
        if len(row) != width:
            raise Unusable(
                f"has {len(row)} values in line {line}, where {width} belong"
            )
        numbers.append([_number(row[column], line) for column in columns])
    return np.array(numbers)


def _number(cell: str, line: int) -> float:
    try:
        number = {"true": 1.0, "false": 0.0}.get(cell.strip().lower())
        number = float(cell) if number is None else number
    except ValueError:
        number = np.nan
    # The largest timestamps, in nanoseconds, are 2e18; they are read over.
    if not abs(number) <= 1e20:
        raise Unusable(f"has {cell[:40]!r} in line {line}, where a number belongs")
    return number
