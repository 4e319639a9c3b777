"""The pen's way along a path, in time: what a hand makes of what it means to write."""

import dataclasses

import numpy as np

from ..strokes import Path
from .writers import Writer

RATE = 100
"""Samples per second."""

SIDE = 70.0
"""Larger side of the box around what is written, before the hand moves: the unit of
pens and tremors is a seventieth of a drawing."""

_LIFT = 0.12  # seconds that a pen lift takes
_CURVE_RADIUS = 8.0  # curves tighter than this slow the pen down
_LONGEST = 24.0  # seconds of a drawing; of a longer one the pen is faster


@dataclasses.dataclass(frozen=True)
class Motion:
    """A pen's way in time.

    Attributes:
        x, y: shape (n,), to the right and downwards.
        pen_down: shape (n,), bool.
    """

    x: np.ndarray
    y: np.ndarray
    pen_down: np.ndarray

    @property
    def t(self) -> np.ndarray:
        """Seconds since the first sample, shape (n,)."""
        return np.arange(len(self.x)) / RATE

    def moved(self, x: np.ndarray, y: np.ndarray) -> "Motion":
        """Returns the motion with something added to it."""
        return dataclasses.replace(self, x=self.x + x, y=self.y + y)


def follow(path: Path, writer: Writer, rng: np.random.Generator) -> Motion:
    """Writes a path once, with a writer's habits and without tremor or jitter."""
    points = _on_sheet(path, writer, rng)
    ends = np.cumsum([len(stroke) for stroke in path])[:-1] - 1
    motion = _timed(points, ends, writer, rng)
    if writer.rounding:
        motion = _rounded(motion, 2 * writer.rounding + 1)
    # A hand's slow deviations, of a period of 0.6 seconds at least.
    n, every = len(motion.x), RATE * rng.uniform(0.6, 2)
    every, spread = max(every, n / 12), 0.6 * writer.wandering
    motion = motion.moved(*(drift(n, every, spread, rng) for _ in range(2)))
    if rng.random() < writer.retracing:
        motion = _retraced(motion, rng)
    if rng.random() < writer.overshoot:
        motion = _hooked(motion, rng)
    return _skipping(motion, rng.poisson(writer.skipping), rng)


def drift(n: int, every: float, spread: float, rng: np.random.Generator) -> np.ndarray:
    """Returns n samples of a smooth curve through normal knots.

    Args:
        n: how many samples.
        every: samples from knot to knot.
        spread: standard deviation of the knots.
        rng: draws them.
    """
    knots = rng.normal(0, spread, int(n / every) + 4)
    at = np.arange(n) / every + 1
    i = at.astype("int64")
    u = at - i
    a, b, c, d = knots[i - 1], knots[i], knots[i + 1], knots[i + 2]
    # Catmull-Rom splines.
    bend = u * (3 * (b - c) + d - a)
    return b + u / 2 * (c - a + u * (2 * a - 5 * b + 4 * c - d + bend))


def smoothed(values: np.ndarray, samples: int) -> np.ndarray:
    """Returns means over an odd number of samples; shape (n,)."""
    half = samples // 2
    total = np.cumsum(np.pad(values, (half + 1, half), mode="edge"))
    return (total[samples:] - total[:-samples]) / samples


def _on_sheet(path: Path, writer: Writer, rng: np.random.Generator) -> np.ndarray:
    """Returns a path's points as they are to stand on the sheet, shape (n, 2)."""
    points = np.concatenate(path)
    points = points - points.mean(0)
    cos, sin = np.cos(writer.turn), np.sin(writer.turn)
    shape = np.array(
        [
            [writer.aspect, -writer.slant * writer.aspect],
            [0, 1 / writer.aspect],
        ]
    )
    points = points @ shape.T @ [[cos, sin], [-sin, cos]]
    if writer.shrinking:
        points = points * np.linspace(1, 1 - writer.shrinking, len(points))[:, None]
    points = points * (SIDE / np.ptp(points, axis=0).max())
    # A few long waves bend the sheet.
    waves, phase = rng.uniform(0.04, 0.11, 4), rng.uniform(0, 2 * np.pi, 4)
    x, y = points.T
    bent = np.sin(np.stack([y, x, x, y]) * waves[:, None] + phase[:, None])
    return points + writer.bend * (bent[[0, 2]] + bent[[1, 3]]).T


