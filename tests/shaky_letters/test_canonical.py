"""The canonical picture: one for all ways in, with the tremor left in it."""

import cv2
import numpy as np
import pytest

from shaky_letters import canonical
from shaky_letters.raster import rasterize
from shaky_letters.strokes import alphabet

STEP = 0.25  # pixels between the samples of a line


def letter(name, wave=0.0, length=7.0):
    """A letter's path, 70 large, with a sine of this peak and length across it."""
    (stroke,) = alphabet("print")[name]
    stroke = stroke * (70 / np.ptp(stroke, axis=0).max())
    along = np.append(0, np.cumsum(np.hypot(*np.diff(stroke, axis=0).T)))
    at = np.arange(0, along[-1], STEP)
    x, y = (np.interp(at, along, axis) for axis in stroke.T)
    heading = np.arctan2(np.gradient(y), np.gradient(x))
    off = wave * np.sin(2 * np.pi * at / length)
    return x - off * np.sin(heading), y + off * np.cos(heading)


def drawn(x, y, width, size=100, scale=1.0):
    """A picture as some program draws it: pixels whose middle the pen passed over."""
    x, y = ((v - (v.min() + v.max()) / 2) * scale + size / 2 for v in (x, y))
    ink = rasterize(x, y, np.ones(len(x), bool), width * scale, size)
    return (ink[..., 0] / 255).astype("float32")


def waviness(picture):
    """How far the line of an O goes in and out: the peak of a sine with its waves.

    Waves are those from 9 to 60 around; slower ones are the letter's own.
    """
    y, x = np.nonzero(picture[..., 0])
    x, y = x + 0.5 - 64, y + 0.5 - 64
    place = ((np.arctan2(y, x) / (2 * np.pi) + 0.5) * 180).astype(int) % 180
    count = np.bincount(place, minlength=180)
    assert count.all(), "the line has gaps"
    radius = np.bincount(place, np.hypot(x, y), minlength=180) / count
    waves = np.fft.rfft(radius)
    waves[:9] = waves[60:] = 0
    return np.fft.irfft(waves, 180).std() * np.sqrt(2)


def near(one, other, pixels):
    """The share of a line that lies within some pixels of another one, both ways."""
    shares = []
    for line, beside in ((one, other), (other, one)):
        away = cv2.distanceTransform((beside[..., 0] == 0).astype("uint8"), 2, 5)
        shares.append((away[line[..., 0] > 0] <= pixels).mean())
    return min(shares)


def test_a_path_is_drawn_in_a_box_of_one_size_with_one_pen():
    square = np.array([0, 10, 10, 0, 0.0]), np.array([0, 0, 10, 10, 0.0])
    picture = canonical.of_path(*square, np.ones(5, bool))
    assert picture.shape == (128, 128, 1)
    assert set(np.unique(picture)) == {0, 255}
    # By hand: the square's middle line is 108 large, from 10 to 118, its pen 2.5 wide;
    # the pixels whose middles lie between 8.75 and 11.25 are those of columns 9 and 10.
    assert list(np.flatnonzero(picture[64, :, 0])) == [9, 10, 117, 118]
    assert list(np.flatnonzero(picture[:, 64, 0])) == [9, 10, 117, 118]


@pytest.mark.parametrize("width", [1, 2, 3, 4, 6, 8])
@pytest.mark.parametrize("scale", [1.0, 8.0])
@pytest.mark.parametrize("name", ["O", "S", "C"])
def test_a_picture_gives_what_the_path_gives_whatever_the_pen(name, scale, width):
    x, y = letter(name)
    ink = drawn(x, y, width, size=round(100 * scale), scale=scale)
    picture, found = canonical.of_ink(ink)
    expected = canonical.of_path(x, y, np.ones(len(x), bool))
    assert near(picture, expected, 2.3) > 0.98
    # A pixel of the picture that was drawn is as much as widths are known by.
    assert found == pytest.approx(width * 108 / 70, abs=108 / 70 / scale)


@pytest.mark.parametrize("width", [1, 2, 3, 4, 6, 8])
def test_a_tremor_of_one_pixel_is_left_in_it(width):
    """By pens from 1 to 8 pixels in a drawing of 70, as rasters without any smoothing.

    A broad pen fills the inner side of every bend: less is left of its tremor, but more
    than there is in a calm line.
    """
    calm, shaky = (
        waviness(canonical.of_ink(drawn(*letter("O", wave), width))[0])
        for wave in (0, 1.0)
    )
    x, y = letter("O", 1.0)
    whole = waviness(canonical.of_path(x, y, np.ones(len(x), bool)))
    assert whole == pytest.approx(108 / 70, rel=0.2)
    assert calm < 0.4
    assert shaky > (0.6 * whole if width < 5 else 1.5 * calm)


def test_a_sheet_is_turned_back():
    x, y = letter("S")
    angle = np.radians(20)
    turned = (
        x * np.cos(angle) - y * np.sin(angle),
        x * np.sin(angle) + y * np.cos(angle),
    )
    upright, _ = canonical.of_ink(drawn(x, y, 3))
    # Turned clockwise on screens, whose y points down; so it is turned back by -20.
    picture, _ = canonical.of_ink(drawn(*turned, 3), turned=-20)
    assert near(picture, upright, 2.3) > 0.97


def test_a_picture_all_ink_and_one_without():
    picture, _ = canonical.of_ink(np.ones((50, 40), "float32"))
    assert picture.shape == (128, 128, 1)
    with pytest.raises(ValueError, match="no ink"):
        canonical.of_ink(np.zeros((50, 40), "float32"))
    with pytest.raises(ValueError, match="no ink"):
        canonical.of_path(np.arange(3.0), np.arange(3.0), np.zeros(3, bool))
    with pytest.raises(ValueError, match="single dot"):
        canonical.of_path(np.ones(3), np.ones(3), np.ones(3, bool))
