import itertools
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import layers

import rvsm_tf as rvsm
from rvsm_tf import fold


def conv(filters, name="conv", size=3, padding="same", **config):
    return layers.Conv2D(filters, size, padding=padding, name=name, **config)


def pool(name="pool", size=2, strides=2, padding="same"):
    return layers.MaxPooling2D(size, strides, padding=padding, name=name)


def sequential(*stack, shape=(8, 8, 1)):
    net = keras.Sequential([keras.Input(shape), *stack], name="net")
    return randomized(net)


def randomized(net, seed=0):
    rng = np.random.default_rng(seed)
    net.set_weights([rng.normal(0, 0.5, w.shape) for w in net.get_weights()])
    return net


def check(net, columns=4):
    """Folds, compares, and returns the folded model."""
    folded = fold(net, columns)
    rng = np.random.default_rng(1)
    x = [rng.normal(size=(3, *t.shape[1:])).astype("float32") for t in net.inputs]
    x = x if len(x) > 1 else x[0]
    expected, got = net(x, training=False), folded(x, training=False)
    for a, b in zip(keras.tree.flatten(expected), keras.tree.flatten(got)):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(b, a, rtol=0, atol=1e-5 * max(1, np.abs(a).max()))
    assert type(folded) is type(net)
    assert folded.name == net.name
    assert not folded.compiled
    return folded


def names(net):
    return [layer.name for layer in net.layers if layer.name[:5] != "input"]


WINDOWS = ["conv_columns", "conv", "pool_windows", "pool", "pool_columns"]
PAIRS = ["conv_columns", "conv", "pool_columns", "pool"]


def test_a_kernel_by_hand():
    net = sequential(conv(1, size=(1, 3)), pool(), shape=(2, 4, 1))
    net.set_weights([np.reshape([1.0, 10.0, 100.0], (1, 3, 1, 1)), np.array([0.5])])
    kernel, bias = check(net, 2).get_layer("conv").get_weights()
    # Rows 0 and 1 of the window; the pair to the left, this one and the next; four
    # places: above left and right, below left and right.
    assert kernel.shape == (2, 3, 2, 4)
    above = np.zeros((3, 2, 2))
    above[0, 1, 0], above[1, :, 0] = 1, [10, 100]
    above[1, :, 1], above[2, 0, 1] = [1, 10], 100
    np.testing.assert_array_equal(kernel[0, ..., :2], above)
    np.testing.assert_array_equal(kernel[1, ..., 2:], above)
    assert not kernel[0, ..., 2:].any()
    assert not kernel[1, ..., :2].any()
    np.testing.assert_array_equal(bias, [0.5] * 4)
    x = np.reshape([[1, 2, 3, 4], [5, 6, 7, 8]], (1, 2, 4, 1)).astype("float32")
    y = fold(net)(x)  # 10·6 + 5 + 100·7 and 10·7 + 6 + 100·8
    np.testing.assert_allclose(np.ravel(y), [765.5, 876.5])


@pytest.mark.parametrize(
    ("shape", "filters", "columns", "way", "kernel"),
    [
        ((8, 8, 1), 8, 4, WINDOWS, (4, 3, 4, 64)),
        ((8, 8, 1), 8, 2, PAIRS, (3, 3, 2, 16)),
        ((8, 8, 1), 4, 2, WINDOWS, (4, 3, 2, 16)),
        ((8, 6, 1), 4, 4, WINDOWS, (4, 3, 2, 16)),  # not divisible by 4
        ((8, 6, 1), 8, 4, PAIRS, (3, 3, 2, 16)),
        ((7, 8, 1), 2, 4, PAIRS, (3, 3, 2, 4)),  # windows need an even height
        ((8, 8, 3), 4, 4, WINDOWS, (4, 3, 6, 16)),
        ((8, 8, 8), 8, 4, PAIRS, (3, 3, 16, 16)),
        ((8, 7, 1), 4, 4, None, (3, 3, 1, 4)),
        ((8, 8, 1), 9, 4, None, (3, 3, 1, 9)),
        ((8, 8, 9), 4, 4, None, (3, 3, 9, 4)),
    ],
)
def test_the_rule(shape, filters, columns, way, kernel):
    folded = check(sequential(conv(filters), pool(), shape=shape), columns)
    assert names(folded) == (way or ["conv", "pool"])
    assert folded.get_layer("conv").kernel.shape == kernel


