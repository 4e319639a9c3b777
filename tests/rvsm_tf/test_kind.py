"""A layer kind from outside the package, as CONTRIBUTING.md shows it."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

import rvsm_tf as rvsm
from rvsm_tf.compaction import kind as kinds
from rvsm_tf.compaction import plan

TEXT = Path(__file__).parents[2].joinpath("CONTRIBUTING.md").read_text("utf-8")
LAYER, KIND = re.findall(r"```python\n(.*?)```", TEXT.split("## A layer kind")[1], re.S)
NAMES: dict = {}
exec(LAYER, NAMES)
Scale = NAMES["MyScale"]


@pytest.fixture(autouse=True)
def _forget(monkeypatch):
    """What a test registers is gone after it."""
    monkeypatch.setattr(kinds, "_KINDS", dict(kinds._KINDS))


class Gate(layers.Layer):
    """Its first input, as far as the second one, of other channels, lets it through."""

    def build(self, x_shape, gate_shape):
        shape = gate_shape[-1], x_shape[-1]
        self.kernel = self.add_weight(shape=shape, name="kernel")

    def call(self, x, gate):
        return x * keras.ops.sigmoid(keras.ops.matmul(gate, self.kernel))


class Centred(layers.Layer):
    """What each channel is above the mean of all, whose number so matters."""

    def call(self, x):
        return x - keras.ops.mean(x, axis=-1, keepdims=True)


def register_example():
    exec(KIND, dict(NAMES))


class GateKind(rvsm.compaction.Kind):
    """Output k goes with input k of x, and reads what its kernel has a weight for."""

    arguments = 2

    def reads(self, call, constants):
        kernel = np.asarray(call.layer.kernel)
        of_x = np.zeros((call.channels_out, call.channels_out), bool)
        return np.concatenate([of_x, kernel != 0])

    def cut(self, call, kept, kept_out, constants):
        of_gate = kept[call.channels_out :]
        kernel = call.layer.get_weights()[0]
        return rvsm.compaction.Cut(weights=[kernel[of_gate][:, kept_out]])


class CentredKind(rvsm.compaction.Kind):
    """All inputs must stay."""

    def keeps(self, call):
        return True, True


def fill(net):
    """Random weights; half of the units of every Dense layer but the last are zero."""
    rng = np.random.default_rng(0)
    for w in net.weights:
        w.assign(rng.normal(0, 1, w.shape))
    for layer in net.layers[:-1]:
        if isinstance(layer, layers.Dense):
            for w in layer.weights:
                value = np.array(w)
                value[..., ::2] = 0
                w.assign(value)


def scaled():
    net = keras.Sequential(
        [
            keras.Input((5,)),
            layers.Dense(8, "relu", name="a"),
            Scale(name="odd"),
            layers.Dense(6, "relu", name="b"),
            layers.Dense(2, name="out"),
        ]
    )
    fill(net)
    return net


def gated():
    start = keras.Input((5,))
    a = layers.Dense(8, "relu", name="a")(start)
    b = layers.Dense(6, "relu", name="b")(start)
    net = keras.Model(start, layers.Dense(2, name="out")(Gate(name="odd")(a, b)))
    fill(net)
    out, gate = net.get_layer("out"), net.get_layer("odd")
    out.kernel.assign(np.where(np.arange(8)[:, None] % 2, out.kernel, 0))
    live = [[0], [1], [0], [1], [0], [0]]  # b's fifth is not zero, and nobody reads it
    gate.kernel.assign(np.where(live, gate.kernel, 0))
    return net


def shapes(net):
    return {w.path.split("/")[-2]: w.shape for w in net.weights if w.name != "bias"}


def answers(net):
    x = np.random.default_rng(1).normal(size=(64, *net.input_shape[1:]))
    return np.asarray(net(x.astype("float32")))


def assert_whole(net):
    row = {row.name: row for row in plan(net).layers}["odd"]
    assert row.whole == f"{type(net.get_layer('odd')).__name__} is not known"
    small = rvsm.compact(net)
    before, after = shapes(net), shapes(small)
    assert after["a"] == before["a"]
    assert after["odd"] == before["odd"]
    np.testing.assert_allclose(answers(small), answers(net), rtol=0, atol=1e-5)


def test_the_example_cuts_a_layer_of_ones_own():
    net = scaled()
    assert_whole(net)
    register_example()
    small = rvsm.compact(net)
    assert shapes(small) == {"a": (5, 4), "odd": (4,), "b": (4, 3), "out": (3, 2)}
    factor = np.asarray(net.get_layer("odd").factor)
    np.testing.assert_array_equal(small.get_layer("odd").factor, factor[1::2])
    np.testing.assert_allclose(answers(small), answers(net), rtol=0, atol=1e-5)


def test_the_example_hands_constants_on():
    register_example()
    net = scaled()
    a = net.get_layer("a")
    a.bias.assign(np.arange(8.0))  # units without weights answer 0, 2, 4, 6
    net.get_layer("odd").factor.assign([1, 0, 2, 1, 3, 1, 1, 1])
    small = rvsm.compact(net)
    assert shapes(small)["a"] == (5, 3)  # one more is constant, its factor is 0
    np.testing.assert_allclose(answers(small), answers(net), rtol=0, atol=1e-4)


def test_several_inputs():
    net = gated()
    assert_whole(net)
    rvsm.compaction.register(Gate)(GateKind)
    small = rvsm.compact(net)
    assert shapes(small) == {"a": (5, 4), "b": (5, 2), "odd": (2, 4), "out": (4, 2)}
    np.testing.assert_allclose(answers(small), answers(net), rtol=0, atol=1e-5)


def test_a_kind_is_for_calls_with_its_number_of_arguments():
    rvsm.compaction.register(Gate)(type("One", (GateKind,), {"arguments": 1}))
    row = {row.name: row for row in plan(gated()).layers}["odd"]
    assert row.whole == "called with further arguments"


def test_inputs_that_must_stay():
    net = keras.Sequential(
        [
            keras.Input((5,)),
            layers.Dense(8, name="a"),
            Centred(name="odd"),
            layers.Dense(2, name="out"),
        ]
    )
    fill(net)
    rvsm.compaction.register(Centred)(CentredKind)
    assert not any(row.whole for row in plan(net).layers)
    small = rvsm.compact(net)
    assert shapes(small) == shapes(net)
    np.testing.assert_allclose(answers(small), answers(net), rtol=0, atol=1e-5)


def test_the_last_registration_counts_and_subclasses_are_strangers():
    class Stays(CentredKind):
        def cut(self, call, kept, kept_out, constants):
            return rvsm.compaction.Cut(weights=call.layer.get_weights())

    rvsm.compaction.register(Scale)(Stays)
    assert rvsm.compact(scaled()).get_layer("a").units == 8
    register_example()
    assert rvsm.compact(scaled()).get_layer("a").units == 4

    class Mine(layers.Dense):
        pass

    net = keras.Sequential([keras.Input((5,)), Mine(3, name="mine")])
    assert plan(net).layers[0].whole == "Mine is not known"


def test_a_wrong_kind_is_noticed():
    class Wrong(rvsm.compaction.Kind):
        def cut(self, call, kept, kept_out, constants):
            weights = call.layer.get_weights()
            return rvsm.compaction.Cut(weights=[w[kept][::-1] for w in weights])

    rvsm.compaction.register(Scale)(Wrong)
    with pytest.raises(ValueError, match=r"does not answer as it must: .* 'odd'"):
        rvsm.compact(scaled())


def test_a_kind_that_joins_what_is_not_there_is_named():
    class Wider(layers.Layer):
        def call(self, x):
            return keras.ops.concatenate([x, x], axis=-1)

    rvsm.compaction.register(Wider)(CentredKind)
    net = keras.Sequential([keras.Input((5,)), Wider(name="odd")])
    with pytest.raises(ValueError, match=r"CentredKind.joins gives 'odd', .* up to 9:"):
        plan(net)


def test_what_register_refuses():
    register = rvsm.compaction.register
    with pytest.raises(ValueError, match="got none"):
        register()
    with pytest.raises(ValueError, match=r"such as keras.layers.Dense, got 'dense'"):
        register("dense")
    with pytest.raises(
        ValueError, match=r"such as keras.layers.Dense, got <.*Forgotten"
    ):

        @register  # without its parentheses
        class Forgotten(rvsm.compaction.Kind):
            pass

    with pytest.raises(ValueError, match=r"derived from rvsm_tf.compaction.Kind, got"):

        @register(Scale)
        class Other:
            pass
