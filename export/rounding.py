"""Coarser steps for int8 weights, where they change no answer.

An int8 weight takes a byte in the file whatever its value, but the file is shipped
zipped, in an APK or over HTTP, and there a weight costs what it tells. Weights that
are multiples of 8 tell three bits less.
"""

import pathlib
import tempfile

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from . import flatbuffer, runtime
from .source import Examples
from .verify import largest_gaps

STEPS = (16, 8, 4, 2)

TOLERANCE = 0.03
"""How far 99 % of the outputs may move, as a share of the largest."""

_KERNEL = 1000  # weights from which it pays


def coarsest(file: bytes, examples: Examples) -> tuple[bytes, int]:
    """Returns an int8 file with its kernels rounded to the coarsest harmless step.

    Args:
        file: a .tflite file with int8 kernels.
        examples: on which no label may change, and outputs by `TOLERANCE` at most.

    Returns:
        the file, and the step; 1 if every coarser one does harm, or no kernel is of a
        size that it pays for.
    """
    constants = flatbuffer.constants(flatbuffer.read(file))
    if not any(_rounds(*constant) for constant in constants):
        return file, 1
    expected = _outputs(file, examples)
    allowed = TOLERANCE * float(np.abs(expected).max())
    for step in STEPS:
        candidate = rounded(file, step)
        outputs = _outputs(candidate, examples)
        same = (outputs.argmax(-1) == expected.argmax(-1)).all()
        if same and np.quantile(largest_gaps(outputs, expected), 0.99) <= allowed:
            return candidate, step
    return file, 1


def rounded(file: bytes, step: int) -> bytes:
    """Returns a file whose int8 kernels are multiples of a step. Zeros stay zeros."""
    model = flatbuffer.read(file)
    for tensor, values in flatbuffer.constants(model):
        if _rounds(tensor, values):
            q = values.astype(int)
            q = np.sign(q) * ((np.abs(q) + step // 2) // step) * step
            bound = 127 // step * step
            flatbuffer.store(model, tensor, np.clip(q, -bound, bound).astype(np.int8))
    return flatbuffer.write(model)


def _rounds(tensor: schema.TensorT, values: np.ndarray) -> bool:
    return tensor.type == schema.TensorType.INT8 and values.size >= _KERNEL


def _outputs(file: bytes, examples: Examples) -> np.ndarray:
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.tflite"
        path.write_bytes(file)
        return runtime.run(path, "on", examples.inputs)[0]
