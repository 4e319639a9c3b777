"""Small networks of every kind, each with what it is trained on.

All weights have names of their own, so that those of two networks can be paired by
name.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers, ops

rng = np.random.default_rng(7)
NUMBERS = rng.normal(size=(16, 6)).astype("float32")
VALUES = np.tanh(NUMBERS @ rng.normal(size=(6, 3))).astype("float32")
CLASSES = VALUES.argmax(axis=1)
PICTURES = rng.uniform(size=(16, 6, 6, 3)).astype("float32")
SERIES = rng.normal(size=(16, 5, 4)).astype("float32")
WORDS = rng.integers(0, 12, (16, 5))


@dataclasses.dataclass(frozen=True)
class Network:
    """A kind of network.

    Attributes:
        make: builds it, each time with the same weights after the same seed.
        x: what it takes.
        y: what it is to answer; None if `fit` is given x alone.
        split: the keys of what is split.
        compiling: arguments of `compile` but the optimizers.
        frozen: parts of the paths of weights that training leaves alone.
        uncopyable: what `harden` says of a network that it cannot copy.
        backends: on which it can be built.
        optimizers: names of the arguments of `compile` that are optimizers.
        validates: whether `evaluate` works.
    """

    make: Callable[[], keras.Model]
    x: Any = dataclasses.field(default_factory=lambda: NUMBERS)
    y: Any = dataclasses.field(default_factory=lambda: VALUES)
    split: tuple[str, ...] = ("*",)
    compiling: Callable[[], dict] = lambda: {"loss": "mse"}
    frozen: tuple[str, ...] = ()
    uncopyable: str | None = None
    backends: tuple[str, ...] = ("tensorflow", "jax", "torch")
    optimizers: tuple[str, ...] = ("optimizer",)
    validates: bool = True


def dense(name="dense", units=8, activation="tanh", **arguments):
    return layers.Dense(units, activation, name=name, **arguments)


def head(units=3):
    return layers.Dense(units, name="head")


def in_a_row(shape, *some):
    return keras.Sequential([keras.Input(shape), *some], name="net")


def sequential(**arguments):
    return in_a_row((6,), dense(**arguments), head())


def unbuilt():
    return keras.Sequential([dense(), head()], name="net")


def classifier():
    return in_a_row((6,), dense(), layers.Dense(3, "softmax", name="head"))


def functional():
    x = keras.Input((6,))
    h = dense()(x)
    return keras.Model(x, head()(h + dense("residual")(h)), name="net")


@keras.saving.register_keras_serializable("sweep")
class Backbone(keras.Model):
    """A functional subclass as KerasHub writes them: the last layer is made first."""

    def __init__(self, **arguments):
        self.last = dense("last", 6)
        self.first = dense("first", 6)
        x = keras.Input((6,))
        super().__init__(x, self.last(self.first(x)), **arguments)

    def __setattr__(self, name, value):
        # As KerasHub: PyTorch takes no attributes before it is initialized.
        if keras.backend.backend() == "torch" and not hasattr(self, "_initialized"):
            return object.__setattr__(self, name, value)
        return super().__setattr__(name, value)

    def zero_grad(self, *arguments):
        # Of PyTorch's: it knows of no weights here, and Keras's fit adds gradients up.
        for v in self.trainable_variables:
            v.value.grad = None

    def get_config(self):
        return {"name": self.name}


def backbone():
    bone = Backbone(name="bone")
    return keras.Model(bone.input, head()(bone.output), name="net")


@keras.saving.register_keras_serializable("sweep")
class Subclass(keras.Model):
    def __init__(self, units=8, **arguments):
        super().__init__(**arguments)
        self.units = units
        self.head, self.dense = head(), dense(units=units)

    def call(self, x):
        return self.head(self.dense(x))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class Forgetful(keras.Model):
    def __init__(self, units):
        super().__init__(name="net")
        self.dense, self.head = dense(units=units), head()

    def call(self, x):
        return self.head(self.dense(x))


class WithoutConfig(keras.Model):
    def __init__(self, units):
        super().__init__(name="net")
        self.units, self.dense, self.head = units, dense(units=units), head()

    def call(self, x):
        return self.head(self.dense(x))


def nested():
    inside = keras.Sequential([keras.Input((6,)), dense("inner")], name="inside")
    return in_a_row((6,), inside, dense(), head())


def shared_layer():
    x, twice = keras.Input((6,)), dense("twice", 6)
    return keras.Model(x, head()(twice(twice(x))), name="net")


def shared_model():
    x = keras.Input((6,))
    twice = keras.Sequential([keras.Input((6,)), dense("inner", 6)], name="twice")
    return keras.Model(x, head()(twice(twice(x))), name="net")


def frozen_base():
    base = keras.Sequential([keras.Input((6,)), dense("inner")], name="base")
    base.trainable = False
    return in_a_row((6,), base, dense(), head())


def inputs_by_name():
    a, b = keras.Input((4,), name="a"), keras.Input((2,), name="b")
    h = dense()(layers.Concatenate(name="both")([b, a]))
    return keras.Model({"b": b, "a": a}, head()(h), name="net")


def outputs_by_name():
    x = keras.Input((6,))
    h = dense()(x)
    outputs = layers.Dense(3, name="second")(h), layers.Dense(3, name="first")(h)
    return keras.Model(x, outputs, name="net")


def losses_by_name():
    return {
        "loss": {"first": "mse", "second": "mae"},
        "loss_weights": {"first": 0.3, "second": 2.0},
        "metrics": {"second": ["mae"]},
    }


def pictures(*some):
    return in_a_row((6, 6, 3), *some, layers.GlobalAveragePooling2D(), head())


def normalized():
    return pictures(
        layers.Conv2D(4, 3, use_bias=False, name="conv"),
        layers.BatchNormalization(name="norm"),
        layers.ReLU(),
        layers.Dropout(0.3, seed=3, name="dropout"),
    )


def words():
    return in_a_row(
        (5,),
        layers.Embedding(12, 4, name="embedding"),
        layers.GlobalAveragePooling1D(),
        head(),
    )


def attention():
    x = keras.Input((5, 4))
    attend = layers.MultiHeadAttention(2, 3, name="attention")
    h = layers.LayerNormalization(name="norm")(x + attend(x, x))
    return keras.Model(x, head()(layers.Flatten()(h)), name="net")


def with_lora():
    net = sequential()
    net.get_layer("dense").enable_lora(2)
    return net


def quantized():
    net = in_a_row((6,), dense("before", 6), dense("int8", 6), head())
    net.get_layer("int8").quantize("int8")
    net.get_layer("int8").trainable = False
    return net


def limited():
    return sequential(kernel_constraint="unit_norm", kernel_regularizer="l2")


@keras.saving.register_keras_serializable("sweep")
class Costly(layers.Layer):
    def call(self, x):
        self.add_loss(0.1 * ops.mean(x**2))
        return x


def with_losses():
    costs = dense(activity_regularizer=keras.regularizers.L2(0.01))
    return in_a_row((6,), costs, Costly(name="costly"), head())


NETWORKS = {
    "sequential": Network(sequential),
    "unbuilt": Network(unbuilt),
    "functional": Network(functional),
    "functional subclass": Network(Backbone, y=NUMBERS),
    "backbone inside": Network(backbone),
    "subclass": Network(lambda: Subclass(name="net")),
    "without get_config": Network(lambda: WithoutConfig(8)),
    "that forgets": Network(
        lambda: Forgetful(8),
        uncopyable="it is a Forgetful .* keeps too little .*; or call model.splitt",
    ),
    "nested": Network(nested),
    "shared layer": Network(shared_layer),
    "shared model": Network(shared_model),
    "frozen base": Network(frozen_base, frozen=("inner",)),
    "inputs by name": Network(
        inputs_by_name, x={"a": NUMBERS[:, :4], "b": NUMBERS[:, 4:]}
    ),
    "outputs by name": Network(
        outputs_by_name, y=(VALUES, -VALUES), compiling=losses_by_name
    ),
    "normalized": Network(normalized, x=PICTURES),
    "lstm": Network(
        lambda: in_a_row((5, 4), layers.LSTM(4, name="lstm"), head()),
        x=SERIES,
        split=("*", "*/recurrent_kernel"),
    ),
    "gru": Network(
        lambda: in_a_row((5, 4), layers.GRU(4, name="gru"), head()),
        x=SERIES,
        split=("gru/gru_cell", "gru/gru_cell/recurrent_kernel"),
    ),
    "embedding": Network(words, x=WORDS, split=("head", "embedding/embeddings")),
    "separable": Network(
        lambda: pictures(layers.SeparableConv2D(4, 3, name="separable")),
        x=PICTURES,
        split=("head", "separable/*_kernel"),
    ),
    "transposed": Network(
        lambda: pictures(layers.Conv2DTranspose(4, 3, name="transposed")), x=PICTURES
    ),
    "depthwise": Network(
        lambda: pictures(
            layers.DepthwiseConv2D(3, depth_multiplier=2, name="depthwise")
        ),
        x=PICTURES,
    ),
    "attention": Network(attention, x=SERIES),
    "einsum": Network(
        lambda: in_a_row(
            (6,), layers.EinsumDense("ab,bc->ac", 8, bias_axes="c", name="e"), head()
        )
    ),
    "lora": Network(
        with_lora, split=("head", "dense/lora_kernel_a"), frozen=("dense/kernel",)
    ),
    "int8": Network(quantized, frozen=("int8/",)),
    "constraint": Network(limited),
    "losses of layers": Network(with_losses),
    "classifier": Network(
        classifier,
        y=CLASSES,
        compiling=lambda: {"loss": "sparse_categorical_crossentropy"},
    ),
}
