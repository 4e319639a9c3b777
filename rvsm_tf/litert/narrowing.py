"""Four-bit weights for the dense layers of an int8 file: half the bytes.

The runtime's own kernel unpacks them and computes in int8, to the same answer as with
these weights in bytes; the default delegate (XNNPACK) leaves such a layer to it. Only
the weights' steps are coarser. A unit's weights q and its scale s stand for s · q; its
bias, in steps of the input's scale times s, has to follow when s changes. A weight of
0 stays 0.

The weights come from int8, not from float32: its steps are so much finer that this
adds half a per cent to the squared error, and what the converter folded and calibrated
is done. Convolutions stay as they are: their kernels are small.
"""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from .base import flatbuffer, nibbles

SMALLEST = 1000
"""Weights of a kernel from which it pays."""

_SHARES = np.linspace(0.2, 1, 81)  # of the scale that clips no weight

_FULLY_CONNECTED = schema.BuiltinOperator.FULLY_CONNECTED


def narrowed(file: bytes) -> tuple[bytes, int]:
    """Returns an int8 file with the kernels of its dense layers in four bits.

    Args:
        file: a .tflite file with int8 kernels.

    Returns:
        the file, and how many kernels are in four bits. One with few weights, or that
        two layers share, is left alone.
    """
    model = flatbuffer.read(file)
    graph = model.subgraphs[0]
    readers = flatbuffer.readers(model)
    count = 0
    for operator in graph.operators:
        if flatbuffer.builtin(model, operator) != _FULLY_CONNECTED:
            continue
        constants = [i for i in operator.inputs[1:] if i != -1]
        kernel, *biases = (graph.tensors[i] for i in constants)
        q = flatbuffer.stored(model, kernel)
        if kernel.type != schema.TensorType.INT8 or q is None or q.size < SMALLEST:
            continue
        if any(readers[i] > 1 for i in constants):
            continue
        w = q.reshape(kernel.shape).astype("float32")
        steps = best_steps(w)
        kernel.type = schema.TensorType.INT4
        flatbuffer.store(model, kernel, _rounded(w, steps[:, None]))
        _rescale(kernel, steps)
        for bias in biases:
            values = np.round(flatbuffer.stored(model, bias) / steps)
            flatbuffer.store(model, bias, values.astype(np.int32))
            _rescale(bias, steps)
        # The first version that is said to read four bits.
        code = flatbuffer.opcode(model, _FULLY_CONNECTED, version=10)
        operator.opcodeIndex = code
        count += 1
    return flatbuffer.write(model), count


def best_steps(w: np.ndarray) -> np.ndarray:
    """Returns each unit's step of least squared error among 81 of them.

    The widest is the one that clips no weight; a narrower one clips a few, and rounds
    all others less. None is narrower than int8's own, which is 1.

    Args:
        w: a kernel in steps of int8, shape (units, inputs).
    """
    widest = np.abs(w).max(axis=1) / nibbles.BOUND
    best, least = np.ones(len(w)), np.full(len(w), np.inf)
    for share in _SHARES:
        steps = np.maximum(share * widest, 1)
        rounded = _rounded(w, steps[:, None]) * steps[:, None]
        error = ((w - rounded) ** 2).sum(axis=1)
        best, least = np.where(error < least, [steps, error], [best, least])
    return best


def _rounded(w: np.ndarray, step: np.ndarray) -> np.ndarray:
    bound = nibbles.BOUND
    return np.clip(np.round(w / step), -bound, bound).astype(np.int8)


def _rescale(tensor: schema.TensorT, steps: np.ndarray) -> None:
    """Makes a tensor's scales those of steps that are wider, one for each unit."""
    quantization = tensor.quantization
    quantization.scale = (quantization.scale * steps).astype(np.float32)
    quantization.zeroPoint = np.zeros(len(steps), np.int64)
    quantization.quantizedDimension = 0
