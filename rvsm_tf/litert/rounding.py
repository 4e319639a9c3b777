"""Coarser steps for int8 weights, where they change no answer.

An int8 weight takes a byte in the file whatever its value, but the file is shipped
zipped, in an APK or over HTTP, and there a weight costs what it tells. Weights that
are multiples of 8 tell three bits less.

Each kernel has a step of its own, the largest kernel first: there is most to gain, and
a large dense kernel bears a step that a convolution's few weights do not.
"""

import pathlib
import tempfile

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from .base import flatbuffer, runtime
from .source import Examples
from .verify import largest_gaps

STEPS = (16, 8, 4, 2)

TOLERANCE = 0.01
"""How far 99 % of the outputs may move, as a share of the largest.

Labels alone say little: of a model's own training images hardly any is close to two
classes. With 0.03, and one step for all kernels, one model of six lost 0.2 points of
accuracy on other images.
"""

_KERNEL = 1000  # weights from which it pays


def coarsest(file: bytes, examples: Examples) -> tuple[bytes, dict[int, int]]:
    """Returns an int8 file with its kernels rounded to the coarsest harmless steps.

    Args:
        file: a .tflite file with int8 kernels.
        examples: on which no label may change, and outputs by `TOLERANCE` at most, all
            kernels together.

    Returns:
        the file, and the steps, by index in the graph, of the kernels that have one.
    """
    kernels = _kernels(flatbuffer.read(file))
    if not kernels:
        return file, {}
    expected = _outputs(file, examples)
    steps: dict[int, int] = {}
    allowed = TOLERANCE * float(np.abs(expected).max())
    for index in sorted(kernels, key=lambda i: kernels[i].size, reverse=True):
        for step in STEPS:
            outputs = _outputs(rounded(file, {**steps, index: step}), examples)
            same = (outputs.argmax(-1) == expected.argmax(-1)).all()
            if same and np.quantile(largest_gaps(outputs, expected), 0.99) <= allowed:
                steps[index] = step
                break
    return rounded(file, steps), steps


def rounded(file: bytes, steps: dict[int, int]) -> bytes:
    """Returns a file whose int8 kernels are multiples of steps. Zeros stay zeros.

    Args:
        file: a .tflite file.
        steps: by index of a kernel in the graph.
    """
    model = flatbuffer.read(file)
    kernels = _kernels(model)
    for index, step in steps.items():
        q = kernels[index].astype(int)
        q = np.sign(q) * ((np.abs(q) + step // 2) // step) * step
        bound = 127 // step * step
        tensor = model.subgraphs[0].tensors[index]
        flatbuffer.store(model, tensor, np.clip(q, -bound, bound).astype(np.int8))
    return flatbuffer.write(model)


def _kernels(model: schema.ModelT) -> dict[int, np.ndarray]:
    """Returns the int8 kernels that are large enough, by their index in the graph."""
    tensors = {
        index: (tensor.type, flatbuffer.stored(model, tensor))
        for index, tensor in enumerate(model.subgraphs[0].tensors)
    }
    return {
        index: values
        for index, (kind, values) in tensors.items()
        if kind == schema.TensorType.INT8
        and values is not None
        and values.size >= _KERNEL
    }


def _outputs(file: bytes, examples: Examples) -> np.ndarray:
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.tflite"
        path.write_bytes(file)
        return runtime.run(path, "on", examples.inputs)[0]
