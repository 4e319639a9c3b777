"""Handwriting: a hand moves a pen along a path, in time.

A writer has a size, a slant, a pen and a pace; the pen slows down in curves and lifts
between strokes. Every hand has a little physiological jitter at 8 to 12 Hz. A shaky
hand has a tremor besides: a narrow-band oscillation of 4 to 7 Hz along an axis of its
own, whose amplitude and frequency drift. It goes on while the pen is in the air, and
what it does to the ink depends on the pace, as on paper. The sheet is then turned,
sheared and stretched like rubber, as in the paper (Simard et al. 2003).
"""

import dataclasses

import numpy as np

from .raster import SIZE, UNITS, quantize
from .strokes import Path

RATE = 100
"""Pen samples per second."""

_CURVE_RADIUS = 8.0  # pixels; curves tighter than this slow the pen down
_LIFT = 0.12  # seconds that a pen lift takes
_ROTATION = np.radians(7)  # standard deviations of the sheet's
_SHEAR = 0.12  # distortions
_STRETCH = 0.1
_OFFSET = 5.0  # pixels; of the ink from the picture's middle

# Elastic distortion: Simard et al.'s blur and strength (4 and 34 for 29 x 29 pixels)
# at this size, up to a random share of that strength.
_BLUR = 4 / 29 * SIZE
_ELASTIC = (0.2 * 34 / 29 * SIZE, 0.6 * 34 / 29 * SIZE)
_KNOTS = np.arange(-3 * _BLUR, SIZE + 3 * _BLUR, _BLUR)

Range = tuple[float, float]


@dataclasses.dataclass(frozen=True)
class Hands:
    """The writers that a split is drawn from; every range is uniform (low, high).

    Attributes:
        size: larger side of the box around the path, pixels.
        pace: mean pen speed on paper, pixels per second.
        width: of the pen's tip, pixels.
        tremor_hz: frequency of a shaky hand's tremor.
        tremor_amplitude: its peak deflection, pixels.
        jitter_hz: frequency of the physiological jitter that both classes have.
        jitter_amplitude: its peak deflection, pixels.
    """

    size: Range = (50.0, 78.0)
    pace: Range = (28.0, 50.0)
    width: Range = (2.0, 4.0)
    tremor_hz: Range = (4.0, 6.2)
    tremor_amplitude: Range = (3.0, 4.6)
    jitter_hz: Range = (8.0, 12.0)
    jitter_amplitude: Range = (0.1, 0.3)


@dataclasses.dataclass(frozen=True)
class Trajectory:
    """The path of a pen in time, as a digitiser would have recorded it.

    Attributes:
        x, y: shape (n,), pixels, multiples of 1/64.
        t: shape (n,), seconds.
        pen_down: shape (n,), bool.
        pen_width: pixels, a multiple of 1/32.
        tremor_hz: of the hand; 0 for a regular one.
        tremor_amplitude: of the hand, pixels; 0 for a regular one.
    """

    x: np.ndarray
    y: np.ndarray
    t: np.ndarray
    pen_down: np.ndarray
    pen_width: float
    tremor_hz: float
    tremor_amplitude: float


def write(
    path: Path, hands: Hands, shaky: bool, rng: np.random.Generator
) -> Trajectory:
    """Writes a path once, with a hand drawn from `hands`."""
    size, pace = rng.uniform(*hands.size), rng.uniform(*hands.pace)
    x, y, t, pen_down = _follow(path, size, pace, rng)

    width = quantize(rng.uniform(*hands.width) / 2) / (UNITS / 2)
    hz = rng.uniform(*hands.tremor_hz) if shaky else 0.0
    amplitude = rng.uniform(*hands.tremor_amplitude) if shaky else 0.0
    if shaky:
        # Mostly along one axis, less across it: an ellipse.
        axis = rng.uniform(0, np.pi)
        along = _oscillate(t, hz, amplitude, rng)
        across = _oscillate(t, hz, 0.7 * amplitude, rng)
        x = x + np.cos(axis) * along - np.sin(axis) * across
        y = y + np.sin(axis) * along + np.cos(axis) * across
    x = x + _jitter(t, hands, rng)
    y = y + _jitter(t, hands, rng)

    x, y = _place(*distort(x, y, rng), pen_down, width / 2, rng)
    return Trajectory(
        quantize(x) / UNITS, quantize(y) / UNITS, t, pen_down, width, hz, amplitude
    )


