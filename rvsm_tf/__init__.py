"""Sparse training for Keras 3 by the relaxed variable splitting method (RVSM).

`RVSM` wraps a network, which then trains to a share of exact zeros, `TargetSparsity`;
`RVSM.harden` returns it as a plain Keras model. A penalty says what a weight costs:
`L0`, `L1`, `TL1`, `MCP`, `SCAD`, or one of your own (`rvsm_tf.penalties`), on single
weights or on a `Group` of them. `summarize` counts zeros; `compact` cuts out filters
and units that are zero; `fold` rewrites small convolutions for speed; `hold` keeps
zeros in further training. `Splitting` is for training loops of your own.

The examples on these pages need three imports:

>>> import keras
>>> import numpy as np
>>> import rvsm_tf as rvsm
"""

from . import compaction, networks, penalties, turns
from .callbacks import RVSMCallback
from .compaction import compact
from .folding import fold
from .holding import hold
from .model import RVSM
from .penalties import L0, L1, MCP, SCAD, TL1, Group, Penalty
from .schedules import TargetSparsity
from .sparsity import scales, sign_changes, summarize
from .splitting import Splitting

__version__ = "0.1.0"

__all__ = [
    "L0",
    "L1",
    "MCP",
    "RVSM",
    "SCAD",
    "TL1",
    "Group",
    "Penalty",
    "RVSMCallback",
    "Splitting",
    "TargetSparsity",
    "compact",
    "compaction",
    "fold",
    "hold",
    "networks",
    "penalties",
    "scales",
    "sign_changes",
    "summarize",
    "turns",
]
