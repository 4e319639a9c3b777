"""The pictures that every implementation agrees on; the tablet's are in raster.test.ts.

raster.json also says what rasterize() and of_path() were when it was written: the
training sets, the exported models' golden vectors and the saved drawings all depend on
it.
"""

import json
import pathlib

import numpy as np
import pytest

from export import golden
from shaky_letters.canonical import PEN, SIZE, of_path
from shaky_letters.raster import rasterize

ROOT = pathlib.Path(__file__).parents[2]
CASES = json.loads(
    (ROOT / "mobile_demo/web/tests/raster.json").read_text(encoding="utf-8")
)


def named(cases):
    return pytest.mark.parametrize("case", cases, ids=[case["name"] for case in cases])


def path(case):
    """The strokes one after the other, the pen in the air between them."""
    x, y, pen_down = [], [], []
    for stroke in case["strokes"]:
        x += stroke["x"] + [0.0]
        y += stroke["y"] + [0.0]
        pen_down += [True] * len(stroke["x"]) + [False]
    return np.array(x), np.array(y), np.array(pen_down)


def ink(case):
    shape = {"ink": (SIZE, SIZE)}
    return 255 * golden.decode(case["ink"], shape)["ink"].astype("uint8")


@named(CASES["raster"])
def test_strokes_give_the_picture_in_the_file(case):
    picture = rasterize(*path(case), case["width"], SIZE)
    np.testing.assert_array_equal(picture[..., 0], ink(case))


@named(CASES["fit"])
def test_fitted_strokes_give_the_picture_in_the_file(case):
    assert case["width"] == PEN
    np.testing.assert_array_equal(of_path(*path(case))[..., 0], ink(case))


def test_halves_go_to_the_even_neighbour_and_it_shows():
    """The vectors tell this rounding from the others: else they would not test it."""
    halves = [case for case in CASES["raster"] if case["name"].startswith("half")]
    for rounding in (np.floor, np.ceil, lambda v: np.floor(v + 0.5)):
        wrong = 0
        for case in halves:
            x, y, pen_down = path(case)
            radius = rounding(case["width"] * 32) / 64
            x, y = rounding(x * 64) / 64, rounding(y * 64) / 64
            picture = rasterize(x, y, pen_down, 2 * radius, SIZE)
            wrong += (picture[..., 0] != ink(case)).any()
        assert wrong
