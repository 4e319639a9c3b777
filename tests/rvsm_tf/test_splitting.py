import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops
from keras.optimizers import SGD, Adam, AdamW, LossScaleOptimizer
from keras.optimizers.schedules import ExponentialDecay, PiecewiseConstantDecay

import rvsm_tf as rvsm

PENALTIES = [rvsm.L0(), rvsm.L1(), rvsm.TL1(a=0.1), rvsm.TL1(a=10.0)]
LAM, BETA = 0.02, 0.5  # thresholds of 0.04 to 0.28 among weights of deviation 0.3


def numpy_gradients(weights, x, y):
    """The mean squared error's gradient of `make_net`'s network, in float64."""
    w1, b1, w2, b2, x, y = (np.asarray(v, "float64") for v in (*weights, x, y))
    h = np.tanh(x @ w1 + b1)
    out = 2 * (h @ w2 + b2 - y) / y.size
    hidden = (out @ w2.T) * (1 - h**2)
    return [x.T @ hidden, hidden.sum(0), h.T @ out, out.sum(0)]


def descend(net, optimizer, x, y, splitting=None):
    """One step of a training loop, with the method where a splitting is given."""
    with tf.GradientTape() as tape:
        loss = ops.mean((net(x) - y) ** 2)
        scaled = optimizer.scale_loss(loss)
    gradients = tape.gradient(scaled, net.trainable_variables)
    if splitting is None:
        optimizer.apply(gradients, net.trainable_variables)
    else:
        with splitting.step(optimizer):
            optimizer.apply(gradients, net.trainable_variables)
    return float(loss)


@pytest.fixture
def split_net(make_net):
    """Returns a network and a splitting of its first kernel."""

    def make(penalty=PENALTIES[2], lam=LAM, beta=BETA, kappa=None, **first):
        net = make_net(**first)
        return net, rvsm.Splitting(net, {"dense": penalty}, lam, beta, kappa)

    return make


# One step against hand arithmetic


@pytest.mark.parametrize("kappa", [None, 0.3])
@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
def test_a_step_by_hand(split_net, data, reference_prox, penalty, kappa):
    net, splitting = split_net(penalty, kappa=kappa)
    eta = 0.2
    before = [w.astype("float64") for w in net.get_weights()]
    u = reference_prox(penalty, before[0], LAM / BETA)
    assert 0 < (u == 0).mean() < 1
    np.testing.assert_allclose(splitting.u()["net/dense/kernel"], u, atol=1e-6)

    descend(net, SGD(eta), *data, splitting)

    expected = [
        w - eta * g for w, g in zip(before, numpy_gradients(before, *data), strict=True)
    ]
    expected[0] -= (eta * BETA if kappa is None else kappa) * (before[0] - u)
    for w, e in zip(net.get_weights(), expected, strict=True):
        np.testing.assert_allclose(w, e, atol=2e-6)


def test_steps_with_momentum_by_hand(split_net, data, reference_prox):
    penalty = rvsm.L0()
    net, splitting = split_net(penalty)
    eta, mu = 0.1, 0.9
    weights = [w.astype("float64") for w in net.get_weights()]
    velocity = [np.zeros_like(w) for w in weights]
    optimizer = SGD(eta, momentum=mu)
    for _ in range(4):
        descend(net, optimizer, *data, splitting)
        pull = weights[0] - reference_prox(penalty, weights[0], LAM / BETA)
        gradients = numpy_gradients(weights, *data)
        velocity = [mu * v - eta * g for v, g in zip(velocity, gradients, strict=True)]
        weights = [w + v for w, v in zip(weights, velocity, strict=True)]
        weights[0] -= eta * BETA * pull  # never enters the velocity
    for w, e in zip(net.get_weights(), weights, strict=True):
        np.testing.assert_allclose(w, e, atol=1e-5)


