import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import euler_number, label
from sklearn.datasets import load_digits

from pipelines.collection.photo import ink
from pipelines.collection.photo.unusable import Unusable
from shaky_letters import canonical
from shaky_letters.config import ShakyLettersConfig
from shaky_letters.examples import example
from shaky_letters.fit import PEN, SIDE, fit
from shaky_letters.raster import SIZE, rasterize
from tests.pipelines.collection.photo.scans import agreement, noisy

BLUE, BLACK, PENCIL = (35, 45, 130), (25, 25, 28), (120, 120, 124)


def letter(i):
    config = ShakyLettersConfig(name="letters")
    return example(config, config.splits()["test"], i)


REGULAR, SHAKY = letter(8), letter(5)  # a Z, an R


def fitted(drawn):
    """What the network is to see of it."""
    pen = drawn["strokes"]
    x, y, _ = fit(pen["x"], pen["y"], pen["pen_down"])
    return rasterize(x, y, pen["pen_down"], PEN)


def cover(drawn, shape, scale, middle, width=None, turn=0.0):
    """How much of each pixel a pen covers: drawn four times too large, and averaged."""
    pen, fine = drawn["strokes"], 4
    large = np.zeros([n * fine for n in shape], "uint8")
    angle = np.radians(turn)
    x, y = pen["x"] - SIZE / 2, pen["y"] - SIZE / 2
    x, y = np.cos(angle) * x - np.sin(angle) * y, np.sin(angle) * x + np.cos(angle) * y
    points = (np.stack([x, y], 1) * scale + middle) * fine
    width = round((width or drawn["pen_width"]) * scale * fine)
    down = pen["pen_down"]
    for a, b in zip(np.flatnonzero(down), np.flatnonzero(down)[1:]):
        if b == a + 1:
            ends = [tuple(int(v) for v in np.rint(points[i])) for i in (a, b)]
            cv2.line(large, *ends, 255, width)
    return cv2.resize(large, shape[::-1], interpolation=cv2.INTER_AREA) / 255


def scan(
    drawn, color=BLUE, scale=6.0, shape=(900, 800), middle=(400, 450), paper=240, **more
):
    """A sheet, scanned flat: even light, a little noise."""
    covered = cover(drawn, shape, scale, middle, **more)[..., None]
    picture = paper * (1 - covered) + np.array(color) * covered
    return noisy(picture)


@pytest.mark.parametrize("drawn", [REGULAR, SHAKY, letter(3), letter(13)])
@pytest.mark.parametrize("color", [BLUE, BLACK, PENCIL])
def test_a_scan_is_seen_as_the_tablet_would_draw_it(drawn, color):
    picture = ink.picture(scan(drawn, color))
    assert picture.shape == (SIZE, SIZE, 1)
    assert picture.dtype == np.uint8
    assert set(np.unique(picture)) == {0, 255}
    assert agreement(picture, fitted(drawn)) > 0.85


@pytest.mark.parametrize("width", [0.6, 1.5, 4.0, 6.0])
def test_lines_get_the_width_that_training_has(width):
    drawn = letter(2)  # a C: nothing runs together
    picture = ink.picture(scan(drawn, width=width))
    area, expected = (np.count_nonzero(p) for p in (picture, fitted(drawn)))
    assert area == pytest.approx(expected, rel=0.1)
    assert agreement(picture, fitted(drawn)) > 0.8


@pytest.mark.parametrize("pixels", [2, 3, 5])
@pytest.mark.parametrize("drawn", [letter(2), REGULAR])
def test_a_thin_pen_on_a_large_sheet_is_not_lost(drawn, pixels):
    large = {"scale": 18.0, "shape": (1900, 1800), "middle": (900, 950)}
    picture = ink.picture(scan(drawn, width=pixels / 18, **large))
    assert label(picture).max() == label(fitted(drawn)).max()
    assert agreement(picture, fitted(drawn)) > 0.8


@pytest.mark.parametrize("share", [0.08, 0.1, 0.13, 0.16])
@pytest.mark.parametrize("side", [600, 1400])
def test_a_marker_on_a_small_sheet_is_filled_ink(side, share):
    drawn = letter(2)
    scale = side / 100
    sheet = {"scale": scale, "shape": (side, side), "middle": (side / 2, side / 2)}
    picture = ink.picture(scan(drawn, width=share * side / scale, **sheet))
    assert label(picture).max() == 1
    assert euler_number(picture[..., 0] > 0) == 1
    assert agreement(picture, fitted(drawn)) > 0.6


