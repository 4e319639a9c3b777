import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops
from keras.optimizers import SGD, Adam, AdamW, LossScaleOptimizer
from keras.optimizers.schedules import ExponentialDecay, PolynomialDecay

import rvsm_tf as rvsm
from tests.processes import ROOT, TWO_DEVICES, run_python

LAM, BETA = 0.02, 0.5
TL1 = rvsm.TL1(a=0.1)


@keras.saving.register_keras_serializable("tests")
class Subclassed(keras.Model):
    def __init__(self, units=8, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.dense = layers.Dense(units, "tanh", name="dense")
        self.out = layers.Dense(3, name="out")

    def call(self, x):
        return self.out(self.dense(x))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class Uncopyable(keras.Model):
    def __init__(self, units):
        super().__init__()
        self.dense = layers.Dense(units, name="dense")

    def call(self, x):
        return self.dense(x)


def two_inputs():
    a = keras.Input((4,), name="a")
    b = keras.Input((2,), name="b")
    h = layers.Concatenate(name="both")([a, b])
    h = layers.Dense(8, "tanh", name="dense")(h)
    return keras.Model([a, b], layers.Dense(3, name="out")(h), name="two")


def unbuilt_sequential():
    return keras.Sequential(
        [layers.Dense(8, "tanh", name="dense"), layers.Dense(3, name="out")], name="s"
    )


def built_subclassed():
    net = Subclassed(name="sub")
    net(np.zeros((1, 6)))
    return net


@pytest.fixture
def make_model(make_net):
    def make(net=None, split=None, lam=LAM, optimizer=None, kappa=None, **compiling):
        split = split or {"dense": TL1}
        model = rvsm.RVSM(net or make_net(), split, lam, BETA, kappa)
        model.compile(
            optimizer or SGD(0.1),
            "mse",
            metrics=["mae"],
            **{"jit_compile": False, **compiling},
        )
        return model

    return make


def assert_same_weights(a, b, **tolerance):
    for v, w in zip(a.get_weights(), b.get_weights(), strict=True):
        if tolerance:
            np.testing.assert_allclose(v, w, **tolerance)
        else:
            np.testing.assert_array_equal(v, w)


# Training


def test_a_custom_loop_equals_fit_bit_for_bit(make_net, make_model, data):
    x, y = data
    model = make_model(optimizer=Adam(0.01))
    model.fit(x, y, batch_size=8, epochs=3, shuffle=False, verbose=0)

    net, optimizer, loss_fn = make_net(), Adam(0.01), keras.losses.MeanSquaredError()
    splitting = rvsm.Splitting(net, {"dense": TL1}, LAM, BETA)

    @tf.function
    def train(x, y):
        with tf.GradientTape() as tape:
            loss = loss_fn(y, net(x, training=True))
        gradients = tape.gradient(loss, net.trainable_variables)
        with splitting.step(optimizer):
            optimizer.apply(gradients, net.trainable_variables)

    for _ in range(3):
        for batch in range(0, 32, 8):
            train(x[batch : batch + 8], y[batch : batch + 8])
    assert_same_weights(net, model.net)
    splitting.harden()
    assert_same_weights(net, model.harden())


@pytest.mark.slow
@pytest.mark.parametrize(
    "compiling",
    [
        {"jit_compile": True},
        {"run_eagerly": True},
        {"steps_per_execution": 3},
        {"jit_compile": True, "steps_per_execution": 2},
    ],
    ids=str,
)
def test_all_ways_of_execution_agree(make_model, data, compiling):
    x, y = data
    target = rvsm.TargetSparsity(0.5, 8, every=3)
    split = {"dense": TL1, "out": (rvsm.L0(), target)}
    lam = PolynomialDecay(0.01, 9, 0.03)
    models = [
        make_model(split=split, lam=lam, optimizer=SGD(0.1, momentum=0.9), **c)
        for c in ({}, compiling)
    ]
    for model in models:
        model.fit(x, y, batch_size=6, epochs=2, shuffle=False, verbose=0)
        assert int(model.splitting.position) == 12
    assert_same_weights(*models, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "bfloat16"])
