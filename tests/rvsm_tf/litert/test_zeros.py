"""Zeros are followed into the file, weight by weight."""

import keras
import numpy as np

from rvsm_tf.litert import zeros
from rvsm_tf.litert.base import flatbuffer
from rvsm_tf.litert.converter import Converter
from tests.rvsm_tf.litert import networks

L = keras.layers


def test_every_kernel_is_found_and_keeps_its_zeros():
    rng = np.random.default_rng(0)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3), name="image"),
            L.Conv2D(4, 3, use_bias=False, name="conv"),
            L.BatchNormalization(name="norm"),
            L.DepthwiseConv2D(3, depth_multiplier=2, name="depthwise"),
            L.Flatten(),
            L.Dense(128, activation="relu", name="first"),
            L.Dense(128, activation="relu", name="second"),
            L.Dense(3, activation="softmax", name="probabilities"),
        ]
    )
    for weight in model.weights:
        value = rng.uniform(0.5, 1.5, weight.shape) * rng.choice([-1, 1], weight.shape)
        if "variance" in weight.path:
            value = np.abs(value)
        weight.assign(np.where(rng.random(weight.shape) < 0.5, 0, value))
    file = Converter(model, None).write("float32")
    rows = zeros.kept(model, file)
    layers = [row.kernel.split("/")[-2] for row in rows]
    assert layers == ["conv", "depthwise", "first", "second", "probabilities"]
    for row in rows:
        w = next(v for v in model.weights if v.path == row.kernel)
        assert row.zeros == row.kept == int((np.asarray(w) == 0).sum())


def test_a_zero_that_was_lost_is_counted():
    model = networks.dense("scattered")
    file = Converter(model, None).write("float32")
    contents = flatbuffer.read(file)
    for tensor, values in flatbuffer.constants(contents):
        if list(tensor.shape) == [128, 512]:
            spoilt = values.copy()
            spoilt[np.flatnonzero(spoilt == 0)[:7]] = 1e-3
            flatbuffer.store(contents, tensor, spoilt)
    row = zeros.kept(model, flatbuffer.write(contents))[0]
    assert row.zeros - row.kept == 7


def test_a_kernel_that_is_not_there_is_not_counted():
    other = networks.dense("scattered", inputs=256)
    file = Converter(networks.dense("scattered"), None).write("float32")
    assert zeros.kept(other, file)[0].kept is None
