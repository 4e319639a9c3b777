"""A canary: which private name of Keras or TensorFlow has moved, and what needs it.

Each test tries what `rvsm_tf.inside` makes of one, where the answer is known. The
message says what of ours stops working.
"""

import functools

import keras
import numpy as np
import pytest
from keras import layers, ops

from rvsm_tf import inside

TENSORFLOW = keras.backend.backend() == "tensorflow"


def needed(what, by):
    """Marks what a test tries: a private name of Keras, and what of ours needs it."""

    def tries(test):
        @functools.wraps(test)
        def run(*args, **kwargs):
            try:
                test(*args, **kwargs)
            except Exception as error:
                raise AssertionError(
                    f"{what} has moved, see rvsm_tf/inside.py: {by} needs it"
                ) from error

        return run

    return tries


@pytest.fixture(scope="module")
def net():
    """Two layers behind each other, and what they make added to the first."""
    start = keras.Input((3,), name="start")
    a = layers.Dense(3, name="a")(start)
    b = layers.Dense(3, name="b")(a, training=False)
    return keras.Model(start, a + b, name="net")


@needed("Functional._nodes_by_depth or Node", by="read_graph")
def test_nodes(net):
    found = inside.nodes(net)
    assert [node.operation.name for node in found[:2]] == ["a", "b"]
    assert found[1].kwargs == {"training": False}
    assert found[1].inputs == [net.get_layer("a").output]
    assert found[1].outputs == [net.get_layer("b").output]
    assert found[2].args == tuple(net.get_layer(n).output for n in "ab")


@needed("_keras_history or _inbound_nodes", by="Group of channels, rebuild")
def test_where_a_tensor_comes_from(net):
    found = inside.source(net.get_layer("b").output)
    assert found.operation is net.get_layer("b")
    assert found.inputs == [net.get_layer("a").output]
    assert found.place == 0
    assert inside.source(net.inputs[0]).inputs == []


@needed("Layer._inbound_nodes", by="Group of channels")
def test_what_a_layer_is_given(net):
    assert inside.given(net.get_layer("a")) == [[net.inputs[0]]]


@needed("A module or class of keras.src.ops", by="compact of `a + b` and its like")
def test_operations(net):
    x = net.inputs[0]
    for made, name in (
        (x + x, "numpy.Add"),
        (3 - x, "numpy.Subtract"),
        (x * 2, "numpy.Multiply"),
        (x / 2, "numpy.TrueDivide"),
        (ops.relu(x), "nn.Relu"),
        (ops.mean(x, axis=0), "numpy.Mean"),
        (x[:, :1], "numpy.GetItem"),
        (ops.concatenate([x, x]), "numpy.Concatenate"),
        (ops.reshape(x, (-1,)), "numpy.Reshape"),
        (ops.cast(x, "float16"), "core.Cast"),
    ):
        operation = inside.source(made).operation
        assert inside.operations(f"ops.{name}") == [type(operation)]


def test_operations_that_this_keras_does_not_have_are_left_out():
    add = inside.operations("ops.numpy.Add")
    assert inside.operations("ops.numpy.Nothing", "ops.numpy.Add") == add
    # `register` takes no empty list: to import the library must not fail for that.
    gone = inside.operations("ops.numpy.Nothing", "ops.nowhere.Add")
    assert gone == [keras.Operation]


@needed("'keras.' in front of its modules", by="copied, RVSM of own train_step")
def test_what_is_keras_own():
    class Own(layers.Dense):
        pass

    assert inside.from_keras(layers.Dense)
    assert not inside.from_keras(Own)


@needed("'keras.src.' in front of its inner modules", by="rvsm_tf.litert.models.load")
def test_internal_modules():
    assert inside.is_internal(layers.Dense.__module__)
    assert not inside.is_internal("keras.layers")


@needed("Layer._flatten_layers", by="RVSM, summarize, copied, rvsm_tf.litert.source")
def test_layers_inside():
    inner = keras.Sequential([layers.Dense(1, name="deep")], name="inner")
    outer = keras.Sequential([inner, layers.Dense(1, name="last")])
    names = [layer.name for layer in inside.inner_layers(outer)]
    assert sorted(names) == ["deep", "inner", "last"]
    names = [layer.name for layer in inside.inner_layers(outer, recursive=False)]
    assert names == ["inner", "last"]


