"""ℓ1: soft thresholding."""

import dataclasses
from typing import Any

from .penalty import Penalty, as_float, register


@register("l1")
@dataclasses.dataclass(frozen=True)
class L1(Penalty):
    """ℓ1: the sum of absolute values.

    prox is sgn(w)·max(|w| − step, 0) (soft thresholding).
    """

    def threshold(self, step: Any) -> Any:
        """The step itself."""
        return as_float(step)

    def cost(self, size: Any) -> Any:
        """|w|."""
        return size

    def kept(self, size: Any, step: Any) -> Any:
        """|w| − step."""
        return size - step