def test_mixed_precision_trains(make_net, make_model, data, policy):
    keras.config.set_dtype_policy(policy)
    model = make_model(make_net())
    assert isinstance(model.optimizer, LossScaleOptimizer) == (
        policy == "mixed_float16"
    )
    history = model.fit(*data, epochs=8, verbose=0).history["loss"]
    assert history[-1] < 0.8 * history[0]
    assert int(model.splitting.position) == 8
    kernel = keras.backend.standardize_dtype(model.net.layers[0].kernel.dtype)
    assert kernel == ("bfloat16" if policy == "bfloat16" else "float32")
    sparse = model.harden().layers[0].kernel
    assert keras.backend.standardize_dtype(sparse.dtype) == kernel
    zeros = ops.convert_to_numpy(ops.cast(sparse, "float32")) == 0
    assert 0 < zeros.mean() < 1
    assert model.splitting.sparsity() == zeros.mean()


@pytest.mark.parametrize(
    "make",
    [
        lambda: AdamW(0.01, weight_decay=0.05),
        lambda: Adam(0.01, gradient_accumulation_steps=2),
        lambda: LossScaleOptimizer(SGD(0.1)),
        lambda: SGD(ExponentialDecay(0.1, 4, 0.5)),
    ],
    ids=["AdamW", "accumulation", "loss scale", "schedule"],
)
def test_compiled_fit_equals_eager_steps_of_the_splitting(
    make_net, make_model, data, make
):
    x, y = data
    model = make_model(optimizer=make(), jit_compile=True)
    model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0)

    net, optimizer = make_net(), make()
    splitting = rvsm.Splitting(net, {"dense": TL1}, LAM, BETA)
    for batch in [0, 8, 16, 24] * 2:
        with tf.GradientTape() as tape:
            errors = net(x[batch : batch + 8]) - y[batch : batch + 8]
            loss = optimizer.scale_loss(ops.mean(errors**2))
        gradients = tape.gradient(loss, net.trainable_variables)
        with splitting.step(optimizer):
            optimizer.apply(gradients, net.trainable_variables)
    assert_same_weights(net, model.net, atol=1e-5)
    assert int(splitting.position) == int(model.splitting.position)


def test_a_non_finite_batch_changes_nothing_in_fit(make_model, data):
    x, y = data
    model = make_model(optimizer=LossScaleOptimizer(Adam(0.01)))
    before = model.get_weights()
    model.train_on_batch(x, np.full_like(y, np.nan))
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    model.train_on_batch(x, y)
    assert int(model.splitting.position) == 1
    assert (model.net.get_weights()[0] != before[0]).any()


# Kinds of networks


@pytest.mark.parametrize(
    "make",
    [unbuilt_sequential, two_inputs, built_subclassed, Subclassed],
    ids=["unbuilt sequential", "two inputs", "subclassed", "unbuilt subclassed"],
)
def test_any_kind_of_network(make_model, data, make, tmp_path):
    x, y = data
    if make is two_inputs:
        x = {"a": x[:, :4], "b": x[:, 4:]}
    model = make_model(make())
    lam = model.splitting.lam if model.built else None
    history = model.fit(x, y, batch_size=8, epochs=6, verbose=0, validation_data=(x, y))
    assert history.history["loss"][-1] < history.history["loss"][0]
    assert int(model.splitting.position) == 24
    assert lam is None or lam is model.splitting.lam
    sparse = model.harden()
    assert type(sparse) is type(model.net)
    expected = model.predict(x, verbose=0)
    np.testing.assert_allclose(sparse.predict(x, verbose=0), expected, atol=1e-6)

    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert_same_weights(loaded, model)
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), expected)
    for m in (model, loaded):
        m.fit(x, y, batch_size=8, shuffle=False, verbose=0)
    assert_same_weights(loaded, model)


@pytest.mark.parametrize("first", ["fit", "evaluate", "predict", "call"])
def test_what_builds_the_network_sets_no_lam_later(make_model, data, first):
    x, y = data
    model = make_model(Subclassed())
    if first in ("fit", "evaluate"):
        getattr(model, first)(x, y, verbose=0)
    elif first == "predict":
        model.predict(x, verbose=0)
    else:
        model(x)
    model.splitting.lam.assign(0.07)
    model.fit(x, y, verbose=0)
    model.evaluate(x, y, verbose=0)
    assert float(model.splitting.lam) == pytest.approx(0.07)


