"""Warnings: each once, with the layer's name and a way out."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from keras.optimizers import SGD, Adam

import rvsm_tf as rvsm

X = np.random.default_rng(0).normal(size=(32, 6)).astype("float32")
Y = np.random.default_rng(1).normal(size=(32, 3)).astype("float32")


def network():
    return keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(40, "relu", name="hidden"),
            layers.Dense(3, name="out"),
        ],
        name="net",
    )


def fitted(model, epochs=5, **fit):
    model.compile(SGD(0.05), "mse")
    model.fit(X, Y, batch_size=8, epochs=epochs, verbose=0, **fit)
    return model


def said(record):
    return [str(w.message) for w in record if issubclass(w.category, UserWarning)]


def test_a_layer_below_the_threshold_from_the_start_is_named_once():
    """λ = 5e-4 and β = 0.1 cut at 0.1, Keras's weights reach 0.036."""
    net = keras.Sequential([keras.Input((6,)), layers.Dense(4500, name="wide")])
    model = rvsm.RVSM(net, {"*": rvsm.L0()}, 5e-4, 0.1)
    model.compile(SGD(0.0), "mse")
    fit = {"x": X, "y": np.zeros((32, 4500)), "verbose": 0}
    with pytest.warns(UserWarning, match="all zero from the start in") as record:
        model.fit(**fit)
    (message,) = said(record)
    model.fit(**fit)  # an error if it said so again
    assert "wide/kernel (largest weight 0.036)" in message
    assert "lam=rvsm_tf.TargetSparsity(0.9)" in message
    assert "\n" not in message


def test_a_layer_that_ends_all_zero_is_named():
    net = network()
    lam = keras.optimizers.schedules.PolynomialDecay(0.0, 20, 10.0)
    with pytest.warns(UserWarning, match="all zero after training in .*hidden/kernel"):
        fitted(rvsm.RVSM(net, {"hidden": rvsm.L0()}, lam, 0.1))


@pytest.mark.filterwarnings("error")
def test_zeros_that_were_asked_for_are_no_news():
    fitted(rvsm.RVSM(network(), {"hidden": rvsm.L0()}, rvsm.TargetSparsity(1), 0.1))
    fitted(rvsm.RVSM(network(), {"*": rvsm.L0()}, rvsm.TargetSparsity(0.9)))


def test_a_target_beyond_the_fit_is_said_before_it_begins():
    target = rvsm.TargetSparsity(0.9, steps=2000)
    model = rvsm.RVSM(network(), {"hidden": rvsm.L0()}, target, 0.1, kappa=0.01)
    model.compile(SGD(0.05), "mse")

    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            raise KeyboardInterrupt

    with (
        pytest.warns(UserWarning, match="takes 2,000 steps, and training ends at 20"),
        pytest.raises(KeyboardInterrupt),
    ):
        model.fit(X, Y, batch_size=8, epochs=5, verbose=0, callbacks=[Stop()])


def test_a_fit_that_is_stopped_before_its_target_is_said():
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = True

    model = rvsm.RVSM(network(), {"hidden": rvsm.L0()}, rvsm.TargetSparsity(0.9))
    with pytest.warns(UserWarning, match=r"was not reached: 0\.\d+ after 4 steps"):
        fitted(model, epochs=20, callbacks=[Stop()])


def test_nothing_that_is_trained_is_said():
    net = network()
    net.get_layer("hidden").trainable = False
    model = rvsm.RVSM(net, {"hidden": rvsm.L0()}, 1e-4, 0.1)
    with pytest.warns(UserWarning, match=r"nothing .* is trained: net/hidden/kernel"):
        fitted(model)
    assert model.splitting.sparsity() == 0


def test_a_pattern_that_leaves_weights_out_says_how_many_and_how_to_name_them():
    net = keras.Sequential(
        [
            keras.Input((8, 8, 4)),
            layers.SeparableConv2D(6, 3, name="sep"),  # 36 and 24 weights
            layers.Conv2D(2, 1, name="conv"),  # 12
        ]
    )
    with pytest.warns(UserWarning, match="leaves out") as record:
        rvsm.RVSM(net, {"*": rvsm.L0()}, 1e-4, 0.1)
    (message,) = said(record)
    assert "leaves out 83% of the weights" in message
    assert "sep/depthwise_kernel, sep/pointwise_kernel" in message
    assert "'*/depthwise_kernel'" in message
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        split = {"*": rvsm.L0(), "*/depthwise_kernel": rvsm.L0(), "sep/p*": rvsm.L1()}
        rvsm.RVSM(net, split, 1e-4, 0.1)
        rvsm.RVSM(net, {"conv": rvsm.L0()}, 1e-4, 0.1)
        net.get_layer("sep").trainable = False
        rvsm.RVSM(net, {"*": rvsm.L0()}, 1e-4, 0.1)


