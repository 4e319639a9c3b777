import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import layers

import rvsm_tf as rvsm
from rvsm_tf.compaction import compact, gather, kernels, plan

ACTIVATIONS = ["linear", "relu", "sigmoid", "softplus", "tanh", "gelu", "elu"]


def randomize(model, rng, share=0.0):
    """Random weights everywhere; `share` of channels and inputs are zero as a whole."""
    for variable in model.variables:
        if variable.dtype != "float32":
            continue
        value = rng.normal(0.0, 0.5, variable.shape)
        if variable.name == "moving_variance":
            value = rng.uniform(0.3, 2.0, variable.shape)
        if variable.name == "gamma":
            value[rng.random(value.shape) < share / 3] = 0
        if variable.name == "bias":
            value[rng.random(value.shape) < 0.3] = 0
        if variable.name.endswith("kernel"):
            value = value / np.sqrt(np.prod(variable.shape[:-1]) / 8 + 1)
            value[..., rng.random(value.shape[-1]) < share] = 0
            value[..., rng.random(value.shape[-2]) < share, :] = 0
        variable.assign(value)


def example(model, rng, batch=3):
    """Random inputs, in the structure that the model takes."""
    sequential = type(model) is keras.Sequential
    return keras.tree.map_structure(
        lambda x: rng.normal(size=(batch, *x.shape[1:])).astype("float32"),
        model.inputs[0] if sequential else model.input,
    )


def assert_equal(model, smaller, x):
    """Equal outputs, to 1e-5 of their size."""
    expected = keras.tree.flatten(model(x, training=False))
    got = keras.tree.flatten(smaller(x, training=False))
    assert len(expected) == len(got)
    for a, b in zip(expected, got):
        a, b = np.asarray(a), np.asarray(b)
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        np.testing.assert_allclose(b, a, rtol=0, atol=1e-5 * max(1, np.abs(a).max()))


def check(model, seed=0):
    """Compacts, compares, and returns the smaller model."""
    smaller = compact(model)
    assert_equal(model, smaller, example(model, np.random.default_rng(seed)))
    gathers = any(row.inputs is not None for row in plan(model).layers)
    if not gathers:
        assert type(smaller) is type(model)
    assert names(smaller) == names(model)
    again = plan(smaller)
    assert again.weights == again.kept_weights == smaller.count_params()
    shapes = [w.shape for w in smaller.weights]
    assert [w.shape for w in compact(smaller).weights] == shapes
    return smaller


def names(model):
    inputs = layers.InputLayer  # which sequential models do not list
    return [x.name for x in model.layers if not isinstance(x, inputs)]


def shapes(model):
    return {x.name: tuple(x.kernel.shape) for x in model.layers if hasattr(x, "kernel")}


def zero_filters(layer, count):
    kernel, *others = layer.get_weights()
    kernel[..., :count] = 0
    layer.set_weights([kernel, *others])


def image_block(x, rng, pick):
    """One random layer, or a few, on pictures."""
    width = int(rng.integers(1, 7))
    padding = pick(["same", "valid"])
    if min(x.shape[1:3]) < 3:
        padding = "same"
    conv = {"padding": padding, "use_bias": pick([True, False])}
    activation = pick(ACTIVATIONS)
    kind = pick(
        [
            *("conv", "conv", "conv", "separable", "depthwise", "norm", "norm"),
            *("activation", "max", "average", "pad", "dropout", "residual", "residual"),
            *("branches", "pointwise", "multiply", "up", "crop"),
        ]
    )
    if kind == "conv":
        strides = pick([1, 1, 2])
        return layers.Conv2D(width, 3, strides, activation=activation, **conv)(x)
    if kind == "separable":
        return layers.SeparableConv2D(
            width, 3, depth_multiplier=pick([1, 2]), activation=activation, **conv
        )(x)
    if kind == "depthwise":
        return layers.DepthwiseConv2D(
            3, depth_multiplier=pick([1, 2]), activation=activation, **conv
        )(x)
    if kind == "norm":
        return layers.BatchNormalization(scale=pick([1, 0]) > 0)(x)
    if kind == "activation":
        some = [layers.Activation(activation), layers.ReLU(), layers.LeakyReLU()]
        return pick(some)(x)
    if kind in ("max", "average"):
        pool = layers.MaxPooling2D if kind == "max" else layers.AveragePooling2D
        return pool(pick([2, 3]), pick([1, 2]), padding="same")(x)
    if kind == "pad":
        return layers.ZeroPadding2D(1)(x)
    if kind == "dropout":
        return layers.SpatialDropout2D(0.5)(layers.Dropout(0.5)(x))
    if kind == "pointwise":
        return layers.Dense(width, activation=activation)(x)
    if kind == "up":
        return layers.UpSampling2D(2)(x) if max(x.shape[1:3]) < 6 else x
    if kind == "crop":
        return layers.Cropping2D(1)(x) if min(x.shape[1:3]) > 5 else x
    if kind in ("residual", "multiply"):
        inner = layers.Conv2D(x.shape[-1], 3, padding="same", activation=activation)(x)
        inner = layers.BatchNormalization()(inner)
        if kind == "multiply":
            return layers.Multiply()([x, inner])
        if rng.random() < 0.3:
            return x + inner
        merge = pick([layers.Add, layers.Average, layers.Maximum, layers.Subtract])
        return merge()([x, inner])
    left = layers.Conv2D(width, 1, activation=activation)(x)
    right = layers.Conv2D(3, 3, padding="same")(x)
    return layers.Concatenate()(pick([[left, right], [x, left, right], [left, x]]))