def test_an_unbuilt_network_is_no_riddle(make_model):
    model = make_model(Subclassed(name="sub"))
    for use in (lambda: model.splitting, model.harden):
        with pytest.raises(ValueError, match="'sub' has no weights yet: build it"):
            use()


def test_a_selection_by_object_survives_everything(make_net, make_model, data):
    net = make_net()
    model = make_model(net, {net.layers[0]: rvsm.L0(), "out": (TL1, 0.1)})
    copy = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(model)
    )
    assert [(s.key, s.penalty) for s in copy.splitting.splits] == [
        ("dense", rvsm.L0()),
        ("out", TL1),
    ]
    assert copy.splitting.lams() == pytest.approx({"lam": LAM, "lam_out": 0.1})


# Evaluation sees u


def regularized():
    """A network that computes something else in training, like on every start."""
    return keras.Sequential(
        [
            keras.Input((6,)),
            layers.GaussianNoise(0.1, seed=1),
            layers.Dense(8, "tanh", name="dense"),
            layers.BatchNormalization(),
            layers.Dropout(0.5, seed=2),
            layers.Dense(3, name="out"),
        ]
    )


def nested():
    start = keras.Input((6,))
    return keras.Model(start, regularized()(start))


class Wrapper(keras.Model):
    """A network of one's own whose call has, or has no, argument `training`."""

    def __init__(self):
        super().__init__()
        self.inside = regularized()

    def call(self, x):
        return self.inside(x)


class Passing(Wrapper):
    def call(self, x, training=None):
        return self.inside(x, training=training)


@pytest.mark.parametrize("make", [regularized, nested, Wrapper, Passing])
def test_without_a_penalty_training_is_that_of_the_network(make, data):
    """λ = 0: u is w. Dropout drops, and normalization sees the batches."""
    plain, net = make(), make()
    for each in (plain, net):
        each(np.zeros((1, 6)))  # builds those of one's own
    net.set_weights(plain.get_weights())
    model = rvsm.RVSM(net, {"*": rvsm.TL1(a=0.1)}, 0.0, BETA, kappa=0.1)
    x, y = data
    for each in (plain, model):
        each.compile(SGD(0.05), "mse", jit_compile=False)
        each.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    for a, b in zip(plain.get_weights(), net.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model(x), plain(x), atol=1e-5)


def test_a_frozen_layer_is_not_pulled(make_net, data):
    net = make_net()
    net.get_layer("dense").trainable = False
    before = net.get_weights()
    model = rvsm.RVSM(net, {"dense": TL1, "out": TL1}, LAM, BETA, kappa=0.1)
    model.compile(SGD(0.05), "mse")
    model.fit(*data, epochs=1, verbose=0)
    frozen, *_, moved, _ = zip(before, net.get_weights(), strict=True)
    np.testing.assert_array_equal(*frozen)
    assert (moved[0] != moved[1]).all()


@pytest.mark.parametrize(
    ("net", "split", "message"),
    [
        (layers.Dense(3), {"dense": TL1}, "net must be a Keras model"),
        (None, {"dense": TL1}, "net must be a Keras model"),
        (built_subclassed, ["dense"], "must be a dictionary .* got \\['dense'\\]"),
        (built_subclassed, TL1, "must be a dictionary"),
        (built_subclassed, {"dense": (TL1,)}, "or a pair of one and its λ, got"),
        (built_subclassed, {"dense": (TL1, 1, 2)}, "or a pair of one and its λ, got"),
    ],
)
def test_what_cannot_be_split_is_said(net, split, message):
    with pytest.raises(ValueError, match=message):
        rvsm.RVSM(net() if net is built_subclassed else net, split, LAM, BETA)


def test_a_wrapped_model_is_not_wrapped_again(make_model):
    with pytest.raises(ValueError, match="net must be a Keras model"):
        rvsm.RVSM(make_model(), {"net": TL1}, LAM, BETA)


