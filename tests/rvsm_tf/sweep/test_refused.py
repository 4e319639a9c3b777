"""What cannot be trained is refused before a step is made; what ends badly is said."""

import re
import warnings

import keras
import numpy as np
import pytest
from keras import layers
from keras.optimizers import SGD

import rvsm_tf as rvsm
from tests.rvsm_tf.sweep import networks
from tests.rvsm_tf.sweep.networks import NUMBERS, VALUES
from tests.rvsm_tf.sweep.own import GAN
from tests.rvsm_tf.sweep.training import weights

L0, UNITS = rvsm.L0(), rvsm.Group(rvsm.L0(), "units")


def wrapped(net=None, split=None, lam=1e-4, compiled=True):
    net = net or networks.sequential()
    model = rvsm.RVSM(net, split or {"*": L0}, lam)
    if compiled:
        model.compile(SGD(0.1), "mse", jit_compile=False)
    return model


class OwnFit(keras.Model):
    def __init__(self):
        super().__init__(name="net")
        self.dense = layers.Dense(3, name="dense")

    def call(self, x):
        return self.dense(x)

    def fit(self, *args, **kwargs):
        raise AssertionError("nobody calls it")


class Around(keras.Model):
    def __init__(self, inside):
        super().__init__(name="around")
        self.inside = inside

    def call(self, x):
        return self.inside(x)


def endless():
    while True:
        yield NUMBERS[:8], VALUES[:8]


def batches():
    yield from [(NUMBERS[:8], VALUES[:8])] * 2


def einsum():
    layer = layers.EinsumDense("abc,cd->adb", (4, 9), bias_axes="d", name="e")
    return networks.in_a_row((9, 4), layer)


def recurrent():
    return networks.in_a_row((5, 4), layers.LSTM(4, name="lstm"))


REFUSED = {
    "inside a graph": (
        lambda: keras.Sequential([keras.Input((6,)), wrapped()]),
        "an RVSM inside another model.*wrap the outermost",
    ),
    "inside a class": (
        lambda: Around(wrapped())(NUMBERS),
        "an RVSM inside another model.*wrap the outermost",
    ),
    "around itself": (
        lambda: wrapped(wrapped()),
        "net must be a Keras model to be wrapped, got",
    ),
    "around one within": (
        lambda: wrapped(Around(wrapped())),
        "'around' has an RVSM inside, .*: build it of the network in there",
    ),
    "a fit of its own": (
        lambda: wrapped(OwnFit()),
        "'net' is a OwnFit with a fit of its own, which would not run: wrap",
    ),
    "units of a recurrent layer": (
        lambda: wrapped(recurrent(), {"lstm/lstm_cell": UNITS}),
        "lstm/lstm_cell: a unit of a recurrent layer has columns of two kernels",
    ),
    "units that the bias has not": (
        lambda: wrapped(einsum(), {"e": UNITS}),
        r"e: its bias has shape \(4, 1\), which is not one value for each of 4",
    ),
    "no kernel": (
        lambda: wrapped(networks.words(), {"embedding": L0}),
        "'embedding' has no kernel: name the weights to split, 'embedding/embeddings'",
    ),
    "no such layer": (
        lambda: wrapped(None, {"conv": L0}),
        "'conv' matches no layer; layers with a kernel: dense, head",
    ),
    "named twice": (
        lambda: wrapped(None, {"dense": L0, "*": L0}),
        "dense/kernel is named twice, by 'dense' and by '\\*'",
    ),
}


@pytest.mark.parametrize(("build", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_split_is_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def on_batch(model):
    model.train_on_batch(NUMBERS, VALUES)


def in_a_loop(model):
    with model.splitting.step(model.optimizer):
        pass


def fit_of_unknown_length(model):
    model.fit(batches(), shuffle=False, verbose=0)


@pytest.mark.parametrize(
    ("train", "message"),
    [
        (on_batch, "follows `fit`: in a training loop of your own say how many steps"),
        (in_a_loop, "follows `fit`: in a training loop of your own say how many steps"),
        (fit_of_unknown_length, "how many batches an epoch has is not known: give fit"),
    ],
)
def test_a_target_of_unknown_length_is_refused(train, message):
    model = wrapped(lam=rvsm.TargetSparsity(0.5))
    before = weights(model.net)
    with pytest.raises(ValueError, match=message):
        train(model)
    for path, value in weights(model.net).items():
        np.testing.assert_array_equal(value, before[path])
    model.fit(endless(), steps_per_epoch=2, shuffle=False, verbose=0)
    assert model.splitting.sparsity() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("name", ["model.h5", "model.hdf5"])
def test_a_model_in_training_is_saved_as_keras_alone(name, tmp_path):
    with pytest.raises(
        ValueError, match=f"in training is saved as .keras, got .*{name}"
    ):
        wrapped().save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def frozen():
    net = networks.sequential()
    net.trainable = False
    return net


def small():
    net = networks.sequential()
    head = net.get_layer("head").kernel
    head.assign(np.full(head.shape, 1e-3))
    return net


WARNED = {
    "all zero": (
        lambda: wrapped(small(), {"head": L0}, 1e-5),
        r"all zero from the start in net/head/kernel \(largest weight 0.001\): ask for",
    ),
    "too short": (
        lambda: wrapped(lam=rvsm.TargetSparsity(0.5, steps=100)),
        "takes 100 steps, and training ends at 4, .*: leave out steps",
    ),
    "nothing trained": (
        lambda: wrapped(frozen()),
        "nothing that is split is trained: net/dense/kernel, .* are frozen; unfreeze",
    ),
}


@pytest.mark.parametrize(("make", "message"), WARNED.values(), ids=WARNED)
def test_what_cannot_end_well_is_said_once(make, message):
    model = make()
    with warnings.catch_warnings(record=True, action="always") as told:
        for _ in range(2):
            model.fit(NUMBERS, VALUES, batch_size=8, epochs=2, verbose=0)
    assert sum(bool(re.search(message, str(w.message))) for w in told) == 1


def test_a_layer_that_ended_all_zero_is_said():
    model = wrapped(lam=1e-9)
    model.splitting.position.assign(0)
    raises = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: model.splitting.lam.assign(1e3)
    )
    with pytest.warns(UserWarning, match="all zero after training in net/dense/kernel"):
        model.fit(NUMBERS, VALUES, callbacks=[raises], verbose=0)


def test_a_pattern_that_leaves_weights_out_says_so():
    message = r"'\*' splits kernels alone, and leaves out 80% .*: embedding/embeddings"
    with pytest.warns(UserWarning, match=message):
        wrapped(networks.words())


def test_a_network_that_was_never_called_is_copied_untried():
    class Named(GAN):
        def get_config(self):
            return {}

        @classmethod
        def from_config(cls, config):
            return cls()

    model = wrapped(Named(), {"generator/*": L0}, 1e-3, compiled=False)
    with pytest.warns(UserWarning, match="'net' was not tried, as the model itself"):
        sparse = model.harden()
    with model.splitting.hardened():
        expected = weights(model.net)
    for path, value in weights(sparse).items():
        np.testing.assert_array_equal(value, expected[path])
