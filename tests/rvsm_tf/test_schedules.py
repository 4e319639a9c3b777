import keras
import numpy as np
import pytest
from keras import layers, ops
from keras.optimizers import SGD, Adam
from keras.optimizers.schedules import ExponentialDecay, PolynomialDecay

import rvsm_tf as rvsm


class Traced(rvsm.RVSM):
    """Counts how often Python runs the training step: once per trace."""

    traces = 0

    def train_step(self, *arguments):
        self.traces += 1
        return super().train_step(*arguments)


@pytest.fixture
def wide(data):
    """A network with kernels of 2,400 and 1,800 weights, and 32 examples."""
    net = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(40, "relu", name="in"),
            layers.Dense(60, "relu", name="first"),
            layers.Dense(30, "relu", name="second"),
            layers.Dense(3, name="out"),
        ],
        name="wide",
    )
    return net, *data


def trained(net, x, y, split, lam, beta=0.1, optimizer=None, steps=10, **arguments):
    """Returns the model after so many steps of four batches an epoch."""
    model = Traced(net, split, lam, beta, **arguments)
    model.compile(optimizer or SGD(0.1), "mse", jit_compile=False)
    for step in range(steps):
        model.train_on_batch(x[step % 4 :: 4], y[step % 4 :: 4])
    return model


def zeros(model, name):
    kernel = model.harden().get_layer(name).kernel.numpy()
    return (kernel == 0).mean()


# Keras schedules


@pytest.mark.parametrize("own", [False, True])
def test_keras_schedules_are_followed_step_by_step(make_net, data, own):
    lam = PolynomialDecay(0.01, 5, end_learning_rate=0.05)
    beta = ExponentialDecay(0.5, 2, 0.8)
    split = {"dense": (rvsm.L1(), lam) if own else rvsm.L1()}
    model = Traced(make_net(), split, 0.3 if own else lam, beta)
    model.compile(SGD(0.1), "mse", jit_compile=False)
    splitting = model.splitting
    for step in range(8):
        assert int(splitting.position) == step
        expected_lam = 0.01 + (0.05 - 0.01) * min(step / 5, 1)
        expected_beta = 0.5 * 0.8 ** (step / 2)
        lams = splitting.lams()
        assert lams["lam_dense" if own else "lam"] == pytest.approx(expected_lam)
        assert lams["lam"] == pytest.approx(0.3 if own else expected_lam)
        assert float(splitting.beta) == pytest.approx(expected_beta)

        before = model.net.get_weights()[0]
        u = np.asarray(splitting.u()["net/dense/kernel"])
        step_size = expected_lam / expected_beta
        shrunk = np.sign(before) * np.maximum(np.abs(before) - step_size, 0)
        np.testing.assert_allclose(u, shrunk, atol=1e-6)
        model.train_on_batch(*data)
    assert model.traces == 1


@pytest.mark.parametrize("name", ["lam", "beta"])
def test_a_number_changed_by_hand_is_kept_without_retracing(make_net, data, name):
    model = Traced(make_net(), {"dense": rvsm.L0()}, 0.01, 0.5)
    model.compile(SGD(0.1), "mse", jit_compile=False)
    model.train_on_batch(*data)
    variable = getattr(model.splitting, name)
    before = model.splitting.sparsity()
    variable.assign(0.125)
    model.fit(*data, epochs=2, verbose=0)
    assert float(variable) == 0.125
    assert model.splitting.sparsity() != before
    threshold = np.sqrt(2 * float(model.splitting.lam) / float(model.splitting.beta))
    w = np.abs(model.net.get_weights()[0])
    assert model.splitting.sparsity() == pytest.approx((w <= threshold).mean())
    assert model.traces <= 2  # train_on_batch's, and fit's


# A target for the zeros


@pytest.mark.parametrize(
    ("target", "penalty", "optimizer", "kappa"),
    [
        (0.97, rvsm.TL1(a=0.1), lambda: SGD(0.1), None),
        (0.97, rvsm.L0(), lambda: Adam(1e-2), 0.1),
        (0.5, rvsm.L1(), lambda: SGD(0.1, momentum=0.9), 0.1),
        (0.9, rvsm.TL1(a=100.0), lambda: Adam(1e-2), None),
    ],
    ids=["SGD", "Adam", "momentum", "Adam, no kappa"],
)
def test_a_target_is_met(wide, target, penalty, optimizer, kappa):
    lam = rvsm.TargetSparsity(target, steps=37, every=5)
    model = trained(
        *wide, {"first": penalty}, lam, optimizer=optimizer(), steps=37, kappa=kappa
    )
    assert zeros(model, "first") == pytest.approx(target, abs=1e-3)
    assert model.splitting.sparsity() == pytest.approx(target, abs=1e-3)
    assert model.traces <= 2  # a second one follows the creation of Adam's variables