def test_evaluation_is_of_the_sparse_model(make_model, data):
    x, y = data
    model = make_model()
    model.fit(x, y, epochs=3, verbose=0)
    sparse = model.harden()
    sparse.compile("sgd", "mse", metrics=["mae"])
    before = model.get_weights()

    expected = sparse.evaluate(x, y, return_dict=True, verbose=0)
    assert expected["mae"] != pytest.approx(np.abs(model(x) - y).mean(), rel=1e-3)
    assert model.evaluate(x, y, return_dict=True, verbose=0) == expected
    assert model.test_on_batch(x, y, return_dict=True) == expected
    for method in ("predict", "predict_on_batch"):
        np.testing.assert_array_equal(
            getattr(model, method)(x), getattr(sparse, method)(x)
        )
    assert_same_weights(sparse, model.harden())
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_validation_is_of_the_sparse_model(make_model, data):
    x, y = data
    model = make_model()

    class Checks(keras.callbacks.Callback):
        checked = 0

        def on_epoch_end(self, epoch, logs=None):
            sparse = self.model.harden()
            sparse.compile("sgd", "mse", metrics=["mae"])
            expected = sparse.evaluate(x, y, return_dict=True, verbose=0)
            assert logs["val_loss"] == pytest.approx(expected["loss"], rel=1e-6)
            assert logs["val_mae"] == pytest.approx(expected["mae"], rel=1e-6)
            self.checked += 1

    checks = Checks()
    model.fit(x, y, epochs=3, validation_data=(x, y), callbacks=[checks], verbose=0)
    assert checks.checked == 3


def test_validation_does_not_disturb_training(make_model, data):
    models = [make_model(), make_model()]
    models[0].fit(*data, epochs=3, shuffle=False, verbose=0)
    models[1].fit(*data, epochs=3, shuffle=False, verbose=0, validation_data=data)
    assert_same_weights(*models)


@pytest.mark.parametrize("method", ["evaluate", "predict"])
def test_w_is_back_when_evaluation_raises(make_model, data, method):
    x, y = data
    model = make_model()
    model.fit(x, y, verbose=0)
    w = model.net.layers[0].kernel.numpy()
    sparse = model.harden().layers[0].kernel.numpy()
    seen = []

    class Raises(keras.callbacks.Callback):
        def stop(self, batch, logs=None):
            seen.append(self.model.net.layers[0].kernel.numpy())
            raise KeyboardInterrupt

        on_test_batch_end = on_predict_batch_end = stop

    arguments = (x, y) if method == "evaluate" else (x,)
    with pytest.raises(KeyboardInterrupt):
        getattr(model, method)(*arguments, callbacks=[Raises()], verbose=0)
    np.testing.assert_array_equal(seen[0], sparse)
    np.testing.assert_array_equal(model.net.layers[0].kernel, w)
    # And evaluation still works afterwards.
    model.evaluate(x, y, verbose=0)
    np.testing.assert_array_equal(model.net.layers[0].kernel, w)


def test_predict_inside_evaluate_does_not_threshold_twice(make_model, data):
    x, y = data
    model = make_model(split={"dense": rvsm.L1()})
    w = model.net.layers[0].kernel.numpy()
    expected = model.predict(x, verbose=0)
    inside = []

    class Predicts(keras.callbacks.Callback):
        def on_test_end(self, logs=None):
            inside.append(self.model.predict(x, verbose=0))
            inside.append(self.model.predict(x, verbose=0))

    model.evaluate(x, y, callbacks=[Predicts()], verbose=0)
    for prediction in inside:
        np.testing.assert_array_equal(prediction, expected)
    np.testing.assert_array_equal(model.net.layers[0].kernel, w)


def test_calling_the_model_uses_w(make_model, data):
    x, _ = data
    model = make_model()
    np.testing.assert_array_equal(model(x), model.net(x))
    assert np.abs(model(x) - model.predict(x, verbose=0)).max() > 1e-3


# Hardening


