"""ℓ1: soft thresholding."""

import dataclasses
from typing import Any

from .penalty import Penalty, as_float, register


@register("l1")
@dataclasses.dataclass(frozen=True)
class L1(Penalty):
    """ℓ1: the sum of absolute values.

    prox is sgn(w)·max(|w| − step, 0) (soft thresholding).

    Example:
        >>> penalty = rvsm.L1()
        >>> round(float(penalty([-0.5, 0.0, 0.3])), 3)
        0.8
        >>> np.asarray(penalty.prox([-0.5, 0.05, 0.25], step=0.125))
        array([-0.375,  0.   ,  0.125], dtype=float32)
    """

    def threshold(self, step: Any) -> Any:
        """Returns the step, the threshold of soft thresholding."""
        return as_float(step)

    def cost(self, size: Any) -> Any:
        """Returns |w| of each entry."""
        return size

    def kept(self, size: Any, step: Any) -> Any:
        """Returns |w| − step."""
        return size - step
