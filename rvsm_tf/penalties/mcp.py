"""MCP: the minimax concave penalty, ℓ1 that runs out."""

import dataclasses
from typing import Any

from keras import ops

from .penalty import Shaped, as_float, register


@register("mcp")
@dataclasses.dataclass(frozen=True)
class MCP(Shaped):
    """Minimax concave penalty: |w| − w²/(2a) up to |w| = a, a/2 from there on.

    Zhang, Nearly unbiased variable selection under minimax concave penalty, 2010; here
    with a knot a that does not depend on λ, like that of TL1. Small weights cost as
    with ℓ1, and from a on nothing more: those are not shrunk. prox is, where step < a,

        |u| = (|w| − step) / (1 − step/a)  up to |w| = a, and |w| beyond

    (firm thresholding), and elsewhere w or zero.

    Args:
        a: from 1e-30 to 1e30.

    Raises:
        ValueError: a is not a number in that range.

    Example:
        >>> penalty = rvsm.MCP(a=1.0)
        >>> float(penalty([0.5, 2.0]))
        0.875
        >>> np.asarray(penalty.prox([-0.2, 0.625, 2.0], step=0.25))
        array([0. , 0.5, 2. ], dtype=float32)
    """

    def threshold(self, step: Any) -> Any:
        """Returns the step while step < a, else √(step·a)."""
        step = as_float(step)
        return ops.where(step < self.a, step, ops.sqrt(step) * self.a**0.5)

    def cost(self, size: Any) -> Any:
        """Returns |w| − w²/(2a) of each entry, at most a/2."""
        inside = ops.minimum(size, self.a)
        return inside * (1 - inside / self.a / 2)

    def kept(self, size: Any, step: Any) -> Any:
        """Returns |w| after firm thresholding: from a on it is as it was."""
        # Where nothing is shrunk the slope takes a harmless value: no 0/0.
        shrinks = ops.logical_and(step < self.a, size < self.a)
        slope = ops.where(shrinks, 1 - step / self.a, 1.0)
        return ops.where(shrinks, ops.minimum((size - step) / slope, size), size)