@pytest.mark.parametrize(
    "size",
    [
        *(3, (1, 5)),
        *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2, 4, 5, 7, (5, 1))),
    ],
)
@pytest.mark.parametrize("columns", [2, 4])
@pytest.mark.parametrize("filters", [2, 8])
def test_kernels_of_any_size(size, columns, filters):
    for height, width in itertools.product((1, 2, 6, 7), (2, 4, 10, 12)):
        shape = (height, width, 1)
        folded = check(
            sequential(conv(filters, size=size), pool(), shape=shape), columns
        )
        assert names(folded) in (WINDOWS, PAIRS)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(("size", "strides"), [(2, 2), (3, 2), (2, 1), ((2, 1), 2)])
@pytest.mark.parametrize("use_bias", [True, False])
def test_pooling_of_any_kind(padding, size, strides, use_bias):
    for shape in ((8, 8, 1), (7, 6, 2)):
        stack = conv(3, use_bias=use_bias), pool("pool", size, strides, padding)
        folded = check(sequential(*stack, shape=shape))
        windows = (size, strides) == (2, 2) and shape[0] % 2 == 0
        assert names(folded) == (WINDOWS if windows else PAIRS)


@pytest.mark.parametrize(
    "activation",
    [
        *("elu", "hard_sigmoid", "leaky_relu", "linear", "relu", "relu6", "selu"),
        *("sigmoid", "softplus", "tanh"),
    ],
)
def test_activations_move_into_the_convolution(activation):
    function = keras.activations.get(activation)
    between = sequential(conv(3), layers.Activation(activation), pool())
    behind = sequential(conv(3), pool(), layers.Activation(activation))
    own = sequential(conv(3, activation=activation), pool())
    for net in between, behind, own:
        folded = check(net)
        assert names(folded) == WINDOWS
        assert folded.get_layer("conv").activation is function


def test_relu_layers_move_as_far_as_they_are_understood():
    for relu, function in (
        (layers.ReLU(name="act"), "relu"),
        (layers.ReLU(6.0, name="act"), "relu6"),
    ):
        folded = check(sequential(conv(8), relu, pool(), shape=(8, 8, 2)))
        assert names(folded) == PAIRS
        assert folded.get_layer("conv").activation.__name__ == function
    for other in (
        layers.ReLU(2.0, name="act"),
        layers.ReLU(negative_slope=0.1, name="act"),
        layers.ReLU(threshold=1.0, name="act"),
        layers.LeakyReLU(name="act"),
        layers.Activation("gelu", name="act"),  # decreases first
        layers.Activation("softmax", name="act"),
    ):
        assert names(check(sequential(conv(3), pool(), other))) == [*WINDOWS, "act"]


def test_an_activation_of_its_own_keeps_others_out():
    net = sequential(conv(3, activation="sigmoid"), pool(), layers.ReLU(name="act"))
    folded = check(net)
    assert names(folded) == [*WINDOWS, "act"]
    assert folded.get_layer("conv").activation is keras.activations.sigmoid
    between = layers.Activation(
        "gelu"
    )  # it is applied before the maximum, and stays so
    assert names(check(sequential(conv(3), between, pool()))) == WINDOWS


