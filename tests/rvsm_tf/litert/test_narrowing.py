"""Four-bit kernels: the steps chosen, the bias that follows, the runtime's answer."""

import keras
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from rvsm_tf.litert import narrowing, zeros
from rvsm_tf.litert.base import flatbuffer, runtime
from rvsm_tf.litert.converter import Converter, NotApplicable
from tests.rvsm_tf.litert import networks

L = keras.layers
INT4, INT8 = schema.TensorType.INT4, schema.TensorType.INT8


def mixed(units=5, seed=0):
    """A convolution and a dense layer of many weights each, and a small dense one.

    With 5 units, the large dense kernel has 5 * 11 * 21 = 1,155 weights, an odd number.
    """
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((11, 7, 16), name="image"),
            L.Conv2D(21, 3, padding="same", bias_initializer="normal", name="conv"),
            L.MaxPooling2D((1, 7)),
            L.Flatten(),
            L.Dense(units, "relu", bias_initializer="normal", name="dense"),
            L.Dense(2, "softmax", bias_initializer="normal", name="probabilities"),
        ]
    )
    kernel = model.get_layer("dense").kernel
    w = np.asarray(kernel).copy()
    w[np.abs(w) < np.quantile(np.abs(w), 0.6)] = 0
    w[:, 1] = 0
    w[:, 2:3] = np.where(np.arange(len(w))[:, None] == 3, 1.0, 0.05 * w[:, 2:3])
    kernel.assign(w)
    return model


@pytest.fixture(scope="module")
def model():
    return mixed()


@pytest.fixture(scope="module")
def converter(model):
    return Converter(model, networks.examples(model))


@pytest.fixture(scope="module")
def int8(converter):
    """The int8 file before its weights are rounded."""
    return converter._tensorflow("int8")


def layer(file, code=schema.BuiltinOperator.FULLY_CONNECTED):
    """The first operator of a kind: its kernel and bias, with their values."""
    model = flatbuffer.read(file)
    operator = next(
        o
        for o in model.subgraphs[0].operators
        if model.operatorCodes[o.opcodeIndex].builtinCode == code
    )
    tensors = [model.subgraphs[0].tensors[i] for i in operator.inputs[1:]]
    kernel, bias = [(t, flatbuffer.stored(model, t)) for t in tensors]
    return kernel, bias, model.operatorCodes[operator.opcodeIndex].version


def held_as_int8(file):
    """The file with every four-bit number in a byte of its own."""
    model = flatbuffer.read(file)
    for tensor, values in list(flatbuffer.constants(model)):
        if tensor.type == INT4:
            tensor.type = INT8
            model.buffers[tensor.buffer].data = values.view(np.uint8)
    for code in model.operatorCodes:
        if code.builtinCode == schema.BuiltinOperator.FULLY_CONNECTED:
            code.version = 4
    return flatbuffer.write(model)


@pytest.mark.parametrize("units", [5, 64])
def test_the_runtime_answers_as_with_the_same_weights_in_int8(units, tmp_path):
    model = mixed(units, seed=units)
    given = networks.examples(model)
    four = Converter(model, given).write("int4")
    eight = held_as_int8(four)
    assert layer(four)[0][0].type == INT4
    assert len(four) < len(eight)
    (tmp_path / "four").write_bytes(four)
    (tmp_path / "eight").write_bytes(eight)
    for delegate in runtime.MODES:
        found, expected = (
            runtime.run(tmp_path / name, delegate, given.inputs)[0]
            for name in ("four", "eight")
        )
        assert len(np.unique(expected)) > 16
        # The delegate multiplies the int8 kernel itself, where it rounds otherwise.
        steps = 2 if delegate == "on" else 0
        assert np.abs(found - expected).max() <= steps / 256


def test_large_dense_kernels_alone_are_narrower(converter, int8):
    before, after = flatbuffer.read(int8), flatbuffer.read(converter.write("int4"))
    narrower = [
        (list(new.shape), new.type)
        for (old, _), (new, _) in zip(
            flatbuffer.constants(before), flatbuffer.constants(after), strict=True
        )
        if new.type != old.type
    ]
    assert narrower == [([5, 231], INT4)]
    kernel, _, version = layer(converter.write("int4"))
    assert version == 10
    assert len(kernel[1]) == 1155
    convolution, _, _ = layer(int8, schema.BuiltinOperator.CONV_2D)
    assert convolution[1].size > narrowing.SMALLEST