@pytest.mark.parametrize("width", [0.8, 2.0])
def test_a_tremor_survives_thinning_and_thickening(width):
    # Where the pen turns back, the outline does: as many gaps along the letter's rows.
    found, expected = (
        np.diff((p[..., 0] > 0).astype(int), axis=1).clip(0).sum()
        for p in (ink.picture(scan(letter(3), width=width)), fitted(letter(3)))
    )
    assert found == pytest.approx(expected, rel=0.12)


def test_the_pen_is_measured_where_strokes_run_together():
    pen = letter(5)["strokes"]
    scale = fit(pen["x"], pen["y"], pen["pen_down"])[2]
    found = ink.find(scan(SHAKY, width=3.0)).pen
    assert found == pytest.approx(3.0 * scale, rel=0.1)


@pytest.mark.parametrize("scale", [1.5, 3.0, 8.0])
def test_size_does_not_matter(scale):
    picture = ink.picture(scan(SHAKY, scale=scale))
    assert agreement(picture, fitted(SHAKY)) > 0.8


@settings(max_examples=10, deadline=None)
@given(right=st.integers(-80, 80), down=st.integers(-100, 100))
def test_place_does_not_matter(right, down):
    moved = scan(REGULAR, middle=(400 + right, 450 + down))
    assert agreement(ink.picture(moved), fitted(REGULAR)) > 0.85


def shaded(picture):
    """A lamp at the left, somebody's shadow with a soft edge at the lower right."""
    y, x = np.mgrid[0 : 1 : picture.shape[0] * 1j, 0 : 1 : picture.shape[1] * 1j]
    light = (1 - 0.6 * x) * (1 - 0.5 / (1 + np.exp(-(x + y - 1) / 0.03)))
    return noisy(picture * light[..., None])


@pytest.mark.parametrize("drawn", [REGULAR, SHAKY])
def test_light_does_not_matter(drawn):
    bright, dark = (ink.picture(p(scan(drawn, BLACK))) for p in (noisy, shaded))
    assert agreement(bright, dark) > 0.9


def test_light_on_dark_is_ink_too():
    chalk = 255 - scan(SHAKY, BLACK, paper=225)
    assert agreement(ink.picture(chalk), fitted(SHAKY)) > 0.85


@pytest.mark.parametrize("i", range(6))
def test_a_training_raster_is_a_picture_like_others(i):
    raster = np.repeat(letter(i)["image"], 3, axis=2)
    picture = ink.picture(raster)
    assert agreement(picture, fitted(letter(i))) > 0.75
    np.testing.assert_array_equal(ink.picture(255 - raster), picture)


@pytest.mark.slow
def test_scanned_digits_of_eight_by_eight_pixels():
    digits = load_digits()
    holes = {}
    for digit in (0, 1):
        holes[digit] = []
        for image in digits.images[digits.target == digit][:20]:
            gray = np.rint(image / 16 * 255).astype("uint8")
            picture = ink.picture(np.repeat(gray[..., None], 3, axis=2))[..., 0]
            assert label(picture).max() == 1
            sides = [np.ptp(n) + 1 for n in np.nonzero(picture)]
            assert max(sides) == pytest.approx(SIDE + PEN, abs=6)
            holes[digit].append(1 - euler_number(picture > 0))
    # A one is a line; a zero is one with a hole, unless the pen hardly touched the
    # paper at one side, as in one of these.
    assert holes[1] == [0] * 20
    assert sorted(holes[0]) == [0] + [1] * 19


def guided(drawn, paper, color, turn, pitch=60):
    """A ruled or squared sheet that lies askew, the letter on it with it."""
    shape, width = (900, 1000), 3
    y, x = np.mgrid[: shape[0], : shape[1]].astype("float64")
    angle = np.radians(turn)
    across = -np.sin(angle) * x + np.cos(angle) * y
    along = np.cos(angle) * x + np.sin(angle) * y
    lines = np.abs((across + pitch / 2) % pitch - pitch / 2) < width / 2
    if paper == "squared":
        lines |= np.abs((along + pitch / 2) % pitch - pitch / 2) < width / 2
    printed = np.where(lines[..., None], color, 240) / 255
    covered = cover(drawn, shape, 6.0, (500, 450), turn=turn)[..., None]
    inked = 1 - covered + np.array(PENCIL) / 240 * covered
    return noisy(255 * printed * inked)


