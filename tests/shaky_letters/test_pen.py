import dataclasses

import numpy as np
import pytest

from shaky_letters.pen import RATE, Hands, write
from shaky_letters.raster import SIZE
from shaky_letters.strokes import alphabet

LINE = (np.array([[0.0, 0.0], [100.0, 0.0]]),)
SLOW = Hands(size=(80.0, 80.0), pace=(16.0, 16.0))


def spectrum(recording, axis):
    """Amplitude per frequency of the deflection from a smooth curve, zero-padded."""
    values, t = getattr(recording, axis), recording.t
    rest = values - np.polyval(np.polyfit(t, values, 5), t)
    padded = 8 * len(t)
    window = np.hanning(len(t))
    size = np.abs(np.fft.rfft(rest * window, padded)) * 2 / window.sum()
    return np.fft.rfftfreq(padded, 1 / RATE), size


def test_a_shaky_hand_s_ink_oscillates_at_its_tremor_s_frequency_and_size():
    off, ratio = [], []
    for seed in range(40):
        pen = write(LINE, SLOW, True, np.random.default_rng(seed))
        peaks = [spectrum(pen, axis) for axis in "xy"]
        hz, size = max(peaks, key=lambda s: s[1].max())
        off.append(abs(hz[size.argmax()] - pen.tremor_hz))
        total = np.hypot(*(s[1].max() for s in peaks))
        ratio.append(total / pen.tremor_amplitude)
    assert np.median(off) < 0.3
    # The drift spreads the peak over neighbouring frequencies; the sheet's
    # distortion stretches some strokes and shortens others.
    assert 0.6 < np.median(ratio) < 1.3


def test_a_regular_hand_has_jitter_of_8_to_12_hz_and_nothing_below():
    for seed in range(20):
        pen = write(LINE, SLOW, False, np.random.default_rng(seed))
        assert pen.tremor_hz == pen.tremor_amplitude == 0
        hz, size = spectrum(pen, "y")
        jitter, tremor = size[(hz > 7.5) & (hz < 13)].max(), size[(hz > 4) & (hz < 7)]
        assert 0.02 < jitter < 0.6
        assert tremor.max() < 0.5


def test_the_pen_keeps_its_pace_on_paper():
    for seed in range(10):
        quiet = dataclasses.replace(SLOW, jitter_amplitude=(0.0, 0.0))
        pen = write(LINE, quiet, False, np.random.default_rng(seed))
        assert pen.t[-1] == pytest.approx(80 / 16, abs=2 / RATE)
        np.testing.assert_allclose(np.diff(pen.t), 1 / RATE)


def test_the_pen_slows_down_in_curves():
    angle = np.linspace(0, 10 * np.pi, 300)[:, None]
    circles = np.array([50.0, 20.0]) + 4 * np.hstack([np.cos(angle), np.sin(angle)])
    quiet = dataclasses.replace(SLOW, jitter_amplitude=(0.0, 0.0))
    slower = []
    for seed in range(20):
        pen = write((*LINE, circles), quiet, False, np.random.default_rng(seed))
        speed = np.hypot(np.diff(pen.x), np.diff(pen.y))
        lift = np.flatnonzero(~pen.pen_down)
        slower.append(speed[lift[-1] + 2 :].mean() / speed[: lift[0] - 1].mean())
    # The two-thirds law, at a radius of 3.2 pixels against a straight line.
    assert 0.5 < np.median(slower) < 0.85


def test_all_ink_lies_inside_the_picture():
    letters = alphabet("script")
    for seed in range(100):
        rng = np.random.default_rng(seed)
        letter = list(letters)[seed % 52]
        pen = write(letters[letter], Hands(size=(90.0, 99.0)), bool(seed % 2), rng)
        for values in (pen.x[pen.pen_down], pen.y[pen.pen_down]):
            assert values.min() >= pen.pen_width / 2
            assert values.max() <= SIZE - pen.pen_width / 2


@pytest.mark.parametrize("letter", list("ijtXEF"))
def test_every_stroke_of_a_path_is_written(letter):
    path = alphabet("print")[letter]
    for seed in range(20):
        pen = write(path, Hands(), False, np.random.default_rng(seed))
        starts = np.diff(pen.pen_down.astype(int), prepend=0) == 1
        assert starts.sum() == len(path)


def test_a_recording_is_exact_in_64ths_of_a_pixel():
    pen = write(alphabet("print")["a"], Hands(), True, np.random.default_rng(0))
    for values in (pen.x, pen.y):
        np.testing.assert_array_equal(values * 64, np.rint(values * 64))
    assert pen.pen_width * 32 == round(pen.pen_width * 32)


def test_the_same_numbers_write_the_same_ink():
    one, two = (
        write(alphabet("print")["a"], Hands(), True, np.random.default_rng(5))
        for _ in range(2)
    )
    np.testing.assert_array_equal(one.x, two.x)
    np.testing.assert_array_equal(one.y, two.y)
