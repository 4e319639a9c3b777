import keras
import numpy as np
import pytest

import rvsm_tf as rvsm


def sparse_net(constraint=None):
    """Half of the weights zero: scattered in one kernel, a filter in the other."""
    net = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            keras.layers.Conv2D(4, 3, activation="relu", name="conv"),
            keras.layers.Flatten(),
            keras.layers.Dense(3, name="dense", kernel_constraint=constraint),
        ]
    )
    rng = np.random.default_rng(0)
    conv = rng.normal(size=(3, 3, 1, 4)) * [0, 1, 0, 1]
    dense = rng.random((64, 3)) * (rng.random((64, 3)) < 0.5)
    net.get_layer("conv").kernel.assign(conv)
    net.get_layer("dense").kernel.assign(dense)
    return net


def data():
    rng = np.random.default_rng(1)
    return rng.normal(size=(32, 6, 6, 1)), -rng.random((32, 3))


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("xla", [False, True])
def test_zeros_stay_zero_and_the_others_train(optimizer, xla):
    net = sparse_net()
    before = {w.path: w.numpy() for w in rvsm.sparsity.kernels(net)}
    rvsm.hold(net)
    net.compile(optimizer, "mse", jit_compile=xla)
    net.fit(*data(), epochs=3, batch_size=8, verbose=0)
    for w in rvsm.sparsity.kernels(net):
        held = before[w.path] == 0
        assert held.any()
        assert (w.numpy()[held] == 0).all()
        assert not np.signbit(w.numpy()[held]).any()
        # Half of the dense weights read filters that are zero, and have no gradient.
        assert (w.numpy()[~held] != before[w.path][~held]).mean() > 0.4


def test_a_model_that_was_trained_before_is_held_too():
    net = sparse_net()
    net.compile(keras.optimizers.SGD(0.0), "mse")
    net.fit(*data(), epochs=1, batch_size=8, verbose=0)
    before = [w.numpy() for w in rvsm.sparsity.kernels(net)]
    rvsm.hold(net)
    net.optimizer.learning_rate = 0.1
    net.fit(*data(), epochs=1, batch_size=8, verbose=0)
    for w, start in zip(rvsm.sparsity.kernels(net), before, strict=True):
        assert (w.numpy() != start).any()
        assert (w.numpy()[start == 0] == 0).all()


def test_without_it_they_drift():
    net = sparse_net()
    net.compile("adam", "mse")
    net.fit(*data(), epochs=1, batch_size=8, verbose=0)
    assert rvsm.summarize(net).zeros < rvsm.summarize(sparse_net()).zeros


def test_a_constraint_that_was_there_still_holds():
    net = sparse_net("non_neg")
    rvsm.hold(net)
    net.compile(keras.optimizers.SGD(0.5), "mse")
    net.fit(*data(), epochs=3, batch_size=8, verbose=0)  # targets pull it below zero
    assert (net.get_layer("dense").kernel.numpy() >= 0).all()


def test_the_saved_model_is_plain(tmp_path):
    net = sparse_net()
    rvsm.hold(net)
    net.save(tmp_path / "net.keras")
    again = keras.models.load_model(tmp_path / "net.keras")
    assert again.get_layer("conv").kernel.constraint is None
    assert "Held" not in again.to_json()


def test_zeros_of_embeddings_stay_zero_too():
    net = keras.Sequential(
        [
            keras.Input((5,)),
            keras.layers.Embedding(7, 4, name="embedding"),
            keras.layers.LSTM(3, name="lstm"),
        ]
    )
    split = {"*/embeddings": rvsm.L0(), "*/recurrent_kernel": rvsm.L0()}
    splitting = rvsm.Splitting(net, split, 1e-4, 0.1)
    splitting.harden()
    rvsm.hold(net)
    zeros = [np.asarray(w) == 0 for _, w in splitting.kernels]
    net.compile("adam", "mse")
    rng = np.random.default_rng(0)
    net.fit(rng.integers(0, 7, (16, 5)), rng.random((16, 3)), verbose=0)
    for held, (_, w) in zip(zeros, splitting.kernels, strict=True):
        assert 0 < held.mean() < 1
        np.testing.assert_array_equal(np.asarray(w) == 0, held)


def test_an_average_of_the_weights_is_not_held_and_refused():
    net = sparse_net()
    net.compile(keras.optimizers.SGD(0.1, use_ema=True), "mse")
    with pytest.raises(ValueError, match="compile the model without use_ema=True"):
        rvsm.hold(net)


def test_a_kernel_that_is_zero_as_a_whole_is_warned_of():
    net = sparse_net()
    net.get_layer("dense").kernel.assign(np.zeros((64, 3)))
    with pytest.warns(UserWarning, match="dense/kernel is zero as a whole"):
        rvsm.hold(net)


def test_a_constraint_that_spoils_its_kernel_is_named_before_anything_is_held():
    class Spoils(keras.constraints.Constraint):
        def __call__(self, w):
            return w / 0.0

    net = sparse_net(constraint=Spoils())
    with pytest.raises(ValueError, match=r"dense/kernel' cannot be held.*constraint"):
        rvsm.hold(net)
    assert net.get_layer("conv").kernel.constraint is None


def test_zeros_below_lora_are_refused():
    """What LoRA adds, A times B, is not zero where the kernel is."""
    net = sparse_net()
    net.get_layer("dense").enable_lora(2)
    with pytest.raises(ValueError, match=r"dense' cannot be held: LoRA"):
        rvsm.hold(net)
