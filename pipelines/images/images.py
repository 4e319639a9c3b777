"""The images of a split, in memory."""

import dataclasses

import numpy as np

from shaky_letters import canonical, raster

from ..collection.drawn import Path

SIZES = (raster.SIZE, canonical.SIZE)
"""Widths and heights of the paper's pictures, and of canonical ones, pixels."""


@dataclasses.dataclass(frozen=True)
class Images:
    """The images of a split with their labels, in memory.

    Attributes:
        image: uint8, shape (n, size, size, 1), ink 255 on 0.
        label: int64, shape (n,).
        person: int64, shape (n,), a number for each who drew; None of generated ones.
        path: the pen's way of each, None where there is a picture alone; empty of
            generated ones.
        known: what else is known of each, by feature, shape (n,); of the set `hands`.
        cost: what a wrong answer to each costs in training, float32, shape (n,); None
            where all cost alike.
    """

    image: np.ndarray
    label: np.ndarray
    person: np.ndarray | None = None
    path: tuple[Path | None, ...] = ()
    known: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    cost: np.ndarray | None = None

    @property
    def size(self) -> int:
        """Width and height of the images, pixels."""
        return self.image.shape[1]

    def __len__(self) -> int:
        return len(self.label)