def random_model(rng):
    def pick(options):
        return options[int(rng.integers(len(options)))]

    inputs = [keras.Input((int(rng.integers(5, 8)), 6, 2))]
    x = layers.Conv2D(5, 3, padding="same", activation=pick(ACTIVATIONS))(inputs[0])
    for _ in range(int(rng.integers(1, 6))):
        x = image_block(x, rng, pick)
    outputs = []
    if rng.random() < 0.2:  # an output in the middle
        outputs.append(x)
        x = layers.Conv2D(4, 1)(x)
    end = pick(["flatten", "flatten", "reshape", "rows", "average", "max"])
    if end == "flatten":
        x = layers.Flatten()(x)
    elif end == "reshape":
        x = layers.Reshape((-1,))(x)
    elif end == "rows":
        x = layers.Flatten()(layers.Reshape((x.shape[1], -1))(x))
    elif end == "average":
        x = layers.GlobalAveragePooling2D()(x)
    else:
        x = layers.GlobalMaxPooling2D(keepdims=True)(x)
    if rng.random() < 0.3:
        inputs.append(keras.Input((4,)))
        other = layers.Dense(3, "sigmoid")(inputs[1])
        x = layers.Concatenate()([layers.Flatten()(x), other])
    for _ in range(int(rng.integers(0, 3))):
        x = layers.Dense(int(rng.integers(1, 9)), pick(ACTIVATIONS))(x)
        if rng.random() < 0.4:
            x = layers.BatchNormalization()(x)
        if rng.random() < 0.3:
            side = layers.Dense(x.shape[-1], use_bias=False)(x)
            x = layers.Add()([side, x])
    outputs.append(layers.Dense(2, pick(["softmax", "linear"]), use_bias=False)(x))
    return keras.Model(inputs, outputs if len(outputs) > 1 else outputs[0])


@pytest.mark.parametrize("gathers", [False, True])
@pytest.mark.parametrize(
    "seed",
    [*range(5), *(pytest.param(n, marks=pytest.mark.slow) for n in range(5, 40))],
)
def test_random_networks_keep_their_outputs(seed, gathers, monkeypatch):
    if gathers:  # wherever a row is zero, as small as these networks are
        monkeypatch.setattr(gather, "SAVED_PER_INPUT", 0)
    rng = np.random.default_rng(seed)
    model = random_model(rng)
    randomize(model, rng, share=rng.choice([0.3, 0.6, 0.9]))
    smaller = check(model, seed)
    biases = sum(
        layer.bias.shape[0]
        for old, layer in zip(model.layers, smaller.layers)
        if getattr(layer, "use_bias", False) and not old.use_bias
    )
    assert smaller.count_params() <= model.count_params() + biases


def test_the_papers_network():
    net = rvsm.networks.paper_cnn()
    rng = np.random.default_rng(0)
    for layer in net.layers:
        if layer.weights:
            kernel, bias = layer.get_weights()
            layer.set_weights([kernel, rng.normal(0, 0.1, bias.shape)])
    for name in ("conv1", "conv2", "conv3"):
        kernel, bias = net.get_layer(name).get_weights()
        kernel[..., 8:] = 0
        bias[8:] = 0  # with a bias it would be a constant that borders interrupt
        net.get_layer(name).set_weights([kernel, bias])
    zero_filters(net.get_layer("dense"), 100)
    smaller = check(net)
    assert shapes(smaller) == {
        "conv1": (3, 3, 1, 8),
        "conv2": (3, 3, 8, 8),
        "conv3": (3, 3, 8, 8),
        "dense": (13 * 13 * 8, 28),
        "probabilities": (28, 2),
    }
    assert smaller.get_layer("probabilities").dtype_policy.name == "float32"


