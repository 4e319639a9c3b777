"""A canary: which private name of Keras or TensorFlow has moved, and what needs it.

Each test tries one name of `rvsm_tf.inside` against what it must say, on a network
whose answer is known. The message names what of ours stops working.
"""

import keras
import pytest
from keras import layers, ops

from rvsm_tf import inside

TENSORFLOW = keras.backend.backend() == "tensorflow"


def broken(what, needs):
    return f"Keras has moved {what}, see rvsm_tf/inside.py; {needs} needs it"


@pytest.fixture(scope="module")
def net():
    """Two layers behind each other, and what they make added to the first."""
    start = keras.Input((3,), name="start")
    a = layers.Dense(3, name="a")(start)
    b = layers.Dense(3, name="b")(a, training=False)
    return keras.Model(start, a + b, name="net")


def test_nodes(net):
    found = inside.nodes(net)
    message = broken("Functional._nodes_by_depth or Node", "read_graph")
    assert [node.operation.name for node in found[:2]] == ["a", "b"], message
    assert found[1].kwargs == {"training": False}, message
    assert found[1].inputs == [net.get_layer("a").output], message
    assert found[1].outputs == [net.get_layer("b").output], message
    assert found[2].args == tuple(net.get_layer(n).output for n in "ab"), message


def test_where_a_tensor_comes_from(net):
    found = inside.source(net.get_layer("b").output)
    message = broken("_keras_history or _inbound_nodes", "Group of channels, rebuild")
    assert found.operation is net.get_layer("b"), message
    assert found.inputs == [net.get_layer("a").output], message
    assert found.place == 0, message
    assert inside.source(net.inputs[0]).inputs == [], message


def test_what_a_layer_is_given(net):
    message = broken("Layer._inbound_nodes", "Group of channels")
    assert inside.given(net.get_layer("a")) == [[net.inputs[0]]], message


def test_sums(net):
    message = broken("keras.src.ops.numpy.Add", "compact of `a + b`")
    assert type(inside.nodes(net)[2].operation) is inside.SUM, message


def test_what_is_keras_own():
    class Own(layers.Dense):
        pass

    message = broken("its classes out of 'keras.'", "copied, RVSM of own train_step")
    assert inside.from_keras(layers.Dense), message
    assert not inside.from_keras(Own)


def test_internal_modules():
    message = broken("its inside out of 'keras.src.'", "commands.models.load")
    assert inside.is_internal(layers.Dense.__module__), message
    assert not inside.is_internal("keras.layers")


def test_layers_inside():
    inner = keras.Sequential([layers.Dense(1, name="deep")], name="inner")
    outer = keras.Sequential([inner, layers.Dense(1, name="last")])
    message = broken("Layer._flatten_layers", "RVSM, summarize, copied, export.source")
    names = [layer.name for layer in inside.inner_layers(outer)]
    assert sorted(names) == ["deep", "inner", "last"], message
    names = [layer.name for layer in inside.inner_layers(outer, recursive=False)]
    assert names == ["inner", "last"], message


def test_tracked_layers():
    class Own(layers.Layer):
        def __init__(self):
            super().__init__()
            self.parts = {"first": layers.Dense(1, name="first")}

    found = vars(Own()).get(inside.TRACKED)
    message = broken("Layer._layers", "copied of a subclassed model")
    assert [layer.name for layer in found or ()] == ["first"], message


def test_who_asks_for_training(net):
    class Deaf(keras.Model):
        def call(self, x):
            return x

    class Asking(keras.Model):
        def call(self, x, training=None):
            return x

    message = broken("Layer._call_has_training_arg", "RVSM.call, agreement.check")
    assert inside.asks_for_training(Asking()) is True, message
    assert inside.asks_for_training(Deaf()) is False, message
    model = Asking()
    inside.ask_for_training_like(model, Deaf())
    assert inside.asks_for_training(model) is False, message


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
    message = broken("Layer._get_call_context", "RVSM, refused inside another model")
    assert seen[0] is seen[-1] is False, message
    assert True in seen, message


def test_what_an_optimizer_trains(net):
    optimizer = keras.optimizers.SGD()
    optimizer.build(net.trainable_variables[:1])
    found = inside.trained_by(optimizer)
    message = broken("Optimizer._trainable_variables", "RVSM of several optimizers")
    assert [v is net.trainable_variables[0] for v in found] == [True], message


def test_steps_are_traced_anew():
    net = keras.Sequential([keras.Input((1,)), layers.Dense(1)])
    net.compile("sgd", "mse")
    x = ops.ones((2, 1))
    net.fit(x, x, verbose=0)
    traced = net.train_function
    inside.forget_traced_step(net)
    net.fit(x, x, verbose=0)
    message = broken("Model.train_function", "rvsm.hold of a model that was trained")
    assert net.train_function is not None, message
    assert net.train_function is not traced, message


@pytest.mark.skipif(not TENSORFLOW, reason="is TensorFlow's")
def test_across_replicas():
    import tensorflow as tf

    seen = []
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])

    def across(strategy, value):
        seen.append((strategy, tf.distribute.in_cross_replica_context()))

    strategy.run(lambda: inside.across_replicas(across, tf.ones(())))
    message = broken("tf.__internal__.distribute.interim", "RVSM under tf.distribute")
    assert seen == [(strategy, True)], message


def test_state_is_built_before_the_first_step():
    other = keras.Sequential([keras.Input((1,)), layers.Dense(1)])

    class Around(inside.Builder):
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
    message = broken("Model._symbolic_build", "RVSM of a network's own steps on JAX")
    assert len(other.metrics_variables) > before, message
