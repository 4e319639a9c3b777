import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from rvsm_tf.litert.base import sharing
from tests.rvsm_tf.litert.parts import plain


def packed(model):
    builder = sharing.SharingBuilder(16)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def tensor(name, shape, scale, point=0, rank=True):
    made = schema.TensorT()
    made.name, made.hasRank = name, rank
    made.shape, made.buffer = np.array(shape, np.int32), 0
    made.quantization = schema.QuantizationParametersT()
    made.quantization.scale = np.array(scale, np.float32)
    made.quantization.zeroPoint = np.array([point], np.int64)
    return made


def network(tensors):
    model = schema.ModelT()
    model.subgraphs = [schema.SubGraphT()]
    model.subgraphs[0].tensors = tensors
    model.buffers = [schema.BufferT()]
    return model


ALIKE = tensor("kernel", [1, 25, 25, 8], [0.5])


@pytest.mark.parametrize(
    "other",
    [
        ALIKE,
        tensor("bias", [1, 25, 25, 8], [0.5]),
        tensor("kernel", [1, 25, 25], [0.5]),
        tensor("kernel", [1, 25, 25, 8], [0.25]),
        tensor("kernel", [1, 25, 25, 8], [0.5], point=-128),
        tensor("kernel", [1, 25, 25, 8], [0.5], rank=False),
    ],
)
def test_what_was_written_is_read_back(other):
    model = network([ALIKE, other, ALIKE])
    read = schema.ModelT.InitFromPackedBuf(packed(model), 0)
    found = plain(read.subgraphs[0].tensors)
    for one, expected in zip(found, [ALIKE, other, ALIKE], strict=True):
        assert one["name"] == expected.name.encode()
        assert one["shape"] == expected.shape.tolist()
        assert one["hasRank"] == expected.hasRank
        scale = expected.quantization.scale.tolist()
        assert one["quantization"]["scale"] == scale
        point = expected.quantization.zeroPoint.tolist()
        assert one["quantization"]["zeroPoint"] == point


def test_a_second_table_like_one_takes_the_place_of_its_number_alone():
    sizes = [len(packed(network([ALIKE] * count))) for count in (1, 2, 3, 4)]
    assert sizes[3] - sizes[1] == 2 * 4


def test_equal_parts_of_different_tables_are_written_once():
    file = packed(network([tensor("a", [3, 4, 5], [0.5]), tensor("b", [3, 4, 5], [9])]))
    assert file.count(np.array([3, 4, 5], np.int32).tobytes()) == 1
    file = packed(network([tensor("longer", [1], [9]), tensor("longer", [2], [9])]))
    assert file.count(b"longer") == 1
    assert file.count(np.array([9], np.float32).tobytes()) == 1


def test_numbers_of_equal_bytes_and_another_width_stay_apart():
    one = tensor("a", [0, 0], [0.5])
    one.quantization.zeroPoint = np.array([0], np.int64)
    (read,) = schema.ModelT.InitFromPackedBuf(packed(network([one])), 0).subgraphs
    assert read.tensors[0].shape.tolist() == [0, 0]
    assert read.tensors[0].quantization.zeroPoint.tolist() == [0]


def test_numbers_that_are_left_out_come_back():
    """A version of 1 is left out."""
    model = network([])
    model.operatorCodes = []
    for version in (0, 1, 2, 1):
        code = schema.OperatorCodeT()
        code.version = version
        model.operatorCodes.append(code)
    read = schema.ModelT.InitFromPackedBuf(packed(model), 0)
    assert [code.version for code in read.operatorCodes] == [0, 1, 2, 1]


def test_a_builder_that_has_to_grow_keeps_what_it_wrote():
    rng = np.random.default_rng(0)
    tensors = [
        tensor(f"t{i % 90}", [i % 7, 3], [i % 90], point=i % 5) for i in range(500)
    ]
    model = network(tensors)
    model.buffers[0].data = rng.integers(0, 256, 9999).astype(np.uint8)
    read = schema.ModelT.InitFromPackedBuf(packed(model), 0)
    assert [t.name for t in read.subgraphs[0].tensors] == [
        t.name.encode() for t in tensors
    ]
    assert plain([t.shape for t in read.subgraphs[0].tensors]) == plain(
        [t.shape for t in tensors]
    )
    np.testing.assert_array_equal(read.buffers[0].data, model.buffers[0].data)
