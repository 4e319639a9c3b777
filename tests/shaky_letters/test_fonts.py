"""Traced strokes are judged by the glyph itself: redrawn with a pen as wide as the
font's own stem, they have to give its ink back."""

import pathlib
import string

import cv2
import matplotlib
import numpy as np
import pytest
from fontTools.ttLib import TTFont
from PIL import Image, ImageDraw, ImageFont

from shaky_letters.fonts import trace_font

FONTS = pathlib.Path(matplotlib.get_data_path()) / "fonts" / "ttf"
SANS = FONTS / "DejaVuSans.ttf"
ORIGIN, SIDE = 60, 240


@pytest.fixture(scope="module")
def sans():
    return trace_font(SANS, string.ascii_letters + string.digits)


def ink_of(path, character):
    """Returns a glyph's ink, drawn so that the capital H is 100 pixels high."""
    at_1000 = ImageFont.truetype(path, 1000)
    font = ImageFont.truetype(path, 100_000 / -at_1000.getbbox("H", anchor="ls")[1])
    image = Image.new("L", (SIDE, SIDE))
    where = (ORIGIN, SIDE - ORIGIN)
    ImageDraw.Draw(image).text(where, character, 255, font, anchor="ls")
    return np.asarray(image) >= 128


def ink_of_pen(strokes, width):
    image = np.zeros((SIDE, SIDE), "uint8")
    for stroke in strokes:
        # OpenCV counts from the pixels' middles, and in sixteenths of a pixel.
        points = np.round((stroke + np.array([ORIGIN, SIDE - ORIGIN]) - 0.5) * 16)
        cv2.polylines(image, [points.astype("int32")], False, 255, width, shift=4)
    return image > 0


@pytest.mark.parametrize("character", string.ascii_letters + string.digits)
def test_strokes_give_the_ink_back(sans, character):
    stem = int(ink_of(SANS, "l").any(axis=0).sum())
    ink, pen = ink_of(SANS, character), ink_of_pen(sans[character], stem)
    assert (pen & ink).sum() > 0.88 * ink.sum()
    # The pen is as wide everywhere, the font thins out: by 3 pixels, hardly more.
    near = cv2.dilate(ink.astype("uint8"), np.ones((7, 7))) > 0
    assert (pen & near).sum() > 0.97 * pen.sum()


@pytest.mark.parametrize("name", ["DejaVuSerif", "DejaVuSans-Bold", "cmr10"])
def test_strokes_stay_in_the_ink_of_other_fonts(name):
    path = FONTS / f"{name}.ttf"
    for character, strokes in trace_font(path, string.ascii_letters).items():
        ink, pen = ink_of(path, character), ink_of_pen(strokes, 1)
        assert (pen & ink).sum() > 0.95 * pen.sum(), character
        # The strokes reach all of it: what is left is no further than a bold stem.
        far = cv2.distanceTransform((~pen).astype("uint8"), cv2.DIST_L2, 5)
        assert far[ink].max() < 25, character


@pytest.mark.parametrize(
    ("character", "count"),
    [("l", 1), ("o", 1), ("v", 1), ("S", 1), ("i", 2), ("t", 2), ("X", 2), ("H", 3)],
)
def test_as_many_strokes_as_a_hand_makes(sans, character, count):
    assert len(sans[character]) == count


@pytest.mark.parametrize("name", ["DejaVuSans", "DejaVuSans-Bold", "DejaVuSerif-Bold"])
def test_a_short_bar_is_no_spur(name):
    # The left half of a t's bar stands out by less than the stem's width.
    stem, bar = sorted(
        trace_font(FONTS / f"{name}.ttf", "t")["t"], key=lambda s: -np.ptp(s[:, 1])
    )
    assert bar[:, 0].min() < stem[:, 0].min() - 5


def test_strokes_are_arrays_of_points(sans):
    for strokes in sans.values():
        for stroke in strokes:
            assert stroke.dtype == "float64"
            assert stroke.ndim == 2
            assert stroke.shape[1] == 2
            assert len(stroke) >= 2
            assert np.hypot(*np.diff(stroke, axis=0).T).min() > 0


