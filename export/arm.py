"""LiteRT's build for ARM, the processor of tablets, emulated on this one.

It has other code than the build for x86, and takes other ways through a network.
`export/emulator` is the machine; what it is made of has to be fetched once.
"""

import dataclasses
import pathlib
import subprocess

import numpy as np

from rvsm_tf.litert.base import runtime

EMULATOR = ("bash", str(pathlib.Path(__file__).with_name("emulator")))

CORE = "cortex-a53"
"""A processor of many tablets, and the oldest that the runtime has code for."""


@dataclasses.dataclass(frozen=True)
class Arm:
    """LiteRT on an emulated ARM processor, with its default delegate.

    Attributes:
        name: the processor.
        most: examples; the emulation takes its time.
    """

    name: str = f"ARM {CORE}"
    most: int = 4

    def missing(self) -> str | None:
        """Returns how to fetch the emulation, None if it is there."""
        version = subprocess.run(
            [*EMULATOR, "--version"], capture_output=True, check=False
        )
        return "tests/arm/run --fetch" if version.returncode else None

    def run(self, file: pathlib.Path, inputs: dict[str, np.ndarray]) -> runtime.Answer:
        """Runs a file on examples; see `runtimes.Runtime`."""
        return runtime.run(file, "on", inputs, python=(*EMULATOR, CORE))