def test_a_target_is_still_met_when_training_goes_on(wide):
    lam = rvsm.TargetSparsity(0.9, steps=20, every=16)
    model = trained(*wide, {"first": rvsm.L0()}, lam, optimizer=Adam(0.02), steps=31)
    assert zeros(model, "first") == pytest.approx(0.9, abs=1e-3)


def test_a_target_rises_with_the_cube(wide):
    net, x, y = wide
    lam = rvsm.TargetSparsity(0.9, steps=12, every=3)
    model = trained(net, x, y, {"first": rvsm.L0()}, lam, steps=0)
    for step in range(15):
        if step % 3 == 0:
            share = 0.9 * (1 - (1 - min(step / 12, 1)) ** 3)
            assert zeros(model, "first") == pytest.approx(share, abs=1e-3)
            assert float(lam.share(step)) == pytest.approx(share, abs=1e-6)
        model.train_on_batch(x, y)


def test_groups_share_a_target_or_have_their_own(wide):
    split = {
        "first": rvsm.TL1(a=1.0),
        "second": rvsm.TL1(a=1.0),
        "in": (rvsm.L0(), rvsm.TargetSparsity(0.25, 16)),
    }
    model = trained(*wide, split, rvsm.TargetSparsity(0.9, 16), steps=16)
    assert zeros(model, "in") == pytest.approx(60 / 240)
    jointly = (2400 * zeros(model, "first") + 1800 * zeros(model, "second")) / 4200
    assert jointly == pytest.approx(0.9, abs=1e-3)
    # He-like initial scales differ between the layers, so their shares must.
    assert zeros(model, "first") != pytest.approx(zeros(model, "second"), abs=1e-2)
    assert list(model.splitting.lams()) == ["lam", "lam_in"]


@pytest.mark.parametrize(
    ("inputs", "units", "target"), [(20, 16, 0.9), (10, 10, 0.7), (32, 10, 0.3)]
)
def test_no_zero_is_lost_to_rounding(inputs, units, target):
    net = keras.Sequential([keras.Input((inputs,)), layers.Dense(units, name="dense")])
    steps = np.int64(1)  # as NumPy counts them
    lam = rvsm.TargetSparsity(target, steps)
    model = rvsm.RVSM(net, {"dense": rvsm.L0()}, lam, 0.5)
    model.splitting.position.assign(1)
    zeros = model.splitting.sparsity() * inputs * units
    assert zeros == pytest.approx(target * inputs * units)


@pytest.mark.parametrize("target", [0, 1])
@pytest.mark.parametrize("penalty", [rvsm.L0(), rvsm.L1(), rvsm.TL1(a=0.1)], ids=str)
def test_targets_at_the_ends(wide, target, penalty):
    lam = rvsm.TargetSparsity(target, steps=4, every=2)
    model = trained(*wide, {"first": penalty}, lam, steps=6)
    assert zeros(model, "first") == target
    assert np.isfinite(model.splitting.gap())
    assert np.isfinite(model.splitting.lagrangian(0.0))
    assert all(np.isfinite(w).all() for w in model.get_weights())


def test_solve_finds_the_largest_lam():
    # A staircase: λ = 1, 2, 3, 4 each add a quarter of the zeros.
    def zeros(lam):
        return ops.cast(ops.clip(ops.floor(lam), 0, 4), "float32") / 4

    target = rvsm.TargetSparsity(0.5, 10)
    assert float(target.solve(0.5, zeros)) == pytest.approx(3.0, rel=1e-5)
    assert float(target.solve(0.6, zeros)) == pytest.approx(3.0, rel=1e-5)
    assert float(target.solve(0.0, zeros)) == pytest.approx(1.0, rel=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1.5, 10), "target must be a share between 0 and 1, got 1.5"),
        ((-0.1, 10), "got -0.1"),
        ((97, 10), "got 97"),
        ((float("nan"), 10), "got nan"),
        (("0.9", 10), "got '0.9'"),
        ((True, 10), "got True"),
        ((0.9, 0), "steps must be a whole number of 1 or more, got 0"),
        ((0.9, 10.5), "steps .* got 10.5"),
        ((0.9, True), "steps .* got True"),
        ((0.9, 10, 0), "every must be a whole number of 1 or more, got 0"),
        ((0.9, 10, 2.0), "every .* got 2.0"),
    ],
)
def test_wrong_arguments_are_quoted(arguments, message):
    with pytest.raises(ValueError, match=message):
        rvsm.TargetSparsity(*arguments)


def test_target_sparsity_survives_serialisation():
    target = rvsm.TargetSparsity(0.97, steps=100, every=4)
    config = keras.saving.serialize_keras_object(target)
    assert config["registered_name"] == "rvsm_tf>TargetSparsity"
    assert keras.saving.deserialize_keras_object(config) == target
