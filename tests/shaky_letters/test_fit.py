import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shaky_letters.fit import PEN, SIDE, fit
from shaky_letters.raster import SIZE, rasterize

LETTER_L = np.array([10.0, 10.0, 30.0]), np.array([0.0, 40.0, 40.0])
DOWN = np.array([True, True, True])


def test_an_l_is_scaled_by_hand():
    # 20 wide and 40 high: the height becomes 64, its middle (20, 20) becomes (50, 50).
    x, y, scale = fit(*LETTER_L, DOWN)
    assert scale == 1.6
    np.testing.assert_allclose(x, [34, 34, 66])
    np.testing.assert_allclose(y, [18, 82, 82])


@given(
    factor=st.floats(0.01, 100),
    right=st.floats(-1000, 1000),
    down=st.floats(-1000, 1000),
)
def test_neither_size_nor_place_matters(factor, right, down):
    x, y, _ = fit(LETTER_L[0] * factor + right, LETTER_L[1] * factor + down, DOWN)
    here = fit(*LETTER_L, DOWN)
    np.testing.assert_allclose(x, here[0], atol=1e-6)
    np.testing.assert_allclose(y, here[1], atol=1e-6)


def test_the_ink_lies_in_the_middle_of_the_picture():
    x, y, _ = fit(*LETTER_L, DOWN)
    rows, columns = np.nonzero(rasterize(x, y, DOWN, PEN)[..., 0])
    assert (rows.min() + rows.max() + 1) / 2 == pytest.approx(SIZE / 2, abs=0.5)
    assert (columns.min() + columns.max() + 1) / 2 == pytest.approx(SIZE / 2, abs=0.5)
    assert rows.max() - rows.min() + 1 == pytest.approx(SIDE + PEN, abs=1)


def test_what_the_pen_does_in_the_air_does_not_count():
    x, y = (np.append(v, 1000.0) for v in LETTER_L)
    moved = fit(x, y, np.append(DOWN, False))
    np.testing.assert_array_equal(moved[0][:3], fit(*LETTER_L, DOWN)[0])


@pytest.mark.parametrize(
    ("down", "words"), [([False] * 3, "no ink"), ([True, False, False], "single dot")]
)
def test_there_must_be_something_to_fit(down, words):
    with pytest.raises(ValueError, match=words):
        fit(*LETTER_L, np.array(down))
