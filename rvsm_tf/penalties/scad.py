"""SCAD: the smoothly clipped absolute deviation, ℓ1 that is clipped."""

import dataclasses
from typing import Any

from keras import ops

from .penalty import Shaped, as_float, register

# From where a weight costs nothing more, relative to where the slope begins to fall:
# Fan and Li's choice, by a Bayes risk.
_RATIO = 3.7


@register("scad")
@dataclasses.dataclass(frozen=True)
class SCAD(Shaped):
    """Smoothly clipped absolute deviation: ℓ1 up to b = a/3.7, constant from a on.

    Fan and Li, Variable selection via nonconcave penalized likelihood, 2001; here with
    a knot a that does not depend on λ, like that of TL1. Between b and a the slope
    falls from 1 to 0. prox is, where step < a − b,

        |u| = |w| − step                                   up to |w| = b + step,
        |u| = (|w| (a − b) − step·a) / (a − b − step)      up to |w| = a,
        |u| = |w|                                          beyond,

    elsewhere |w| − step up to |w| = (a + b + step)/2 and |w| beyond, or, from step =
    a + b on, w or zero.

    Args:
        a: from 1e-30 to 1e30.

    Raises:
        ValueError: a is not a number in that range.

    Example:
        >>> penalty = rvsm.SCAD(a=3.7)
        >>> penalty.b
        1.0
        >>> np.asarray(penalty.prox([-0.2, 0.75, 5.0], step=0.25))
        array([0. , 0.5, 5. ], dtype=float32)
    """

    @property
    def b(self) -> float:
        """Where the slope of the penalty begins to fall, a/3.7."""
        return self.a / _RATIO

    def threshold(self, step: Any) -> Any:
        """Returns the step while step < a + b, else √(step·(a + b))."""
        step, end = as_float(step), self.a + self.b
        return ops.where(step < end, step, ops.sqrt(step) * end**0.5)

    def cost(self, size: Any) -> Any:
        """Returns |w| up to b, then less and less more, at most (a + b)/2."""
        past = ops.clip(size, self.b, self.a) - self.b
        return ops.minimum(size, self.b) + past * (1 - past / (2 * (self.a - self.b)))

    def kept(self, size: Any, step: Any) -> Any:
        """Returns |w| less the step, then less and less of it, from a on |w| itself."""
        a, b = self.a, self.b
        soft = size - step
        # In numbers relative to a nothing overflows; where the second piece does not
        # exist, its slope takes a harmless value.
        bends = step < a - b
        slope = ops.where(bends, (a - b - step) / a, 1.0)
        bent = ops.minimum((size * ((a - b) / a) - step) / slope, size)
        smooth = ops.where(size <= b + step, soft, ops.where(size < a, bent, size))
        # Beyond a + b nothing is shrunk, and the threshold cuts off the rest.
        turn = ops.where(step < a + b, (a + b + step) / 2, 0.0)
        jump = ops.where(size <= turn, soft, size)
        return ops.where(bends, smooth, jump)