@pytest.mark.parametrize(
    "stack",
    [
        [conv(3, strides=2), pool()],
        [conv(3, dilation_rate=2), pool()],
        [conv(4, groups=2), pool()],
        [conv(3, padding="valid"), pool()],
        [conv(3, activation="softmax"), pool()],
        [conv(3), layers.AveragePooling2D(2, name="pool")],
        [conv(3), layers.BatchNormalization(name="norm"), pool()],
        [conv(3), layers.LeakyReLU(name="act"), pool()],
        [conv(3), layers.Activation("softmax", name="act"), pool()],
        [conv(3, activation="relu"), layers.ReLU(name="act"), pool()],
        [conv(3), conv(3, "next")],
        [layers.SeparableConv2D(3, 3, padding="same", name="conv"), pool()],
        [conv(3), layers.MaxPooling2D(name="pool", dtype="mixed_bfloat16")],
    ],
    ids=lambda stack: "-".join(type(layer).__name__ for layer in stack),
)
def test_what_it_does_not_understand_stays(stack):
    net = sequential(*stack, shape=(8, 8, 2))
    folded = check(net)
    assert names(folded) == names(net)
    assert [w.shape for w in folded.weights] == [w.shape for w in net.weights]
    assert folded.layers[0] is not net.layers[0]


def test_a_model_inside_is_folded_too():
    net = sequential(keras.Sequential([conv(3), pool()], name="nested"))
    folded = check(net)
    assert names(folded) == ["nested"]
    assert names(folded.layers[0]) == WINDOWS


def test_sizes_that_are_not_known_stay():
    net = sequential(conv(3), pool(), shape=(None, 8, 1))
    assert names(fold(net)) == names(net)


@pytest.mark.parametrize("where", ["conv", "conv output", "pool", "twice", "act"])
def test_an_output_that_others_read_stays(where):
    start = keras.Input((8, 8, 1))
    layer = conv(1)
    c = layer(start)
    c = layer(c) if where == "twice" else c
    p = pool()(c)
    a = layers.ReLU(name="act")(p)
    outputs = {
        "conv": [a, layers.Flatten(name="flatten")(c)],
        "conv output": [a, c],
        "pool": [a, p],
        "twice": [a],
        "act": [a, layers.Flatten(name="flatten")(a)],
    }[where]
    net = randomized(keras.Model(start, outputs, name="net"))
    folded = check(net)
    if where == "act":
        assert set(names(folded)) == {*WINDOWS, "flatten"}
    elif where == "pool":
        assert set(names(folded)) == {*WINDOWS, "act"}
    else:
        assert set(names(folded)) == set(names(net))


def test_an_activation_used_twice_stays():
    start = keras.Input((8, 8, 1))
    relu = layers.ReLU(name="act")
    a = relu(pool("pool1")(conv(4, "conv1")(start)))
    net = keras.Model(start, relu(pool("pool2")(conv(8, "conv2")(a))))
    folded = check(randomized(net))
    assert "act" in names(folded)
    assert folded.get_layer("conv1").kernel.shape == (4, 3, 4, 32)
    assert folded.get_layer("conv2").kernel.shape == (3, 3, 8, 16)


def test_two_branches_and_two_inputs():
    x, y = keras.Input((8, 8, 1), name="x"), keras.Input((8, 8, 2), name="y")
    a = layers.ReLU()(pool("pool1")(conv(4, "conv1")(x)))
    b = pool("pool2")(layers.ReLU()(conv(4, "conv2")(y)))
    net = keras.Model([x, y], a + b, name="net")
    folded = check(randomized(net))
    assert folded.get_layer("conv1").filters == 32
    assert folded.get_layer("conv2").filters == 16


def small_paper_cnn():
    """The paper's network with 4, 8 and 8 filters and 8 units."""
    sizes = {"conv1": 4, "conv2": 8, "conv3": 8, "dense": 8}
    stack = [keras.Input((100, 100, 1), name="image")]
    for layer in rvsm.networks.paper_cnn().layers:
        config = layer.get_config()
        if layer.name in sizes:
            config["units" if layer.name == "dense" else "filters"] = sizes[layer.name]
        stack.append(type(layer).from_config(config))
    return randomized(keras.Sequential(stack, name="small"))


