import numpy as np

from pipelines.figures import terminal


def test_pixels_are_the_dots_that_unicode_numbers():
    """Braille patterns: dots 1 2 3 7 down the left, 4 5 6 8 down the right."""
    picture = np.zeros((4, 2, 1), "uint8")
    picture[0, 0] = picture[3, 1] = 255  # dots 1 and 8
    assert terminal.drawn(picture) == chr(0x2800 + 0x01 + 0x80)


def test_margins_are_left_out():
    picture = np.zeros((100, 100, 1), "uint8")
    picture[40:48, 50:54] = 255
    full = chr(0x28FF)
    assert terminal.drawn(picture) == f"{full}{full}\n{full}{full}"
    picture[52, 80] = 255  # dot 1, 13 characters to the right, a line below
    lines = terminal.drawn(picture).split("\n")
    assert lines[0] == full + full
    assert lines[3] == chr(0x2800) * 15 + chr(0x2801)


def test_a_blank_picture_is_nothing():
    assert terminal.drawn(np.zeros((100, 100, 1), "uint8")) == ""