# A target that follows the fit


@pytest.mark.parametrize("epochs", [2, 25])
@pytest.mark.parametrize("optimizer", [lambda: SGD(0.05), lambda: Adam(1e-3)])
def test_the_target_is_met_whatever_the_fit_s_length(epochs, optimizer):
    net = network()
    model = rvsm.RVSM(net, {"*": rvsm.L0()}, rvsm.TargetSparsity(0.9))
    model.compile(optimizer(), "mse")
    model.fit(X, Y, batch_size=8, epochs=epochs, verbose=0)
    kernels = rvsm.summarize(model.harden()).kernels
    zeros, weights = sum(k.zeros for k in kernels), sum(k.weights for k in kernels)
    assert zeros == int(0.9 * weights)
    if epochs == 2:
        return
    # The dense weights have come close to their sparse twins.
    w = np.concatenate([np.asarray(v).ravel() for _, v in model.splitting.kernels])
    assert model.splitting.gap() < 0.05 * np.linalg.norm(w)


def test_the_schedule_is_that_of_the_fit_s_length():
    """80 % of 40 steps: the cube is at its end after 32."""
    target = rvsm.TargetSparsity(0.8)
    assert float(target.share(16, 40)) == pytest.approx(0.8 * (1 - 0.5**3))
    assert float(target.share(32, 40)) == pytest.approx(0.8)
    assert float(target.share(40, 40)) == pytest.approx(0.8)
    assert float(target.share(0, 0)) == 0
    explicit = rvsm.TargetSparsity(0.8, 32)
    assert float(explicit.share(7)) == pytest.approx(float(target.share(7, 40)))


def test_accumulated_gradients_make_fewer_steps():
    model = rvsm.RVSM(network(), {"*": rvsm.L0()}, rvsm.TargetSparsity(0.5))
    model.compile(SGD(0.05, gradient_accumulation_steps=2), "mse")
    model.fit(X, Y, batch_size=8, epochs=5, verbose=0)
    assert int(model.splitting.fit_steps) == int(model.splitting.position) == 10


