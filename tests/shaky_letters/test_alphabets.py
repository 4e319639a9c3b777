import itertools
import json
import pathlib
import string

import numpy as np
import pytest
from fontTools.pens.boundsPen import BoundsPen
from fontTools.pens.perimeterPen import PerimeterPen
from fontTools.pens.recordingPen import RecordingPen
from fontTools.svgLib.path import parse_path

ALPHABETS = pathlib.Path(__file__).parents[2] / "shaky_letters" / "alphabets"
NAMES = ("print", "italic", "cursive", "architect")
EACH_LETTER = [(name, c) for name in NAMES for c in string.ascii_letters]
X_HEIGHT = "acemnorsuvwxz"


def read(name):
    return json.loads((ALPHABETS / f"{name}.json").read_text("utf-8"))


def strokes(name, character):
    """Returns a glyph's pen strokes as lists of pen commands."""
    pen = RecordingPen()
    parse_path(read(name)["glyphs"][character], pen)
    pens = []
    for command, points in pen.value:
        if command == "moveTo":
            pens.append([])
        if command != "endPath":
            pens[-1].append((command, points))
    return pens


def bounds(name, character):
    pen = BoundsPen(None)
    parse_path(read(name)["glyphs"][character], pen)
    return pen.bounds


@pytest.mark.parametrize("name", NAMES)
def test_has_the_52_letters(name):
    alphabet = read(name)
    assert alphabet["name"] == name
    assert alphabet["description"]
    assert alphabet["ascender"] == 100
    assert sorted(alphabet["glyphs"]) == sorted(string.ascii_letters)


@pytest.mark.parametrize("name", NAMES)
def test_no_two_glyphs_are_equal(name):
    glyphs = read(name)["glyphs"]
    assert len(set(glyphs.values())) == len(glyphs)


def test_no_two_alphabets_share_a_curved_glyph():
    for c in string.ascii_letters:
        curved = [g for n in NAMES if "C" in (g := read(n)["glyphs"][c])]
        assert len(set(curved)) == len(curved), c


@pytest.mark.parametrize(("name", "character"), EACH_LETTER)
def test_strokes_are_open_and_have_length(name, character):
    for stroke in strokes(name, character):
        assert {c for c, _ in stroke} <= {"moveTo", "lineTo", "curveTo", "qCurveTo"}
        pen = PerimeterPen(None)
        for command, points in stroke:
            getattr(pen, command)(*points)
        pen.endPath()
        assert 1 < pen.value < 1000


@pytest.mark.parametrize(("name", "character"), EACH_LETTER)
def test_coordinates_stay_in_the_frame(name, character):
    left, top, right, bottom = bounds(name, character)
    assert top >= -105
    assert bottom <= 45
    assert bottom - top > 0
    assert right - left < 180
    # Control points too: a curve does not run out and back.
    for stroke in strokes(name, character):
        points = np.array([p for _, ps in stroke for p in ps])
        assert np.isfinite(points).all()
        assert (np.abs(points - [(left + right) / 2, -30]) < 130).all()


@pytest.mark.parametrize("name", NAMES)
def test_heights(name):
    lower = [bounds(name, c) for c in X_HEIGHT]
    assert np.median([-top for _, top, _, _ in lower]) == pytest.approx(50, abs=2)
    assert np.median([bottom for *_, bottom in lower]) == pytest.approx(0, abs=2)
    capital = [-bounds(name, c)[1] for c in string.ascii_uppercase]
    assert min(capital) > 95
    for c in "bdfhkl":
        assert -bounds(name, c)[1] > 85
    for c in "gpqy":
        assert bounds(name, c)[3] > 30


@pytest.mark.parametrize("name", NAMES)
def test_curves_are_smooth_not_faceted(name):
    """Between two curves the pen goes straight on, or turns a true corner."""
    for character in string.ascii_letters:
        for stroke in strokes(name, character):
            for (a, p), (b, q) in itertools.pairwise(stroke):
                if a == b == "curveTo":
                    arrive = np.subtract(p[2], p[1])
                    leave = np.subtract(q[0], p[2])
                    cosine = arrive @ leave / np.hypot(*arrive) / np.hypot(*leave)
                    assert cosine > 0.99 or cosine < 0.9, character