def _follow(
    path: Path, size: float, pace: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Samples the pen's way along a path, air moves included, at equal times.

    Speed on paper falls with the turn of the path (the two-thirds power law of
    handwriting: speed ~ curvature ** (-1/3)) and drifts along the way.

    Returns:
        x, y, t, pen_down, each of shape (n,).
    """
    points = np.concatenate(path)
    points *= size / np.ptp(points, axis=0).max()
    side = np.diff(points, axis=0)
    distance = np.hypot(side[:, 0], side[:, 1])
    heading = np.arctan2(side[:, 1], side[:, 0])
    turn = np.abs((np.diff(heading, prepend=heading[0]) + np.pi) % (2 * np.pi) - np.pi)
    slowness = np.cbrt(1 + _CURVE_RADIUS * turn / np.maximum(distance, 0.5))
    slowness *= np.exp(_wander(len(distance), 40, 0.2, rng))

    # Sides that join two strokes are made in the air: twice as fast, after a pause.
    air = np.zeros(len(distance), bool)
    air[np.cumsum([len(stroke) for stroke in path])[:-1] - 1] = True
    ink = np.where(air, 0.0, distance)
    duration = ink * slowness * ink.sum() / (ink * slowness).sum() / pace
    duration[air] = distance[air] / (2 * pace) + _LIFT
    time = np.concatenate([[0.0], np.cumsum(duration)])

    t = np.arange(0, time[-1], 1 / RATE)
    pen_down = ~air[np.searchsorted(time, t, side="right") - 1]
    return (
        np.interp(t, time, points[:, 0]),
        np.interp(t, time, points[:, 1]),
        t,
        pen_down,
    )


def _wander(n: int, every: int, spread: float, rng: np.random.Generator) -> np.ndarray:
    """Returns n samples of a slow drift about 0: normal knots joined by lines."""
    knots = rng.normal(0, spread, n // every + 2)
    return np.interp(np.arange(n) / every, np.arange(len(knots)), knots)


def _oscillate(
    t: np.ndarray, hz: float, amplitude: float, rng: np.random.Generator
) -> np.ndarray:
    """Returns a narrow-band oscillation whose frequency and amplitude drift."""
    drift = RATE // 4
    frequency = hz * np.exp(_wander(len(t), drift, 0.06, rng))
    size = amplitude * np.exp(_wander(len(t), drift, 0.2, rng))
    phase = rng.uniform(0, 2 * np.pi) + np.cumsum(frequency) * (2 * np.pi / RATE)
    return size * np.sin(phase)


def _jitter(t: np.ndarray, hands: Hands, rng: np.random.Generator) -> np.ndarray:
    return _oscillate(
        t, rng.uniform(*hands.jitter_hz), rng.uniform(*hands.jitter_amplitude), rng
    )


def distort(
    x: np.ndarray, y: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Turns, shears and stretches the sheet about the writing's middle."""
    middle = np.array([x.mean(), y.mean()])
    a, b = rng.normal(0, _ROTATION), rng.normal(0, _SHEAR)
    stretch = np.exp(rng.normal(0, _STRETCH))
    cos, sin = np.cos(a), np.sin(a)
    affine = np.array([[cos, -sin], [sin, cos]]) @ [[stretch, b], [0, 1 / stretch]]
    x, y = affine @ (np.stack([x, y]) - middle[:, None]) + SIZE / 2

    # Uniform noise, blurred by a Gaussian, times a strength. Instead of one number a
    # pixel the noise has one every _BLUR pixels, of as much more weight, which after
    # the blur is the same to four digits; it is evaluated at the pen's positions alone.
    noise = rng.uniform(-1, 1, (2, len(_KNOTS), len(_KNOTS)))
    noise *= rng.uniform(*_ELASTIC) / (2 * np.pi * _BLUR)
    across = np.exp(-0.5 * ((x[:, None] - _KNOTS) / _BLUR) ** 2)
    down = np.exp(-0.5 * ((y[:, None] - _KNOTS) / _BLUR) ** 2)
    return (
        x + ((down @ noise[0]) * across).sum(1),
        y + ((down @ noise[1]) * across).sum(1),
    )


def _place(
    x: np.ndarray,
    y: np.ndarray,
    pen_down: np.ndarray,
    radius: float,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Moves the ink to a random place inside the picture; what is too big shrinks."""
    margin = radius + 1.5
    ink = np.stack([x[pen_down], y[pen_down]])
    low, high = ink.min(1), ink.max(1)
    scale = min(1.0, (SIZE - 2 * margin) / (high - low).max())
    middle = (low + high) / 2
    room = SIZE / 2 - margin - scale * (high - low) / 2
    shift = SIZE / 2 + np.clip(rng.normal(0, _OFFSET, 2), -room, room)
    return (
        (x - middle[0]) * scale + shift[0],
        (y - middle[1]) * scale + shift[1],
    )
