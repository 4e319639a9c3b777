"""Whether a .tflite file may be kept: it is run, and compared with Keras."""

import dataclasses
import pathlib
from collections.abc import Sequence

import numpy as np

from . import runtimes
from .runtime import RuntimeFailure
from .source import Examples

TOLERANCE = {
    "float32": 1e-4,
    "float16": 1e-2,
    "int8": 0.1,
    "int4": 0.1,
    "float32-sparse": 1e-4,
    "int8-sparse": 0.1,
}
"""By how much an output may differ from Keras's, as a share of Keras's largest.

int4 needs no more than int8, whose weights are rounded too: of six trained models'
answers, at most 0.4 % strayed further in either.
"""

_INTEGER = ("int8", "int4", "int8-sparse")

SELF_TEST = {**dict.fromkeys(TOLERANCE, 1e-4), **dict.fromkeys(_INTEGER, 0.02)}
"""By how much two sound runtimes may differ on one file, as a share of the same."""

STRAY = dict.fromkeys(_INTEGER, 0.01)
"""Share of the examples that may differ by more; none in the other formats. Of fewer
than a hundred one may: no share of them is measured any finer."""


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What running a file has shown.

    Attributes:
        refused: why the file must not be kept; None if it may be.
        outputs: by the runtime's name, shape (n, …); those that ran. Some are given
            a `few` examples alone.
        memory: bytes by which the process grew with the default delegate.
        max_abs_diff: largest difference from Keras in any runtime.
    """

    refused: str | None
    outputs: dict[str, np.ndarray]
    memory: int
    max_abs_diff: float | None


def verify(
    file: pathlib.Path,
    examples: Examples,
    expected: np.ndarray,
    format_: str,
    where: Sequence[runtimes.Runtime] | None = None,
) -> Verdict:
    """Runs a file in every runtime, and compares.

    Args:
        file: a .tflite file.
        examples: what to run it on.
        expected: what Keras answers, shape (n, …).
        format_: a key of `TOLERANCE`.
        where: the runtimes; by default all that this machine has.
    """
    outputs: dict[str, np.ndarray] = {}
    memory, worst = 0, 0.0
    scale = float(np.abs(expected).max())
    for runtime in runtimes.there() if where is None else where:
        some = few(len(examples), runtime.most)
        inputs = {name: x[some] for name, x in examples.inputs.items()}
        try:
            answer = runtime.run(file, inputs)
        except RuntimeFailure as failure:
            reason = f"{runtime.name}: {failure}"
            return Verdict(reason, outputs, memory, None)
        memory = memory or answer.memory
        outputs[runtime.name] = answer.outputs
        if not np.isfinite(answer.outputs).all():
            reason = f"{runtime.name}: outputs that are not finite"
            return Verdict(reason, outputs, memory, None)
        gap = largest_gaps(answer.outputs, expected[some])
        worst = max(worst, float(gap.max()))
        allowed = TOLERANCE[format_] * scale
        stray, share = int((gap > allowed).sum()), STRAY.get(format_, 0.0)
        if stray > (max(1.0, share * len(gap)) if share else 0):
            reason = (
                f"{runtime.name}: {stray} of {len(gap)} examples differ from Keras by "
                f"more than {allowed:.2g}, by up to {gap.max():.2g}"
            )
            return Verdict(reason, outputs, memory, worst)
        if runtime.most is not None:
            # What an application's self-test on such a device will ask of the file.
            reference = next(iter(outputs.values()))[some]
            gap = float(largest_gaps(answer.outputs, reference).max())
            if gap > SELF_TEST[format_] * scale:
                reason = (
                    f"{runtime.name}: answers differ from this processor's by up to "
                    f"{gap:.2g}, and {SELF_TEST[format_] * scale:.2g} is allowed"
                )
                return Verdict(reason, outputs, memory, worst)
    return Verdict(None, outputs, memory, worst)


def is_telling(expected: np.ndarray) -> bool:
    """Whether right answers differ enough for wrong ones to be noticed.

    Args:
        expected: what Keras answers, shape (n, …).
    """
    spread = np.ptp(expected, axis=0).max()
    return bool(spread > TOLERANCE["int8"] * np.abs(expected).max())


def few(count: int, most: int | None) -> slice:
    """Returns which of so many examples a runtime is given, far apart.

    Args:
        count: of all.
        most: that it may be given; None for all.
    """
    return slice(None, None, None if most is None else -(-count // most))


def largest_gaps(outputs: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Returns the largest difference in each example, shape (n,)."""
    return np.abs(outputs - expected).reshape(len(expected), -1).max(axis=1)
