"""What the tablet's demo saves.

JSON with `"format": "rvsm_tf drawing"`, version 1, `width` and `height` of the pad and
`strokes`, each with lists x and y in the pad's pixels, y downwards.
"""

from ..photo.unusable import Unusable
from .content import FileContent
from .path import check, joined
from .recorded import Recording, alone
from .strokes import is_numbers, of_lists

FORMAT, VERSION = "rvsm_tf drawing", 1

LARGEST_ON_PAD = 1e5
"""Largest number in a file of the tablet's; no pad has as many pixels."""

SMALLEST = 0.05
"""Smallest larger side of a drawing on the tablet, as a share of the pad's."""


def recognises(content: FileContent) -> bool:
    """Whether it is JSON that names a format."""
    return (
        content.is_json and isinstance(content.json, dict) and "format" in content.json
    )


def read(content: FileContent) -> Recording:
    """Reads a drawing.

    Raises:
        Unusable: it is of another format or version, malformed, or too small.
    """
    said = content.json
    found = said.get("format"), said.get("version")
    if found != (FORMAT, VERSION):
        raise Unusable(
            f"is a {str(found[0])[:80]!r}, version {str(found[1])[:80]}: this program "
            f"reads {FORMAT!r}, version {VERSION}"
        )
    sides = [said.get("width"), said.get("height")]
    strokes = said.get("strokes")
    whole = isinstance(strokes, list) and all(isinstance(s, dict) for s in strokes)
    if not (whole and is_numbers(sides, LARGEST_ON_PAD) and min(sides) > 0):
        raise Unusable("holds no drawing: save it again in the demo")
    # What the pen pressed is there for others: a stroke is ink from end to end.
    bare = [{axis: stroke.get(axis) for axis in "xy"} for stroke in strokes]
    path = joined(of_lists(stroke, LARGEST_ON_PAD) for stroke in bare)
    if check(path) < SMALLEST * max(sides):
        raise Unusable(
            "is too small to tell: draw a letter, a shape or a spiral, as large as the "
            "pad"
        )
    return alone(path)