@pytest.mark.parametrize("kappa", [None, 0.05])
@pytest.mark.parametrize(
    "make", [lambda: Adam(0.01), lambda: AdamW(0.01, weight_decay=0.1)]
)
def test_the_pull_stays_outside_the_optimizer(
    make_net, split_net, data, reference_prox, make, kappa
):
    net, splitting = split_net(kappa=kappa)
    plain = make_net()
    optimizer, other = make(), make()
    rate = 0.01 * BETA if kappa is None else kappa
    for _ in range(3):
        plain.set_weights(net.get_weights())
        w = net.get_weights()[0].astype("float64")
        descend(net, optimizer, *data, splitting)
        descend(plain, other, *data)
        pull = rate * (w - reference_prox(PENALTIES[2], w, LAM / BETA))
        assert np.abs(pull).max() > 1e-4
        np.testing.assert_allclose(
            net.get_weights()[0], plain.get_weights()[0] - pull, atol=1e-6
        )
        for a, b in zip(net.get_weights()[1:], plain.get_weights()[1:], strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_learning_rate_schedule_drives_the_pull(split_net, data, reference_prox):
    net, splitting = split_net(rvsm.L1())
    optimizer = SGD(PiecewiseConstantDecay([0], [0.2, 0.05]))
    for eta in (0.2, 0.05, 0.05):
        before = net.get_weights()
        descend(net, optimizer, *data, splitting)
        pull = before[0] - reference_prox(rvsm.L1(), before[0], LAM / BETA)
        gradient = numpy_gradients(before, *data)[0]
        np.testing.assert_allclose(
            net.get_weights()[0], before[0] - eta * (gradient + BETA * pull), atol=1e-6
        )


# Several optimizers


@pytest.mark.skipif(
    not hasattr(keras.optimizers, "MultiOptimizer"), reason="Keras 3.12 has none"
)
def test_each_weight_is_pulled_at_its_own_optimizer_s_rate(
    make_net, data, reference_prox
):
    net = make_net()
    rates = {"dense": 0.2, "out": 0.05}
    optimizer = keras.optimizers.MultiOptimizer(
        keras.optimizers.OptimizerMap(SGD(0.2), {"net/out/.*": SGD(0.05)}),
    )
    splitting = rvsm.Splitting(net, {"*": rvsm.L1()}, LAM, BETA)
    with pytest.raises(ValueError, match=r"call optimizer\.build\(net\.trainable"):
        descend(net, optimizer, *data, splitting)
    optimizer.build(net.trainable_variables)
    before = net.get_weights()
    descend(net, optimizer, *data, splitting)
    gradients = numpy_gradients(before, *data)
    for i, name in ((0, "dense"), (2, "out")):
        pull = before[i] - reference_prox(rvsm.L1(), before[i], LAM / BETA)
        expected = before[i] - rates[name] * (gradients[i] + BETA * pull)
        np.testing.assert_allclose(net.get_weights()[i], expected, atol=1e-6)
    assert int(splitting.position) == 1


def test_a_weight_is_pulled_when_its_own_optimizer_has_moved_it(make_net, data):
    net = make_net()
    parts = [net.get_layer(name).trainable_variables for name in ("dense", "out")]
    optimizers = [SGD(0.1), SGD(0.1)]
    for optimizer, variables in zip(optimizers, parts, strict=True):
        optimizer.build(variables)
    splitting = rvsm.Splitting(net, {"*": rvsm.L0()}, LAM, BETA, kappa=0.5)
    before, u = net.get_weights(), list(splitting.u().values())
    with splitting.step(*optimizers):
        optimizers[1].apply([0 * v for v in parts[1]], parts[1])
    np.testing.assert_array_equal(net.get_weights()[0], before[0])
    expected = before[2] - 0.5 * (before[2] - np.asarray(u[1]))
    np.testing.assert_allclose(net.get_weights()[2], expected, atol=1e-7)
    assert int(splitting.position) == 1


def test_a_rate_that_nobody_knows_is_asked_for(make_net):
    splitting = rvsm.Splitting(make_net(), {"*": rvsm.L0()}, LAM, BETA)
    with (
        pytest.raises(
            ValueError, match=r"trains 'net/dense/kernel' is not known .* kappa"
        ),
        splitting.step(SGD(0.1), SGD(0.1)),
    ):
        pass


# What is frozen


def test_what_is_frozen_is_not_split(make_net, reference_prox):
    net = make_net()
    splitting = rvsm.Splitting(net, {"*": rvsm.L0()}, LAM, BETA)
    dense, out = (net.get_layer(name).kernel for name in ("dense", "out"))
    before = [w.numpy() for w in (dense, out)]
    net.get_layer("dense").trainable = False
    u = reference_prox(rvsm.L0(), before[1], LAM / BETA)
    assert list(splitting.u()) == ["net/out/kernel"]
    assert splitting.sparsity() == (u == 0).mean()
    assert splitting.gap() == pytest.approx(np.linalg.norm(before[1] - u), rel=1e-5)
    with splitting.hardened():
        np.testing.assert_array_equal(dense.numpy(), before[0])
        np.testing.assert_allclose(out.numpy(), u)
    splitting.harden()
    np.testing.assert_array_equal(dense.numpy(), before[0])
    np.testing.assert_allclose(out.numpy(), u)


def test_a_target_counts_what_is_trained(make_net):
    net = make_net()
    net.get_layer("dense").trainable = False
    target = rvsm.TargetSparsity(0.5, 1)
    splitting = rvsm.Splitting(net, {"*": rvsm.L0()}, target, BETA)
    splitting.position.assign(1)
    splitting.harden()
    assert (net.get_layer("dense").kernel.numpy() != 0).all()
    assert (net.get_layer("out").kernel.numpy() == 0).sum() == 12  # of 24
    net.get_layer("dense").trainable = True
    splitting.harden()
    zeros = sum((w.numpy() == 0).sum() for _, w in splitting.kernels)
    assert zeros == 36  # of 72


def test_a_frozen_normalization_does_not_follow_a_unit():
    net = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(4, name="dense"),
            layers.BatchNormalization(name="norm"),
        ]
    )
    net.get_layer("norm").trainable = False
    units = rvsm.Group(rvsm.L0(), "units")
    splitting = rvsm.Splitting(net, {"dense": units}, lam=1e6, beta=0.1)
    splitting.harden()
    assert (net.get_layer("dense").kernel.numpy() == 0).all()
    assert (net.get_layer("norm").gamma.numpy() == 1).all()