def test_a_fit_that_goes_on_keeps_to_the_first_one(tmp_path):
    once, twice = (
        rvsm.RVSM(network(), {"*": rvsm.L0()}, rvsm.TargetSparsity(0.5))
        for _ in range(2)
    )
    twice.net.set_weights(once.net.get_weights())
    fit = {"batch_size": 8, "epochs": 6, "shuffle": False, "verbose": 0}
    for model in (once, twice):
        model.compile(Adam(0.01), "mse")
    once.fit(X, Y, **fit)

    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    with pytest.warns(UserWarning, match="was not reached"):
        twice.fit(X, Y, **fit, callbacks=[Stop()])
    twice.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    loaded.fit(X, Y, **fit, initial_epoch=2)
    for a, b in zip(once.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_where_the_length_is_not_known_the_target_asks_for_it():
    model = rvsm.RVSM(network(), {"*": rvsm.L0()}, rvsm.TargetSparsity(0.5))
    model.compile("sgd", "mse")
    batches = ((X[i : i + 8], Y[i : i + 8]) for i in (0, 8))
    with pytest.raises(ValueError, match="give fit steps_per_epoch, or say"):
        model.fit(batches, shuffle=False, verbose=0)
    splitting = rvsm.Splitting(network(), {"*": rvsm.L0()}, rvsm.TargetSparsity(0.5))
    with (
        pytest.raises(ValueError, match="follows `fit`: in a training loop of your"),
        splitting.step(SGD(0.1)),
    ):
        pass


def test_a_fit_of_no_epochs_is_followed_by_the_next_one():
    model = rvsm.RVSM(network(), {"*": rvsm.L0()}, rvsm.TargetSparsity(0.5))
    model.compile("sgd", "mse")
    model.fit(X, Y, batch_size=8, epochs=0, verbose=0)
    model.fit(X, Y, batch_size=8, epochs=5, verbose=0)
    assert int(model.splitting.fit_steps) == 20


def test_an_unbuilt_network_is_followed_too():
    net = keras.Sequential([layers.Dense(40, name="hidden"), layers.Dense(3)])
    model = fitted(rvsm.RVSM(net, {"*": rvsm.L0()}, rvsm.TargetSparsity(0.5)))
    assert int(model.splitting.fit_steps) == 20
    assert model.splitting.sparsity() == pytest.approx(0.5, abs=0.01)


def test_a_short_first_fit_does_little_and_a_longer_one_is_warned_of():
    """One batch, to try whether all is in place, must not wipe out what is known."""
    net = network()
    before = np.concatenate([np.ravel(w) for w in net.get_weights()])
    model = rvsm.RVSM(net, {"*": rvsm.L0()}, rvsm.TargetSparsity(0.9))
    model.compile(SGD(0.0), "mse")
    model.fit(X[:8], Y[:8], batch_size=8, verbose=0)
    after = np.concatenate([np.ravel(w) for w in net.get_weights()])
    assert (np.abs(after) >= 0.79 * np.abs(before)).all()
    with pytest.warns(UserWarning, match="follows the first fit, of 1 steps"):
        model.fit(X, Y, batch_size=8, epochs=5, verbose=0)


def test_loss_scaling_hides_no_accumulation():
    optimizer = keras.optimizers.LossScaleOptimizer(
        SGD(0.05, gradient_accumulation_steps=2), initial_scale=2.0
    )
    model = rvsm.RVSM(network(), {"*": rvsm.L0()}, rvsm.TargetSparsity(0.5))
    model.compile(optimizer, "mse")
    model.fit(X, Y, batch_size=8, epochs=5, verbose=0)
    assert int(model.splitting.fit_steps) == int(model.splitting.position) == 10


# Optimizers and frozen layers


class Two(keras.Model):
    """A network with two optimizers, in a container of its own choice."""

    def __init__(self, container):
        super().__init__()
        self.container = container
        self.hidden, self.out = layers.Dense(40, name="hidden"), layers.Dense(3)

    def call(self, x):
        return self.out(self.hidden(x))

    def compile(self, first, second):
        super().compile()
        self.both = self.container(first, second)

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = keras.ops.mean((self(x) - y) ** 2)
        parts = [self.hidden.trainable_variables, self.out.trainable_variables]
        gradients = tape.gradient(loss, parts)
        both = self.both() if callable(self.both) else keras.tree.flatten(self.both)
        for optimizer, some, variables in zip(both, gradients, parts, strict=True):
            optimizer.apply(some, variables)
        return {"loss": loss}


@pytest.mark.parametrize(
    "container", [lambda a, b: [a, b], lambda a, b: {"a": a, "b": b}]
)
def test_optimizers_are_found_in_containers(container):
    net = Two(container)
    net(X)
    model = rvsm.RVSM(net, {"*": rvsm.L0()}, rvsm.TargetSparsity(0.5))
    model.compile(SGD(0.05), SGD(0.05))
    model.fit(X, Y, batch_size=8, epochs=5, verbose=0)
    assert int(model.splitting.position) == 20
    assert model.splitting.sparsity() == pytest.approx(0.5, abs=0.01)


def test_optimizers_that_nobody_finds_are_warned_of():
    net = Two(lambda a, b: lambda: (a, b))
    net(X)
    model = rvsm.RVSM(net, {"*": rvsm.L0()}, 1e-4, 0.1, kappa=0.1)
    model.compile(SGD(0.05), SGD(0.05))
    with pytest.warns(UserWarning, match="no weight was pulled, as no optimizer that"):
        model.fit(X, Y, batch_size=8, verbose=0)


def test_freezing_what_was_made_sparse_is_warned_of():
    net = network()
    model = fitted(rvsm.RVSM(net, {"*": rvsm.L0()}, rvsm.TargetSparsity(0.9)))
    net.get_layer("hidden").trainable = False
    with pytest.warns(
        UserWarning, match="hidden/kernel was trained to be sparse, is fr"
    ):
        model.harden()
    model.harden()  # once


def test_thresholding_what_was_hardened_for_good_is_warned_of():
    model = fitted(rvsm.RVSM(network(), {"hidden": rvsm.L1()}, 1e-3, 0.1))
    expected = model.predict(X, verbose=0)
    model.splitting.harden()
    np.testing.assert_allclose(model.net.predict(X, verbose=0), expected, atol=1e-6)
    with pytest.warns(UserWarning, match="use the network itself, model.net"):
        model.predict(X, verbose=0)
