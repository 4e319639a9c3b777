"""Reading and copying the graph of a model: all that leans on Keras's inside."""

import collections
import dataclasses
import itertools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np


@dataclasses.dataclass(frozen=True)
class Call:
    """One use of a layer (or of an operation such as `a + b`).

    Attributes:
        layer: what is called.
        inputs: numbers of the tensors that it reads.
        outputs: numbers of the tensors that it returns.
        input_shapes: their shapes, the batch first.
        output_shapes: the same of the outputs.
        plain: whether it is called with tensors alone, so that what it does is what
            its class does at inference.
        shared: whether the model uses the layer elsewhere too.
    """

    layer: Any
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    input_shapes: tuple[tuple, ...]
    output_shapes: tuple[tuple, ...]
    plain: bool
    shared: bool


@dataclasses.dataclass(frozen=True)
class Graph:
    """The calls of a model, each behind those that it reads from.

    Attributes:
        calls: all but the inputs'.
        inputs: numbers of the model's input tensors.
        outputs: the same of its outputs.
        shapes: by a tensor's number its shape.
    """

    calls: tuple[Call, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    shapes: tuple[tuple, ...]

    def only_reader(self, call: Call) -> Call | None:
        """Returns the only call that reads the first output of another one.

        None if there are several, or none, or the model returns that output.
        """
        tensor = call.outputs[0]
        found = [c for c in self.calls for read in c.inputs if read == tensor]
        return found[0] if len(found) == 1 and tensor not in self.outputs else None


def read_graph(model: keras.Model) -> Graph:
    """Returns the graph of a built sequential or functional model.

    Raises:
        ValueError: it is neither, or not built.
    """
    if not isinstance(model, keras.Model):
        raise ValueError(f"a Keras model is needed, got {model!r}")
    if not is_plain(model):
        raise ValueError(
            f"{model.name!r} is a {type(model).__name__}, a class of its own, whose "
            "graph Keras does not know: build the network as keras.Sequential([...]) "
            "or keras.Model(inputs, outputs)"
        )
    function = model._functional if type(model) is keras.Sequential else model
    if function is None:
        raise ValueError(
            f"{model.name!r} has no weights yet: build it with "
            "model.build(input_shape), or start it with a keras.Input"
        )
    numbers, shapes = {}, []

    def number(tensors):
        for tensor in tensors:
            if id(tensor) not in numbers:
                numbers[id(tensor)] = len(shapes)
                shapes.append(tuple(tensor.shape))
        return tuple(numbers[id(tensor)] for tensor in tensors)

    inputs = number(function.inputs)
    nodes = [
        node
        for depth in sorted(function._nodes_by_depth, reverse=True)
        for node in function._nodes_by_depth[depth]
        if not node.is_input
    ]
    uses = collections.Counter(
        id(part) for node in nodes for part in _parts(node.operation)
    )
    calls = tuple(
        Call(
            layer=node.operation,
            inputs=number(node.arguments.keras_tensors),
            outputs=number(node.outputs),
            input_shapes=tuple(tuple(t.shape) for t in node.arguments.keras_tensors),
            output_shapes=tuple(tuple(t.shape) for t in node.outputs),
            plain=_is_plain_call(node),
            shared=any(uses[id(part)] > 1 for part in _parts(node.operation)),
        )
        for node in nodes
    )
    return Graph(calls, inputs, number(function.outputs), tuple(shapes))


def is_plain(model: Any) -> bool:
    """Whether this is a sequential or functional model, and not of a class of its own.

    Keras exports no name for the class of functional models.
    """
    return type(model) is keras.Sequential or (
        isinstance(model, keras.Model)
        and hasattr(model, "_nodes_by_depth")
        and type(model).__module__.startswith("keras.")
    )


def is_sum(operation: Any) -> bool:
    """Whether this is what `a + b` makes of two tensors, not the layer Add."""
    cls = type(operation)
    return (cls.__module__, cls.__name__) == ("keras.src.ops.numpy", "Add")


Part = tuple[Any, list[np.ndarray]]
"""A new layer, operation or other callable, and the weights it is to have."""


def rebuild(model: keras.Model, replace: Callable[[Any], list[Part]]) -> keras.Model:
    """Returns a model of the same graph, not compiled, made of other layers.

    It is sequential if the model is and all that it is made of are layers.

    Args:
        model: a sequential or functional model that is built.
        replace: called once per layer (or operation), in no particular order, with
            those of a nested model and not with the nested model itself. Returns what
            takes its place, one behind the other; nothing if the layer is left out.
    """
    parts: dict[int, list[Part]] = {}

    def copy(layer):
        if id(layer) not in parts:
            nested = is_plain(layer)
            parts[id(layer)] = [(_copy(layer, copy), [])] if nested else replace(layer)
        return [new for new, _ in parts[id(layer)]]

    copied = _copy(model, copy)
    for new, weights in itertools.chain.from_iterable(parts.values()):
        if weights:
            set_weights(new, weights)
    return copied


def renewed(layer: Any, **changes: Any) -> Any:
    """Returns a layer (or operation) like this one, without its weights.

    Args:
        layer: what is copied.
        changes: of its configuration.

    Raises:
        ValueError: its class does not say how to copy it.
    """
    try:
        return type(layer).from_config({**layer.get_config(), **changes})
    except (NotImplementedError, TypeError) as error:
        raise ValueError(
            f"cannot copy the layer {layer.name!r}: give {type(layer).__name__} "
            "get_config"
        ) from error


def weights_of(layer: Any) -> list[np.ndarray]:
    """Returns a layer's weights; an operation has none."""
    return layer.get_weights() if isinstance(layer, keras.layers.Layer) else []


def set_weights(layer: keras.layers.Layer, weights: list) -> None:
    """Sets the weights of a layer or model, and what layers derive from them.

    Normalization computes with values that it works out when it is adapted.
    """
    layer.set_weights(weights)
    for part in layer._flatten_layers():
        if hasattr(part, "finalize_state"):
            part.finalize_state()


def _copy(model: keras.Model, copy: Callable[[Any], list[Any]]) -> keras.Model:
    if type(model) is keras.Sequential:
        x = _new_input(model.inputs[0])
        new = list(itertools.chain.from_iterable(map(copy, model.layers)))
        if all(isinstance(layer, keras.layers.Layer) for layer in new):
            copied = keras.Sequential([x, *new], name=model.name)
        else:
            copied = keras.Model(x, _in_a_row(new)(x), name=model.name)
    else:
        bare = keras.Model(model.input, model.output, name=model.name)  # not compiled
        copied = keras.models.clone_model(
            bare,
            input_tensors=keras.tree.map_structure(_new_input, model.input),
            clone_function=lambda layer: _in_a_row(copy(layer)),
        )
    if not model.trainable:
        copied.trainable = False
    return copied


def _in_a_row(layers: list[Any]) -> Callable:
    if len(layers) == 1:
        return layers[0]

    def call(x, **_):  # what takes tensors alone, see `_is_plain_call`
        for layer in layers:
            x = layer(x)
        return x

    return call


def _new_input(tensor: keras.KerasTensor) -> keras.KerasTensor:
    layer = tensor._keras_history.operation
    return type(layer).from_config(layer.get_config()).output


def _is_plain_call(node: Any) -> bool:
    arguments, tensors = node.arguments, keras.tree.flatten(node.arguments.args)
    return (
        len(arguments.args) == (len(tensors) if is_sum(node.operation) else 1)
        and len(tensors) == len(arguments.keras_tensors)
        and all(v is None or v is False for v in arguments.kwargs.values())
    )


def _parts(operation: Any) -> list:
    if isinstance(operation, keras.layers.Layer):
        return list(operation._flatten_layers())
    return [operation]