# When the optimizer updates nothing


def test_a_batch_skipped_by_loss_scaling_changes_nothing(split_net, data):
    net, splitting = split_net()
    optimizer = LossScaleOptimizer(SGD(0.1))
    x, y = data
    before = net.get_weights()
    descend(net, optimizer, x, np.full_like(y, np.inf), splitting)
    for a, b in zip(net.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    assert int(splitting.position) == 0

    descend(net, optimizer, x, y, splitting)
    assert int(splitting.position) == 1
    gradient = numpy_gradients(before, x, y)[2]
    np.testing.assert_allclose(
        net.get_weights()[2], before[2] - 0.1 * gradient, atol=1e-6
    )
    assert (net.get_weights()[0] != before[0]).all()


def test_gradient_accumulation_pulls_with_the_update(split_net, data, reference_prox):
    net, splitting = split_net()
    optimizer = SGD(0.2, gradient_accumulation_steps=3)
    x, y = data
    for update in range(1, 3):
        before = net.get_weights()
        for batch in range(3):
            for a, b in zip(net.get_weights(), before, strict=True):
                np.testing.assert_array_equal(a, b)
            descend(net, optimizer, x[batch::3], y[batch::3], splitting)
        assert int(splitting.position) == update
        gradients = [
            numpy_gradients(before, x[batch::3], y[batch::3])[0] for batch in range(3)
        ]
        pull = before[0] - reference_prox(PENALTIES[2], before[0], LAM / BETA)
        expected = before[0] - 0.2 * np.mean(gradients, axis=0) - 0.2 * BETA * pull
        np.testing.assert_allclose(net.get_weights()[0], expected, atol=1e-6)


def test_constraints_hold_after_the_pull(split_net, data):
    # With u at zero everywhere the pull alone would shrink the columns below 1.
    net, splitting = split_net(
        lam=1.0, kappa=0.5, kernel_constraint=keras.constraints.UnitNorm(axis=0)
    )
    optimizer = SGD(0.1)
    for _ in range(3):
        descend(net, optimizer, *data, splitting)
        norms = np.linalg.norm(net.get_weights()[0], axis=0)
        np.testing.assert_allclose(norms, 1.0, rtol=1e-5)


def test_a_bfloat16_kernel_trains(split_net, data):
    net, splitting = split_net(rvsm.L0(), dtype="bfloat16")
    wide = ops.convert_to_numpy(ops.cast(net.layers[0].kernel, "float32"))
    u = splitting.u()["net/dense/kernel"]
    assert keras.backend.standardize_dtype(u.dtype) == "bfloat16"
    expected = np.where(np.abs(wide) > np.sqrt(2 * LAM / BETA), wide, 0)
    np.testing.assert_array_equal(ops.cast(u, "float32"), expected)
    optimizer = SGD(0.2)
    losses = [descend(net, optimizer, *data, splitting) for _ in range(30)]
    assert losses[-1] < 0.5 * losses[0]
    assert keras.backend.standardize_dtype(net.layers[0].kernel.dtype) == "bfloat16"


# The theorem (Xue and Xin 2019): gradient descent with η < 2/(β + L)


@pytest.mark.parametrize("share", [0.3, 0.99])
@pytest.mark.parametrize("beta", [0.1, 3.0])
@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
def test_the_lagrangian_never_rises_on_quadratics(penalty, beta, share):
    # f(w) = ½ ‖A w − b‖²: L is the square of A's largest singular value.
    rng = np.random.default_rng(3)
    basis, _ = np.linalg.qr(rng.normal(size=(12, 6)))
    a = (basis * np.linspace(0.5, 1.5, 6)).astype("float32")
    b = rng.normal(size=(12, 2)).astype("float32")
    eta = share * 2 / (beta + 1.5**2)
    lam = 0.05

    net = keras.Sequential(
        [keras.Input((6,)), layers.Dense(2, use_bias=False, name="dense")], name="net"
    )
    splitting = rvsm.Splitting(net, {"dense": penalty}, lam, beta)
    optimizer = SGD(eta)
    kernel = net.layers[0].kernel

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = 0.5 * ops.sum((net(a) - b) ** 2)
        with splitting.step(optimizer):
            optimizer.apply(tape.gradient(loss, [kernel]), [kernel])
        return loss

    def loss():
        return 0.5 * np.sum((a.astype("float64") @ kernel.numpy() - b) ** 2)

    values = [splitting.lagrangian(loss())]
    for _ in range(60):
        step()
        values.append(splitting.lagrangian(loss()))
    assert np.diff(values).max() <= 2e-6 * values[0]
    assert values[-1] < values[0]

    for _ in range(600):
        step()
    w, u = kernel.numpy(), splitting.u()["net/dense/kernel"].numpy()
    gradient = a.T @ (a @ w - b)
    np.testing.assert_allclose(gradient + beta * (w - u), 0, atol=1e-4)
    assert splitting.gap() == pytest.approx(np.linalg.norm(w - u), rel=1e-4)


@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
def test_the_lagrangian_never_rises_on_a_network(split_net, data, penalty):
    net, splitting = split_net(penalty)
    optimizer = SGD(0.05)
    x, y = data
    values = []
    for _ in range(40):
        loss = np.mean((net(x).numpy().astype("float64") - y) ** 2)
        values.append(splitting.lagrangian(loss))
        descend(net, optimizer, x, y, splitting)
    assert np.diff(values).max() <= 1e-6 * values[0]
    assert values[-1] < 0.9 * values[0]


# What the splitting reports


def test_figures_by_hand(make_net, reference_prox):
    net = make_net()
    penalties = {"dense": rvsm.TL1(a=0.1), "out": (rvsm.L1(), 0.1)}
    splitting = rvsm.Splitting(net, penalties, LAM, BETA)
    w1, w2 = (layer.kernel.numpy().astype("float64") for layer in net.layers)
    u1 = reference_prox(rvsm.TL1(a=0.1), w1, LAM / BETA)
    u2 = reference_prox(rvsm.L1(), w2, 0.1 / BETA)
    zeros = (u1 == 0).sum() + (u2 == 0).sum()
    gap = np.sqrt(np.sum((w1 - u1) ** 2) + np.sum((w2 - u2) ** 2))
    cost = LAM * np.sum(1.1 * abs(u1) / (0.1 + abs(u1))) + 0.1 * np.abs(u2).sum()
    assert splitting.sparsity() == zeros / (w1.size + w2.size)
    assert splitting.gap() == pytest.approx(gap, rel=1e-5)
    assert splitting.lams() == pytest.approx({"lam": LAM, "lam_out": 0.1})
    expected = 2.0 + cost + BETA / 2 * gap**2
    assert splitting.lagrangian(2.0) == pytest.approx(expected, rel=1e-5)


def test_hardened_gives_w_back_bit_for_bit(split_net, reference_prox):
    net, splitting = split_net()
    kernel = net.layers[0].kernel
    w = kernel.numpy()
    u = reference_prox(PENALTIES[2], w, LAM / BETA)
    with splitting.hardened():
        np.testing.assert_allclose(kernel, u, atol=1e-6)
        inside = kernel.numpy()
        with splitting.hardened():  # not thresholded twice
            np.testing.assert_array_equal(kernel, inside)
        np.testing.assert_array_equal(kernel, inside)
    np.testing.assert_array_equal(kernel, w)
    with pytest.raises(RuntimeError, match="inside"), splitting.hardened():
        raise RuntimeError("inside")
    np.testing.assert_array_equal(kernel, w)
    splitting.harden()
    np.testing.assert_array_equal(kernel, inside)


# Selection


@pytest.fixture
def nested():
    """Two layers called "dense", one of them in an encoder with a convolution."""
    encoder = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            layers.Conv2D(2, 3, name="conv"),
            layers.DepthwiseConv2D(1, name="depthwise"),
            layers.Flatten(name="flatten"),
            layers.Dense(5, name="dense"),
        ],
        name="encoder",
    )
    x = keras.Input((4, 4, 1), name="x")
    h = layers.Dense(4, name="dense")(encoder(x))
    h = layers.LayerNormalization(name="norm")(h)
    return keras.Model(x, layers.Dense(2, name="out")(h), name="net")