def sequential(*stack, shape=(6, 6, 2), seed=0, share=0.0):
    model = keras.Sequential([keras.Input(shape), *stack])
    randomize(model, np.random.default_rng(seed), share)
    return model


def conv(filters, name, **kwargs):
    return layers.Conv2D(filters, 3, name=name, **kwargs)


def test_nobody_reads_it():
    net = sequential(conv(4, "a"), conv(5, "b"), layers.Flatten(), layers.Dense(3))
    kernel, bias = net.layers[1].get_weights()
    kernel[:, :, 1] = 0
    net.layers[1].set_weights([kernel, bias])
    smaller = check(net)
    assert shapes(smaller) == {
        **shapes(net),
        "a": (3, 3, 2, 3),
        "b": (3, 3, 3, 5),
    }


def test_what_is_cut_reads_no_longer():
    a = layers.Dense(4, name="a")
    b = layers.Dense(4, name="b")
    c = layers.Dense(2, name="c")
    net = sequential(a, b, c, shape=(3,))
    a.kernel.assign(np.ones((3, 4)))
    b.kernel.assign(np.eye(4))
    c.kernel.assign([[1, 1], [1, 2], [0, 0], [0, 0]])
    assert shapes(check(net)) == {"a": (3, 2), "b": (2, 2), "c": (2, 2)}


@pytest.mark.parametrize("between", ["plain", "norm", "average", "max"])
@pytest.mark.parametrize("use_bias", [True, False])
def test_a_constant_moves_into_the_next_bias(between, use_bias):
    extra = {
        "plain": [],
        "norm": [layers.BatchNormalization()],
        "average": [layers.AveragePooling2D(3, 2, padding="same")],
        "max": [layers.MaxPooling2D(3, 2, padding="same")],
    }[between]
    net = sequential(
        *(conv(4, "a", activation="softplus"), *extra, layers.Activation("sigmoid")),
        conv(3, "b", use_bias=use_bias, padding="valid" if not extra else "same"),
        layers.Flatten(),
        layers.Dense(2, name="out"),
        shape=(8, 8, 2),
    )
    zero_filters(net.layers[0], 3)
    smaller = check(net)
    pads = net.get_layer("b").padding == "same"
    assert smaller.get_layer("a").filters == (4 if pads else 1)
    assert smaller.get_layer("b").use_bias == (use_bias or not pads)


def test_padding_interrupts_a_constant_unless_it_is_zero():
    net = sequential(conv(4, "a"), conv(3, "b", padding="same"), layers.Flatten())
    kernel, bias = net.layers[0].get_weights()
    kernel[..., :3] = 0
    bias[:] = [0, 0, 7, 1]
    net.layers[0].set_weights([kernel, bias])
    smaller = check(net)
    assert shapes(smaller)["a"] == (3, 3, 2, 2)
    np.testing.assert_array_equal(smaller.layers[0].bias, [7, 1])
    padded = sequential(
        conv(4, "a"), layers.ZeroPadding2D(), conv(3, "b"), layers.Flatten()
    )
    padded.set_weights(net.get_weights())
    assert shapes(check(padded)) == shapes(smaller)


def test_a_layer_keeps_one_channel():
    net = sequential(conv(4, "a"), conv(3, "b", padding="same"), layers.Flatten())
    net.add(layers.Dense(2, name="out"))
    net.layers[0].kernel.assign(net.layers[0].kernel * 0)
    net.layers[1].kernel.assign(net.layers[1].kernel * 0)
    smaller = check(net)
    assert shapes(smaller) == {
        "a": (3, 3, 2, 1),
        "b": (3, 3, 1, 1),
        "out": (16, 2),
    }


def test_sums_lose_a_channel_together_or_not_at_all():
    start = keras.Input((6, 6, 2))
    a = conv(4, "a", padding="same")(start)
    b = conv(4, "b", padding="same")(a)
    total = layers.Add()([a, b])
    net = keras.Model(start, layers.Dense(2, name="out")(layers.Flatten()(total)))
    randomize(net, np.random.default_rng(0))
    zero_filters(net.get_layer("b"), 2)
    assert shapes(check(net)) == shapes(net)  # b's constants, but a varies
    zero_filters(net.get_layer("a"), 1)
    assert shapes(check(net)) == shapes(net)  # b's padding interrupts a's constant
    net.get_layer("a").bias.assign([0, 1, 2, 3])
    assert shapes(check(net)) == {
        "a": (3, 3, 2, 3),
        "b": (3, 3, 3, 3),
        "out": (6 * 6 * 3, 2),
    }


