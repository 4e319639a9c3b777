"""Writers: the habits of a hand, which say nothing of tremor."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Writer:
    """A person's hand; lengths are in seventieths of a drawing's larger side.

    Attributes:
        slant: shear of what is written, a tangent.
        aspect: how much wider than high it becomes, a factor.
        turn: of the sheet, radians.
        bend: how far the sheet is bent like rubber.
        pace: speed of the pen on paper, per second.
        unevenness: of that speed, standard deviation of its logarithm.
        wandering: size of the hand's slow deviations, below 1.6 Hz.
        jitter: peak of the physiological jitter at 8 to 12 Hz.
        pen: width of the pen's tip.
        pressure: how unevenly the pen is pressed, standard deviation of the logarithm
            of its line's width.
        shrinking: share of its size that writing loses on its way.
        rounding: samples over which corners are cut.
        hesitation: how often the pen stops on its way, a share.
        retracing: how often a part is written twice, a share.
        overshoot: how often a stroke ends in a hook, a share.
        skipping: how many times a pen leaves no ink for a moment, on average.
        blotting: how many blots it leaves, on average.
    """

    slant: float
    aspect: float
    turn: float
    bend: float
    pace: float
    unevenness: float
    wandering: float
    jitter: float
    pen: float
    pressure: float
    shrinking: float
    rounding: int
    hesitation: float
    retracing: float
    overshoot: float
    skipping: float
    blotting: float


def writer(rng: np.random.Generator) -> Writer:
    """Draws a writer."""
    return Writer(
        slant=rng.normal(0, 0.2),
        aspect=np.exp(rng.normal(0, 0.15)),
        turn=rng.normal(0, 0.1),
        bend=rng.uniform(0, 2),
        pace=log_uniform(rng, 25, 130),
        unevenness=rng.uniform(0.1, 0.45),
        wandering=log_uniform(rng, 0.2, 1.5),
        jitter=rng.uniform(0.03, 0.3),
        pen=log_uniform(rng, 0.8, 8),
        pressure=rng.choice([0, 0, 0.1, 0.2, 0.35]),
        shrinking=rng.choice([0, 0, 0, 0.3, 0.5]),
        rounding=rng.choice([0, 1, 3]),
        hesitation=rng.choice([0, 0, 0.3, 0.9]),
        retracing=rng.choice([0, 0, 0.3, 0.8]),
        overshoot=rng.uniform(0, 0.35),
        skipping=rng.choice([0, 1, 4, 8]),
        blotting=rng.choice([0, 1, 2, 4]),
    )


def any_of(rng: np.random.Generator, shares: dict[str, float]) -> str:
    """Draws a name by the shares of all, which are together 1."""
    at, total = rng.random(), 0.0
    for name, share in shares.items():
        total += share
        if at < total:
            return name
    return name


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Draws a number whose logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
