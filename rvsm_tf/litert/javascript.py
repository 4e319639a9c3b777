"""LiteRT.js, the runtime's build for browsers, in Node.js.

It is WebAssembly, has other code than the build for x86, and takes other ways through
a network. A browser without relaxed SIMD gets the build "compat", as the tablet demo
does everywhere. The one with threads does not start in Node.js.
"""

import dataclasses
import json
import pathlib
import re
import shutil
import subprocess
import tempfile

import numpy as np

from .base import runtime

PACKAGE = "@litertjs/core"
VERSION = "~2.5.3"
PROGRAM = pathlib.Path(__file__).with_name("javascript.mjs")

OLDEST = (20, 19)
"""Of Node.js."""

BUILDS = {
    "LiteRT.js": "litert_wasm_compat_internal.js",
    "LiteRT.js relaxed SIMD": "litert_wasm_internal.js",
}


@dataclasses.dataclass(frozen=True)
class JavaScript:
    """LiteRT.js, which runs on XNNPACK too.

    Attributes:
        name: a key of `BUILDS`.
        modules: the folder that has the package; by default where npm puts it.
        how: what to do when it is not there.
        most: examples.
    """

    name: str
    modules: pathlib.Path = pathlib.Path("node_modules")
    how: str = f"npm install {PACKAGE}@{VERSION}"
    most: int = 32

    def missing(self) -> str | None:
        """Returns what to install, None if all is there."""
        if _node() < OLDEST:
            return "install Node.js {}.{} or newer".format(*OLDEST)
        return None if (self.modules / PACKAGE).is_dir() else self.how

    def run(self, file: pathlib.Path, inputs: dict[str, np.ndarray]) -> runtime.Answer:
        """Runs a file on examples; see `runtimes.Runtime`."""
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            for number, values in enumerate(inputs.values()):
                np.save(folder / f"{number}.npy", values.astype("<f4"))
            package = (self.modules / PACKAGE).resolve()
            paths = (package, BUILDS[self.name], file.resolve(), folder)
            names = json.dumps(list(inputs))
            runtime.start(["node", str(PROGRAM), *map(str, paths), names])
            return runtime.Answer(
                np.load(folder / "outputs.npy", allow_pickle=False), 0
            )


def _node() -> tuple[int, ...]:
    """Returns Node.js's version, nothing if there is none."""
    if not shutil.which("node"):
        return ()
    said = subprocess.run(
        ["node", "--version"], capture_output=True, text=True, check=False
    )
    return tuple(int(number) for number in re.findall(r"\d+", said.stdout)[:2])