def test_a_sum_is_read_through_its_own_branch():
    start = keras.Input((3,))
    a = layers.Dense(4, name="a")(start)
    total = layers.Add()([a, layers.Dense(4, name="b")(a)])
    net = keras.Model(start, layers.Dense(2, name="out")(total))
    randomize(net, np.random.default_rng(0))
    reads = np.eye(4, k=-1) * [1, 1, 0, 1]  # output 0 reads input 1, output 1 input 2
    net.get_layer("b").kernel.assign(reads)
    net.get_layer("out").kernel.assign([[1, 1], [0, 0], [0, 0], [0, 0]])
    assert shapes(check(net)) == {"a": (3, 3), "b": (3, 3), "out": (3, 2)}


def test_a_plus_b_is_a_sum_too():
    start = keras.Input((3,))
    a = layers.Dense(4, name="a")(start)
    total = a + layers.Dense(4, "sigmoid", name="b")(start)
    net = keras.Model(start, layers.Dense(2, name="out")(total))
    randomize(net, np.random.default_rng(0))
    zero_filters(net.get_layer("a"), 3)
    zero_filters(net.get_layer("b"), 2)
    assert shapes(check(net)) == {"a": (3, 2), "b": (3, 2), "out": (2, 2)}


def test_concatenated_channels_are_found_again():
    start = keras.Input((5,))
    a = layers.Dense(3, "sigmoid", name="a")(start)
    b = layers.Dense(4, name="b")(start)
    joined = layers.Concatenate()([a, start, b])
    net = keras.Model(start, layers.Dense(2, name="out")(joined))
    randomize(net, np.random.default_rng(0))
    kernel, bias = net.get_layer("out").get_weights()
    kernel[[1, 4, 9, 10]] = 0  # a's second, one of the inputs, b's second and third
    net.get_layer("out").set_weights([kernel, bias])
    zero_filters(net.get_layer("a"), 1)
    smaller = check(net)
    assert shapes(smaller) == {"a": (5, 1), "b": (5, 2), "out": (8, 2)}
    np.testing.assert_array_equal(
        smaller.get_layer("out").kernel, kernel[[2, 3, 4, 5, 6, 7, 8, 11]]
    )


def test_zero_gamma_makes_a_channel_constant():
    net = sequential(
        layers.Dense(4, name="a"),
        layers.BatchNormalization(name="norm"),
        layers.Dense(2, name="out"),
        shape=(3,),
    )
    net.get_layer("norm").gamma.assign([1, 0, -1, 0])
    assert shapes(check(net)) == {"a": (3, 2), "out": (2, 2)}
    assert check(net).get_layer("norm").gamma.shape == (2,)


def test_softmax_in_the_middle_keeps_its_units():
    net = sequential(
        layers.Dense(4, "softmax", name="a"), layers.Dense(2, name="out"), shape=(3,)
    )
    zero_filters(net.get_layer("a"), 2)
    kernel, bias = net.get_layer("out").get_weights()
    kernel[2] = 0
    net.get_layer("out").set_weights([kernel, bias])
    assert shapes(check(net)) == shapes(net)


@pytest.mark.parametrize("cls", [layers.SeparableConv2D, layers.DepthwiseConv2D])
def test_kernels_with_several_outputs_per_channel(cls):
    own = {"filters": 5} if cls is layers.SeparableConv2D else {}
    between = cls(kernel_size=3, depth_multiplier=2, name="b", **own)
    net = sequential(conv(3, "a"), between, layers.Flatten(), layers.Dense(2))
    kernel, bias = net.get_layer("a").get_weights()
    kernel[..., 1] = 0
    net.get_layer("a").set_weights([kernel, bias])
    smaller = check(net)
    assert shapes(smaller)["a"] == (3, 3, 2, 2)
    assert smaller.get_layer("b").weights[0].shape == (3, 3, 2, 2)


def test_one_dimension():
    net = sequential(
        layers.Conv1D(4, 3, padding="causal", name="a"),
        layers.ReLU(),
        layers.Conv1D(4, 3, name="b"),
        layers.MaxPooling1D(2),
        layers.SeparableConv1D(4, 2, name="c"),
        layers.GlobalAveragePooling1D(),
        layers.Dense(2, name="out"),
        shape=(12, 2),
    )
    zero_filters(net.get_layer("a"), 1)
    zero_filters(net.get_layer("b"), 2)
    smaller = check(net)
    assert shapes(smaller)["a"] == (3, 2, 3)
    assert shapes(smaller)["b"] == (3, 3, 2)
    assert smaller.get_layer("c").depthwise_kernel.shape == (2, 2, 1)


