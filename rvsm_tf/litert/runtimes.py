"""The runtimes in which a .tflite file is run before it is kept.

One runtime has other code for other processors, and what it does with a file differs:
a file that is right on a PC may answer garbage on a tablet or in a browser. So a file
is run on this processor and in WebAssembly, and wherever else its maker has a runtime.
"""

import collections
import dataclasses
import pathlib
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from . import javascript
from .base import runtime
from .base.runtime import Answer


class Runtime(Protocol):
    """What runs a file."""

    @property
    def name(self) -> str:
        """For people, and in report.json."""

    @property
    def most(self) -> int | None:
        """Examples that `verify` gives it at most; None for all."""

    def missing(self) -> str | None:
        """Returns what has to be done to have it, None if it is there."""

    def run(self, file: pathlib.Path, inputs: dict[str, np.ndarray]) -> Answer:
        """Runs a file on examples, one by one.

        Args:
            file: a .tflite file with one signature of one output.
            inputs: by the signature's names, float32, each of shape (n, …).

        Raises:
            RuntimeFailure: it refuses the file, or dies of it.
        """


@dataclasses.dataclass(frozen=True)
class Here:
    """LiteRT on this processor, with its default delegate or without."""

    delegate: str
    most: None = None

    @property
    def name(self) -> str:
        """What stands in report.json."""
        return f"delegate {self.delegate}"

    def missing(self) -> None:
        """Returns None: it is installed with this package."""

    def run(self, file: pathlib.Path, inputs: dict[str, np.ndarray]) -> Answer:
        """Runs a file on examples; see `Runtime`."""
        return runtime.run(file, self.delegate, inputs)


HERE: tuple[Runtime, ...] = tuple(Here(mode) for mode in runtime.MODES)
ALL: tuple[Runtime, ...] = (
    *HERE,
    *(javascript.JavaScript(build) for build in javascript.BUILDS),
)


def there(known: Sequence[Runtime] = ALL) -> list[Runtime]:
    """Returns those of some runtimes, by default of `ALL`, that this machine has."""
    return [one for one in known if one.missing() is None]


def lacking(known: Sequence[Runtime] = ALL) -> str:
    """Returns the names of the others, with what has to be done to have them."""
    names = collections.defaultdict(list)
    for one in known:
        names[one.missing()].append(one.name)
    return "; ".join(f"{', '.join(n)} ({how})" for how, n in names.items() if how)
