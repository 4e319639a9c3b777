"""How good a classifier's answers are, with 95 % confidence intervals.

An interval holds all θ from which what was found, θ̂, is not too far for chance:

    (θ − θ̂)² ≤ 1.96²·V(θ).

- For a share of n images, V(θ) = θ(1 − θ)/n: Wilson's interval (1927).
- For the area under the ROC curve, with m images of the class and n others,
  V(θ) = θ(1 − θ)·(1 + N·(1 − θ)/(2 − θ) + N·θ/(1 + θ)) / (m·n), N = (m + n)/2 − 1:
  Newcombe's (2006, "Confidence intervals for an effect size measure based on the
  Mann-Whitney statistic. Part 2", method 5), after Hanley and McNeil (1982).

As V is that of θ, not of θ̂, both stay between 0 and 1, and do not shrink to nothing
where every answer is right, as θ̂ ± 1.96 standard errors, DeLong's and the bootstrap's
percentiles do.

Images of one person resemble each other, and say less than as many of several persons.
Where persons are known, they are drawn again and again with all their images (Rutter
2000, "Bootstrap estimation of diagnostic accuracy with patient-clustered data"), 2,000
times, always the same. By how much θ̂ then varies more than V(θ̂), by so much V is
larger, and Student's distribution for so few persons takes the place of 1.96, as Korn
and Graubard do it (1998, "Confidence intervals for proportions with small expected
number of positive counts estimated from survey data"). Where all answers are right, or
all wrong, drawing again shows nothing, and each person counts as a single image. Of one
person alone there is no interval otherwise.
"""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from scipy.optimize import brentq
from sklearn import metrics

Interval = tuple[float, float]

_LEVEL = 0.95
_DRAWS = 2000
_BINS = 10


@dataclasses.dataclass(frozen=True)
class ClassScores:
    """How well one class is told from the rest.

    A figure is None where there is no image to tell it from.

    Attributes:
        label: of the class.
        sensitivity: share of its images that are recognised.
        specificity: share of the others that are not taken for it.
        auc: area under the ROC curve: the share of pairs, one image of the class and
            one other, in which the first has the higher probability; ties are halves.
        roc: the curve's corners, (1 − specificity, sensitivity), from (0, 0) to (1, 1).
    """

    label: str
    sensitivity: float | None
    sensitivity_interval: Interval | None
    specificity: float | None
    specificity_interval: Interval | None
    auc: float | None
    auc_interval: Interval | None
    roc: list[tuple[float, float]] | None


@dataclasses.dataclass(frozen=True)
class Bin:
    """The answers that are about equally sure.

    Attributes:
        low, high: where the probability of the answer given lies.
        count: number of answers.
        confidence: their mean probability; None if there are none.
        accuracy: the share that is right; None if there are none.
    """

    low: float
    high: float
    count: int
    confidence: float | None
    accuracy: float | None


@dataclasses.dataclass(frozen=True)
class Calibration:
    """How far probabilities can be taken at their word.

    Attributes:
        brier: mean squared distance of the probabilities from the truth, from 0; for
            two classes that of one of them (Brier 1950, halved).
        error: expected calibration error, mean |confidence − accuracy| of the bins,
            by their counts (Guo et al. 2017).
        reliability: bins of equal width, from 1 / classes, as no answer is less sure
            than that, to 1.
    """

    brier: float
    error: float
    reliability: list[Bin]


@dataclasses.dataclass(frozen=True)
class Scores:
    """The figures of a classifier on a set of images.

    Attributes:
        images: how many.
        persons: who drew them, how many; None if that is not known.
        accuracy: share of right answers.
        confusion: a row for each true class, a column for each answer.
        classes: of two, the one with label 1; of more, each against the rest.
        calibration: of the probabilities.
    """

    images: int
    persons: int | None
    accuracy: float
    accuracy_interval: Interval | None
    confusion: list[list[int]]
    classes: list[ClassScores]
    calibration: Calibration


