"""Sparse kernels: the same numbers in less room."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import given, settings
from hypothesis import strategies as st

from rvsm_tf.litert import source, sparse, verify
from rvsm_tf.litert.base import flatbuffer
from rvsm_tf.litert.converter import Converter
from tests.rvsm_tf.litert import networks

FLOAT, INT8 = schema.TensorType.FLOAT32, schema.TensorType.INT8


def unpacked(packed, shape):
    """What a reader of TensorFlow Lite's format makes of a packed kernel, slowly.

    Written from the format's description: dimensions are walked in the traversal
    order, a dense one place by place, a compressed one along its list.
    """
    s = packed.sparsity
    block = None if s.blockMap is None else len(packed.values)
    w = np.zeros(shape, packed.values.dtype)
    values = iter(packed.values)

    def walk(level, position, row):
        if level == len(s.dimMetadata):
            places = dict(zip(s.traversalOrder.tolist(), position, strict=True))
            if block is None:
                at = places[0], places[1]
            else:
                width = s.dimMetadata[2].denseSize
                at = places[0], places[1] * width + places[2]
            w[at] = next(values)
            return
        dimension = s.dimMetadata[level]
        if dimension.format == schema.DimensionType.DENSE:
            for i in range(dimension.denseSize):
                walk(level + 1, [*position, i], row * dimension.denseSize + i)
        else:
            ends = dimension.arraySegments.values.astype(int)
            for k in range(ends[row], ends[row + 1]):
                place = int(dimension.arrayIndices.values[k])
                walk(level + 1, [*position, place], k)

    walk(0, [], 0)
    assert next(values, None) is None
    return w


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 9),
    st.integers(1, 40).map(lambda n: 16 * n),
    st.floats(0.3, 1.0),
    st.integers(0, 2**32 - 1),
)
def test_every_layout_holds_the_kernel(units, inputs, share, seed):
    rng = np.random.default_rng(seed)
    w = np.where(
        rng.random((units, inputs)) < share, 0, rng.normal(size=(units, inputs))
    )
    w = w.astype("float32")
    w[0, 0] = 1
    for packed in (sparse._rows(w), sparse._columns(w), sparse._blocks(w, 4)):
        np.testing.assert_array_equal(unpacked(packed, w.shape), w)


@pytest.mark.parametrize(
    ("pattern", "share", "layout"),
    [("scattered", 0.9, "columns"), (4, 0.9, "blocks"), ("scattered", 0.2, None)],
)
def test_the_smallest_layout_is_chosen(pattern, share, layout):
    w = networks.masked((512, 128), pattern, share, np.random.default_rng(0)).T
    packed = sparse.smallest(np.ascontiguousarray(w), FLOAT)
    assert (packed and packed.layout) == layout


def test_a_layout_that_is_unpacked_at_load_can_be_barred():
    w = networks.masked((512, 128), "scattered", 0.9, np.random.default_rng(0)).T
    w = np.ascontiguousarray(w)
    packed = sparse.smallest(w, FLOAT, may_unpack=False)
    assert packed.layout == "rows"
    assert sparse.smallest(w, FLOAT).size < packed.size < w.nbytes


def test_a_narrow_layer_is_written_by_rows_and_runs_as_it_is():
    w = networks.masked((200, 128), "scattered", 0.95, np.random.default_rng(0)).T
    assert sparse.smallest(np.ascontiguousarray(w), FLOAT).layout == "rows"


def test_the_size_is_that_of_weights_and_places():
    # 3 weights of 4 bytes; 3 ends and 3 places of a byte each.
    w = np.zeros((2, 100), "float32")
    w[0, 3] = w[0, 50] = w[1, 7] = 1
    assert sparse.smallest(w, FLOAT).size == 3 * 4 + 3 + 3


def test_int8_is_packed_in_blocks_of_sixteen_alone():
    rng = np.random.default_rng(0)
    w = networks.masked((512, 128), 16, 0.9, rng).T
    q = np.round(w * 100).astype("int8")
    assert sparse.smallest(q, INT8).layout == "blocks"
    assert sparse.smallest(q, INT8).sparsity.dimMetadata[2].denseSize == 16
    assert sparse.smallest(q[:, :500], INT8) is None


def test_a_kernel_without_any_weight_stays_dense():
    assert sparse.smallest(np.zeros((4, 64), "float32"), FLOAT) is None


@pytest.mark.slow
@pytest.mark.parametrize("pattern", ["scattered", 4, 16])
@pytest.mark.parametrize("share", [0.8, 0.98, 0.995])
def test_packed_files_run_and_never_grow(pattern, share, tmp_path):
    model = networks.dense(pattern, share)
    given = networks.examples(model)
    converter = Converter(model, None)
    dense, packed = converter.write("float32"), converter.write("float32-sparse")
    assert len(packed) < len(dense)
    alive = np.count_nonzero(model.get_layer("dense").kernel)
    places = 2 * alive + 4 * 600  # no more than two bytes a weight, and the ends
    rest = len(dense) - 512 * 128 * 4
    assert len(packed) < 4 * alive + places + rest + 500
    file = tmp_path / "packed.tflite"
    file.write_bytes(packed)
    verdict = verify.verify(file, given, source.predict(model, given), "float32-sparse")
    assert verdict.refused is None
    assert verdict.max_abs_diff < 1e-5


def test_what_runs_as_it_is_has_the_operator_version_that_says_so():
    packing = sparse.pack(Converter(networks.dense(4), None).write("float32"))
    model = flatbuffer.read(packing.file)
    codes = [(c.builtinCode, c.version) for c in model.operatorCodes]
    assert packing.layouts["blocks"] == 1
    assert packing.barred == 0
    assert (schema.BuiltinOperator.FULLY_CONNECTED, 8) in codes
    assert schema.BuiltinOperator.DENSIFY not in dict(codes)
