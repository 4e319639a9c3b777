"""A pen's way across the sheet, and what is too much of it, or too little."""

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..photo.unusable import Unusable

MOST = 100_000
"""Samples of a file, with those in the air: eight minutes at 200 a second."""

LARGEST = 1e9
"""Largest coordinate; no digitiser counts as far."""

FINEST = 1e-6
"""Smallest larger side of a drawing, in its unit: below, it is one point."""


@dataclasses.dataclass(frozen=True)
class Path:
    """A pen's way across the sheet.

    Attributes:
        x, y: shape (n,), float64, to the right and downwards, in the same unit.
        pen_down: shape (n,), bool.
    """

    x: np.ndarray
    y: np.ndarray
    pen_down: np.ndarray


def path(x: Any, y: Any, pen_down: Any = True) -> Path:
    """Returns a path of numbers, after a look at them.

    Args:
        x: to the right, as many numbers as
        y: downwards, in the same unit.
        pen_down: of each, or of all.

    Raises:
        Unusable: there are too many, or one is too large.
    """
    x, y = np.asarray(x, "float64"), np.asarray(y, "float64")
    if len(x) > MOST:
        raise too_long(len(x))
    check_size(x)
    check_size(y)
    return Path(x, y, np.full(x.shape, pen_down, bool))


def check_size(coordinates: np.ndarray) -> None:
    """Makes sure that all coordinates are of a size that drawings have.

    Raises:
        Unusable: one is too large, or none.
    """
    largest = np.abs(coordinates).max(initial=0)
    if not largest <= LARGEST:  # NaN is not
        raise Unusable(
            f"has a coordinate of {largest:.3g}, where none is above {LARGEST:g}"
        )


def joined(parts: Iterable[Path]) -> Path:
    """Returns strokes as one path; a sample in the air follows each.

    Raises:
        Unusable: together they are too long. No more are taken then.
    """
    x, y, pen_down = [np.empty(0)], [np.empty(0)], [np.empty(0, bool)]
    samples = 0
    for part in parts:
        if not len(part.x):
            continue
        x.append(np.append(part.x, part.x[-1:]))
        y.append(np.append(part.y, part.y[-1:]))
        pen_down.append(np.append(part.pen_down, False))
        samples += len(x[-1])
        if samples > MOST:
            raise too_long(samples)
    return path(*(np.concatenate(pieces) for pieces in (x, y, pen_down)))


def too_long(samples: int) -> Unusable:
    """Returns what is said of a file with too many samples."""
    return Unusable(f"is too long: {samples} samples, where {MOST} may be")


def check(path: Path) -> float:
    """Returns a drawing's larger side, in its unit.

    Raises:
        Unusable: the pen was never down, or only at one point.
    """
    down = path.pen_down
    if not down.any():
        raise Unusable("holds no ink: the pen was never down")
    side = max(float(np.ptp(axis[down])) for axis in (path.x, path.y))
    if side < FINEST:
        raise Unusable("is a single dot: draw a letter, a shape or a spiral")
    return side
