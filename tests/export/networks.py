"""Small networks whose kernels have zeros of every pattern."""

import keras
import numpy as np

from export import source

L = keras.layers


def masked(shape, pattern, share, rng):
    """A kernel (inputs, units) with zeros: scattered, or in blocks of inputs."""
    w = rng.normal(0, 0.2, shape).astype("float32")
    if pattern == "scattered":
        w[rng.random(shape) < share] = 0
    else:
        blocks = rng.random((shape[0] // pattern, shape[1])) < share
        w[np.repeat(blocks, pattern, axis=0)] = 0
    return w


def dense(pattern, share=0.9, inputs=512, seed=0):
    """A classifier with a hidden layer of 128 units and such a kernel."""
    model = keras.Sequential(
        [
            keras.Input((inputs,), name="image"),
            L.Dense(128, activation="relu", name="dense"),
            L.Dense(8, activation="softmax", name="probabilities"),
        ]
    )
    rng = np.random.default_rng(seed)
    bias = rng.normal(0, 0.1, 128)
    kernel = masked((inputs, 128), pattern, share, rng)
    model.get_layer("dense").set_weights([kernel, bias])
    return model


def examples(model, count=64, seed=1):
    """Random inputs for a model."""
    rng = np.random.default_rng(seed)
    return source.Examples(
        {
            name: rng.random((count, *shape[1:]), "float32")
            for name, shape in source.shapes(model).items()
        }
    )
