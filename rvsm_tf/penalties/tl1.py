"""Transformed ℓ1: between ℓ0 and ℓ1."""

import dataclasses
from typing import Any

import numpy as np
from keras import ops
from numpy.polynomial import Chebyshev, Polynomial

from .penalty import Shaped, as_float, register


@register("tl1")
@dataclasses.dataclass(frozen=True)
class TL1(Shaped):
    """Transformed ℓ1: Σ (a+1)|w| / (a+|w|), between ℓ0 (a → 0) and ℓ1 (a → ∞).

    The proximal operator is Zhang and Xin's closed form (Minimization of transformed
    L1 penalty, 2017, theorem 3.1),

        |u| = 2/3 (a+|w|) cos(φ/3) − 2a/3 + |w|/3,   φ = arccos(1 − 2s),
        s   = 27/4 · step·a(a+1) / (a+|w|)³,

    written so that nothing cancels for large a or small step, and so that no
    trigonometric function is evaluated per weight, which took most of the time:

        |u| = |w| − (a+|w|)·y(s),   y(s) = 4/3 sin²(arcsin(√s)/3).

    Args:
        a: from 1e-30 to 1e30.

    Raises:
        ValueError: a is not a number in that range.

    Example:
        >>> penalty = rvsm.TL1(a=1.0)
        >>> float(penalty([1.0, 0.0]))
        1.0
        >>> float(penalty.threshold(0.125))
        0.25
        >>> np.asarray(penalty.prox([-0.2, 0.25, 2.0], step=0.125)).round(3)
        array([0.   , 0.   , 1.972], dtype=float32)
    """

    def threshold(self, step: Any) -> Any:
        """Returns step·(a+1)/a up to step = a²/(2(a+1)), then √(2·step·(a+1)) − a/2."""
        a, step = self.a, as_float(step)
        return ops.where(
            step <= a / (a + 1) * a / 2,
            step * (1 + 1 / a),
            ops.sqrt(2 * step * (a + 1)) - a / 2,
        )

    def cost(self, size: Any) -> Any:
        """Returns (a+1)|w| / (a+|w|) of each entry."""
        return (self.a + 1) * size / (self.a + size)

    def kept(self, size: Any, step: Any) -> Any:
        """Returns |w| − (a+|w|)·y(s), never below zero."""
        a, total = self.a, self.a + size
        each = 1 / total  # one division, and no cube that could overflow
        s = 6.75 * step * (a * each) * ((a + 1) * each) * each
        # Never negative: rounding could make it so where u is as good as zero.
        return ops.maximum(size - total * _shrinkage(ops.minimum(s, 1.0)), 0.0)


def _shrinkage_series() -> list[float]:
    """Returns h's coefficients in y(s) = s·h(√(1−s)), highest power first.

    With v = √(1−s), h has no singularity nearer to [0, 1] than v = −1, so that ten
    Chebyshev terms give all of float32's digits.
    """

    def h(v: np.ndarray) -> np.ndarray:
        angle = np.arccos(v)
        return 4 / 3 * (np.sin(angle / 3) / np.sin(angle)) ** 2

    series = Chebyshev.interpolate(h, 9, domain=[0, 1])
    return series.convert(kind=Polynomial).coef[::-1].tolist()


_SHRINKAGE = _shrinkage_series()


def _shrinkage(s: Any) -> Any:
    """Returns y(s) = 4/3 sin²(arcsin(√s)/3) for s in [0, 1]."""
    v = ops.sqrt(1 - s)
    total, *rest = _SHRINKAGE
    for coefficient in rest:
        total = total * v + coefficient
    return s * total