class Odd(layers.Layer):
    """Unknown to anybody; mixes all it gets."""

    def call(self, x):
        return x - keras.ops.mean(x, axis=-1, keepdims=True)


def dead_before(layer, shape=(6, 2)):
    """A network whose first layer could lose half its channels, but for `layer`."""
    start = keras.Input(shape)
    x = layers.Dense(4, name="a")(start)
    x = layers.Flatten()(layer(x))
    net = keras.Model(start, layers.Dense(2, name="out")(x))
    randomize(net, np.random.default_rng(0))
    zero_filters(net.get_layer("a"), 2)
    return net


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Odd(name="odd"), "Odd is not known"),
        (lambda: layers.LayerNormalization(name="odd"), "LayerNormalization"),
        (lambda: layers.LSTM(3, name="odd"), "LSTM is not known"),
        (lambda: layers.Softmax(name="odd"), "Softmax is not known"),
        (lambda: layers.Activation("softmax", name="odd"), "softmax mixes channels"),
        (lambda: layers.BatchNormalization(axis=1, name="odd"), "axis 1"),
        (lambda: layers.Conv1D(4, 1, groups=2, name="odd"), "groups"),
        (lambda: layers.Reshape((12, 2), name="odd"), "splits channels"),
        (lambda: layers.TimeDistributed(layers.Dense(3), name="odd"), "not known"),
    ],
)
def test_what_it_does_not_understand_stays_whole(make, reason):
    net = dead_before(make())
    rows = {row.name: row for row in plan(net).layers}
    assert reason in rows["odd"].whole
    assert rows["a"].kept == rows["a"].channels == 4
    smaller = check(net)
    assert [w.shape for w in smaller.weights] == [w.shape for w in net.weights]


def test_a_shared_layer_stays_whole():
    start = keras.Input((3,))
    a = layers.Dense(3, name="a")
    net = keras.Model(start, layers.Dense(2)(a(layers.ReLU()(a(start)))))
    randomize(net, np.random.default_rng(0))
    zero_filters(a, 1)
    (row,) = [row for row in plan(net).layers if row.name == "a"]
    assert row.whole == "used more than once"
    assert shapes(check(net))["a"] == (3, 3)


def test_a_layer_shared_with_a_nested_model_stays_whole():
    a = layers.Dense(3, name="a")
    nested = keras.Sequential([keras.Input((3,)), a], name="nested")
    start = keras.Input((3,))
    net = keras.Model(start, layers.Dense(2)(a(layers.ReLU()(nested(start)))))
    randomize(net, np.random.default_rng(0))
    zero_filters(a, 1)
    smaller = check(net)
    assert smaller.get_layer("a") is smaller.get_layer("nested").layers[0]


