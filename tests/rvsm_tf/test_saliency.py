"""What a weight counts for: by hand arithmetic, and by brute force."""

import keras
import numpy as np
import pytest
from keras import layers

import rvsm_tf as rvsm
from tests.processes import ROOT, TWO_DEVICES, run_python

# Inputs of very different sizes: weights that matter most are the smallest.
SIZES = np.array([100.0, 30.0, 10.0, 3.0, 1.0, 0.3, 0.1, 0.03])

LAM = 1e-4  # leaves some, and not all


def problem(examples=64):
    """Inputs, targets that each input contributes to alike, and the exact weights."""
    x = np.random.default_rng(0).normal(size=(examples, len(SIZES))) * SIZES
    w = np.where(np.arange(len(SIZES)) % 2, 0.3, 1.0) / SIZES
    return x.astype("float32"), (x @ w)[:, None].astype("float32"), w


def wrapped(w, saliency, penalty=None, target=0.5):
    net = keras.Sequential([keras.Input((len(w),)), layers.Dense(1, use_bias=False)])
    net.set_weights([w[:, None]])
    split = {"dense*": penalty or rvsm.L0()}
    lam = rvsm.TargetSparsity(target, steps=16) if target else LAM
    # So slow that w stays where it is.
    model = rvsm.RVSM(net, split, lam, kappa=1e-6, saliency=saliency)
    model.compile(keras.optimizers.Adam(1e-7), "mse")
    return model


@pytest.mark.parametrize("seed", range(2))
def test_what_goes_is_what_the_loss_misses_least(seed):
    """Of a constant gradient g, √E[g²] is |g|, which is worked out by hand."""
    x, y, _ = problem()
    w = np.random.default_rng(seed).normal(size=len(SIZES)).astype("float32")
    model = wrapped(w, "fisher")
    model.fit(x, y, batch_size=len(x), epochs=32, verbose=0)
    gradient = 2 * x.T @ (x @ w[:, None] - y) / len(x)
    counts = np.abs(w * gradient.ravel())
    (u,) = model.splitting.u().values()
    kept = set(np.flatnonzero(np.asarray(u)))
    assert kept == set(np.argsort(counts)[4:])
    assert kept != set(np.argsort(np.abs(w))[4:])
    dense = np.asarray(model.net.weights[0])
    np.testing.assert_array_equal(np.asarray(u), np.where(u, dense, 0))
    assert not np.any(np.signbit(np.asarray(u)[np.asarray(u) == 0]))


def test_it_finds_the_weights_that_matter_where_size_does_not():
    x, y, w = problem()
    noise = np.random.default_rng(1).normal(size=y.shape).astype("float32")
    losses = {}
    for saliency in ("magnitude", "fisher"):
        model = wrapped(w.astype("float32"), saliency)
        model.fit(x, y + noise, batch_size=8, epochs=40, verbose=0)
        losses[saliency] = float(np.mean((model.predict(x, verbose=0) - y) ** 2))
    # The four that contribute 0.3 each, or the four of the smallest inputs' size.
    assert losses["fisher"] < 4 * 0.3**2 * 1.5
    assert losses["magnitude"] > 2 * 1.0**2 * 0.7


@pytest.mark.parametrize(
    "penalty", [rvsm.L0(), rvsm.L1(), rvsm.TL1(a=0.5), rvsm.MCP(a=3.0)], ids=repr
)
def test_u_is_the_minimum_of_the_objective(penalty):
    """By brute force, weight by weight; the test's own s is what was learned."""
    x, y, _ = problem()
    w = np.random.default_rng(2).normal(size=len(SIZES)).astype("float32")
    model = wrapped(w, "fisher", penalty, target=None)
    model.fit(x, y, batch_size=len(x), epochs=20, verbose=0)
    gradient = 2 * x.T @ (x @ w[:, None] - y) / len(x)
    s = np.abs(gradient.ravel())
    s /= np.sqrt(np.mean(s**2))
    (u,) = model.splitting.u().values()
    assert 0 < np.sum(np.asarray(u) == 0) < len(w)
    for size, weight, twin in zip(s, w, np.asarray(u).ravel()):

        def objective(v, size=size, weight=weight):
            cost = np.asarray(penalty.cost(np.abs(size * v).astype("float32")))
            return LAM * cost + 0.1 / 2 * (size * (weight - v)) ** 2

        grid = np.linspace(-1.1 * abs(weight), 1.1 * abs(weight), 20_001)
        best = objective(grid).min()
        assert objective(np.array([twin]))[0] <= best + 1e-6