def chosen(splitting, net):
    """The kernels' places among the network's weights."""
    places = {id(w): w.path for w in net.weights}
    return {places[id(w)] for _, w in splitting.kernels}


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("out", {"out/kernel"}),
        ("conv", {"encoder/conv/kernel"}),
        ("dense", {"dense/kernel"}),  # an exact path comes before a name inside
        ("encoder/dense", {"encoder/dense/kernel"}),
        ("net/dense", {"dense/kernel"}),
        ("*conv", {"encoder/conv/kernel"}),
        ("d*", {"dense/kernel", "encoder/dense/kernel", "encoder/depthwise/kernel"}),
        ("encoder/d*", {"encoder/dense/kernel", "encoder/depthwise/kernel"}),
        ("[co]*t", {"out/kernel"}),
        (
            "*",
            {
                "dense/kernel",
                "out/kernel",
                "encoder/conv/kernel",
                "encoder/dense/kernel",
                "encoder/depthwise/kernel",
            },
        ),
    ],
)
def test_selection(nested, key, expected):
    splitting = rvsm.Splitting(nested, {key: rvsm.L0()}, LAM, BETA)
    assert chosen(splitting, nested) == expected


def test_a_layer_object_means_that_layer_alone(nested):
    outer = nested.get_layer("dense")
    inner = nested.get_layer("encoder").get_layer("dense")
    for layer in (outer, inner):
        splitting = rvsm.Splitting(nested, {layer: rvsm.L0()}, LAM, BETA)
        assert [w for _, w in splitting.kernels] == [layer.kernel]
        model = rvsm.RVSM(nested, {layer: rvsm.L0()}, LAM, BETA)
        assert [w for _, w in model.splitting.kernels] == [layer.kernel]


