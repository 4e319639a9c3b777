import flatbuffers
import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from keras import layers

from rvsm_tf.litert.base import flatbuffer


@pytest.fixture(scope="module")
def net():
    """A convolution and a dense layer, both with negative zeros in their kernels."""
    keras.utils.set_random_seed(0)
    net = keras.Sequential(
        [
            keras.Input((5, 5, 1), name="ink"),
            layers.Conv2D(3, 2, activation="relu", bias_initializer="normal"),
            layers.Flatten(),
            layers.Dense(2, activation="softmax", bias_initializer="normal"),
        ]
    )
    for layer in (net.layers[0], net.layers[2]):
        kernel = layer.kernel.numpy()
        kernel[0] = -0.0
        kernel[1, ..., 1] = 0.0
        layer.kernel.assign(kernel)
    return net


@pytest.fixture(scope="module", params=["float32", "float16"])
def file(request, net, tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("saved"))
    archive = keras.export.ExportArchive()
    archive.track(net)
    signature = [tf.TensorSpec((1, 5, 5, 1), tf.float32, name="ink")]
    archive.add_endpoint("serve", lambda ink: {"answer": net(ink)}, signature)
    archive.write_out(folder, verbose=False)
    converter = tf.lite.TFLiteConverter.from_saved_model(
        folder, signature_keys=["serve"]
    )
    if request.param == "float16":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    return converter.convert()


def outputs(file, resolver=OpResolverType.AUTO):
    interpreter = Interpreter(
        model_content=file, experimental_op_resolver_type=resolver
    )
    runner = interpreter.get_signature_runner("serve")
    inputs = np.random.default_rng(1).random((20, 1, 5, 5, 1), "float32")
    return np.stack([runner(ink=x)["answer"].copy() for x in inputs])


def negative_zeros(file):
    constants = flatbuffer.constants(flatbuffer.read(file))
    floats = [v for _, v in constants if np.issubdtype(v.dtype, np.floating)]
    return sum(int(np.sum((v == 0) & np.signbit(v))) for v in floats)


def test_what_was_read_and_written_answers_the_same(file, net):
    again = flatbuffer.write(flatbuffer.read(file))
    np.testing.assert_array_equal(outputs(again), outputs(file))
    inputs = np.random.default_rng(1).random((20, 1, 5, 5, 1), "float32")
    np.testing.assert_allclose(outputs(file)[:, 0], net(inputs[:, 0]), atol=1e-3)


def test_tidying_removes_every_negative_zero(file):
    assert negative_zeros(file) > 0
    assert negative_zeros(flatbuffer.tidy(file)) == 0


def test_tidying_changes_no_value(file):
    before = [v for _, v in flatbuffer.constants(flatbuffer.read(file))]
    after = [v for _, v in flatbuffer.constants(flatbuffer.read(flatbuffer.tidy(file)))]
    for old, new in zip(before, after, strict=True):
        assert old.dtype == new.dtype
        np.testing.assert_array_equal(old, new)


def test_tidying_changes_no_answer(file):
    for resolver in (
        OpResolverType.AUTO,
        OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    ):
        before, after = (outputs(f, resolver) for f in (file, flatbuffer.tidy(file)))
        np.testing.assert_array_equal(after, before)


def test_tidying_makes_the_file_smaller(file):
    assert len(flatbuffer.tidy(file)) < len(flatbuffer.write(flatbuffer.read(file)))


def test_tidying_twice_changes_nothing_more(file):
    once = flatbuffer.tidy(file)
    assert flatbuffer.tidy(once) == once


def test_tidying_keeps_the_names_of_inputs_and_outputs_alone(file):
    (before,) = flatbuffer.read(file).subgraphs
    (after,) = flatbuffer.read(flatbuffer.tidy(file)).subgraphs
    ends = {*before.inputs, *before.outputs}
    for index, (old, new) in enumerate(zip(before.tensors, after.tensors, strict=True)):
        assert old.name
        assert new.name == (old.name if index in ends else None)


def test_tidying_keeps_the_signature(file):
    (signature,) = flatbuffer.read(flatbuffer.tidy(file)).signatureDefs
    assert signature.signatureKey == b"serve"
    assert [entry.name for entry in signature.inputs] == [b"ink"]
    assert [entry.name for entry in signature.outputs] == [b"answer"]


def test_tidying_drops_buffers_that_no_tensor_uses(file):
    file = flatbuffer.with_metadata(file, "a note", b"of no use to a runtime")
    model = flatbuffer.read(flatbuffer.tidy(file))
    used = {tensor.buffer for tensor in model.subgraphs[0].tensors}
    assert {0, *used} == set(range(len(model.buffers)))
    assert all(buffer.data is not None for buffer in model.buffers[1:])
    assert model.buffers[0].data is None
    assert (model.metadata, model.description) == (None, None)