def test_kernel_and_bias_stand_for_nearly_the_same_numbers(int8):
    narrow, count = narrowing.narrowed(int8)
    assert count == 1
    for (old, x), (new, y) in zip(layer(int8)[:2], layer(narrow)[:2], strict=True):
        before, after = (
            v.reshape(5, -1) * t.quantization.scale[:, None]
            for t, v in ((old, x), (new, y))
        )
        inside = np.abs(y.reshape(5, -1)) < (7 if new.type == INT4 else np.inf)
        half = np.broadcast_to(new.quantization.scale[:, None] / 2, before.shape)
        assert (np.abs(after - before) <= 1.001 * half)[inside].all()
        assert np.abs(before).max() > 3 * half.max()
        assert new.quantization.zeroPoint.tolist() == [0] * 5
    (kernel, _), (bias, _), _ = layer(narrow)
    ratio = bias.quantization.scale / kernel.quantization.scale
    (kernel, _), (bias, _), _ = layer(int8)
    expected = bias.quantization.scale / kernel.quantization.scale
    np.testing.assert_allclose(ratio, expected, rtol=1e-6)


def test_a_layer_without_a_bias_is_narrowed():
    model = networks.dense("scattered")
    layer_ = model.get_layer("dense")
    layer_.set_weights([layer_.get_weights()[0], np.zeros(128)])
    narrow, count = narrowing.narrowed(
        Converter(model, networks.examples(model))._tensorflow("int8")
    )
    assert count == 2
    types = [t.type for t, _ in flatbuffer.constants(flatbuffer.read(narrow))]
    assert types.count(INT4) == 2


def test_a_kernel_that_two_layers_share_is_left_alone(int8):
    model = flatbuffer.read(int8)
    graph = model.subgraphs[0]
    (dense, _) = (
        o
        for o in graph.operators
        if flatbuffer.builtin(model, o) == schema.BuiltinOperator.FULLY_CONNECTED
    )
    graph.operators.append(dense)
    file = flatbuffer.write(model)
    assert narrowing.narrowed(file) == (file, 0)


def squared_error(row, step):
    step = max(step, 1)
    q = [min(max(round(x / step), -7), 7) for x in row]
    return sum((x - step * y) ** 2 for x, y in zip(row, q, strict=True))


def test_no_scale_makes_the_squared_error_much_smaller():
    rng = np.random.default_rng(0)
    w = rng.standard_t(3, (40, 300)) * (rng.random((40, 300)) < 0.3)
    w[5], w[6, 1:], w[7] = 0, 0, rng.integers(-7, 8, 300)
    w = np.round(w / np.maximum(np.abs(w).max(axis=1, keepdims=True), 1e-9) * 127)
    w[7] = rng.integers(-7, 8, 300)
    for row, step in zip(w, narrowing.best_steps(w), strict=True):
        least = min(squared_error(row, s) for s in np.linspace(1, 127 / 7 + 1, 400))
        assert step >= 1
        assert squared_error(row, step) <= 1.02 * least
        assert squared_error(row, step) <= squared_error(row, np.abs(row).max() / 7)


def test_zeros_are_counted_in_four_bits_too(model, converter):
    rows = {
        row.kernel.split("/")[-2]: row
        for row in zeros.kept(model, converter.dense("int4"))
    }
    w = np.asarray(model.get_layer("dense").kernel)
    assert rows["dense"].kept == rows["dense"].zeros == (w == 0).sum() > 600
    assert rows["conv"].kept is not None


def test_without_a_large_dense_kernel_there_is_no_int4():
    model = keras.Sequential(
        [keras.Input((20,), name="x"), L.Dense(49), L.Dense(2, "softmax")]
    )
    converter = Converter(model, networks.examples(model))
    with pytest.raises(NotApplicable, match=r"^no dense layer has 1,000 weig"):
        converter.write("int4")


def test_without_examples_there_is_no_int4(model):
    with pytest.raises(NotApplicable, match=r"^int4 needs examples .*--images"):
        Converter(model, None).write("int4")


def test_int4_is_made_of_weights_that_were_not_rounded_before(converter, int8):
    """Rounding int8 first would lose what the finer steps tell."""
    (_, direct), _, _ = layer(narrowing.narrowed(int8)[0])
    converter.write("int8")
    (_, written), _, _ = layer(converter.write("int4"))
    np.testing.assert_array_equal(written, direct)