def test_groups_have_their_penalty_and_lam(nested, reference_prox):
    split = {
        "encoder/*": (rvsm.TL1(a=1.0), 0.02),
        "dense": rvsm.L0(),
        "out": (rvsm.L1(), ExponentialDecay(0.1, 1, 0.5)),
    }
    splitting = rvsm.Splitting(nested, split, 0.01, BETA)
    expected = {
        "encoder/conv/kernel": (rvsm.TL1(a=1.0), 0.02),
        "encoder/depthwise/kernel": (rvsm.TL1(a=1.0), 0.02),
        "encoder/dense/kernel": (rvsm.TL1(a=1.0), 0.02),
        "dense/kernel": (rvsm.L0(), 0.01),
        "out/kernel": (rvsm.L1(), 0.1),
    }
    u = splitting.u()
    assert u.keys() == expected.keys()
    kernels = {w.path: w.numpy() for w in nested.weights}
    for path, (penalty, lam) in expected.items():
        reference = reference_prox(penalty, kernels[path], lam / BETA)
        np.testing.assert_allclose(u[path], reference, atol=1e-6)
    assert list(splitting.lams()) == ["lam", "lam_encoder_*", "lam_out"]


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ({}, "nothing to split"),
        ({"dens": rvsm.L0()}, "'dens' matches no layer; .* encoder/conv.* out"),
        ({"flatten": rvsm.L0()}, "'flatten' has no kernel; layers with a kernel: "),
        ({"norm": rvsm.L0()}, "'norm' has no kernel"),
        ({"out": rvsm.L0(), "o*": rvsm.L1()}, "out/kernel is named twice.*'out'.*'o"),
        ({"out": "l0"}, "penalty of 'out' must be .*TL1.*got 'l0'"),
        ({"out": rvsm.L0}, "penalty of 'out' must be"),
        ({"out": (rvsm.L0(), -1.0)}, "lam must be .*got -1.0"),
    ],
)
def test_wrong_selections(nested, split, message):
    with pytest.raises(ValueError, match=message):
        rvsm.Splitting(nested, split, LAM, BETA)
    with pytest.raises(ValueError, match=message):
        rvsm.RVSM(nested, split, LAM, BETA)