@pytest.mark.slow
@pytest.mark.parametrize("paper", ["ruled", "squared"])
@pytest.mark.parametrize(
    "color", [(150, 180, 235), (235, 150, 150), (150, 150, 152), (110, 110, 112)]
)
@pytest.mark.parametrize(("drawn", "turn"), [(REGULAR, -6.0), (SHAKY, 4.0)])
def test_guide_lines_go_and_say_how_the_sheet_lies(paper, color, drawn, turn):
    found = ink.find(guided(drawn, paper, color, turn))
    assert found.turned == pytest.approx(-turn, abs=0.3)
    assert found.guides >= 10
    assert agreement(found.picture, fitted(drawn)) > 0.8
    # Strokes are whole where lines crossed them.
    assert label(found.picture).max() == label(fitted(drawn)).max()


def test_strokes_on_small_squares_are_not_what_is_left_of_them():
    found = ink.find(guided(REGULAR, "squared", (150, 180, 235), 1.0, pitch=18))
    assert found.guides > 80
    assert agreement(found.picture, fitted(REGULAR)) > 0.8


@pytest.mark.parametrize("paper", ["ruled", "squared"])
def test_an_empty_page_with_guide_lines_is_empty(paper):
    nobody = {**REGULAR, "strokes": {k: v[:0] for k, v in REGULAR["strokes"].items()}}
    with pytest.raises(Unusable, match="shows no ink"):
        ink.picture(guided(nobody, paper, (150, 180, 235), 2.0))


def test_the_bars_of_a_letter_are_no_guide_lines():
    # An E, as large as the picture.
    strokes = [[(150, 80), (150, 920)]]
    strokes += [[(150, y), (860, y)] for y in (80, 500, 920)]
    picture = np.full((1000, 1000, 3), 240, "uint8")
    for a, b in strokes:
        cv2.line(picture, a, b, BLACK, 8)
    found = ink.find(noisy(picture))
    assert found.guides == 0
    rows = np.nonzero(found.picture[:, 60, 0])[0]
    assert label(found.picture[:, 60, 0]).max() == 3
    assert np.ptp(rows) + 1 == pytest.approx(SIDE + PEN, abs=2)


def spiral(wobble, turns=3):
    angle = np.linspace(0, 2 * np.pi * turns, 1500)
    radius = 20 + 45 * angle / np.pi
    x, y = (450 + radius * f(angle) + wobble * f(37 * angle) for f in (np.cos, np.sin))
    return x, y


@pytest.mark.parametrize(
    ("printed", "pen"),
    [
        (BLACK, (40, 60, 170)),  # as on exam sheets: a black spiral, traced in blue
        ((160, 160, 160), BLACK),
        ((160, 160, 160), (40, 60, 170)),
        ((240, 120, 110), BLACK),
    ],
)
def test_a_printed_spiral_goes_and_the_one_traced_over_it_stays(printed, pen):
    picture = np.full((900, 900, 3), 240, "uint8")
    for color, wobble in ((printed, 0), (pen, 12)):
        points = np.rint(np.stack(spiral(wobble), 1)).astype("int32")
        cv2.polylines(picture, [points], False, color, 6)
    x, y, _ = fit(*spiral(12), np.ones(1500, bool))
    expected = rasterize(x, y, np.ones(1500, bool), PEN)
    assert agreement(ink.picture(noisy(picture)), expected) > 0.8


def on_table(picture, corners, size=(1000, 1200), table=(70, 50, 35)):
    height, width = picture.shape[:2]
    ends = np.float32([(0, 0), (width, 0), (width, height), (0, height)])
    matrix = cv2.getPerspectiveTransform(ends, np.float32(corners))
    return noisy(
        cv2.warpPerspective(
            picture,
            matrix,
            size[::-1],
            flags=cv2.INTER_AREA,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=table,
        )
    )


def seen(width, height, tilt, yaw):
    """The corners of a sheet as a pinhole camera sees them, at (600, 500)."""
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * [width / 2, height / 2]
    x, y = corners.T
    a, b = np.radians([tilt, yaw])
    across, depth = x * np.cos(b), x * np.sin(b)
    down, depth = y * np.cos(a) - depth * np.sin(a), y * np.sin(a) + depth * np.cos(a)
    away = 1500
    return np.stack([across, down], 1) * away / (away + depth)[:, None] + [600, 500]


@pytest.mark.parametrize(("tilt", "yaw"), [(25, 0), (-20, 12), (10, -20)])
def test_perspective_goes_with_a_sheet_whose_corners_are_seen(tilt, yaw):
    corners = seen(900, 800, tilt, yaw)
    found = ink.find(
        on_table(scan(SHAKY, shape=(800, 900), middle=(450, 400)), corners)
    )
    np.testing.assert_allclose(found.corners, corners, atol=6)
    assert agreement(found.picture, fitted(SHAKY)) > 0.7