def test_the_paper_network_cut_small():
    folded = check(small_paper_cnn())
    kernels = {x.name: tuple(x.kernel.shape) for x in folded.layers if x.weights}
    assert kernels == {
        "conv1": (4, 3, 4, 32),
        "conv2": (3, 3, 8, 16),
        "conv3": (3, 3, 8, 8),  # 25 columns
        "dense": (1352, 8),
        "probabilities": (8, 2),
    }
    assert [x for x in names(folded) if x[:4] == "relu"] == ["relu3"]
    again = check(folded)
    assert names(again) == names(folded)


def test_what_compact_made_is_folded_too():
    net = small_paper_cnn()
    dense = net.get_layer("dense")
    kernel, bias = dense.get_weights()
    kernel[1:] = 0  # one input is read: a gather picks it
    dense.set_weights([kernel, bias])
    smaller = rvsm.compact(net)
    assert smaller.get_layer("dense").kernel.shape == (1, 8)
    folded = check(smaller)
    assert folded.get_layer("conv1").filters == 32
    assert folded.get_layer("dense").kernel.shape == (1, 8)


def test_saved_and_loaded_without_this_package(tmp_path):
    net = small_paper_cnn()
    fold(net).save(tmp_path / "folded.keras")
    x = np.random.default_rng(0).random((2, 100, 100, 1), "float32")
    np.save(tmp_path / "x.npy", x)
    code = (
        "import sys, keras, numpy as np\n"
        "y = keras.models.load_model('folded.keras')(np.load('x.npy'))\n"
        "assert not any(name.startswith('rvsm_tf') for name in sys.modules)\n"
        "np.save('y.npy', y)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), net(x), atol=1e-5)


def test_dtype_and_trainable_are_kept():
    config = {"dtype": "mixed_bfloat16"}
    net = sequential(
        conv(4, trainable=False, **config),
        layers.MaxPooling2D(name="pool", **config),
        layers.ReLU(**config),
    )
    folded = fold(net)
    assert names(folded) == WINDOWS
    assert {x.dtype_policy.name for x in folded.layers} == {"mixed_bfloat16"}
    assert not folded.get_layer("conv").trainable
    x = np.random.default_rng(0).random((2, 8, 8, 1), "float32")
    assert folded(x).dtype == net(x).dtype
    close = {"rtol": 0.02, "atol": 0.02}
    expected = np.asarray(net(x), "float32")
    np.testing.assert_allclose(np.asarray(folded(x), "float32"), expected, **close)


def test_the_model_itself_does_not_change():
    net = sequential(conv(4), pool(), layers.ReLU(name="act"))
    before = net.get_weights()
    folded = fold(net)
    folded.get_layer("conv").kernel.assign(folded.get_layer("conv").kernel * 0)
    for a, b in zip(before, net.get_weights()):
        np.testing.assert_array_equal(a, b)
    assert names(net) == ["conv", "pool", "act"]


def test_errors(make_net):
    net = sequential(conv(4), pool())
    for columns in (0, 1, 3, 8):
        with pytest.raises(ValueError, match=f"columns must be 2 or 4, got {columns}"):
            fold(net, columns)
    with pytest.raises(ValueError, match="columns must be 2 or 4, got '4'"):
        fold(net, "4")
    model = rvsm.RVSM(make_net(), {"dense": rvsm.L1()}, lam=1e-3, beta=0.1)
    with pytest.raises(ValueError, match=r"fold\(model\.harden\(\)\)"):
        fold(model)
    with pytest.raises(ValueError, match=r"no weights yet: build it with"):
        fold(keras.Sequential([layers.Dense(2)]))
    with pytest.raises(ValueError, match=r"a Keras model is needed, got 3"):
        fold(3)


def test_names_that_are_taken_are_not_given_again():
    stack = conv(4), pool(), layers.ReLU(name="conv_columns")
    folded = check(sequential(*stack, layers.Flatten(name="pool_windows")))
    assert len(set(names(folded))) == len(folded.layers)
