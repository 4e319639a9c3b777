"""Sparse kernels in a .tflite file: only what is not zero, and where it stands.

TensorFlow's converter decides by a rule of its own how to write a sparse kernel, and
pads scattered weights to blocks when few are left, so that the file grows. Here every
way that the runtime reads is tried, and the smallest is written.

| layout | what is written | run |
|---|---|---|
| `blocks` | blocks of inputs, 1 × 4 (float32) or 1 × 16 (int8) | as it is |
| `rows` | each output's weights, with the number of their input | as it is |
| `columns` | each input's weights, with the number of their output | unpacked at load |
| `lists` | weights along one axis, any, with their number there | unpacked at load |

As it is: the FULLY_CONNECTED kernel (version 8, which makes the default delegate
leave the operator to it) multiplies what is there. Unpacked: a DENSIFY operator in
front of the layer makes the dense kernel when the model is loaded. The number of an
input takes two bytes in a wide layer, that of one of at most 256 outputs one. Where
XNNPACK would take such an operator for a hint, no kernel is unpacked: see `xnnpack`.
`lists` are for the kernels that `storing` has put into bytes: what computes with those
reads them when they are unpacked anyway.

A dense layer's kernel is (outputs, inputs) here, the transpose of Keras's.
"""

import dataclasses
from typing import NamedTuple

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from . import xnnpack
from .base import flatbuffer

_DENSE, _CSR = schema.DimensionType.DENSE, schema.DimensionType.SPARSE_CSR
_FULLY_CONNECTED = schema.BuiltinOperator.FULLY_CONNECTED
_DENSIFY = schema.BuiltinOperator.DENSIFY
_DEQUANTIZE = schema.BuiltinOperator.DEQUANTIZE
_KERNEL = {_FULLY_CONNECTED: 1, _DEQUANTIZE: 0}  # place among an operator's inputs

BLOCK = {schema.TensorType.FLOAT32: 4, schema.TensorType.INT8: 16}
"""Inputs of a block, for the types whose blocks the runtime multiplies."""


@dataclasses.dataclass(frozen=True)
class Packed:
    """A kernel without its zeros.

    Attributes:
        layout: see the module.
        values: the weights written, shape (n,).
        sparsity: where they stand.
        size: bytes that both take.
    """

    layout: str
    values: np.ndarray
    sparsity: schema.SparsityParametersT
    size: int

    @property
    def unpacked_at_load(self) -> bool:
        """Whether a DENSIFY operator has to stand in front of the layer."""
        return self.layout in ("columns", "lists")


class Packing(NamedTuple):
    """A file with sparse kernels.

    Attributes:
        file: the .tflite file.
        layouts: how many kernels are in which layout; those left alone are "dense". A
            kernel that two layers share is left out.
        barred: how many would be smaller if they were unpacked at load, which is not
            safe here.
    """

    file: bytes
    layouts: dict[str, int]
    barred: int


def pack(file: bytes) -> Packing:
    """Returns the file with kernels in their smallest safe layouts.

    Those are the kernels of dense layers, and of all layers whose kernels are bytes in
    float32 arithmetic.

    Args:
        file: a .tflite file, its kernels stored densely.
    """
    model = flatbuffer.read(file)
    graph = model.subgraphs[0]
    readers = flatbuffer.readers(model)
    layouts: dict[str, int] = {}
    barred, may_unpack = 0, not xnnpack.may_go_sparse(model)
    for operator in list(graph.operators):
        kind = flatbuffer.builtin(model, operator)
        if kind not in _KERNEL:
            continue
        index = operator.inputs[_KERNEL[kind]]
        tensor = graph.tensors[index]
        values = flatbuffer.stored(model, tensor)
        if values is None or readers[index] > 1:
            continue
        w, best = values.reshape(tensor.shape), _SMALLEST[kind]
        packed = best(w, tensor.type)
        if packed and packed.unpacked_at_load and not may_unpack:
            packed = best(w, tensor.type, may_unpack)
            barred += 1
        layout = packed.layout if packed else "dense"
        layouts[layout] = layouts.get(layout, 0) + 1
        if packed:
            flatbuffer.store(model, tensor, packed.values)
            tensor.sparsity = packed.sparsity
            if packed.unpacked_at_load:
                _unpack_before(model, operator, _KERNEL[kind])
            else:
                operator.opcodeIndex = flatbuffer.opcode(
                    model, _FULLY_CONNECTED, version=8
                )
    return Packing(flatbuffer.write(model), layouts, barred)


