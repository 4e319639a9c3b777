"""The door to Keras's inside: all that has no public name, and TensorFlow's likewise.

Nothing else in this project touches a private name of either; a test reads the sources
for it. When a release moves one of these, `tests/rvsm_tf/test_inside.py` says which,
and what needs it.
"""

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import keras

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

TRACKED = "_layers"
"""The attribute in which a layer keeps the layers that it has found in itself."""


class Node(NamedTuple):
    """One use of a layer or operation in a graph.

    Attributes:
        operation: what is called.
        args: what it is called with by position.
        kwargs: what it is called with by name.
        inputs: the tensors in both, one after the other.
        outputs: the tensors that it returns.
    """

    operation: keras.Operation
    args: tuple
    kwargs: dict[str, Any]
    inputs: list[keras.KerasTensor]
    outputs: list[keras.KerasTensor]


class Provenance(NamedTuple):
    """Where a tensor comes from.

    Attributes:
        operation: what returned it.
        inputs: the tensors that were given for it; none of a model's input.
        place: which of the outputs it is.
    """

    operation: keras.Operation
    inputs: list[keras.KerasTensor]
    place: int


def operations(*names: str) -> list[type[keras.Operation]]:
    """Returns the classes of Keras's operations of these names, which are not public.

    Args:
        *names: of the classes, each behind the module in `keras.src` that has it, such
            as `"ops.numpy.Add"`, which `a + b` makes of two tensors. What a release of
            Keras does not have is left out, as nothing can be made of it there.

    Returns:
        those that are there; if none is, the class that no operation is of by itself,
        so that whoever asks knows nothing of them and goes on.
    """
    places = [name.rpartition(".") for name in names]
    found = [
        getattr(sys.modules.get(f"keras.src.{module}"), name, None)
        for module, _, name in places
    ]
    return [cls for cls in found if cls is not None] or [keras.Operation]


def nodes(function: keras.Function) -> list[Node]:
    """Returns a graph's nodes but the inputs', each behind those that it reads from."""
    return [
        Node(
            node.operation,
            node.arguments.args,
            node.arguments.kwargs,
            node.arguments.keras_tensors,
            node.outputs,
        )
        for depth in sorted(function._nodes_by_depth, reverse=True)
        for node in function._nodes_by_depth[depth]
        if not node.is_input
    ]


def source(tensor: keras.KerasTensor) -> Provenance:
    """Returns where a tensor comes from."""
    operation, index, place = tensor._keras_history
    return Provenance(operation, operation._inbound_nodes[index].input_tensors, place)


def given(layer: keras.layers.Layer) -> list[list[keras.KerasTensor]]:
    """Returns the tensors that a layer is given, for each of its uses anywhere."""
    return [node.input_tensors for node in layer._inbound_nodes]


def from_keras(cls: type) -> bool:
    """Whether Keras itself defines a class."""
    return cls.__module__.startswith("keras.")


def is_internal(module: str) -> bool:
    """Whether a module, by its name, is one that Keras keeps to itself."""
    return module.startswith("keras.src.")


def inner_layers(
    layer: keras.layers.Layer, recursive: bool = True
) -> list[keras.layers.Layer]:
    """Returns the layers inside a layer or model, those inside them included."""
    return list(layer._flatten_layers(include_self=False, recursive=recursive))


def asks_for_training(model: keras.Model) -> bool:
    """Whether a model's call takes the argument `training`, which Keras then gives."""
    return model._call_has_training_arg


def ask_for_training_like(model: keras.Model, net: keras.Model) -> None:
    """Makes Keras give a model the argument `training` if it gives it to a network."""
    model._call_has_training_arg = net._call_has_training_arg


def is_inside_another(model: keras.Model) -> bool:
    """Whether a model that is about to be called is called by another one."""
    inside = model._get_call_context().entry_layer is not model
    model._maybe_reset_call_context()  # there was none if it is this model's
    return inside


def trained_by(optimizer: keras.optimizers.Optimizer) -> list[keras.Variable]:
    """Returns the variables that a built optimizer updates."""
    return optimizer._trainable_variables


def squared_gradients(
    optimizer: keras.optimizers.Optimizer, w: keras.Variable
) -> keras.Variable | None:
    """Returns the running mean of a weight's squared gradients.

    Adam, AdamW, Nadam, Lamb and RMSprop keep one.

    Args:
        optimizer: a built one that updates the weight.
        w: the weight.

    Returns:
        an array of the weight's shape; None if the optimizer keeps none.
    """
    kept = getattr(optimizer, "_velocities", None)
    return kept[optimizer._get_variable_index(w)] if kept else None


def forget_traced_step(model: keras.Model) -> None:
    """Makes Keras trace a model's training step anew when it next trains."""
    model.train_function = None


def across_replicas(function: Callable, value: Any) -> None:
    """Calls a function across the replicas of a `tf.distribute` strategy.

    Args:
        function: of the strategy and the value of each replica.
        value: a tensor of this replica.
    """
    tf.__internal__.distribute.interim.maybe_merge_call(
        function, tf.distribute.get_strategy(), value
    )


class StateBuilder(keras.Model):
    """A model whose state, and another model's, is built before the first step.

    So does Keras on JAX and PyTorch with a model's own metrics, and does not know of
    those of a model inside.
    """

    def also_built(self) -> keras.Model | None:
        """Returns the other model, None if there is none."""
        return None

    def _symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        if (other := self.also_built()) is not None:
            other._symbolic_build(iterator=iterator, data_batch=data_batch)
            if iterator is not None:
                iterator.reset()
        super()._symbolic_build(iterator=iterator, data_batch=data_batch)