def test_tidying_reaches_every_graph():
    model = schema.ModelT()
    model.buffers = [schema.BufferT(), schema.BufferT(), schema.BufferT()]
    model.subgraphs = []
    for buffer in (1, 2):
        tensor = schema.TensorT()
        tensor.name, tensor.buffer = "kernel", buffer
        tensor.type, tensor.shape = schema.TensorType.FLOAT32, np.int32([2])
        flatbuffer.store(model, tensor, np.float32([-0.0, buffer]))
        graph = schema.SubGraphT()
        graph.tensors = [tensor]
        graph.inputs = graph.outputs = np.int32([])
        model.subgraphs.append(graph)
    tidy = flatbuffer.read(flatbuffer.tidy(flatbuffer.write(model)))
    for graph, last in zip(tidy.subgraphs, (1, 2), strict=True):
        values = flatbuffer.stored(tidy, graph.tensors[0])
        assert values.tobytes() == np.float32([0.0, last]).tobytes()


def test_metadata_comes_back(file):
    for value in (b"", b"\x00\xff", "λ".encode()):
        file = flatbuffer.with_metadata(file, "a note", value)
        assert flatbuffer.metadata(file, "a note") == value


def test_metadata_keeps_the_other_entries(file):
    file = flatbuffer.with_metadata(file, "first", b"1")
    file = flatbuffer.with_metadata(file, "second", b"2")
    file = flatbuffer.with_metadata(file, "first", b"3")
    assert flatbuffer.metadata(file, "first") == b"3"
    assert flatbuffer.metadata(file, "second") == b"2"


def test_metadata_of_an_absent_name_is_none(file):
    assert flatbuffer.metadata(file, "rvsm_tf") is None
    assert flatbuffer.metadata(flatbuffer.tidy(file), "rvsm_tf") is None


def test_a_file_that_is_larger_inside_than_outside_is_not_unpacked():
    """65,536 times the same graph, of 65,536 times the same tensor."""
    builder = flatbuffers.Builder(1 << 20)

    def repeated(start, offset, times):
        start(builder, times)
        for _ in range(times):
            builder.PrependUOffsetTRelative(offset)
        return builder.EndVector()

    schema.TensorStart(builder)
    tensor = schema.TensorEnd(builder)
    tensors = repeated(schema.SubGraphStartTensorsVector, tensor, 1 << 16)
    schema.SubGraphStart(builder)
    schema.SubGraphAddTensors(builder, tensors)
    graph = schema.SubGraphEnd(builder)
    graphs = repeated(schema.ModelStartSubgraphsVector, graph, 1 << 16)
    name, data = builder.CreateString("note"), builder.CreateByteVector(b"value")
    schema.BufferStart(builder)
    schema.BufferAddData(builder, data)
    buffer = schema.BufferEnd(builder)
    buffers = repeated(schema.ModelStartBuffersVector, buffer, 1)
    schema.MetadataStart(builder)
    schema.MetadataAddName(builder, name)
    schema.MetadataAddBuffer(builder, 0)
    entry = schema.MetadataEnd(builder)
    entries = repeated(schema.ModelStartMetadataVector, entry, 1)
    schema.ModelStart(builder)
    schema.ModelAddSubgraphs(builder, graphs)
    schema.ModelAddBuffers(builder, buffers)
    schema.ModelAddMetadata(builder, entries)
    builder.Finish(schema.ModelEnd(builder), flatbuffer.IDENTIFIER)
    assert flatbuffer.metadata(bytes(builder.Output()), "note") == b"value"


@pytest.mark.parametrize("value", [0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_offsets_that_lead_nowhere_are_a_damaged_file(file, value):
    file = flatbuffer.with_metadata(flatbuffer.tidy(file), "a note", b"value")
    answers = set()
    for place in [0, *range(8, 400, 4)]:
        content = bytearray(file)
        content[place : place + 4] = value.to_bytes(4, "little")
        try:
            answers.add(flatbuffer.metadata(bytes(content), "a note"))
        except ValueError as error:
            answers.add(str(error))
    assert "this .tflite file is damaged" in answers
    assert b"value" in answers


def test_what_is_no_tflite_file_is_refused():
    with pytest.raises(ValueError, match=r"^this is not a \.tflite file$"):
        flatbuffer.read(b"PK\x03\x04 and so on")