def test_scale_and_direction(sans):
    # The middle of a stem ends inside its ink: from the cap line to the baseline.
    stem = sans["I"][0]
    assert -100 <= stem[0, 1] < -90
    assert -10 < stem[-1, 1] <= 0
    assert np.ptp(stem[:, 0]) < 2
    assert max(s[:, 1].max() for s in sans["p"]) > 15


def test_a_closed_stroke_starts_at_the_top_and_goes_left(sans):
    (o,) = sans["O"]
    np.testing.assert_allclose(o[0], o[-1])
    assert o[0, 1] == pytest.approx(o[:, 1].min(), abs=1)
    assert o[len(o) // 4, 0] < o[0, 0] < o[3 * len(o) // 4, 0]


def test_a_dot_is_a_tiny_stroke(sans):
    dot, stem = sans["i"]
    assert np.hypot(*(dot[-1] - dot[0])) == pytest.approx(2)
    assert dot[:, 1].max() < stem[:, 1].min()


def test_strokes_are_in_reading_order(sans):
    left, right, bar = sans["H"]
    assert left[0, 0] < right[0, 0]
    assert np.ptp(bar[:, 1]) < 5


def test_the_result_repeats(sans):
    again = trace_font(str(SANS), "agR")
    for character, strokes in again.items():
        for a, b in zip(strokes, sans[character]):
            np.testing.assert_array_equal(a, b)


def test_a_space_has_no_strokes():
    assert trace_font(SANS, " ") == {" ": []}


def test_missing_file(tmp_path):
    path = tmp_path / "none.ttf"
    with pytest.raises(ValueError, match=r"'.*none\.ttf' is missing: give .*\.ttf or"):
        trace_font(path, "a")


def test_not_a_font(tmp_path):
    path = tmp_path / "text.ttf"
    path.write_text("no font")
    with pytest.raises(ValueError, match=r"'.*text\.ttf' is not a readable font"):
        trace_font(path, "a")


def test_missing_glyph():
    with pytest.raises(ValueError, match=r"'.*cmr10\.ttf' has no glyph for 'Ж'"):
        trace_font(FONTS / "cmr10.ttf", "aЖ")


@pytest.mark.filterwarnings("ignore")  # fontTools says of some bytes what it thinks
def test_whatever_is_in_a_file_is_a_font_or_is_refused(tmp_path):
    content = np.frombuffer((FONTS / "cmss10.ttf").read_bytes(), "uint8")
    rng, path, refused = np.random.default_rng(0), tmp_path / "font.ttf", []
    for _ in range(60):
        changed = content.copy()
        reach = rng.choice([400, 4_000, len(content)])
        where = rng.integers(reach, size=rng.choice([1, 4, 30, 200]))
        changed[where] = rng.choice([0, 127, 128, 255], len(where))
        path.write_bytes(changed.tobytes())
        try:
            assert set(trace_font(path, "aH")) == {"a", "H"}
        except ValueError as error:
            refused.append(str(error))
    assert 0 < len(refused) < 60
    assert all("font.ttf" in line for line in refused)


def test_a_glyph_as_large_as_a_house(tmp_path):
    path = tmp_path / "large.ttf"
    with TTFont(FONTS / "cmss10.ttf") as font:
        glyph = font["glyf"][font.getBestCmap()[ord("a")]]
        glyph.coordinates.scale((15, 15))
        font.save(path)
    with pytest.raises(ValueError, match=r"large\.ttf' cannot be drawn \('a' takes"):
        trace_font(path, "a")


def test_a_capital_as_small_as_a_dot(tmp_path):
    path = tmp_path / "small.ttf"
    with TTFont(FONTS / "cmss10.ttf") as font:
        font["head"].unitsPerEm = 16_384
        font.save(path)
    with pytest.raises(ValueError, match=r"small\.ttf' has no glyph for 'H'"):
        trace_font(path, "a")
