"""Kernels that a file stores in bytes, and that are computed with in float32.

A kernel's weights become whole numbers from -127 to 127, times one scale; a DEQUANTIZE
operator in front of the layer makes them float32 when the model is loaded. A weight of
0 stays 0. Nothing else is rounded, so that no examples are needed, and answers are
nearer to Keras's than with int8 arithmetic.

What TensorFlow's converter calls dynamic range is something else: there the layer reads
the bytes itself.
"""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from .base import flatbuffer

SMALLEST = 256
"""Weights of a kernel from which it pays: a tensor and an operator take room, too."""

_BOUND = 127
_DEQUANTIZE = schema.BuiltinOperator.DEQUANTIZE
_LAYERS = {
    schema.BuiltinOperator.CONV_2D,
    schema.BuiltinOperator.DEPTHWISE_CONV_2D,
    schema.BuiltinOperator.FULLY_CONNECTED,
}


def stored(file: bytes) -> tuple[bytes, int]:
    """Returns a float32 file with its kernels in bytes.

    Args:
        file: a .tflite file with float32 kernels.

    Returns:
        the file, and how many kernels are in bytes. One with few weights, or that two
        operators read, is left alone.
    """
    model = flatbuffer.read(file)
    graph = model.subgraphs[0]
    readers = flatbuffer.readers(model)
    count = 0
    for operator in list(graph.operators):
        if flatbuffer.builtin(model, operator) not in _LAYERS:
            continue
        index = operator.inputs[1]
        kernel = graph.tensors[index]
        w = flatbuffer.stored(model, kernel)
        if kernel.type != schema.TensorType.FLOAT32 or w is None or w.size < SMALLEST:
            continue
        if readers[index] > 1 or not w.any():
            continue
        scale = np.abs(w).max() / _BOUND
        flatbuffer.store(model, kernel, np.round(w / scale).astype(np.int8))
        floats = schema.TensorT()
        floats.shape, floats.type, floats.hasRank = kernel.shape, kernel.type, True
        kernel.type = schema.TensorType.INT8
        kernel.quantization = schema.QuantizationParametersT()
        kernel.quantization.scale = np.array([scale], np.float32)
        kernel.quantization.zeroPoint = np.zeros(1, np.int64)
        code = flatbuffer.opcode(model, _DEQUANTIZE, version=2)
        flatbuffer.insert_before(model, operator, 1, code, floats)
        count += 1
    return flatbuffer.write(model), count