def scores(
    labels: ArrayLike,
    probabilities: ArrayLike,
    classes: Sequence[str],
    persons: ArrayLike | None = None,
) -> Scores:
    """Compares answers with the truth.

    Args:
        labels: the true classes, shape (n,), from 0; some may be missing.
        probabilities: shape (n, classes), each row adding up to 1. The answer is the
            most probable class.
        classes: their names.
        persons: who drew each image, shape (n,), names or numbers.

    Raises:
        ValueError: there are no images, or the shapes do not fit each other.
    """
    labels = np.asarray(labels, "int64")
    probabilities = np.asarray(probabilities, "float64")
    if not len(labels) or probabilities.shape != (len(labels), len(classes)):
        raise ValueError(
            f"{len(labels)} labels of {len(classes)} classes, and probabilities of "
            f"shape {probabilities.shape}"
        )
    who = None
    if persons is not None:
        who = np.unique(np.asarray(persons), return_inverse=True)[1]
        if who.shape != labels.shape:
            raise ValueError(f"{len(labels)} labels, and persons of shape {who.shape}")
    answers = probabilities.argmax(1)
    accuracy, interval = _share(answers == labels, who)
    every = range(len(classes))
    told = [1] if len(classes) == 2 else every
    return Scores(
        images=len(labels),
        persons=None if who is None else int(who.max()) + 1,
        accuracy=accuracy,
        accuracy_interval=interval,
        confusion=metrics.confusion_matrix(labels, answers, labels=every).tolist(),
        classes=[
            _one_class(classes[k], labels == k, answers == k, probabilities[:, k], who)
            for k in told
        ],
        calibration=calibration(labels, probabilities),
    )


def calibration(labels: ArrayLike, probabilities: ArrayLike) -> Calibration:
    """Compares probabilities with the shares of right answers; see `scores`."""
    labels = np.asarray(labels, "int64")
    probabilities = np.asarray(probabilities, "float64")
    count = probabilities.shape[1]
    confidence = probabilities.max(1)
    right = probabilities.argmax(1) == labels
    edges = np.linspace(1 / count, 1, _BINS + 1)
    place = np.digitize(confidence, edges[1:-1])
    bins, error = [], 0.0
    for i, (low, high) in enumerate(zip(edges.tolist(), edges[1:].tolist())):
        here = place == i
        if not here.any():
            bins.append(Bin(low, high, 0, None, None))
            continue
        sure, share = float(confidence[here].mean()), float(right[here].mean())
        bins.append(Bin(low, high, int(here.sum()), sure, share))
        error += float(here.mean()) * abs(sure - share)
    squares = np.square(probabilities - np.eye(count)[labels]).sum(1)
    brier = float(squares.mean()) / (2 if count == 2 else 1)
    return Calibration(brier, error, bins)


def wilson(share: float, count: int) -> Interval:
    """Returns Wilson's interval of a share of so many images."""
    return _around(share, _of_share(count))


def newcombe(auc: float, positive: int, negative: int) -> Interval:
    """Returns Newcombe's interval of an area under the ROC curve.

    Args:
        auc: as it was found.
        positive: images of the class.
        negative: the others.
    """
    return _around(auc, _of_area(positive, negative))


def _of_share(count: int) -> Callable[[float], float]:
    """Returns V of a share, see the top of this file."""
    return lambda theta: theta * (1 - theta) / count


def _of_area(positive: int, negative: int) -> Callable[[float], float]:
    """Returns V of an area under the ROC curve."""
    n = (positive + negative) / 2 - 1

    def variance(theta: float) -> float:
        pairs = 1 + n * (1 - theta) / (2 - theta) + n * theta / (1 + theta)
        return theta * (1 - theta) * pairs / (positive * negative)

    return variance


def _around(
    found: float,
    variance: Callable[[float], float],
    larger: float = 1.0,
    freedom: float = np.inf,
) -> Interval:
    """Returns the interval around what was found.

    Args:
        found: from 0 to 1.
        variance: V, with V(θ) = V(1 − θ).
        larger: by how much V is.
        freedom: degrees of it, of Student's distribution.
    """
    far = stats.t.ppf((1 + _LEVEL) / 2, freedom) ** 2 * larger

    def low(found: float) -> float:
        if found == 0:
            return 0.0
        # θ = 1 itself is a solution where 1 was found, and not the one.
        below = min(found, 1 - 1e-9)
        return brentq(lambda x: (x - found) ** 2 - far * variance(x), 0, below)

    return low(found), 1 - low(1 - found)


