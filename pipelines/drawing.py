"""A drawing as the tablet saves it: pen strokes in a JSON file.

    {"format": "rvsm_tf drawing", "version": 1, "width": 640, "height": 640,
     "strokes": [{"pointer": "pen", "x": […], "y": […], "t": […], …}, …]}

x to the right and y downwards, in pixels of the pad, which is `width` by `height` of
them; t in seconds. `pressure` (0 to 1), `tilt_x` and `tilt_y` (degrees) are there for
others: what the network sees is made of x and y alone.
"""

import json
import pathlib

import numpy as np

from commands.cli import InputError
from shaky_letters.fit import PEN, SIDE, fit
from shaky_letters.raster import rasterize

FORMAT, VERSION = "rvsm_tf drawing", 1

LARGEST = 1e5
"""Largest number in a file; no pad has as many pixels."""

LONGEST = 16 << 20
"""Bytes of a file: twenty minutes of drawing."""

SMALLEST = 0.05
"""Smallest larger side of a drawing that is looked at, as a share of the pad's."""


def picture(file: pathlib.Path) -> np.ndarray:
    """Returns what the network sees of a drawing: uint8, shape (100, 100, 1).

    Raises:
        InputError: there is no such file, it holds no drawing, or too little is drawn.
    """
    pad, x, y, pen_down = _read(file)
    try:
        x, y, scale = fit(x, y, pen_down)
    except ValueError as error:
        raise InputError(f"{str(file)!r}: {error}") from None
    if SIDE / scale < SMALLEST * pad:
        raise InputError(
            f"{str(file)!r} is too small to tell: draw a letter, a shape or a spiral, "
            "as large as the pad"
        )
    return rasterize(x, y, pen_down, PEN)


def _read(
    file: pathlib.Path,
) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
    """Returns the pad's larger side, and the strokes as one path.

    A sample in the air follows each stroke.
    """
    if not file.is_file():
        raise InputError(f"no drawing {str(file)!r}: give a file that the demo saved")
    try:
        with open(file, encoding="utf-8") as text:
            content = json.loads(text.read(LONGEST))
        found = content["format"], content["version"]
        sides = [content["width"], content["height"]]
        strokes = [(stroke["x"], stroke["y"]) for stroke in content["strokes"]]
        whole = _numbers(sides) and min(sides) > 0
        whole &= all(len(x) == len(y) and _numbers(x + y) for x, y in strokes)
    except (ValueError, KeyError, TypeError, RecursionError):
        found, whole = (FORMAT, VERSION), False
    if found != (FORMAT, VERSION):
        raise InputError(
            f"{str(file)!r} is a {str(found[0])[:80]!r}, version "
            f"{str(found[1])[:80]}: this program reads {FORMAT!r}, version {VERSION}"
        )
    if not whole:
        raise InputError(f"{str(file)!r} holds no drawing: save it again in the demo")
    x, y, pen_down = [], [], []
    for across, down in strokes:
        if across:
            x += [*across, across[-1]]
            y += [*down, down[-1]]
            pen_down += [True] * len(across) + [False]
    return max(sides), np.array(x), np.array(y), np.array(pen_down, bool)


def _numbers(values: list) -> bool:
    return all(type(v) in (int, float) and abs(v) <= LARGEST for v in values)
