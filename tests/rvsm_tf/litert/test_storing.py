"""Kernels stored in bytes: the answers are those of the rounded weights in float32."""

import keras
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from rvsm_tf.litert import runtimes, source, sparse, storing, verify, zeros
from rvsm_tf.litert.base import flatbuffer
from rvsm_tf.litert.converter import Converter, NotApplicable
from rvsm_tf.litert.runtimes import there
from tests.rvsm_tf.litert import networks

L = keras.layers
FORMATS = ["int8w", "int8w-sparse"]


@pytest.fixture(scope="module")
def model():
    """Convolutions of every kind and dense layers; nine of ten weights are zero."""
    keras.utils.set_random_seed(0)
    net = keras.Sequential(
        [
            keras.Input((20, 14, 4), name="image"),
            L.Conv2D(24, 5, padding="same", bias_initializer="normal", name="conv"),
            L.DepthwiseConv2D(3, depth_multiplier=2, name="depthwise"),
            L.ReLU(),
            L.Conv2D(40, 1, bias_initializer="normal", name="pointwise"),
            L.MaxPooling2D(2),
            L.Conv2D(20, 3, strides=2, padding="same", name="strided"),
            L.Flatten(),
            L.Dense(32, "relu", name="dense"),
            L.Dense(2, name="small"),
        ]
    )
    rng = np.random.default_rng(0)
    for layer in net.layers:
        if layer.weights:
            w = np.asarray(layer.weights[0])
            layer.weights[0].assign(np.where(rng.random(w.shape) < 0.9, 0, 2 * w))
    return net


@pytest.fixture(scope="module")
def expected(model):
    """What Keras answers with the weights that the file is to hold."""
    rounded = keras.models.clone_model(model)
    for weight, w in zip(rounded.weights, model.get_weights(), strict=True):
        if w.size >= storing.SMALLEST:
            step = np.abs(w).max() / 127
            w = np.round(w / step) * step
        weight.assign(w)
    return source.predict(rounded, networks.examples(model))


@pytest.mark.parametrize("name", FORMATS)
def test_every_runtime_answers_as_keras_with_the_rounded_weights(
    model, expected, name, tmp_path
):
    file = tmp_path / "stored.tflite"
    file.write_bytes(Converter(model, None).write(name))
    where = there(runtimes.ALL)
    verdict = verify.verify(file, networks.examples(model), expected, name, where)
    assert verdict.refused is None
    assert verdict.max_abs_diff < 1e-5 * np.abs(expected).max()
    assert list(verdict.outputs) == [one.name for one in where]


def test_each_form_is_smaller_than_the_one_before(model):
    converter = Converter(model, None)
    float32, bytes_, lists = map(len, map(converter.write, ["float32", *FORMATS]))
    kernels = [w.size for w in model.get_weights() if w.size >= storing.SMALLEST]
    assert len(kernels) == 5
    # Two tensors, an operator and a scale each.
    assert 3 * sum(kernels) - 5 * 250 < float32 - bytes_ < 3 * sum(kernels)
    alive = sum(np.count_nonzero(w) for w in model.get_weights())
    assert bytes_ - lists > sum(kernels) - 3.5 * alive - 5 * 250


@pytest.mark.parametrize("name", FORMATS)
def test_zeros_stay_zeros(model, name):
    for row in zeros.kept(model, Converter(model, None).dense(name)):
        assert row.zeros == row.kept


def test_lists_run_along_the_axis_that_takes_least():
    # 3 weights of a byte, one place each; ends for 2 × 3 rows and one before them.
    w = np.zeros((2, 3, 100), "int8")
    w[0, 0, 3] = w[0, 0, 50] = w[1, 2, 7] = 1
    best = sparse.smallest_lists(w, schema.TensorType.INT8)
    assert best.sparsity.traversalOrder.tolist() == [0, 1, 2]
    assert best.size == 3 + 3 + 7
    # Of its transpose too, though those rows are now along another axis.
    turned = sparse.smallest_lists(w.transpose(2, 0, 1), schema.TensorType.INT8)
    assert turned.sparsity.traversalOrder.tolist() == [1, 2, 0]
    assert turned.size == best.size


def test_a_kernel_that_zeros_do_not_make_smaller_stays_dense():
    dense = np.ones((8, 3, 3, 8), "int8")
    assert sparse.smallest_lists(dense, schema.TensorType.INT8) is None
    assert sparse.smallest_lists(0 * dense, schema.TensorType.INT8) is None


def test_small_kernels_are_left_in_float32():
    net = keras.Sequential([keras.Input((15,)), L.Dense(17)])
    with pytest.raises(NotApplicable, match="256 weights"):
        Converter(net, None).write("int8w")


def test_behind_a_start_of_the_sparse_path_nothing_is_unpacked():
    net = networks.behind_a_start([])
    converter = Converter(net, None)
    with pytest.raises(NotApplicable, match="WebAssembly"):
        converter.write("int8w-sparse")
    operators = flatbuffer.read(converter.write("int8w")).operatorCodes
    assert schema.BuiltinOperator.DENSIFY not in [c.builtinCode for c in operators]
