"""Probabilities that are kept: of the answers given with 90 %, 90 % are right.

A network trained to a small loss is surer than it is right. Temperature scaling (Guo,
Pleiss, Sun and Weinberger 2017, "On calibration of modern neural networks") divides
its logits z by one number T > 0, found on images that it was not trained on:

    p = softmax(z / T).

The order of a picture's logits stays, and with it every answer; only how sure the
answers are changes, T > 1 making them less so. A dense softmax layer computes
z = x·W + b, so

    z / T = x·(W / T) + b / T:

the temperature is folded into that layer's weights, and whoever loads the model, or a
file exported from it, gets calibrated probabilities without knowing of T. A weight that
is exactly zero stays so.
"""

import keras
import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq, minimize_scalar
from scipy.special import log_softmax, softmax

BOUNDS = (1 / 20, 20.0)
"""Smallest and largest temperature."""

_SPREAD = 0.5  # of log T, before any answer is seen


def temperature(probabilities: ArrayLike, labels: ArrayLike) -> float:
    """Returns the T that makes true classes most likely.

    It minimises

        Σᵢ −log softmax(log pᵢ / T)[yᵢ] + (log T)² / (2·0.5²),

    the negative log likelihood and a normal prior of log T, which has T between 0.4
    and 2.7 in 19 of 20 cases: 20 images alone would tell little, and some dozens of
    wrong answers outweigh it.

    Where every answer is right, nothing shows how sure is too sure. T then makes the
    answers no surer than (n + 1) / (n + 2) on average, Laplace's rule of succession,
    and if they are that sure already, it is 1.

    log p stands for the logits, which differ from it by a constant for each picture,
    and softmax does not see that. A probability of exactly zero, where computing it
    underflowed, counts as the smallest number that its type holds.

    Args:
        probabilities: shape (n, classes), each row adding up to 1.
        labels: the true classes, shape (n,), from 0; some may be missing.

    Returns:
        T, within `BOUNDS`, to four digits: what is written down of it is what was
        folded in, and can be taken out again.

    Raises:
        ValueError: there are no probabilities, or not a label for each row.
    """
    logits, labels = _log(probabilities), np.asarray(labels, "int64")
    count = len(labels)
    if not count or len(logits) != count:
        raise ValueError(f"{len(logits)} answers and {count} labels")

    def loss(log_t: float) -> float:
        right = log_softmax(logits / np.exp(log_t), axis=1)[range(count), labels]
        return log_t**2 / (2 * _SPREAD**2) - right.sum()

    def too_sure(log_t: float) -> float:
        sure = softmax(logits / np.exp(log_t), axis=1).max(1)
        return sure.mean() - (count + 1) / (count + 2)

    low, high = np.log(BOUNDS)
    if (logits.argmax(1) == labels).all():
        if too_sure(0) >= 0:
            return 1.0
        if too_sure(low) > 0:
            low = brentq(too_sure, low, 0)
    found = minimize_scalar(loss, bounds=(low, high), method="bounded")
    return float(f"{np.exp(found.x):.4g}")


def rescaled(probabilities: ArrayLike, t: float) -> np.ndarray:
    """Returns softmax(log p / t); with 1/t after t, what it was before.

    Args:
        probabilities: shape (n, classes), each row adding up to 1.
        t: the temperature, above zero.
    """
    return softmax(_log(probabilities) / t, axis=1)


def calibrate(model: keras.Model, t: float) -> None:
    """Has a network divide its logits by a temperature: kernel and bias of its end.

    Args:
        model: ends in a dense layer with softmax.
        t: the temperature, above zero.

    Raises:
        ValueError: the model ends in another layer.
    """
    last = model.layers[-1]
    is_dense = isinstance(last, keras.layers.Dense)
    if not is_dense or last.activation is not keras.activations.softmax:
        raise ValueError(f"{last.name!r} is no dense layer with softmax")
    last.set_weights([w / t for w in last.get_weights()])


def _log(probabilities: ArrayLike) -> np.ndarray:
    """Returns the logarithms, float64; of zero, that of the smallest number."""
    probabilities = np.asarray(probabilities)
    smallest = np.finfo(probabilities.dtype).tiny
    return np.log(np.maximum(probabilities, smallest), dtype="float64")
