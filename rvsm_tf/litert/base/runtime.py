"""LiteRT, the runtime that a tablet has, in a process of its own.

A model that the runtime cannot run may take the process with it: a broken file is
answered with a crash as often as with an error. What runs here is started anew for
each file, and its death is an answer too. In the folder above this one:

    python -m base.runtime FILE on|off INPUTS.npz OUTPUTS.npz
"""

import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

MODES = {
    "on": OpResolverType.AUTO,
    "off": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
}
"""With the default delegate (XNNPACK), and without: the built-in kernels alone."""

FOLDER = pathlib.Path(__file__).parents[1]
"""Where a process of its own finds these modules as `base`, without Keras."""


class RuntimeFailure(Exception):
    """The runtime did not run a file; the message says what it answered instead."""


class Answer(NamedTuple):
    """What a runtime makes of a file.

    Attributes:
        outputs: float32, shape (n, …).
        memory: bytes by which loading and running the file made the process's resident
            memory grow; 0 where that was not measured.
    """

    outputs: np.ndarray
    memory: int


def interpreter(file: pathlib.Path, delegate: str = "on", threads: int = 1):
    """Returns a LiteRT interpreter of a file, its memory allocated."""
    runtime = Interpreter(
        model_path=str(file),
        num_threads=threads,
        experimental_op_resolver_type=MODES[delegate],
    )
    runtime.allocate_tensors()
    return runtime


def run(
    file: pathlib.Path,
    delegate: str,
    inputs: dict[str, np.ndarray],
    python: Sequence[str] = (sys.executable,),
) -> Answer:
    """Runs a file on examples, one by one, in a process of its own.

    Args:
        file: a .tflite file with one signature of one output.
        delegate: a key of `MODES`.
        inputs: by the signature's names, each of shape (n, …).
        python: the command that is Python; another processor's has another LiteRT.

    Raises:
        RuntimeFailure: the runtime refuses the file, or dies of it.
    """
    with tempfile.TemporaryDirectory() as folder:
        given = pathlib.Path(folder) / "inputs.npz"
        answer = pathlib.Path(folder) / "outputs.npz"
        np.savez(given, allow_pickle=False, **inputs)
        arguments = [str(file.resolve()), delegate, str(given), str(answer)]
        start([*python, "-m", "base.runtime", *arguments])
        with np.load(answer, allow_pickle=False) as outputs:
            return Answer(outputs["outputs"], int(outputs["memory"]))


def start(command: Sequence[str]) -> None:
    """Runs a program to its end.

    Raises:
        RuntimeFailure: it fails, or dies.
    """
    process = subprocess.run(
        command,
        capture_output=True,
        text=True,
        errors="replace",
        cwd=FOLDER,
        check=False,
    )
    if process.returncode:
        raise RuntimeFailure(last_words(process.returncode, process.stderr))


def last_words(returncode: int, stderr: str) -> str:
    """Returns how a process that did not end well came to its end."""
    if returncode < 0:
        return f"the runtime crashed (signal {-returncode})"
    lines = [line for line in stderr.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "the runtime failed without a word"


def resident() -> int:
    """Returns the bytes of memory that this process has resident."""
    pages = int(pathlib.Path("/proc/self/statm").read_text("utf-8").split()[1])
    return pages * 4096


def _main(file: str, delegate: str, given: str, answer: str) -> None:
    with np.load(given, allow_pickle=False) as arrays:
        inputs = dict(arrays)
    before = resident()
    runner = interpreter(pathlib.Path(file), delegate).get_signature_runner()
    outputs = []
    for i in range(len(next(iter(inputs.values())))):
        result = runner(**{name: x[i : i + 1] for name, x in inputs.items()})
        outputs.append(next(iter(result.values())).copy()[0])
    memory = resident() - before
    np.savez(answer, outputs=np.stack(outputs), memory=memory)


if __name__ == "__main__":
    _main(*sys.argv[1:])