def _one_class(
    label: str,
    positive: np.ndarray,
    answered: np.ndarray,
    probability: np.ndarray,
    who: np.ndarray | None,
) -> ClassScores:
    sensitivity = specificity = auc = (None, None)
    roc = None
    negative = ~positive
    if positive.any():
        sensitivity = _share(answered[positive], _of(who, positive))
    if negative.any():
        specificity = _share(~answered[negative], _of(who, negative))
    if positive.any() and negative.any():
        auc = _area(positive, probability, who)
        false, true, _ = metrics.roc_curve(positive, probability)
        roc = list(zip(false.tolist(), true.tolist()))
    return ClassScores(label, *sensitivity, *specificity, *auc, roc)


def _of(who: np.ndarray | None, chosen: np.ndarray) -> np.ndarray | None:
    return None if who is None else who[chosen]


def _share(right: np.ndarray, who: np.ndarray | None) -> tuple[float, Interval | None]:
    """Returns the share of what is right, and its interval."""
    value = float(right.mean())
    if who is None:
        return value, wilson(value, len(right))
    who = np.unique(who, return_inverse=True)[1]
    persons = int(who.max()) + 1
    if value in (0, 1):
        return value, wilson(value, persons)
    drawn = _drawn(persons)
    shares = (drawn @ np.bincount(who, right)) / (drawn @ np.bincount(who))
    return value, _over_persons(value, _of_share(len(right)), shares, persons)


def _area(
    positive: np.ndarray, probability: np.ndarray, who: np.ndarray | None
) -> tuple[float, Interval | None]:
    """Returns the area under the ROC curve, and its interval."""
    value = float(metrics.roc_auc_score(positive, probability))
    counts = int(positive.sum()), int((~positive).sum())
    if who is None:
        return value, newcombe(value, *counts)
    persons = int(who.max()) + 1
    ours = np.bincount(who[positive], minlength=persons)
    others = np.bincount(who[~positive], minlength=persons)
    few = int((ours > 0).sum()), int((others > 0).sum())
    if value in (0, 1):
        return value, newcombe(value, *few)
    # Pairs won by the images of one person against those of another, ties as halves.
    wins = np.empty((persons, persons))
    higher, of = probability[positive], who[positive]
    for rival in range(persons):
        lower = np.sort(probability[~positive & (who == rival)])
        won = np.searchsorted(lower, higher) + np.searchsorted(lower, higher, "right")
        wins[:, rival] = np.bincount(of, won / 2, persons)
    drawn = _drawn(persons)
    pairs = (drawn @ ours) * (drawn @ others)
    won = ((drawn @ wins) * drawn).sum(1)
    areas = won[pairs > 0] / pairs[pairs > 0]
    return value, _over_persons(value, _of_area(*counts), areas, min(few))


def _drawn(persons: int) -> np.ndarray:
    """Returns how often each person is drawn, as many as there are, shape (draws, n).

    The same for each figure, and each time.
    """
    share = np.full(persons, 1 / persons)
    return np.random.default_rng(0).multinomial(persons, share, _DRAWS).astype(float)


def _over_persons(
    value: float,
    variance: Callable[[float], float],
    drawn: np.ndarray,
    persons: int,
) -> Interval | None:
    """Returns the interval of what varies with the persons who are drawn.

    Args:
        value: neither 0 nor 1.
        variance: V, were all images independent.
        drawn: the figure in each draw.
        persons: who it is about, how many.
    """
    if persons < 2:
        return None
    # Draws from so few vary less than they do, by this factor.
    varies = drawn.var() * persons / (persons - 1)
    return _around(value, variance, max(1.0, varies / variance(value)), persons - 1)
