"""The runtimes that a checkout has: the package's, and an emulated ARM processor.

LiteRT.js is the demo's.
"""

import pathlib

from rvsm_tf.litert.javascript import BUILDS, JavaScript
from rvsm_tf.litert.runtimes import HERE, Runtime

from .arm import Arm

MODULES = pathlib.Path(__file__).parents[1] / "mobile_demo/web/node_modules"
INSTALL = "make mobile_demo/web/node_modules/installed"

ALL: tuple[Runtime, ...] = (
    *HERE,
    *(JavaScript(build, MODULES, INSTALL) for build in BUILDS),
    Arm(),
)
