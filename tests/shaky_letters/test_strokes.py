import numpy as np
import pytest
from matplotlib import get_data_path

from shaky_letters import strokes

ALPHABETS = (*strokes.HERSHEY, *strokes.DRAWN)


@pytest.mark.parametrize("name", ALPHABETS)
def test_an_alphabet_has_52_letters_on_a_line(name):
    letters = strokes.alphabet(name)
    assert "".join(letters) == strokes.LETTERS
    for letter, path in letters.items():
        for stroke in path:
            assert stroke.ndim == 2
            assert stroke.shape[0] >= 2
            assert stroke.shape[1] == 2
            assert np.isfinite(stroke).all()
        points = np.concatenate(path)
        assert -130 < points[:, 1].min() < points[:, 1].max() < 60, letter
    top = np.concatenate(letters["H"])[:, 1].min()
    assert top == pytest.approx(-100, abs=15)


@pytest.mark.parametrize("name", ALPHABETS)
def test_points_stand_close_and_evenly(name):
    for path in strokes.alphabet(name).values():
        for stroke in path:
            steps = np.hypot(*np.diff(stroke, axis=0).T)
            assert steps.max() <= 2.001


def test_a_smoothed_polyline_still_passes_through_the_font_s_points():
    from HersheyFonts import HersheyFonts

    font = HersheyFonts()
    font.load_default_font("futural")
    points = np.array(next(iter(font.strokes_for_text("S"))), float)
    capital = np.concatenate([np.array(s) for s in font.strokes_for_text("H")])
    points = (points - [0, capital[:, 1].max()]) * 100 / np.ptp(capital[:, 1])
    (stroke,) = strokes.alphabet("simplex")["S"]
    distance = np.hypot(*(points[:, None] - stroke[None]).transpose(2, 0, 1)).min(1)
    assert distance.max() < 1.1  # half the spacing of the points


def test_a_font_file_is_an_alphabet():
    letters = strokes.alphabet(f"{get_data_path()}/fonts/ttf/DejaVuSans.ttf")
    assert "".join(letters) == strokes.LETTERS
    assert len(letters["l"]) == 1


@pytest.mark.parametrize("name", ["gothic", "missing.ttf"])
def test_an_unknown_alphabet_is_named(name):
    with pytest.raises(ValueError, match=name):
        strokes.alphabet(name)


def test_shapes_are_closed_simple_polygons_of_three_or_four_corners():
    rng = np.random.default_rng(0)
    seen, concave = set(), 0
    for _ in range(200):
        name, (stroke,) = strokes.shape(rng)
        seen.add(name)
        np.testing.assert_allclose(stroke[0], stroke[-1], atol=1e-9)
        side = np.diff(stroke, axis=0)
        following = np.roll(side, -1, axis=0)
        turn = side[:, 0] * following[:, 1] - side[:, 1] * following[:, 0]
        concave += turn.min() < -0.05 < 0.05 < turn.max()
        assert np.ptp(stroke, axis=0).max() == pytest.approx(100, abs=2.5)
    assert seen == set(strokes.SHAPES)
    assert 5 < concave < 100
