"""Small networks whose kernels have zeros of every pattern."""

import keras
import numpy as np

from rvsm_tf.litert import source

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
    last = rng.uniform(-0.2, 0.2, (128, 8))
    model.get_layer("probabilities").set_weights([last, np.zeros(8)])
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


def behind_a_start(middle, size=96, seed=0):
    """A network in which XNNPACK finds a start for its sparse path, on 3 channels.

    Nine tenths of its 1 × 1 kernels are zeros, and of a dense one more: scattered, so
    that by columns it is smallest. Weights are so large that the signal gets through.

    Args:
        middle: layers between two parts that the path would take.
        size: of the pictures.
        seed: of the weights.
    """
    image = keras.Input((size, size, 3), name="image")
    x = L.Conv2D(16, 3, 2, activation="relu")(L.ZeroPadding2D(1)(image))
    x = L.DepthwiseConv2D(3, padding="same", activation="relu")(x)
    x = L.Conv2D(64, 1, activation="relu", name="narrow")(x)
    for layer in middle:
        x = layer(x)
    x = L.DepthwiseConv2D(3, padding="same", activation="relu")(x)
    x = L.Conv2D(512, 1, activation="relu", name="wide")(x)
    x = L.GlobalAveragePooling2D()(x)
    x = L.Dense(64, activation="relu", name="dense")(x)
    model = keras.Model(image, L.Dense(2, name="answers")(x))
    rng = np.random.default_rng(seed)
    zeros = {"narrow": 0.9, "wide": 0.9, "dense": 0.95}
    for layer in model.layers:
        if layer.weights:
            kernel, bias = layer.get_weights()
            share = zeros.get(layer.name, 0.0)
            alive = rng.random(kernel.shape) >= share
            # As many inputs as reach an output: He's initial weights.
            depthwise = isinstance(layer, L.DepthwiseConv2D)
            inputs = kernel.size / kernel.shape[2 if depthwise else -1] * (1 - share)
            w = alive * rng.normal(0, np.sqrt(2 / inputs), kernel.shape)
            layer.set_weights([w, rng.normal(0, 0.1, bias.shape)])
    return model
