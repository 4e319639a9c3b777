"""What a pen recording's file holds."""

import dataclasses

from .path import Path, check

Y_DOWN = (
    "y counts downwards, as on screens; if it counts upwards there, negate it, or the "
    "drawing is upside down"
)
"""What is guessed of a file that names y and says no more."""


@dataclasses.dataclass(frozen=True)
class Recorded:
    """One drawing of a pen recording, as the digitiser saw it.

    Attributes:
        path: the pen's way, in the file's unit.
        part: which of the file's drawings, from 0.
        task: what is drawn, "" where the file does not say.
    """

    path: Path
    part: int = 0
    task: str = ""


@dataclasses.dataclass(frozen=True)
class Recording:
    """The pen recordings that a file holds, and what of it is none.

    Attributes:
        drawings: one or several.
        left_out: what else is in it, a phrase each: "the stability test is no drawing".
        guesses: what the file does not say and was decided, a sentence each:
            "y counts downwards".
    """

    drawings: tuple[Recorded, ...]
    left_out: tuple[str, ...] = ()
    guesses: tuple[str, ...] = ()


def alone(path: Path, *guesses: str) -> Recording:
    """Returns a file's only drawing.

    Raises:
        Unusable: there is no ink in it.
    """
    check(path)
    return Recording((Recorded(path),), guesses=guesses)
