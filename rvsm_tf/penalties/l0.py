"""ℓ0: hard thresholding."""

import dataclasses
from typing import Any

from keras import ops

from .penalty import Penalty, as_float, register


@register("l0")
@dataclasses.dataclass(frozen=True)
class L0(Penalty):
    """ℓ0: the number of entries that are not zero.

    prox keeps w where |w| > √(2·step) and is zero elsewhere (hard thresholding).

    Example:
        >>> penalty = rvsm.L0()
        >>> float(penalty([-0.5, 0.0, 0.3]))
        2.0
        >>> np.asarray(penalty.prox([-0.5, 0.05, 0.3], step=0.02))
        array([-0.5,  0. ,  0.3], dtype=float32)
    """

    def threshold(self, step: Any) -> Any:
        """Returns √(2·step), the threshold of hard thresholding."""
        return ops.sqrt(2.0 * as_float(step))

    def cost(self, size: Any) -> Any:
        """Returns 1 for each entry that is not zero."""
        return ops.cast(size > 0, "float32")

    def kept(self, size: Any, step: Any) -> Any:
        """Returns |w| itself: hard thresholding shrinks nothing."""
        return size
