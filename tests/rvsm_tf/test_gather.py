"""A Dense layer that gathers the inputs it reads."""

import dataclasses
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import layers

from rvsm_tf.compaction import compact, plan
from rvsm_tf.compaction.gather import SAVED_PER_INPUT, picked
from rvsm_tf.graph import read_graph


def only_rows(layer, live, seed=0):
    """Random weights for a dense layer, in which these rows alone are not zero."""
    rng = np.random.default_rng(seed)
    kernel = np.zeros(layer.kernel.shape)
    kernel[live] = rng.normal(size=(len(live), layer.units))
    bias = rng.normal(size=layer.units)
    layer.set_weights([kernel, bias] if layer.use_bias else [kernel])


def behind_flatten(live, units=64, shape=(4, 4, 6)):
    net = keras.Sequential(
        [
            keras.Input(shape, name="image"),
            layers.Conv2D(6, 3, padding="same", activation="softplus", name="conv"),
            layers.Flatten(name="flatten"),
            layers.Dense(units, "relu", name="dense"),
            layers.Dense(2, name="out"),
        ],
        name="net",
    )
    only_rows(net.get_layer("dense"), live)
    return net


def pictures(net, count=5):
    shape = (count, *net.input_shape[1:])
    return np.random.default_rng(1).normal(size=shape).astype("float32")


def assert_equal(net, smaller, x):
    np.testing.assert_allclose(smaller(x), net(x), rtol=0, atol=1e-5)


def gathered(net):
    """By a layer's name the inputs that `compact` gathers for it, before and after."""
    return {
        row.name: (row.inputs, row.kept_inputs)
        for row in plan(net).layers
        if row.inputs is not None
    }


# One for each channel, so that none can be cut.
LIVE = [0, 7, 20, 45, 58, 95]


def test_scattered_rows_are_gathered():
    net = behind_flatten(LIVE, units=50)
    smaller = compact(net)
    x = pictures(net)
    assert_equal(net, smaller, x)
    dense = smaller.get_layer("dense")
    assert dense.kernel.shape == (6, 50)
    features = keras.Model(net.inputs[0], net.get_layer("flatten").output)
    kernel, bias = net.get_layer("dense").get_weights()
    by_hand = np.asarray(features(x))[:, LIVE] @ kernel[LIVE] + bias
    inside = keras.Model(smaller.input, dense.output)
    np.testing.assert_allclose(inside(x), np.maximum(by_hand, 0), atol=1e-5)
    assert smaller.name == "net"
    assert smaller.input.name == "image"
    assert [x.name for x in smaller.layers[1:]] == [x.name for x in net.layers]


def test_what_does_not_pay_is_left():
    for net in (behind_flatten(LIVE, units=8), behind_flatten(range(90))):
        smaller = compact(net)
        assert type(smaller) is keras.Sequential
        assert smaller.count_params() == net.count_params()
        assert gathered(net) == {}


def dense_call(inputs, units):
    net = keras.Sequential([keras.Input((inputs,)), layers.Dense(units)])
    (call,) = read_graph(net).calls
    return call