def test_a_sheet_seen_in_part_ends_at_its_edge():
    sheet = scan(REGULAR, shape=(900, 900), middle=(450, 450))
    photo = on_table(sheet, [(200, 100), (1300, 100), (1300, 1200), (200, 1200)])
    found = ink.find(photo)
    assert found.corners is None
    assert agreement(found.picture, fitted(REGULAR)) > 0.8


@pytest.mark.parametrize("width", [8, 30, 60])
@pytest.mark.parametrize("sides", [4, 5, 60])
def test_a_closed_shape_is_no_sheet(sides, width):
    angle = 2 * np.pi * (np.arange(sides + 1) + 0.5) / sides
    x, y = 450 + 330 * np.cos(angle), 450 + 300 * np.sin(angle)
    picture = np.full((900, 900, 3), 240, "uint8")
    points = np.rint(np.stack([x, y], 1)).astype("int32")
    cv2.polylines(picture, [points], False, BLACK, width)
    found = ink.find(noisy(picture))
    assert found.corners is None
    x, y, _ = fit(x, y, np.ones(len(x), bool))
    expected = rasterize(x, y, np.ones(len(x), bool), PEN)
    assert agreement(found.picture, expected) > 0.75


def test_a_scanners_frame_and_dust_are_no_ink():
    picture = scan(REGULAR)
    picture[:, :14] = picture[-20:] = 4
    rng = np.random.default_rng(0)
    for x, y in rng.integers(60, 740, (60, 2)).tolist():
        picture[y : y + 2, x : x + 2] = 60
    assert agreement(ink.picture(picture), fitted(REGULAR)) > 0.8


def test_a_dot_is_no_speck():
    picture = np.full((600, 600, 3), 240, "uint8")
    cv2.line(picture, (300, 250), (300, 450), BLUE, 12)
    cv2.circle(picture, (300, 190), 6, BLUE, cv2.FILLED)
    assert label(ink.picture(noisy(picture))).max() == 2


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (np.zeros((300, 400, 3)), "is all black"),
        (np.random.default_rng(0).uniform(0, 25, (300, 400, 3)), "is all black"),
        (np.full((300, 400, 3), 255), "shows no ink: draw with a dark pen"),
        (np.full((90, 90, 3), 128), "shows no ink"),
        (np.full((8, 8, 3), 255), "shows no ink"),
        (shaded(np.full((600, 800, 3), 230.0)), "shows no ink"),
    ],
)
def test_what_shows_nothing_is_refused(picture, words):
    with pytest.raises(Unusable, match=words):
        ink.picture(np.rint(picture).astype("uint8"))


@pytest.mark.parametrize("seed", range(12))
def test_any_pixels_give_a_picture_or_a_reason(seed):
    rng = np.random.default_rng(seed)
    height, width = np.exp(rng.uniform(np.log(8), np.log(500), 2)).astype(int)
    noise = rng.integers(0, 256, (height, width, 3)).astype("uint8")
    spots = cv2.resize(noise[:4, :4], (int(width), int(height)))
    stripes = np.full_like(noise, 230)
    stripes[:: rng.integers(2, 30)] = stripes[:, :: rng.integers(2, 30)] = 90
    dot = np.full_like(noise, 230)
    dot[height // 2, width // 2] = 0
    for pixels in (noise, spots, stripes, dot):
        try:
            picture = ink.picture(pixels)
        except Unusable:
            continue
        assert picture.shape == (SIZE, SIZE, 1)
        assert picture.any()


@pytest.mark.parametrize("darkness", [255, 180, 90])
def test_soft_edges_make_a_stroke_no_thinner(darkness):
    """Half covered by ink is where a stroke ends, however black the ink is."""
    sharp = np.zeros((400, 400), "float32")
    points = np.array([[90, 300], [140, 100], [250, 260], [310, 90]])
    cv2.polylines(sharp, [points], False, 1.0, 31)
    widths = []
    for spread in (0.5, 6.0):
        share = cv2.GaussianBlur(sharp, None, spread)
        gray = np.round(255 - darkness * share).astype("uint8")
        found = ink.find(np.repeat(gray[..., None], 3, axis=2), canonical.SIZE)
        widths.append(found.pen)
    assert widths[1] == pytest.approx(widths[0], rel=0.05)