def nested(name="nested", training=None, times=1):
    """A network with a model of two inputs inside; half of its channels are zero."""
    x, y = keras.Input((3,), name="x"), keras.Input((6,), name="y")
    both = layers.Concatenate()([layers.Dense(6, "relu", name="i")(x), y])
    model = keras.Model({"x": x, "y": y}, [layers.Dense(4, name="j")(both)], name=name)
    start = keras.Input((3,))
    value = layers.Dense(6, name="a")(start)
    for _ in range(times):
        (out,) = model({"x": start, "y": value}, training=training)
    net = keras.Model(start, layers.Dense(2, name="out")(out))
    randomize(net, np.random.default_rng(0))
    for layer in (net.get_layer("a"), model.get_layer("i"), model.get_layer("j")):
        zero_filters(layer, layer.units // 2)
    return net


def test_a_nested_model_is_cut_and_what_it_is_given():
    net = nested()
    smaller = check(net)
    inner = smaller.get_layer("nested")
    assert inner is not net.get_layer("nested")
    assert shapes(smaller)["a"] == (3, 3)
    assert shapes(inner)["i"] == (3, 3)
    assert shapes(inner)["j"] == (6, 2)
    assert [x.shape for x in inner.inputs] == [(None, 3), (None, 3)]


def test_a_nested_sequential_model_is_cut():
    inner = keras.Sequential(
        [keras.Input((6, 6, 2)), layers.Conv2D(4, 3, name="c"), layers.Flatten()],
        name="inner",
    )
    net = keras.Sequential([keras.Input((6, 6, 2)), inner, layers.Dense(3, name="d")])
    randomize(net, np.random.default_rng(0))
    zero_filters(inner.get_layer("c"), 3)
    smaller = check(net)
    assert shapes(smaller.get_layer("inner"))["c"] == (3, 3, 2, 1)
    assert shapes(smaller)["d"] == (16, 3)


def test_a_model_inside_a_model_inside_a_model_is_cut():
    a = keras.Sequential([keras.Input((3,)), layers.Dense(4, name="a")], name="deepest")
    b = keras.Sequential([keras.Input((3,)), a, layers.ReLU()], name="deep")
    net = keras.Sequential([keras.Input((3,)), b, layers.Dense(2, name="d")])
    randomize(net, np.random.default_rng(0))
    zero_filters(a.get_layer("a"), 2)
    assert shapes(check(net))["d"] == (2, 2)


def test_a_nested_model_that_is_used_twice_stays_whole():
    inner = keras.Sequential(
        [keras.Input((4,)), layers.Dense(4, name="c"), layers.ReLU()], name="inner"
    )
    start = keras.Input((3,))
    x = inner(inner(layers.Dense(4, name="a")(start)))
    net = keras.Model(start, layers.Dense(2, name="out")(x))
    randomize(net, np.random.default_rng(0))
    for layer in (inner.get_layer("c"), net.get_layer("a")):
        zero_filters(layer, 2)
    assert {row.name: row.whole for row in plan(net).layers}["c"] == (
        "used more than once"
    )
    assert check(net).count_params() == net.count_params()


def test_a_nested_model_that_is_told_to_train_stays_whole():
    net = nested(training=True)
    rows = {row.name: row.whole for row in plan(net).layers}
    assert rows["nested"] == "a nested model"
    # As it is called, dropout would make the answers differ from each other.
    assert compact(net).count_params() == net.count_params()


def half_dead(operate, shape=(6, 8), spread=True):
    """A network whose first layer loses half its channels if `operate` is known."""
    start = keras.Input(shape)
    x = operate(layers.Dense(4, name="a")(start))
    x = layers.Flatten()(x) if len(x.shape) > 2 else x
    net = keras.Model(start, layers.Dense(2, name="out")(x))
    randomize(net, np.random.default_rng(0))
    zero_filters(net.get_layer("a"), 2)
    return net


OPERATIONS = {
    "a number more": lambda x: x + 3.0,
    "a number in front": lambda x: 1 - x,
    "times a number": lambda x: (1 / 6) * x,
    "half": lambda x: x / 2,
    "squared": lambda x: x**2,
    "negative": lambda x: -x,
    "the larger": lambda x: keras.ops.maximum(x, 0.1),
    "times itself": lambda x: x * keras.ops.sigmoid(x),
    "a difference": lambda x: x - keras.ops.tanh(x),
    "relu6": lambda x: keras.ops.relu6(x + 3) * (1 / 6),
    "an activation": lambda x: keras.activations.relu(x, negative_slope=0.1),
    "another type": lambda x: keras.ops.cast(keras.ops.cast(x, "float16"), "float32"),
    "means": lambda x: keras.ops.mean(x, axis=1),
    "means that stay": lambda x: x * keras.ops.mean(x, axis=[1], keepdims=True),
    "the largest": lambda x: keras.ops.max(x, axis=-2),
    "sums": lambda x: keras.ops.sum(x, axis=1),
    "the first": lambda x: x[:, 0],
    "some places": lambda x: x[:, 1:3],
    "the last, whole": lambda x: x[..., 2, :],
    "joined": lambda x: keras.ops.concatenate([x, -x], axis=-1),
    "reshaped": lambda x: keras.ops.reshape(x, (-1, 12)),
    "turned": lambda x: keras.ops.transpose(keras.ops.expand_dims(x, 1), (0, 2, 1, 3)),
    "squeezed": lambda x: keras.ops.squeeze(x[:, :1], 1),
    "rescaled": layers.Rescaling(2.0, 0.5),
    "shared slopes": layers.PReLU(shared_axes=[1]),
    "one slope": layers.PReLU(shared_axes=[1, 2]),
}


@pytest.mark.parametrize("operate", OPERATIONS.values(), ids=OPERATIONS)
def test_operations_carry_channels(operate):
    net = half_dead(operate)
    assert [row.whole for row in plan(net).layers] == ["", ""] + [""] * (
        len(plan(net).layers) - 2
    )
    assert shapes(check(net))["a"] == (8, 2)


@pytest.mark.parametrize(
    ("operate", "reason"),
    [
        (lambda x: keras.ops.cumsum(x, axis=-1), "Cumsum is not a layer"),
        (lambda x: keras.ops.mean(x, axis=-1), "is not about places alone"),
        (
            lambda x: keras.ops.mean(x, axis=(1, 2), keepdims=True),
            "is not about places alone",
        ),
        (lambda x: keras.ops.expand_dims(x, -1), "is not about places alone"),
        (lambda x: keras.ops.transpose(x, (0, 2, 1)), "is not about places alone"),
        (lambda x: x[..., 1:], "takes some channels, or may"),
        (lambda x: x[:, :, :2], "takes some channels, or may"),
        (lambda x: keras.ops.concatenate([x, x], axis=1), "joins along axis 1"),
        (lambda x: keras.ops.reshape(x, (-1, 12, 2)), "splits channels"),
        (lambda x: x + np.ones(4, "float32"), "called with further arguments"),
        (layers.Rescaling(np.arange(4) + 1.0), "scales each channel by itself"),
    ],
)
def test_operations_that_are_about_channels_stay_whole(operate, reason):
    net = half_dead(operate)
    assert any(reason in row.whole for row in plan(net).layers)
    assert shapes(check(net))["a"] == (8, 4)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("strides", [1, 2])
def test_transposed_convolutions(padding, strides):
    net = keras.Sequential(
        [
            keras.Input((5, 5, 2)),
            layers.Conv2D(6, 3, activation="relu", name="a"),
            layers.Conv2DTranspose(
                4, 3, strides, padding, activation="sigmoid", name="b"
            ),
            layers.Conv2D(3, 1, name="c"),
        ]
    )
    randomize(net, np.random.default_rng(0))
    zero_filters(net.get_layer("a"), 3)
    kernel = np.array(net.get_layer("b").kernel)  # height, width, filters, inputs
    kernel[:, :, :1] = 0
    net.get_layer("b").kernel.assign(kernel)
    # Another constant than zero is one away from the borders alone.
    net.get_layer("a").bias.assign(np.zeros(6))
    smaller = check(net)
    assert shapes(smaller)["a"] == (3, 3, 2, 3)
    assert shapes(smaller)["b"] == (3, 3, 3, 3)


def test_a_constant_stays_in_front_of_a_transposed_convolution():
    net = keras.Sequential(
        [
            keras.Input((5, 5, 2)),
            layers.Conv2D(6, 1, name="a"),
            layers.Conv2DTranspose(4, 3, 2, name="b"),
        ]
    )
    randomize(net, np.random.default_rng(0))
    zero_filters(net.get_layer("a"), 3)
    net.get_layer("a").bias.assign(np.ones(6))
    assert shapes(check(net))["a"] == (1, 1, 2, 6)


def test_operations_and_further_arguments_stay_whole():
    start = keras.Input((3,))
    a = layers.Dense(4, name="a")(start)
    b = layers.BatchNormalization(name="b")(a, training=True)
    c = keras.ops.cumsum(layers.Dense(4, name="c")(b), axis=-1)
    d = layers.Add(name="d")([layers.Dense(4, name="e")(c), np.ones((1, 4), "float32")])
    net = keras.Model(start, layers.Dense(2, name="out")(d))
    randomize(net, np.random.default_rng(0))
    for name in "ace":
        zero_filters(net.get_layer(name), 2)
    whole = {row.name: row.whole for row in plan(net).layers if row.whole}
    assert whole["b"] == whole["d"] == "called with further arguments"
    assert sorted(whole.values())[0] == "Cumsum is not a layer"
    assert len(whole) == 3
    assert compact(net).count_params() == net.count_params()


def test_a_known_layer_shared_without_weights_is_no_obstacle():
    start = keras.Input((3,))
    relu = layers.ReLU()
    x = relu(layers.Dense(4, name="a")(start))
    x = relu(layers.Dense(4, name="b")(x))
    net = keras.Model(start, layers.Dense(2, name="out")(x))
    randomize(net, np.random.default_rng(0))
    zero_filters(net.get_layer("a"), 3)
    zero_filters(net.get_layer("b"), 2)
    assert shapes(check(net)) == {"a": (3, 1), "b": (1, 2), "out": (2, 2)}


def test_normalization_keeps_its_statistics():
    normal = layers.Normalization()
    data = np.random.default_rng(0).normal(3.0, 2.0, (20, 3))
    normal.adapt(data)
    net = keras.Sequential([keras.Input((3,)), normal, layers.Dense(2)])
    check(net)


def test_structure_dtype_and_trainable_are_kept():
    start = {"x": keras.Input((3,), name="x"), "y": keras.Input((3,), name="y")}
    a = layers.Dense(4, name="a", dtype="mixed_bfloat16", trainable=False)(start["x"])
    out = {"sum": layers.Dense(2, name="b")(a), "y": layers.Dense(1)(start["y"])}
    net = keras.Model(start, out, name="net")
    net.compile(loss=lambda y, p: p)  # which no copy can be compiled with
    zero_filters(net.get_layer("a"), 3)
    smaller = compact(net)
    x = {"x": np.ones((2, 3), "float32"), "y": np.ones((2, 3), "float32")}
    got, expected = smaller(x), net(x)
    assert set(got) == {"sum", "y"}
    np.testing.assert_allclose(got["sum"], expected["sum"], atol=0.01)
    assert smaller.name == "net"
    assert not smaller.compiled
    assert smaller.get_layer("a").kernel.shape == (3, 1)
    assert smaller.get_layer("a").dtype_policy.name == "mixed_bfloat16"
    assert not smaller.get_layer("a").trainable


def test_saved_and_loaded_without_this_package(tmp_path):
    rng = np.random.default_rng(0)
    net = random_model(rng)
    randomize(net, rng, share=0.5)
    x = example(net, rng)
    smaller = compact(net)
    smaller.save(tmp_path / "smaller.keras")
    np.savez(tmp_path / "x.npz", *x)
    code = (
        "import sys, keras, numpy as np\n"
        "x = list(np.load('x.npz').values())\n"
        "y = keras.models.load_model('smaller.keras')(x)\n"
        "assert not any(name.startswith('rvsm_tf') for name in sys.modules)\n"
        "np.savez('y.npz', *keras.tree.flatten(y))\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    expected = keras.tree.flatten(net(x))
    for a, b in zip(expected, np.load(tmp_path / "y.npz").values()):
        np.testing.assert_allclose(b, a, atol=1e-5)


def test_nothing_to_cut_is_an_equal_copy(make_net):
    net = make_net()
    smaller = check(net)
    assert smaller is not net
    for a, b in zip(net.weights, smaller.weights):
        np.testing.assert_array_equal(a, b)
    smaller.layers[0].kernel.assign(smaller.layers[0].kernel * 0)
    assert np.asarray(net.layers[0].kernel).any()


def test_the_plan_is_a_table(make_net):
    net = make_net()
    zero_filters(net.layers[0], 5)
    net.layers[0].bias.assign(np.ones(8))
    table = plan(net)
    assert (table.weights, table.kept_weights) == (83, 33)
    assert str(table).splitlines() == [
        "layer  channels  weights  left whole",
        "dense     8 → 3  56 → 21",
        "out       3 → 3  27 → 12",
        "all              83 → 33",
    ]


def test_errors(make_net):
    net = make_net()
    model = rvsm.RVSM(net, {"dense": rvsm.L1()}, lam=1e-3, beta=0.1)
    with pytest.raises(ValueError, match=r"compact\(model\.harden\(\)\)"):
        compact(model)
    with pytest.raises(ValueError, match=r"no weights yet: build it with"):
        compact(keras.Sequential([layers.Dense(2)]))

    class Mine(keras.Model):
        def call(self, x):
            return x

    with pytest.raises(
        ValueError, match=r"a Mine, a class of its own whose call Keras"
    ):
        compact(Mine())
    with pytest.raises(ValueError, match=r"a Keras model is needed, got 'model.keras'"):
        compact("model.keras")


class Backbone(keras.Model):
    """A functional subclass, its attributes in another order than its graph."""

    def __init__(self):
        self.head = layers.Dense(4, name="head")
        self.body = layers.Dense(8, "relu", name="body")
        x = keras.Input((6,))
        super().__init__(inputs=x, outputs=self.head(self.body(x)), name="backbone")


def test_a_functional_subclass_is_cut_by_its_graph():
    net = Backbone()
    kernel = net.body.kernel.numpy()
    kernel[:, ::2] = 0
    net.body.kernel.assign(kernel)
    small = compact(net)
    assert small.get_layer("body").units == 4
    x = np.random.default_rng(0).normal(size=(16, 6)).astype("float32")
    expected = net.predict(x, verbose=0)
    np.testing.assert_allclose(small.predict(x, verbose=0), expected, atol=1e-6)


def test_a_functional_subclass_that_does_more_than_its_graph_is_refused():
    class Doubled(Backbone):
        def call(self, x):
            return 2 * super().call(x)

    with pytest.raises(ValueError, match="a Doubled, a class of its own whose call"):
        compact(Doubled())


def test_a_cut_that_changes_answers_is_noticed(monkeypatch):
    """A layer kind that cuts a channel too many, as a wrong kind would."""
    net = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(8, "relu", name="body"),
            layers.Dense(4, name="head"),
        ]
    )

    def reads(self, call, inputs):
        return np.eye(call.input_shapes[0][-1], call.output_shapes[0][-1], dtype=bool)

    monkeypatch.setattr(kernels.Mixer, "reads", reads)
    with pytest.raises(ValueError, match=r"does not answer as it must: .* 'head'"):
        compact(net)