@pytest.mark.parametrize("live", [1, 3])
def test_the_border(live):
    kernel = np.zeros((live + 2, SAVED_PER_INPUT * live // 2), "float32")
    kernel[1 : live + 1, -1] = 1
    call = dense_call(*kernel.shape)
    assert picked(call, kernel) == tuple(range(1, live + 1))
    assert picked(call, kernel[:, 1:]) is None


def test_a_full_kernel_needs_no_gather():
    kernel = np.ones((5, 1000), "float32")
    assert picked(dense_call(*kernel.shape), kernel) is None


def test_a_kernel_of_zeros_keeps_an_input():
    net = keras.Sequential([keras.Input((6,)), layers.Dense(300, name="dense")])
    only_rows(net.layers[0], [])
    smaller = compact(net)
    assert smaller.get_layer("dense").kernel.shape == (1, 300)
    assert_equal(net, smaller, pictures(net))


def test_tensors_of_higher_rank_are_left():
    net = keras.Sequential([keras.Input((3, 60)), layers.Dense(300, name="dense")])
    only_rows(net.layers[0], [4])
    assert gathered(net) == {}
    (call,) = read_graph(net).calls
    flat = dataclasses.replace(call, input_shapes=((None, 60),))
    kernel = net.layers[0].get_weights()[0]
    assert picked(call, kernel) is None
    assert picked(flat, kernel) == (4,)


def test_a_shared_layer_is_left():
    shared = layers.Dense(300)
    a, b = keras.Input((60,)), keras.Input((60,))
    net = keras.Model([a, b], layers.Add()([shared(a), shared(b)]))
    only_rows(shared, [4])
    assert gathered(net) == {}


def test_channels_are_cut_first():
    live = [row for row in LIVE if row % 6 > 1]  # channels 2 to 5 of six
    net = behind_flatten(live, units=90)
    out = net.get_layer("out")
    kernel = out.get_weights()[0]
    kernel[:30] = 0  # units nobody reads, whose rows do not count
    out.set_weights([kernel, np.ones(2)])
    kernel, bias = net.get_layer("dense").get_weights()
    kernel[3, :30] = 1
    net.get_layer("dense").set_weights([kernel, bias])
    smaller = compact(net)
    channels = len({row % 6 for row in live})
    assert smaller.get_layer("conv").filters == channels
    assert smaller.get_layer("dense").kernel.shape == (len(live), 60)
    assert smaller.get_layer("flatten").output.shape[-1] == 16 * channels
    assert gathered(net) == {"dense": (96, len(live))}
    assert_equal(net, smaller, pictures(net))


def test_the_models_inputs_are_gathered_but_units_are_cut():
    net = keras.Sequential(
        [
            keras.Input((40,)),
            layers.Dense(80, name="a"),
            layers.Dense(80, name="b"),
            layers.Dense(2, name="c"),
        ]
    )
    only_rows(net.get_layer("a"), [3, 31])
    only_rows(net.get_layer("b"), [5, 70])
    smaller = compact(net)
    # Units of a that b does not read go, and with them what a gather would save.
    assert gathered(net) == {}
    assert smaller.get_layer("a").kernel.shape == (40, 2)
    only_rows(net.get_layer("b"), range(80))
    assert gathered(net) == {"a": (40, 2)}
    smaller = compact(net)
    assert smaller.input_shape == (None, 40)
    assert_equal(net, smaller, pictures(net))


def test_units_that_must_stay_are_gathered():
    start = keras.Input((3,))
    a = layers.Dense(80, "softmax", name="a")(start)
    b = layers.Dense(80, name="b")(a, training=False)
    net = keras.Model(start, {"a": a, "c": layers.Dense(2, name="c")(b)})
    only_rows(net.get_layer("b"), [5, 70])
    smaller = compact(net)
    assert gathered(net) == {"b": (80, 2)}
    x = pictures(net)
    for name, expected in net(x).items():
        np.testing.assert_allclose(smaller(x)[name], expected, atol=1e-5)


def test_a_gathered_model_is_left_as_it_is():
    smaller = compact(behind_flatten(LIVE))
    again = compact(smaller)
    assert [w.shape for w in again.weights] == [w.shape for w in smaller.weights]
    assert_equal(smaller, again, pictures(smaller))
    whole = {row.name: row.whole for row in plan(smaller).layers if row.whole}
    assert list(whole.values()) == ["Take is not a layer"]


def test_a_gathered_model_learns():
    smaller = compact(behind_flatten(LIVE))
    before = smaller.get_layer("conv").kernel.numpy()
    smaller.compile("sgd", "mse")
    smaller.fit(pictures(smaller), np.ones((5, 2)), verbose=0)
    assert (smaller.get_layer("conv").kernel.numpy() != before).any()


def test_the_table_says_so():
    table = plan(behind_flatten(LIVE, units=50))
    assert str(table).splitlines() == [
        "layer            channels      weights  left whole",
        "conv                6 → 6    330 → 330",
        "inputs of dense    96 → 6",
        "dense             50 → 50  4,850 → 350",
        "out                 2 → 2    102 → 102",
        "all                        5,282 → 782",
    ]
    assert table.kept_weights == table.apply().count_params()


def test_saved_and_loaded_where_this_package_is_not(tmp_path):
    net = behind_flatten(LIVE)
    smaller = compact(net)
    smaller.save(tmp_path / "smaller.keras")
    x = pictures(net)
    np.save(tmp_path / "x.npy", x)
    code = (
        "import sys\n"
        "sys.modules['rvsm_tf'] = None\n"
        "import keras, numpy as np\n"
        "model = keras.models.load_model('smaller.keras')\n"
        "assert model.get_layer('dense').kernel.shape == (6, 64)\n"
        "np.save('y.npy', model(np.load('x.npy')))\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), net(x), atol=1e-5)
