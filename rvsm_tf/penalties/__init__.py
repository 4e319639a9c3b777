"""Penalties: what a weight costs, and what is left of it after thresholding.

>>> [type(rvsm.penalties.get(name)).__name__ for name in rvsm.penalties.names()]
['L0', 'L1', 'MCP', 'SCAD', 'TL1']

From many zeros with little shrinkage to the opposite: ℓ0, transformed ℓ1 (TL1) with
growing a, ℓ1; MCP and SCAD begin like ℓ1 and spare large weights. `Group` lets any of
them decide on whole units, inputs, channels or blocks instead of single weights. A
penalty of your own is a dataclass with three methods, see `rvsm_tf.penalties.Penalty`,
under `register("its name")`.
"""

from .group import Group
from .l0 import L0
from .l1 import L1
from .mcp import MCP
from .penalty import Penalty, Shaped, get, names, parameters, register
from .scad import SCAD
from .tl1 import TL1

__all__ = [
    "L0",
    "L1",
    "MCP",
    "SCAD",
    "TL1",
    "Group",
    "Penalty",
    "Shaped",
    "get",
    "names",
    "parameters",
    "register",
]
