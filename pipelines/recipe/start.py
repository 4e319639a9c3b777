"""How large the initial weights are, where λ and β are given.

u starts as the thresholded initial weights, and the pull then draws every weight that
the gradient does not defend towards u: below the threshold to zero, above it by
w - u(w), which is nothing for ℓ0, the threshold for ℓ1, and in between for TL1. If the
weights are much larger than what the pull overcomes, most stay; if they are much
smaller, all go before training has told them apart. So they are drawn to its measure.
"""

import functools

import numpy as np

import rvsm_tf as rvsm

# Of a normal distribution 89 % lie within so many standard deviations.
_DEVIATIONS = 1.6


def stddev(penalty: rvsm.penalties.Penalty, step: float, pull: float) -> float:
    """Returns the standard deviation of the initial weights.

    Args:
        penalty: P.
        step: λ/β, above 0.
        pull: what κ adds up to over the training.
    """
    return reach(penalty, step, pull) / _DEVIATIONS


@functools.cache
def reach(penalty: rvsm.penalties.Penalty, step: float, pull: float) -> float:
    """Returns the largest weight that the pull alone brings below the threshold.

    Follows dw = -(w - u(w)) dκ for many weights at once. Above the threshold t the
    penalties are concave, so w - u(w) is t at most, and the reach (1 + pull) t.

    Args:
        penalty: P.
        step: λ/β, above 0.
        pull: what κ adds up to.
    """
    threshold = float(penalty.threshold(step))
    start = np.geomspace(threshold, (1 + pull) * threshold, 1000).astype("float32")
    w, parts = start.copy(), 128
    for _ in range(parts):
        w -= pull / parts * (w - np.asarray(penalty.prox(w, step)))
    return max(threshold, float(start[w <= threshold].max(initial=0)))
