"""The inside of a .tflite file: tensors' values, and data of one's own.

A file is read into the objects of TensorFlow Lite's schema, changed there, and packed
again. Values travel as NumPy arrays; a tensor's buffer holds its bytes.
"""

import collections
import struct
from collections.abc import Iterator

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from . import nibbles, sharing

IDENTIFIER = b"TFL3"
"""Bytes 4 to 7 of every .tflite file."""

_MOST_ENTRIES = 1000  # of metadata that are searched; converters write three

TYPES = {
    schema.TensorType.FLOAT32: np.float32,
    schema.TensorType.FLOAT16: np.float16,
    schema.TensorType.INT8: np.int8,
    schema.TensorType.INT4: np.int8,
    schema.TensorType.INT32: np.int32,
    schema.TensorType.INT64: np.int64,
}
"""The types of tensors whose values are read here, and what they are read as."""


def read(file: bytes) -> schema.ModelT:
    """Returns a file's contents as objects.

    Raises:
        ValueError: it is no .tflite file.
    """
    if file[4:8] != IDENTIFIER:
        raise ValueError("this is not a .tflite file")
    return schema.ModelT.InitFromPackedBuf(file, 0)


def write(model: schema.ModelT) -> bytes:
    """Returns the file with these contents, equal ones once."""
    builder = sharing.SharingBuilder(1 << 16)
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


def stored(model: schema.ModelT, tensor: schema.TensorT) -> np.ndarray | None:
    """Returns the values that the file holds for a tensor, in one dimension.

    None if it holds none, or a type of no interest here. Of a sparse tensor these are
    the values that are not left out.
    """
    data = model.buffers[tensor.buffer].data
    if data is None or len(data) == 0 or tensor.type not in TYPES:
        return None
    data = np.asarray(data, np.uint8)
    if tensor.type == schema.TensorType.INT4:
        return nibbles.unpacked(data, int(np.prod(tensor.shape)))
    return np.frombuffer(data.tobytes(), TYPES[tensor.type])


def store(model: schema.ModelT, tensor: schema.TensorT, values: np.ndarray) -> None:
    """Puts values, of the tensor's type, into the tensor's buffer."""
    if tensor.type == schema.TensorType.INT4:
        values = nibbles.packed(values)
    model.buffers[tensor.buffer].data = np.frombuffer(values.tobytes(), np.uint8)


def constants(model: schema.ModelT) -> Iterator[tuple[schema.TensorT, np.ndarray]]:
    """Yields every tensor of the main graph that holds values, with the values."""
    for tensor in model.subgraphs[0].tensors:
        values = stored(model, tensor)
        if values is not None:
            yield tensor, values


def readers(model: schema.ModelT) -> collections.Counter[int]:
    """Returns how many operators of the main graph read each tensor, by its index."""
    operators = model.subgraphs[0].operators
    return collections.Counter(i for operator in operators for i in operator.inputs)


def builtin(model: schema.ModelT, operator: schema.OperatorT) -> int:
    """Returns which operator this is, a value of `schema.BuiltinOperator`."""
    return model.operatorCodes[operator.opcodeIndex].builtinCode


def opcode(model: schema.ModelT, builtin: int, version: int) -> int:
    """Returns the index of an operator code of the model, added if it has none."""
    for index, code in enumerate(model.operatorCodes):
        if (code.builtinCode, code.version) == (builtin, version):
            return index
    code = schema.OperatorCodeT()
    code.builtinCode, code.version = builtin, version
    code.deprecatedBuiltinCode = min(builtin, 127)  # the field's room before 2020
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1


def insert_before(
    model: schema.ModelT,
    operator: schema.OperatorT,
    place: int,
    code: int,
    result: schema.TensorT,
) -> None:
    """Puts an operator between another one and one of its inputs.

    Args:
        model: whose main graph both are in.
        operator: what is in the graph.
        place: of its input.
        code: index of the new one's operator code.
        result: the tensor that the new one makes of that input.
    """
    graph = model.subgraphs[0]
    graph.tensors.append(result)
    inserted = schema.OperatorT()
    inserted.opcodeIndex = code
    inserted.inputs = np.array([operator.inputs[place]], np.int32)
    inserted.outputs = np.array([len(graph.tensors) - 1], np.int32)
    graph.operators.insert(graph.operators.index(operator), inserted)
    inputs = np.array(operator.inputs)
    inputs[place] = len(graph.tensors) - 1
    operator.inputs = inputs


def tidy(file: bytes) -> bytes:
    """Returns the file without what no runtime reads, and without negative zeros.

    A zero weight times a negative scale, as when batch normalisation is folded, is
    -0.0: as good as zero for the arithmetic, but other bytes, which zip badly. Names
    of tensors inside the graph, the converter's notes on how it was called, and
    buffers that nothing refers to go; so do the empty ones, of which each activation
    has its own. Zero points stay, though all are zero in a kernel: the runtime asks
    for as many as there are scales. So does what says that a tensor has a rank, which
    not every reader takes for granted.
    """
    model = read(file)
    for graph in model.subgraphs:
        ends = {*graph.inputs, *graph.outputs}
        for index, tensor in enumerate(graph.tensors):
            values = stored(model, tensor)
            if values is not None and np.issubdtype(values.dtype, np.floating):
                store(model, tensor, values + values.dtype.type(0))
            if index not in ends:
                tensor.name = None
            if model.buffers[tensor.buffer].data is None:
                tensor.buffer = 0
    model.metadata = None
    model.metadataBuffer = None
    model.description = None
    _drop_unused_buffers(model)
    return write(model)


def _drop_unused_buffers(model: schema.ModelT) -> None:
    """Keeps buffer 0, which is empty by definition, and those of tensors."""
    used = {t.buffer for graph in model.subgraphs for t in graph.tensors}
    kept = [0, *sorted(used - {0})]
    place = {old: new for new, old in enumerate(kept)}
    model.buffers = [model.buffers[old] for old in kept]
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            tensor.buffer = place[tensor.buffer]


def with_metadata(file: bytes, name: str, value: bytes) -> bytes:
    """Returns the file with an entry of one's own in the model's metadata.

    An entry of that name that is there already gets the new value.
    """
    model = read(file)
    entry = _entry(model, name)
    if entry is None:
        entry = schema.MetadataT()
        entry.name, entry.buffer = name, len(model.buffers)
        model.buffers.append(schema.BufferT())
        model.metadata = [*(model.metadata or []), entry]
    model.buffers[entry.buffer].data = np.frombuffer(value, np.uint8)
    return write(model)


def metadata(file: bytes, name: str) -> bytes | None:
    """Returns the entry of that name in the model's metadata, None if there is none.

    Nothing else in the file is looked at: in one from elsewhere a few offsets may stand
    for any number of objects.

    Raises:
        ValueError: it is no .tflite file, or an offset in it leads nowhere.
    """
    if file[4:8] != IDENTIFIER:
        raise ValueError("this is not a .tflite file")
    try:
        model = schema.Model.GetRootAs(file, 0)
        for index in range(min(model.MetadataLength(), _MOST_ENTRIES)):
            entry = model.Metadata(index)
            if entry.Name() == name.encode():
                return model.Buffers(entry.Buffer()).DataAsNumpy().tobytes()
    except (struct.error, LookupError, TypeError, AttributeError, ValueError):
        raise ValueError("this .tflite file is damaged") from None
    return None


def _entry(model: schema.ModelT, name: str) -> schema.MetadataT | None:
    entries = model.metadata or []
    return next((e for e in entries if e.name == name.encode()), None)
