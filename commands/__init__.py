"""What every command has in common: how it answers wrong input, and writes files.

The package has a command too, so most of this lies there, in `rvsm_tf/litert/base`. It
is found under this folder's name as well: importing `rvsm_tf` takes Keras and a backend
along, which wrong arguments and small processes do not wait for.
"""

import importlib.util
import pathlib

_PACKAGE = importlib.util.find_spec("rvsm_tf")
assert _PACKAGE is not None, "the folder rvsm_tf/ is not on Python's path"
assert _PACKAGE.origin is not None

BASE = pathlib.Path(_PACKAGE.origin).parent / "litert" / "base"
"""A folder of modules that need nothing of the package around them."""

__path__.append(str(BASE))