@pytest.mark.parametrize("penalty", [rvsm.L0(), rvsm.L1(), TL1], ids=str)
def test_harden_gives_a_plain_model_of_u(make_model, data, penalty, reference_prox):
    model = make_model(split={"dense": penalty})
    model.fit(*data, epochs=2, verbose=0)
    before = model.get_weights()
    sparse = model.harden()
    assert type(sparse) is keras.Sequential
    w, *others = model.net.get_weights()
    u, *kept = sparse.get_weights()
    np.testing.assert_allclose(u, reference_prox(penalty, w, LAM / BETA), atol=1e-6)
    assert 0 < (u == 0).mean() < 1
    assert not np.signbit(u[u == 0]).any()
    for a, b in zip(kept, others, strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    # The copy shares nothing with the model.
    sparse.set_weights([np.zeros_like(w) for w in sparse.get_weights()])
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


def test_a_hardened_model_loads_without_this_package(make_model, data, tmp_path):
    x, _ = data
    sparse = make_model().harden()
    sparse.save(tmp_path / "sparse.keras")
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", sparse.predict(x, verbose=0))
    run_python(
        """
import sys
sys.modules["rvsm_tf"] = None  # importing it raises
import keras, numpy as np
folder = sys.argv[1]
model = keras.models.load_model(folder + "/sparse.keras")
assert type(model) is keras.Sequential
x, y = np.load(folder + "/x.npy"), np.load(folder + "/y.npy")
np.testing.assert_allclose(model.predict(x, verbose=0), y, atol=1e-6)
""",
        tmp_path,
    )


def test_a_network_that_cannot_be_copied(make_model, data):
    net = Uncopyable(3)
    model = make_model(net)
    model.fit(*data, verbose=0)
    message = r"it is a Uncopyable that .* not make again, .*; or call model\.splitting"
    with pytest.raises(ValueError, match=message):
        model.harden()
    expected = model.predict(data[0], verbose=0)
    model.splitting.harden()
    np.testing.assert_array_equal(net.predict(data[0], verbose=0), expected)


# Saving and loading in the middle of training


@pytest.mark.filterwarnings("ignore:TargetSparsity.* takes 20 steps")
@pytest.mark.parametrize(
    ("optimizer", "lam"),
    [
        (lambda: SGD(0.1, momentum=0.9), LAM),
        (lambda: Adam(0.01), PolynomialDecay(0.01, 20, 0.05)),
        (lambda: Adam(0.01), rvsm.TargetSparsity(0.6, 20, every=3)),
        (lambda: LossScaleOptimizer(Adam(0.01)), LAM),
    ],
    ids=["momentum", "Adam, schedule", "Adam, target", "loss scale"],
)
def test_interrupted_training_ends_the_same(make_model, data, tmp_path, optimizer, lam):
    x, y = data
    fit = {"batch_size": 6, "shuffle": False, "verbose": 0}
    split = {"dense": TL1, "out": (rvsm.L1(), 0.05)}
    model = make_model(split=split, lam=lam, optimizer=optimizer())
    model.fit(x, y, epochs=2, **fit)
    if lam == LAM:
        model.splitting.lam.assign(0.03)
        model.splitting.beta.assign(0.4)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")

    assert isinstance(loaded, rvsm.RVSM)
    assert int(loaded.splitting.position) == 12
    assert loaded.splitting.lams() == model.splitting.lams()
    assert float(loaded.splitting.beta) == float(model.splitting.beta)
    assert_same_weights(loaded, model)
    for m in (model, loaded):
        m.fit(x, y, epochs=2, **fit)
        assert int(m.splitting.position) == 24
    assert_same_weights(loaded, model)
    assert loaded.splitting.sparsity() == model.splitting.sparsity()
    assert loaded.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)


def test_weights_alone_can_be_saved_and_loaded(make_model, data, tmp_path):
    model, other = make_model(), make_model()
    model.fit(*data, epochs=2, verbose=0)
    model.save_weights(tmp_path / "model.weights.h5")
    other.load_weights(tmp_path / "model.weights.h5")
    assert_same_weights(other, model)
    assert int(other.splitting.position) == 2


