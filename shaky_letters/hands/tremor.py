"""Tremor, and the jitter of every hand: oscillations that are added to a motion."""

import dataclasses

import numpy as np

from .motion import RATE, Motion, drift, smoothed
from .writers import any_of, log_uniform

AMPLITUDE = (0.8, 5.0)
"""Peak deflection of a shaky hand, seventieths of a drawing's larger side."""

HZ = (3.5, 12.0)

_STEEPEST = 4.0  # peaks in the length of a wave on paper, at least

DIRECTIONS = {"across": 0.45, "axis": 0.3, "elliptic": 0.1, "rotating": 0.15}
"""Where a tremor moves the pen, and how often: across its way, along an axis, around
an ellipse, along an axis that turns."""

COURSES = {"steady": 0.55, "waxing": 0.15, "bursts": 0.15, "part": 0.15}
"""How a tremor goes on, and how often."""


@dataclasses.dataclass(frozen=True)
class Tremor:
    """A shaky hand's tremor.

    Attributes:
        amplitude: peak deflection, seventieths of a drawing's larger side.
        hz: frequency.
        direction: one of `DIRECTIONS`.
        course: one of `COURSES`.
        jerk: 0 for a sine; the more, the squarer.
        drift: of amplitude and frequency, standard deviation of their logarithms.
    """

    amplitude: float
    hz: float
    direction: str
    course: str
    jerk: float
    drift: float


def largest(pace: float) -> float:
    """Returns the largest peak that a pen of a pace has room for, at the slowest."""
    return pace / (_STEEPEST * HZ[0])


def tremor(
    rng: np.random.Generator, pace: float, amplitude: tuple[float, float] = AMPLITUDE
) -> Tremor:
    """Draws a tremor, its amplitude's logarithm uniform.

    Args:
        rng: draws it.
        pace: of the pen, seventieths of the drawing per second. Large tremors are slow:
            a wave of the line is no shorter than four of its peaks, or they
            would fill a band, as a broad pen does.
        amplitude: its range.
    """
    peak = min(log_uniform(rng, *amplitude), largest(pace))
    fastest = np.clip(pace / (_STEEPEST * peak), *HZ)
    return Tremor(
        amplitude=peak,
        hz=rng.uniform(HZ[0], fastest),
        direction=any_of(rng, DIRECTIONS),
        course=any_of(rng, COURSES),
        jerk=rng.choice([0, 0, rng.uniform(0.3, 3)]),
        drift=rng.uniform(0.02, 0.15),
    )


def shake(motion: Motion, tremor: Tremor, rng: np.random.Generator) -> Motion:
    """Returns a motion with a tremor, which goes on while the pen is in the air."""
    n = len(motion.x)
    phase = _phase(n, tremor.hz, tremor.drift, rng)
    wave = np.sin(phase)
    if tremor.jerk:
        wave = np.tanh(tremor.jerk * wave) / np.tanh(tremor.jerk)
    size = np.exp(drift(n, RATE / 4, tremor.drift, rng) - tremor.drift / 10)
    size *= tremor.amplitude * _course(motion, tremor.course, rng)
    wave *= size
    if tremor.direction == "across":
        # Across where the hand means to go, which is smoother than where it goes.
        heading = np.arctan2(
            *(np.gradient(smoothed(v, 9)) for v in (motion.y, motion.x))
        )
        return motion.moved(-np.sin(heading) * wave, np.cos(heading) * wave)
    axis = rng.uniform(0, np.pi)
    if tremor.direction == "rotating":
        axis = axis + 2 * np.pi * rng.uniform(0.1, 0.5) * motion.t
    x, y = np.cos(axis) * wave, np.sin(axis) * wave
    if tremor.direction == "elliptic":
        other = rng.uniform(0.3, 1) * size * np.cos(phase)
        x, y = x - np.sin(axis) * other, y + np.cos(axis) * other
    return motion.moved(x, y)


def jitter(motion: Motion, size: float, rng: np.random.Generator) -> np.ndarray:
    """Returns what physiological jitter adds along an axis, shape (n,).

    Args:
        motion: of the hand.
        size: peak deflection.
        rng: draws it.
    """
    n = len(motion.x)
    phase = _phase(n, rng.uniform(8, 12), 0.06, rng)
    return size * np.exp(drift(n, RATE / 4, 0.2, rng)) * np.sin(phase)


def _phase(n: int, hz: float, spread: float, rng: np.random.Generator) -> np.ndarray:
    """Returns the phase of an oscillation whose frequency drifts, shape (n,)."""
    frequency = hz * np.exp(drift(n, RATE / 4, spread, rng))
    return rng.uniform(0, 2 * np.pi) + np.cumsum(frequency) * (2 * np.pi / RATE)


def _course(
    motion: Motion, course: str, rng: np.random.Generator
) -> np.ndarray | float:
    """Returns a tremor's size along the way, 1 at most; shape (n,)."""
    along = np.linspace(0, 1, len(motion.x))
    if course == "waxing":
        return 0.15 + 0.85 * (along if rng.random() < 0.5 else 1 - along)
    if course == "bursts":
        phase = 2 * np.pi * motion.t / rng.uniform(0.6, 2) + rng.uniform(0, 2 * np.pi)
        return np.clip(0.5 + 2 * np.sin(phase), 0.05, 1)
    if course == "part":
        first, share = rng.uniform(0, 0.6), rng.uniform(0.35, 0.6)
        edges = np.minimum(along - first, first + share - along)
        return np.clip(edges / 0.04, 0, 1)
    return 1.0
