"""Structured zeros → a smaller, equal model.

A channel of a tensor (a filter of a convolution, a unit of a dense layer) goes for one
of two reasons. Nobody reads it: the weights that would are zero. Or it is constant: its
own weights are zero, so that it is act(bn(bias)) everywhere, and the bias of whoever
reads it takes that over. With it go its bias, its BatchNormalization and the weights
that read it. Channels that are added to each other go together or not at all.

What each layer does to channels its `Kind` says; `register` adds one for a layer of
your own. What is left is built anew. Where a Dense layer then still has many rows of
zeros, a gather in front of it picks the inputs of the others.
"""

from . import carriers, kernels, operations  # whose kinds register themselves
from .kind import Cut, Kind, register
from .planning import LayerPlan, Plan, compact, plan

__all__ = [
    "Cut",
    "Kind",
    "LayerPlan",
    "Plan",
    "carriers",
    "compact",
    "kernels",
    "operations",
    "plan",
    "register",
]
