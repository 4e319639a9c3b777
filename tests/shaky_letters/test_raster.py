import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from shaky_letters.raster import INK, SIZE, rasterize

SIZE_UNITS = 64  # per pixel
POSITIONS = st.integers(-500, 6900)  # 1/64 pixel, also outside the picture


def brute_force(x, y, pen_down, radius):
    """Ink by whole-number arithmetic, one pixel and one segment at a time."""
    picture = np.zeros((SIZE, SIZE), bool)
    centre = [SIZE_UNITS * i + SIZE_UNITS // 2 for i in range(SIZE)]
    for i in range(len(x)):
        if not pen_down[i]:
            continue
        j = i - 1 if i and pen_down[i - 1] else i
        (ax, ay), (bx, by) = (x[j], y[j]), (x[i], y[i])
        dx, dy = bx - ax, by - ay
        length = dx * dx + dy * dy
        for row, cy in enumerate(centre):
            if abs(cy - (ay + by) / 2) > abs(dy) / 2 + radius:
                continue
            for column, cx in enumerate(centre):
                along = (cx - ax) * dx + (cy - ay) * dy
                if along <= 0:
                    ink = (cx - ax) ** 2 + (cy - ay) ** 2 <= radius**2
                elif along >= length:
                    ink = (cx - bx) ** 2 + (cy - by) ** 2 <= radius**2
                else:
                    across = (cx - ax) * dy - (cy - ay) * dx
                    ink = across**2 <= radius**2 * length
                picture[row, column] |= ink
    return picture


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(POSITIONS, POSITIONS, st.booleans()), min_size=1, max_size=6),
    st.integers(8, 300),
)
def test_every_pixel_is_what_whole_numbers_say(samples, radius):
    x, y, pen_down = (list(column) for column in zip(*samples))
    picture = rasterize(np.array(x) / 64, np.array(y) / 64, pen_down, radius / 32)
    expected = brute_force(x, y, pen_down, radius)
    np.testing.assert_array_equal(picture[..., 0], INK * expected)


def test_a_dot_is_a_disc():
    picture = rasterize([50.0], [50.0], [True], 6.0)
    rows, columns = np.nonzero(picture[..., 0])
    assert len(rows) == 32  # pixel centres within 3 of a corner of the grid
    assert np.hypot(rows - 49.5, columns - 49.5).max() <= 3


def test_a_pen_in_the_air_leaves_no_ink():
    assert not rasterize([10.0, 90.0], [10.0, 90.0], [False, False], 3.0).any()


def test_two_strokes_are_not_joined():
    x, y = [20.0, 20.0, 50.0, 80.0, 80.0], [10.0, 90.0, 50.0, 10.0, 90.0]
    picture = rasterize(x, y, [True, True, False, True, True], 4.0)[..., 0]
    assert picture[50, 20] == picture[50, 80] == INK
    assert not picture[:, 30:70].any()


def test_the_picture_is_uint8_100_by_100_and_binary():
    picture = rasterize([0.0, 100.0], [0.0, 100.0], [True, True], 3.0)
    assert picture.dtype == np.uint8
    assert picture.shape == (100, 100, 1)
    assert set(np.unique(picture)) == {0, INK}
