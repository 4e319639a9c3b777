"""Saliency: what a weight counts for when the splitting decides which become zero.

With one number s per weight, the splitting takes place in the coordinates s w:

    L(w, u) = f(w) + λ P(s u) + β/2 ‖s (w − u)‖²,
    u ← argmin_u L  =  1/s · prox of (λ/β)·P at s w.

"magnitude" is s = 1. "fisher" is s = √E[g²], g being the gradient: then (s w)² is, up
to a factor, what the loss rises by if w goes, to second order, with the diagonal of the
Fisher information for its curvature (LeCun, Denker and Solla, Optimal brain damage,
1990; Theis et al., Faster gaze prediction with dense networks and Fisher pruning,
2018). The mean of squares is the one that Adam and its kin keep anyway.
"""

from typing import Any

from keras import ops

MAGNITUDE, FISHER = "magnitude", "fisher"

# Steps between two looks at the optimizer's mean, which covers some hundreds of them.
EVERY = 16


def check_saliency(saliency: str) -> str:
    """Returns the name of a saliency.

    Raises:
        ValueError: there is none of that name.
    """
    if saliency not in (MAGNITUDE, FISHER):
        raise ValueError(
            f'saliency must be "{MAGNITUDE}" or "{FISHER}", got {saliency!r}'
        )
    return saliency


def scales(squares: list[Any]) -> list[Any]:
    """Returns s of some arrays of weights, whose root mean square together is 1.

    Args:
        squares: the mean squared gradient of each weight, one array for each of theirs.
    """
    total = sum(ops.sum(square) for square in squares)
    count = sum(ops.cast(ops.size(square), "float32") for square in squares)
    mean = total / count
    return [ops.sqrt(square / ops.where(mean > 0, mean, 1.0)) for square in squares]


def scaled(w: Any, scale: Any) -> Any:
    """Returns s w in float32; w itself where there is no s."""
    return w if scale is None else ops.cast(w, "float32") * scale
