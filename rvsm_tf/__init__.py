"""Sparse training for Keras 3 by the relaxed variable splitting method (RVSM)."""

from . import compaction, networks, penalties
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
]