def test_groups_count_as_a_whole():
    """A unit's saliency is the root mean square of its weights', by hand."""
    x = (np.random.default_rng(3).normal(size=(32, 8)) * SIZES).astype("float32")
    y = np.random.default_rng(4).normal(size=(32, 6)).astype("float32")
    kernel = np.random.default_rng(5).normal(size=(8, 6)).astype("float32")
    net = keras.Sequential([keras.Input((8,)), layers.Dense(6, use_bias=False)])
    net.set_weights([kernel])
    split = {"dense*": rvsm.Group(rvsm.L0(), "units")}
    target = rvsm.TargetSparsity(0.5, steps=16)
    model = rvsm.RVSM(net, split, target, kappa=1e-6, saliency="fisher")
    model.compile(keras.optimizers.Adam(1e-7), "mse")
    model.fit(x, y, batch_size=32, epochs=32, verbose=0)
    gradient = 2 * x.T @ (x @ kernel - y) / y.size
    counts = np.sum((kernel * gradient) ** 2, axis=0)
    (u,) = model.splitting.u().values()
    zero = np.all(np.asarray(u) == 0, axis=0)
    assert set(np.flatnonzero(zero)) == set(np.argsort(counts)[:3])


def test_it_is_saved_and_goes_on(tmp_path):
    x, y, w = problem()
    model = wrapped(w.astype("float32"), "fisher")
    model.fit(x, y + 1, batch_size=8, epochs=4, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    (before,), (after,) = model.splitting.u().values(), loaded.splitting.u().values()
    np.testing.assert_array_equal(before, after)
    np.testing.assert_array_equal(
        model.harden().get_weights()[0], loaded.harden().get_weights()[0]
    )


def test_magnitude_keeps_nothing_more():
    _, _, w = problem()
    sizes = {
        saliency: sum(
            np.prod(v.shape)
            for v in wrapped(w.astype("float32"), saliency).splitting.weights
        )
        for saliency in ("magnitude", "fisher")
    }
    assert sizes["fisher"] - sizes["magnitude"] == len(w)


@pytest.mark.parametrize("optimizer", ["AdamW", "Nadam", "Lamb", "RMSprop"])
def test_other_optimizers_that_keep_squares(optimizer):
    x, y, w = problem()
    model = wrapped(w.astype("float32"), "fisher")
    model.compile(getattr(keras.optimizers, optimizer)(), "mse")
    model.fit(x, y + 1, batch_size=8, epochs=4, verbose=0)
    scale = model.splitting.weights[-1]
    assert scale.shape == (len(w), 1)
    assert float(np.sqrt(np.mean(np.square(scale)))) == pytest.approx(1, rel=1e-5)


def test_an_optimizer_without_them_is_refused():
    x, y, w = problem()
    model = wrapped(w.astype("float32"), "fisher")
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="of which SGD keeps no mean: compile with"):
        model.fit(x, y, batch_size=4, verbose=0)


@pytest.mark.slow
@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="MirroredStrategy is TensorFlow's"
)
def test_two_replicas_equal_one_device():
    output = run_python(
        TWO_DEVICES
        + """
rng = np.random.default_rng(0)
x = (rng.normal(size=(32, 6)) * [100, 10, 1, 1, 0.1, 0.01]).astype("float32")
y = rng.normal(size=(32, 3)).astype("float32")

def train():
    keras.utils.set_random_seed(1)
    dense = keras.layers.Dense(8), keras.layers.Dense(3)
    net = keras.Sequential([keras.Input((6,)), *dense])
    target = rvsm.TargetSparsity(0.5, 24)
    model = rvsm.RVSM(net, {"*": rvsm.L0()}, target, kappa=0.1, saliency="fisher")
    model.compile(keras.optimizers.Adam(0.01), "mse")
    model.fit(x, y, batch_size=8, epochs=8, shuffle=False, verbose=0)
    return model

one = train()
with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    two = train()
for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
    np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
for a, b in zip(one.harden().get_weights(), two.harden().get_weights(), strict=True):
    np.testing.assert_array_equal(a == 0, b == 0)
assert len({float(s) for s in np.ravel(one.splitting.weights[-1])}) > 20
print("equal")
""",
        ROOT,
    )
    assert output.split()[-1] == "equal"


def test_a_saliency_that_there_is_not():
    net = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    with pytest.raises(ValueError, match='saliency must be "magnitude" or "fisher"'):
        rvsm.RVSM(net, {"*": rvsm.L0()}, 0.1, saliency="size")
