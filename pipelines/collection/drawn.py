"""One drawing, as a person and as the network sees it."""

import dataclasses

import numpy as np

from .recording import Path


@dataclasses.dataclass(frozen=True)
class Drawn:
    """A drawing that was read.

    Attributes:
        picture: uint8, shape (size, size, 1), ink 255 on 0: what the network sees.
        before: uint8, shape (h, w, 3), RGB, no side above `BEFORE`: what a person
            sees, of a photo or a scan; None of a pen recording.
        path: of a pen recording, in its own unit; None of a photo or a scan.
        part: which of the drawings in its file, from 0.
    """

    picture: np.ndarray
    before: np.ndarray | None = None
    path: Path | None = None
    part: int = 0


@dataclasses.dataclass(frozen=True)
class Contents:
    """The drawings that a file holds, and what of it is none.

    Attributes:
        drawings: one, or several of some pen recordings.
        left_out: what else is in it, each to be read after the file's name.
        guesses: what the file does not say and was decided, a sentence each.
    """

    drawings: tuple[Drawn, ...]
    left_out: tuple[str, ...] = ()
    guesses: tuple[str, ...] = ()


BEFORE = 150
"""Largest side of `Drawn.before`, pixels."""