@pytest.fixture
def sequences():
    """Layers whose weights are not, or not only, a kernel."""
    x = keras.Input((5,), dtype="int32", name="x")
    h = layers.Embedding(10, 4, name="embedding")(x)
    h = layers.Bidirectional(layers.LSTM(3, name="lstm"), name="both")(h)
    h = layers.Reshape((6, 1))(h)
    h = layers.SeparableConv1D(4, 3, name="separable")(h)
    h = layers.EinsumDense("abc,cd->adb", (9, 4), bias_axes="d", name="einsum")(h)
    return keras.Model(x, layers.Dense(2, name="out")(h), name="net")


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("embedding/embeddings", {"embedding/embeddings"}),
        ("*/embeddings", {"embedding/embeddings"}),
        (
            "*/recurrent_kernel",
            {
                "both/forward_lstm/lstm_cell/recurrent_kernel",
                "both/backward_lstm/lstm_cell/recurrent_kernel",
            },
        ),
        ("separable/point*", {"separable/pointwise_kernel"}),
        ("out/kernel", {"out/kernel"}),
        ("net/out/kernel", {"out/kernel"}),
    ],
)
def test_weights_are_named_behind_their_layer(sequences, key, expected):
    splitting = rvsm.Splitting(sequences, {key: rvsm.L0()}, LAM, BETA)
    assert chosen(splitting, sequences) == expected


UNITS = rvsm.Group(rvsm.L0(), "units")


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ({"embedding": rvsm.L0()}, "has no kernel: name .* 'embedding/embeddings'"),
        ({"both": rvsm.L0()}, "'both' has no kernel: .*lstm_cell/recurrent_kernel'"),
        ({"out/nothing": rvsm.L0()}, "'out/nothing' matches no layer"),
        ({"*lstm_cell": UNITS}, "lstm_cell: a unit of a recurrent layer has columns"),
        ({"einsum": UNITS}, r"einsum: its bias has shape \(9, 1\)"),
        ({"separable/*kernel": UNITS}, "separable/depthwise_kernel: .* two kernels"),
        (
            {"out": rvsm.L0(), "*/kernel": rvsm.L0()},
            "out/kernel is named twice, by 'out' and by '\\*/kernel'",
        ),
    ],
)
def test_what_no_group_or_name_fits_is_refused(sequences, split, message):
    with pytest.raises(ValueError, match=message):
        rvsm.Splitting(sequences, split, LAM, BETA)