def smallest(w: np.ndarray, type_: int, may_unpack: bool = True) -> Packed | None:
    """Returns a kernel in its smallest layout, None if dense storage is smaller.

    Args:
        w: the kernel, shape (outputs, inputs).
        type_: of its tensor. The runtime multiplies int8 in blocks alone.
        may_unpack: whether a layout will do that is unpacked at load.
    """
    packed: list[Packed] = []
    if not w.any():
        return None  # an empty buffer would make it an input
    if type_ in BLOCK and w.shape[1] % BLOCK[type_] == 0:
        packed.append(_blocks(w, BLOCK[type_]))
    if type_ == schema.TensorType.FLOAT32:
        packed += [_rows(w), _columns(w)]
    # Among equals the first: what runs as it is comes before what is unpacked.
    packed = [p for p in packed if may_unpack or not p.unpacked_at_load]
    best = min(packed, key=lambda p: p.size, default=None)
    return best if best and best.size < w.nbytes else None


def smallest_lists(w: np.ndarray, type_: int, may_unpack: bool = True) -> Packed | None:
    """Returns a kernel as its smallest lists, None if dense storage is smaller.

    Args:
        w: the kernel, of any shape.
        type_: of its tensor, any.
        may_unpack: whether it may be unpacked at load, as lists are.
    """
    if not (w.any() and may_unpack):
        return None
    best = min((_lists(w, axis) for axis in range(w.ndim)), key=lambda p: p.size)
    return best if best.size < w.nbytes else None


_SMALLEST = {_FULLY_CONNECTED: smallest, _DEQUANTIZE: smallest_lists}


def _lists(w: np.ndarray, axis: int) -> Packed:
    order = [*(i for i in range(w.ndim) if i != axis), axis]
    w = w.transpose(order)
    rows = w.reshape(-1, w.shape[-1])
    dimensions = [*map(_whole, w.shape[:-1]), _listed(rows != 0)]
    return _packed("lists", rows[rows != 0], dimensions, order)


def _rows(w: np.ndarray) -> Packed:
    return _packed("rows", w[w != 0], [_whole(len(w)), _listed(w != 0)], [0, 1])


def _columns(w: np.ndarray) -> Packed:
    w = w.T
    return _packed("columns", w[w != 0], [_whole(len(w)), _listed(w != 0)], [1, 0])


def _blocks(w: np.ndarray, block: int) -> Packed:
    blocks = w.reshape(len(w), -1, block)
    alive = (blocks != 0).any(axis=-1)
    dimensions = [_whole(len(w)), _listed(alive), _whole(block)]
    return _packed("blocks", blocks[alive].ravel(), dimensions, [0, 1, 2], [1])


def _packed(
    layout: str,
    values: np.ndarray,
    dimensions: list[schema.DimensionMetadataT],
    order: list[int],
    block_map: list[int] | None = None,
) -> Packed:
    sparsity = schema.SparsityParametersT()
    sparsity.dimMetadata = dimensions
    sparsity.traversalOrder = np.array(order, np.int32)
    sparsity.blockMap = None if block_map is None else np.array(block_map, np.int32)
    places = sum(
        vector.values.nbytes
        for d in dimensions
        if d.format == _CSR
        for vector in (d.arraySegments, d.arrayIndices)
    )
    return Packed(layout, values, sparsity, values.nbytes + places)


def _whole(size: int) -> schema.DimensionMetadataT:
    """A dimension of which everything is there."""
    dimension = schema.DimensionMetadataT()
    dimension.format, dimension.denseSize = _DENSE, size
    return dimension


def _listed(alive: np.ndarray) -> schema.DimensionMetadataT:
    """A dimension of which some is there: for each row, a list of places."""
    dimension = schema.DimensionMetadataT()
    dimension.format = _CSR
    ends = np.concatenate([[0], np.cumsum(alive.sum(axis=1))])
    dimension.arraySegments, dimension.arraySegmentsType = _integers(ends)
    places = np.nonzero(alive)[1]
    dimension.arrayIndices, dimension.arrayIndicesType = _integers(places)
    return dimension


def _integers(values: np.ndarray) -> tuple[object, int]:
    """Returns a vector of the narrowest integers that hold the values, and its kind."""
    kinds = schema.SparseIndexVector
    largest = int(values.max(initial=0))
    for bound, kind, vector, dtype in (
        (2**8, kinds.Uint8Vector, schema.Uint8VectorT(), np.uint8),
        (2**16, kinds.Uint16Vector, schema.Uint16VectorT(), np.uint16),
        (2**31, kinds.Int32Vector, schema.Int32VectorT(), np.int32),
    ):
        if largest < bound:
            vector.values = values.astype(dtype)
            return vector, kind
    raise ValueError(f"{largest} does not fit into 32 bits")


def _unpack_before(
    model: schema.ModelT, operator: schema.OperatorT, place: int
) -> None:
    """Puts a DENSIFY operator between an operator and its kernel."""
    kernel = model.subgraphs[0].tensors[operator.inputs[place]]
    dense = schema.TensorT()
    dense.shape, dense.type = kernel.shape, kernel.type
    dense.quantization, dense.hasRank = kernel.quantization, True
    code = flatbuffer.opcode(model, _DENSIFY, version=1)
    flatbuffer.insert_before(model, operator, place, code, dense)
