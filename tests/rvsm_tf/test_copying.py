import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from rvsm_tf import agreement
from rvsm_tf.copying import copied, pairs


class Backbone(keras.Model):
    """A functional subclass that sets its attributes in another order than it calls.

    KerasHub writes its backbones so.
    """

    def __init__(self, first=8, second=8, **kwargs):
        self.head = layers.Dense(second, name="head")
        self.body = layers.Dense(first, activation="relu", name="body")
        x = keras.Input((8,))
        super().__init__(inputs=x, outputs=self.head(self.body(x)), **kwargs)
        self.sizes = first, second

    def get_config(self):
        return {"first": self.sizes[0], "second": self.sizes[1], "name": self.name}


class Unconfigured(Backbone):
    """The same without a get_config: it takes no graph, and says no arguments."""

    get_config = keras.Model.get_config

    def __init__(self):
        super().__init__(5, 3)


class Block(layers.Layer):
    """A layer of layers in containers, with no names of their own."""

    def __init__(self, units=8, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.late = {"b": layers.Dense(units), "a": layers.Dense(units)}
        self.stack = [layers.Dense(units, "tanh"), layers.Dense(units)]
        self.scale = self.add_weight((units,), "uniform", name="scale")

    def call(self, x):
        for layer in reversed(self.stack):  # built in another order than listed
            x = layer(x)
        return self.late["a"](self.late["b"](x)) * self.scale

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable("tests")
class Subclass(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.block, self.out = Block(), layers.Dense(3)
        self.inside = keras.Sequential([layers.Dense(8), layers.Dense(8)])

    def call(self, x):
        return self.out(self.inside(self.block(x)))


@keras.saving.register_keras_serializable("tests")
class Noisy(layers.Layer):
    """Noise at inference, too: equal only where the seed's state is."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed = keras.random.SeedGenerator(3)

    def call(self, x):
        return x + keras.random.normal(ops.shape(x), seed=self.seed)


@keras.saving.register_keras_serializable("tests")
class Forgetful(layers.Layer):
    """A layer whose configuration leaves out a factor that was set later."""

    factor = 1.0

    def call(self, x):
        return x * self.factor


def backbone_inside():
    x = keras.Input((8,))
    return keras.Model(x, layers.Dense(4)(Backbone(name="backbone")(x)))


def subclass():
    net = Subclass()
    net(np.zeros((1, 8)))
    return net


def shared():
    x = keras.Input((8,))
    twice = layers.Dense(8, "tanh", name="twice")
    return keras.Model(x, layers.Add()([twice(twice(x)), Block()(x)]))


def adapted():
    normalization = layers.Normalization()
    normalization.adapt(np.random.default_rng(1).normal(2, 3, (50, 8)))
    return keras.Sequential([keras.Input((8,)), normalization, layers.Dense(3)])


def binned():
    """Bins that were adapted to: no weights, and nothing that all copies know."""
    bins = layers.Discretization(num_bins=4)
    bins.adapt(np.random.default_rng(1).uniform(500, 1500, (1000, 8)))
    x = keras.Input((8,))
    h = layers.Flatten()(layers.Embedding(4, 3)(bins(x)))
    return keras.Model(x, layers.Dense(2)(h))


def function():
    return keras.Sequential([keras.Input((8,)), layers.Lambda(lambda x: 2 * x)])


def multiple():
    a, b = keras.Input((8,), name="a"), keras.Input((4,), name="b")
    h = layers.Dense(6, name="first")(layers.Concatenate()([a, b]))
    ends = {"y": layers.Dense(2, name="y")(h), "z": layers.Dense(2, name="z")(h)}
    return keras.Model({"a": a, "b": b}, ends)


def noisy():
    return keras.Sequential([keras.Input((8,)), Noisy(), layers.Dense(3)])


NETWORKS = [
    *(Backbone, lambda: Backbone(5, 3), Unconfigured, backbone_inside, subclass),
    *(shared, adapted, binned, function, multiple, noisy),
]


@pytest.mark.parametrize("make", NETWORKS)
def test_a_copy_answers_like_the_model(make):
    model = make()
    rng = np.random.default_rng(0)
    for v in model.trainable_variables:
        v.assign(rng.normal(0, 0.5, v.shape))
    state = [ops.convert_to_numpy(v) for v in model.variables]
    copy = copied(model, keras.KerasTensor((None, 8)))
    agreement.check(model, copy, None if make is not subclass else keras.Input((8,)))
    for v, before in zip(model.variables, state, strict=True):
        np.testing.assert_array_equal(v, before)  # trying it changed nothing
    if make is multiple:
        x = {"a": rng.normal(size=(4, 8)), "b": rng.normal(size=(4, 4))}
        found, expected = copy.predict(x, verbose=0), model.predict(x, verbose=0)
        for name in ("y", "z"):
            np.testing.assert_array_equal(found[name], expected[name])
    else:
        x = rng.normal(size=(4, 8)).astype("float32")
        if make is binned:
            x = 1000 + 400 * x
        expected = model.predict(x, verbose=0)
        np.testing.assert_array_equal(copy.predict(x, verbose=0), expected)
    for old, new in pairs(model, copy):
        assert old is not new
        assert old.path.split("/")[-1] == new.path.split("/")[-1]


def test_words_that_were_adapted_to_are_copied():
    words = layers.StringLookup(output_mode="multi_hot")
    words.adapt(np.array(["one", "two", "three"]))
    net = keras.Sequential([keras.Input((2,), dtype="string"), words, layers.Dense(2)])
    copy = copied(net)
    agreement.check(net, copy)
    x = tf.constant([["one", "none"], ["three", "two"]])
    np.testing.assert_array_equal(copy(x), net(x))


def test_inputs_of_numbers_and_of_whole_numbers_are_tried():
    a, b = keras.Input((3,)), keras.Input((2,), dtype="int32")
    h = layers.Concatenate()([a, layers.Flatten()(layers.Embedding(2, 4)(b))])
    model = keras.Model([a, b], layers.Dense(2, name="out")(h))
    copy = copied(model)
    agreement.check(model, copy)  # a warning that it was not tried is an error here
    copy.get_layer("out").bias.assign([0, 1])
    with pytest.raises(ValueError, match="behind the layer 'out'"):
        agreement.check(model, copy)


def test_a_class_is_kept_where_its_configuration_makes_it_again():
    assert type(copied(Backbone(5, 3))) is Backbone
    plain = copied(Unconfigured())
    assert isinstance(plain, keras.Model)
    assert [w.shape for w in plain.weights] == [(8, 5), (5,), (5, 3), (3,)]


def test_a_copy_does_not_share_variables():
    model = Backbone()
    copy = copied(model)
    copy.head.kernel.assign(np.ones((8, 8)))
    assert not (ops.convert_to_numpy(model.head.kernel) == 1).any()


def test_what_cannot_be_copied_is_named():
    class Odd(layers.Layer):
        def __init__(self, function):
            super().__init__(name="odd")
            self.dense = function(layers.Dense(8))

        def call(self, x):
            return self.dense(x)

    def same(layer):
        return layer

    x = keras.Input((8,))
    flat = keras.Model(x, layers.Dense(3)(Odd(same)(x)))
    inner = keras.Sequential([keras.Input((8,)), Odd(same)], name="inner")
    nested = keras.Model(x, layers.Dense(3)(inner(x)))
    for model in (flat, nested):
        with pytest.raises(ValueError, match="cannot copy the layer 'odd': give Odd"):
            copied(model)

    class Holder(keras.Model):
        def __init__(self, odd):
            super().__init__(name="holder")
            self.odd = odd

        def call(self, x):
            return self.odd(x)

    holder = Holder(Odd(same))
    holder(np.zeros((1, 8)))
    with pytest.raises(ValueError, match="cannot copy the layer 'odd': give Odd"):
        copied(holder)

    class Forgets(keras.Model):
        def __init__(self, units):
            super().__init__(name="forgets")
            self.dense = layers.Dense(units)

        def call(self, x):
            return self.dense(x)

    forgets = Forgets(2)
    forgets(np.zeros((1, 8)))
    with pytest.raises(
        ValueError, match=r"'forgets': it is a Forgets .* keeps too lit"
    ):
        copied(forgets)


class Linear(layers.Layer):
    """As Keras's guides write layers: no name, no get_config."""

    def __init__(self, units=32):
        super().__init__()
        self.units = units

    def build(self, shape):
        self.w = self.add_weight(shape=(shape[-1], self.units), name="w")
        self.b = self.add_weight(shape=(self.units,), name="b")

    def call(self, x):
        return ops.matmul(x, self.w) + self.b


class Perceptron(layers.Layer):
    def __init__(self):
        super().__init__()
        self.one, self.two, self.three = Linear(8), layers.Dense(8), Linear(2)

    def call(self, x):
        return self.three(ops.relu(self.two(ops.relu(self.one(x)))))


class Applied(layers.Layer):
    """A function, of which Keras notes nothing."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def call(self, x):
        return self.function(x)


class Hidden(layers.Layer):
    """Keeps its function where nobody looks for it, and has no state."""

    def __init__(self, function):
        super().__init__()
        self._given = function

    def call(self, x):
        return self._given(x)


class Autoencoder(keras.Model):
    def __init__(self, encoder, decoder, sizes=(3, 5)):
        super().__init__()
        self.encoder, self.decoder, self.sizes = encoder, decoder, sizes
        self.more = [layers.Dense(size) for size in sizes]

    def call(self, x):
        h = self.encoder(x)
        for layer in self.more:
            h = layer(h)
        return self.decoder(h)


def guides_sequential():
    inside = [Linear(6), layers.Dense(5, name="d"), Applied(ops.tanh), Perceptron()]
    return keras.Sequential([keras.Input((8,)), *inside])


def guides_functional():
    x = keras.Input((8,))
    return keras.Model(x, Hidden(ops.sin)(Perceptron()(layers.Dense(4)(x))))


def guides_model():
    encoder = keras.Sequential([keras.Input((8,)), layers.Dense(5)])
    return Autoencoder(encoder, keras.Sequential([Applied(ops.tanh), Linear(2)]), (4,))


@pytest.mark.parametrize(
    "make",
    [guides_sequential, guides_functional, guides_model],
    ids=lambda f: f.__name__,
)
def test_classes_as_keras_s_guides_write_them(make):
    model = make()
    x = np.random.default_rng(1).normal(size=(4, 8)).astype("float32")
    expected = ops.convert_to_numpy(model(x))
    copy = copied(model, keras.KerasTensor((None, 8)))
    agreement.check(model, copy)
    assert type(copy) is type(model)
    assert {id(v) for v in copy.variables}.isdisjoint(id(v) for v in model.variables)
    np.testing.assert_array_equal(ops.convert_to_numpy(copy(x)), expected)
    if make is not guides_model:
        assert [a.name for a in copy.layers] == [b.name for b in model.layers]


def test_what_an_instance_keeps_and_was_not_given_is_noticed():
    class Doubled(keras.Model):
        def __init__(self, units):
            super().__init__(name="doubled")
            self.units = 2 * units
            self.dense = layers.Dense(self.units)

        def call(self, x):
            return self.dense(x)

    model = Doubled(3)
    model(np.zeros((1, 8)))
    with pytest.raises(ValueError, match=r"shape \(8, 6\) .* in the copy \(8, 12\)"):
        copied(model, keras.KerasTensor((None, 8)))


def test_a_configuration_that_says_something_else_is_noticed():
    class Grown(layers.Layer):
        """Has one weight more than its configuration makes."""

        extra = 0

        def build(self, shape):
            for i in range(1 + self.extra):
                self.add_weight(shape=(8,), name=f"w{i}")

        def call(self, x):
            return x

    layer = Grown(name="grown")
    layer.extra = 1
    model = keras.Sequential([keras.Input((8,)), layer])
    with pytest.raises(ValueError, match="'grown' holds 2 weights, its copy 1"):
        copied(model)


def test_a_copy_that_answers_otherwise_is_refused_and_the_layer_named():
    model = keras.Sequential(
        [keras.Input((8,)), layers.Dense(8), Forgetful(name="odd"), layers.Dense(2)]
    )
    model.get_layer("odd").factor = 1.5
    copy = copied(model)
    with pytest.raises(ValueError, match=r"off by up to .* behind the layer 'odd'"):
        agreement.check(model, copy)


@pytest.mark.parametrize("wrong", [1e-2, np.nan])
def test_one_wrong_weight_is_noticed(wrong):
    model = Backbone()
    copy = copied(model)
    agreement.check(model, copy)
    kernel = ops.convert_to_numpy(copy.head.kernel).copy()
    kernel[3, 3] += wrong
    copy.head.kernel.assign(kernel)
    with pytest.raises(ValueError, match="behind the layer 'head'"):
        agreement.check(model, copy)


def test_rounding_that_a_network_amplifies_is_no_difference():
    """Two orders of a sum, in a network that makes a million of one."""
    x = keras.Input((64,))
    one = keras.Model(x, ops.sin(1e6 * ops.sum(x, axis=-1, keepdims=True)))
    halves = ops.sum(x[:, :32], axis=-1) + ops.sum(x[:, 32:], axis=-1)
    other = keras.Model(x, ops.sin(1e6 * ops.reshape(halves, (-1, 1))))
    agreement.check(one, other)


def test_integers_open_sizes_and_texts_can_be_made_up():
    tokens = keras.Input((None,), dtype="int32")
    h = layers.Embedding(2, 4)(tokens)
    model = keras.Model(tokens, layers.GlobalAveragePooling1D()(h))
    agreement.check(model, copied(model))
    wide = keras.Sequential([keras.Input((None, None, 3)), layers.Conv2D(2, 40)])
    agreement.check(wide, copied(wide))


def test_a_model_that_takes_nothing_made_up_is_said_to_be_untried():
    class Picky(layers.Layer):
        today = "Sunday"

        def call(self, x):
            if self.today == "Sunday":
                return x
            raise ValueError("only on Sundays")

    picky = Picky()
    model = keras.Sequential([keras.Input((8,)), picky])
    picky.today = "Monday"
    with pytest.warns(UserWarning, match=r"was not tried.*Sundays"):
        agreement.check(model, model)