@needed("Layer._layers", by="copied of a subclassed model")
def test_tracked_layers():
    class Own(layers.Layer):
        def __init__(self):
            super().__init__()
            self.parts = {"first": layers.Dense(1, name="first")}

    found = vars(Own()).get(inside.TRACKED)
    assert [layer.name for layer in found or ()] == ["first"]


@needed("Layer._call_has_training_arg", by="RVSM.call, agreement.check")
def test_who_asks_for_training(net):
    class Deaf(keras.Model):
        def call(self, x):
            return x

    class Asking(keras.Model):
        def call(self, x, training=None):
            return x

    assert inside.asks_for_training(Asking()) is True
    assert inside.asks_for_training(Deaf()) is False
    model = Asking()
    inside.ask_for_training_like(model, Deaf())
    assert inside.asks_for_training(model) is False


@needed("Layer._get_call_context", by="RVSM, refused inside another model")
def test_who_calls_a_model():
    seen = []

    class Watching(keras.Model):
        def __call__(self, *args, **kwargs):
            seen.append(inside.is_inside_another(self))
            return super().__call__(*args, **kwargs)

        def call(self, x):
            return x

    class Around(keras.Model):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def call(self, x):
            return self.inner(x)

    model, x = Watching(), ops.ones((1, 1))
    model(x)
    Around(model)(x)
    model(x)
    assert seen[0] is seen[-1] is False
    assert True in seen


@needed("Optimizer._trainable_variables", by="RVSM of several optimizers")
def test_what_an_optimizer_trains(net):
    optimizer = keras.optimizers.SGD()
    optimizer.build(net.trainable_variables[:1])
    found = inside.trained_by(optimizer)
    assert [v is net.trainable_variables[0] for v in found] == [True]


@needed("Adam._velocities, Optimizer._get_variable_index", by='saliency="fisher"')
@pytest.mark.parametrize("name", ["Adam", "AdamW", "Nadam", "Lamb", "RMSprop"])
def test_an_optimizer_s_mean_of_squared_gradients(net, name):
    """After one step from 0 it is a share of the square."""
    optimizer = getattr(keras.optimizers, name)(1e-3)
    w, other = net.trainable_variables[:2]
    optimizer.apply([3 * ops.ones_like(w), ops.ones_like(other)], [w, other])
    found = np.asarray(inside.squared_gradients(optimizer, w))
    share = 1 - getattr(optimizer, "beta_2", getattr(optimizer, "rho", None))
    np.testing.assert_allclose(found, np.full(w.shape, 9 * share), rtol=1e-4)
    assert inside.squared_gradients(keras.optimizers.SGD(), w) is None


@needed("Model.train_function", by="rvsm.hold of a model that was trained")
def test_steps_are_traced_anew():
    net = keras.Sequential([keras.Input((1,)), layers.Dense(1)])
    net.compile("sgd", "mse")
    x = ops.ones((2, 1))
    net.fit(x, x, verbose=0)
    traced = net.train_function
    inside.forget_traced_step(net)
    net.fit(x, x, verbose=0)
    assert net.train_function is not None
    assert net.train_function is not traced


@pytest.mark.skipif(not TENSORFLOW, reason="is TensorFlow's")
@needed("tf.__internal__.distribute.interim", by="RVSM under tf.distribute")
def test_across_replicas():
    import tensorflow as tf

    seen = []
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])

    def across(strategy, value):
        seen.append((strategy, tf.distribute.in_cross_replica_context()))

    strategy.run(lambda: inside.across_replicas(across, tf.ones(())))
    assert seen == [(strategy, True)]


@needed("Model._symbolic_build", by="RVSM of a network's own steps on JAX")
def test_state_is_built_before_the_first_step():
    other = keras.Sequential([keras.Input((1,)), layers.Dense(1)])

    class Around(inside.StateBuilder):
        def call(self, x):
            return other(x)

        def also_built(self):
            return other

    model, batch = Around(), (ops.ones((2, 1)), ops.ones((2, 1)))
    for one in (other, model):
        one.compile("sgd", "mse", metrics=["mae"])
    before = len(other.metrics_variables)
    keras.Model._symbolic_build(model, data_batch=batch)
    assert len(other.metrics_variables) == before
    model._symbolic_build(data_batch=batch)
    assert len(other.metrics_variables) > before