def _timed(
    points: np.ndarray, ends: np.ndarray, writer: Writer, rng: np.random.Generator
) -> Motion:
    """Samples the way along points at equal times.

    Speed on paper falls with the turn of the path (the two-thirds power law of
    handwriting: speed ~ curvature ** (-1/3)) and drifts along the way.

    Args:
        points: shape (n, 2).
        ends: the last point of each stroke but the last one.
        writer: says how fast.
        rng: draws what is uneven.
    """
    side = np.diff(points, axis=0)
    distance = np.hypot(side[:, 0], side[:, 1])
    heading = np.arctan2(side[:, 1], side[:, 0])
    turn = np.abs((np.diff(heading, prepend=heading[0]) + np.pi) % (2 * np.pi) - np.pi)
    slowness = np.cbrt(1 + _CURVE_RADIUS * turn / np.maximum(distance, 0.5))
    slowness *= np.exp(drift(len(distance), 30, writer.unevenness, rng))
    air = np.zeros(len(distance), bool)
    air[ends] = True
    ink = np.where(air, 0.0, distance)
    duration = ink * slowness * ink.sum() / (ink * slowness).sum() / writer.pace
    if rng.random() < writer.hesitation:
        duration[rng.integers(len(duration))] += rng.uniform(0.1, 0.6)
    duration[air] = distance[air] / (2 * writer.pace) + _LIFT
    duration *= min(1.0, _LONGEST / duration.sum())
    time = np.concatenate([[0.0], np.cumsum(duration)])
    t = np.arange(0, max(time[-1], 8 / RATE), 1 / RATE)
    at = np.minimum(np.searchsorted(time, t, side="right") - 1, len(air) - 1)
    x, y = (np.interp(t, time, points[:, axis]) for axis in (0, 1))
    return Motion(x, y, ~air[at])


def _rounded(motion: Motion, samples: int) -> Motion:
    """Returns a motion whose corners are cut; strokes' ends stay."""
    inside = smoothed(motion.pen_down.astype("float64"), samples) > 1 - 1e-9
    x, y = (np.where(inside, smoothed(v, samples), v) for v in (motion.x, motion.y))
    return dataclasses.replace(motion, x=x, y=y)


def _retraced(motion: Motion, rng: np.random.Generator) -> Motion:
    """Returns a motion of which a part is drawn back again, a little beside."""
    n = len(motion.x)
    first = int(rng.integers(0, n - 4))
    last = min(n, first + 3 + int(rng.uniform(0.05, 0.3) * n))
    if not motion.pen_down[first:last].all():
        return motion
    beside = np.linspace(0, 1, last - first)
    x, y = (
        np.concatenate(
            [v[:last], v[first:last][::-1] + rng.normal(0, 1.2) * beside, v[last:]]
        )
        for v in (motion.x, motion.y)
    )
    down = np.insert(motion.pen_down, last, motion.pen_down[first:last])
    if last < n:  # the pen is lifted to go on where it was
        down[2 * last - first] = False
    return Motion(x, y, down)


def _skipping(motion: Motion, times: int, rng: np.random.Generator) -> Motion:
    """Returns a motion whose pen leaves no ink for moments of up to a tenth second."""
    down = motion.pen_down.copy()
    for first in rng.integers(5, max(6, len(down) - 15), times):
        down[first : first + rng.integers(3, 11)] = False
    return dataclasses.replace(motion, pen_down=down) if down.any() else motion


def _hooked(motion: Motion, rng: np.random.Generator) -> Motion:
    """Returns a motion that goes on for a little after its end, bending off."""
    before = min(len(motion.x), 6)
    heading = np.arctan2(
        motion.y[-1] - motion.y[-before], motion.x[-1] - motion.x[-before]
    )
    count = int(rng.integers(3, 12))
    along = np.linspace(0, 1, count + 1)[1:]
    heading = heading + rng.normal(0, 0.7) * along
    along = along * rng.uniform(1, 6)
    x = np.append(motion.x, motion.x[-1] + along * np.cos(heading))
    y = np.append(motion.y, motion.y[-1] + along * np.sin(heading))
    down = np.append(motion.pen_down, np.full(count, motion.pen_down[-1]))
    return Motion(x, y, down)