def test_a_layer_of_another_network_is_no_choice(nested):
    foreign = layers.Dense(4, name="dense")
    for cls in (rvsm.Splitting, rvsm.RVSM):
        with pytest.raises(ValueError, match="not a layer of the network 'net'"):
            cls(nested, {foreign: rvsm.L0()}, LAM, BETA)


def test_a_layer_named_as_object_and_by_name_is_named_twice(nested):
    split = {nested.get_layer("out"): rvsm.L0(), "out": rvsm.L1()}
    for cls in (rvsm.Splitting, rvsm.RVSM):
        with pytest.raises(ValueError, match="twice"):
            cls(nested, split, LAM, BETA)


NO_NUMBERS = [float("nan"), float("inf"), -0.1, True, "0.1", None]


@pytest.mark.parametrize(
    ("name", "value"),
    [("lam", v) for v in NO_NUMBERS]
    + [("beta", v) for v in [*NO_NUMBERS, 0, rvsm.TargetSparsity(0.9, 10)]]
    + [("kappa", v) for v in [*NO_NUMBERS[:-1], 0, 1.5]],
)
def test_wrong_numbers_are_quoted(make_net, name, value):
    arguments = {"lam": LAM, "beta": BETA, "kappa": None, name: value}
    message = f"{name} must be .*{str(value)[:5]}"
    with pytest.raises(ValueError, match=message):
        rvsm.Splitting(make_net(), {"dense": rvsm.L0()}, **arguments)
    with pytest.raises(ValueError, match=message):
        rvsm.RVSM(make_net(), {"dense": rvsm.L0()}, **arguments)


def test_lam_may_be_zero(make_net):
    net = make_net()
    splitting = rvsm.Splitting(net, {"dense": rvsm.L0()}, 0, BETA)
    np.testing.assert_array_equal(
        splitting.u()["net/dense/kernel"], net.layers[0].kernel
    )
    assert splitting.gap() == 0


def test_kernels_of_the_same_path_are_told_apart():
    """Layers of functional models inside a model do not have its name in their path."""

    def tower(name, scale):
        x = keras.Input((4,))
        net = keras.Model(x, keras.layers.Dense(3, name="dense")(x), name=name)
        net.get_layer("dense").kernel.assign(np.full((4, 3), scale))
        return net

    x = keras.Input((4,))
    towers = [tower("left", 1.0), tower("right", 2.0)]
    net = keras.Model(x, keras.layers.Add()([tower(x) for tower in towers]))
    split = {"left/dense": rvsm.L0(), "right/dense": rvsm.L0()}
    model = rvsm.RVSM(net, split, lam=1e-6, beta=0.1)
    assert len({w.path for _, w in model.splitting.kernels}) == 1
    assert model.splitting.gap() == 0
    sparse = model.harden()
    for name, scale in (("left", 1), ("right", 2)):
        kernel = sparse.get_layer(name).get_layer("dense").kernel.numpy()
        assert (kernel == scale).all()


class SamePaths(keras.Model):
    """Two layers of one name, at one place."""

    def __init__(self):
        super().__init__(name="net")
        self.a, self.b = layers.Dense(4, name="d"), layers.Dense(4, name="d")
        self(np.zeros((1, 3)))

    def call(self, x):
        return self.a(x) + self.b(x)


def test_layers_of_one_path_are_split_together_or_refused():
    net = SamePaths()
    u = rvsm.Splitting(net, {"d": rvsm.L0()}, 0.0, BETA).u()
    assert list(u) == ["net/d/kernel", "net/d/kernel#2"]
    np.testing.assert_array_equal(u["net/d/kernel#2"], net.b.kernel)
    with pytest.raises(ValueError, match="2 layers of the path 'd', which cannot be"):
        rvsm.Splitting(net, {net.b: rvsm.L0()}, LAM, BETA)
