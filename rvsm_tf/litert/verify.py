"""Whether a .tflite file may be kept: it is run, and compared with Keras."""

import dataclasses
import pathlib
from collections.abc import Sequence

import numpy as np

from . import runtimes
from .base.formats import FORMATS
from .base.runtime import RuntimeFailure
from .source import Examples


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
        format_: a key of `FORMATS`.
        where: the runtimes; by default those that this machine has.
    """
    row, memory, worst = FORMATS[format_], 0, 0.0
    outputs: dict[str, np.ndarray] = {}
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
        allowed = row.tolerance * scale
        stray = int((gap > allowed).sum())
        if stray > (max(1.0, row.stray * len(gap)) if row.stray else 0):
            reason = (
                f"{runtime.name}: {stray} of {len(gap)} examples differ from Keras by "
                f"more than {allowed:.2g}, by up to {gap.max():.2g}"
            )
            return Verdict(reason, outputs, memory, worst)
        if runtime.most is not None:
            # What an application's self-test on such a device will ask of the file.
            reference = next(iter(outputs.values()))[some]
            apart = float(largest_gaps(answer.outputs, reference).max())
            if apart > row.self_test * scale:
                reason = (
                    f"{runtime.name}: answers differ from this processor's by up to "
                    f"{apart:.2g}, and {row.self_test * scale:.2g} is allowed"
                )
                return Verdict(reason, outputs, memory, worst)
    return Verdict(None, outputs, memory, worst)


def is_telling(expected: np.ndarray) -> bool:
    """Whether right answers differ enough for wrong ones to be noticed.

    Args:
        expected: what Keras answers, shape (n, …).
    """
    spread = np.ptp(expected, axis=0).max()
    return bool(spread > FORMATS["int8"].tolerance * np.abs(expected).max())


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