def test_checkpoints_and_early_stopping_watch_the_sparse_model(
    make_model, data, tmp_path
):
    x, y = data
    path = tmp_path / "best.keras"
    # A rate at which the loss soon rises again.
    model = make_model(optimizer=SGD(0.1, momentum=0.9), kappa=0.5, lam=0.1)
    callbacks = [
        keras.callbacks.ModelCheckpoint(path, monitor="val_loss", save_best_only=True),
        keras.callbacks.EarlyStopping(
            "val_loss", patience=3, restore_best_weights=True
        ),
    ]
    history = model.fit(
        x, y, epochs=40, validation_data=(x, y), callbacks=callbacks, verbose=0
    ).history
    best = int(np.argmin(history["val_loss"]))
    assert 0 < best < len(history["val_loss"]) - 1
    saved = keras.models.load_model(path)
    assert_same_weights(saved, model)
    for m in (saved, model):
        assert int(m.splitting.position) == best + 1
        loss = m.evaluate(x, y, return_dict=True, verbose=0)["loss"]
        assert loss == pytest.approx(history["val_loss"][best], rel=1e-6)


# Several devices


@pytest.mark.slow
def test_two_replicas_equal_one_device():
    output = run_python(
        TWO_DEVICES
        + """
rng = np.random.default_rng(0)
x = rng.normal(size=(32, 6)).astype("float32")
y = rng.normal(size=(32, 3)).astype("float32")

def train(lam, own, optimizer, net):
    split = {"dense": rvsm.TL1(a=0.1), "out": (rvsm.L0(), own)}
    model = rvsm.RVSM(net, split, lam, 0.5)
    model.compile(optimizer(), "mse", jit_compile=False)
    logs = model.fit(
        x, y, batch_size=8, epochs=2, shuffle=False, verbose=0,
        validation_data=(x, y), callbacks=[rvsm.RVSMCallback()],
    ).history
    return model, {name: values[-1] for name, values in logs.items()}

def net(built):
    keras.utils.set_random_seed(1)
    first = [keras.Input((6,))] if built else []
    limit = {"kernel_constraint": "unit_norm"} if built else {}
    return keras.Sequential(
        [*first, keras.layers.Dense(8, "tanh", name="dense", **limit),
         keras.layers.Dense(3, name="out")]
    )

strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
schedule = keras.optimizers.schedules.PolynomialDecay(0.01, 8, 0.05)
target = rvsm.TargetSparsity(0.5, 8, every=3)
for lam, own, optimizer, built in (
    (schedule, target, lambda: keras.optimizers.Adam(0.01), True),
    (0.02, 0.05, lambda: keras.optimizers.SGD(0.1, momentum=0.9), False),
):
    with strategy.scope():
        two, two_logs = train(lam, own, optimizer, net(built))
    assert strategy.num_replicas_in_sync == 2
    one, logs = train(lam, own, optimizer, net(built))
    assert logs.keys() == two_logs.keys() >= {"sparsity", "gap", "lagrangian"}
    for name in logs.keys() - {"loss", "val_loss", "lagrangian"}:
        np.testing.assert_allclose(two_logs[name], logs[name], rtol=1e-4, err_msg=name)
    assert keras.ops.convert_to_numpy(two.splitting.position) == 8
    for a, b in zip(two.get_weights(), one.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    for a, b in zip(two.harden().get_weights(), one.harden().get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    for variable in two.net.trainable_variables:
        first, second = strategy.experimental_local_results(variable.value)
        np.testing.assert_array_equal(first, second)
print("equal")
""",
        ROOT,
    )
    assert output.split()[-1] == "equal"


def test_hardening_keeps_what_a_normalization_layer_has_seen():
    normalization = keras.layers.Normalization()
    x = np.random.default_rng(0).normal(5.0, 3.0, (64, 4)).astype("float32")
    normalization.adapt(x)
    net = keras.Sequential(
        [keras.Input((4,)), normalization, keras.layers.Dense(3, name="dense")]
    )
    model = rvsm.RVSM(net, {"dense": rvsm.L0()}, lam=1e-3, beta=0.1)
    w = np.asarray(net.get_layer("dense").kernel)
    w = np.where(np.abs(w) > np.sqrt(2 * 1e-3 / 0.1), w, 0)
    by_hand = (x - x.mean(axis=0)) / x.std(axis=0) @ w
    np.testing.assert_allclose(model.harden()(x), by_hand, atol=1e-5)
