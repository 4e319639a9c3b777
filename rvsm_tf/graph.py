"""Reading the graph of a model."""

import collections
import dataclasses
from typing import Any

import keras

from .inside import Node, asks_for_training, from_keras, inner_layers, nodes


@dataclasses.dataclass(frozen=True)
class Call:
    """One use of a layer (or of an operation such as `a + b`).

    Attributes:
        layer: what is called.
        inputs: numbers of the tensors that it reads.
        outputs: numbers of the tensors that it returns.
        input_shapes: their shapes, the batch first.
        output_shapes: the same of the outputs.
        arguments: how many positional arguments it is called with, each a tensor or
            a structure of tensors; None if it is called with anything else, so that
            what it does may not be what its class does at inference.
        shared: whether the model uses the layer elsewhere too.
    """

    layer: Any
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    input_shapes: tuple[tuple, ...]
    output_shapes: tuple[tuple, ...]
    arguments: int | None
    shared: bool

    @property
    def channels_in(self) -> int:
        """How many channels (places on the last axis) its inputs have together."""
        return sum(map(width, self.input_shapes))

    @property
    def channels_out(self) -> int:
        """How many channels its outputs have together."""
        return sum(map(width, self.output_shapes))


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
            f"{model.name!r} is a {type(model).__name__}, a class of its own whose "
            "call Keras does not know as a graph: build the network as "
            "keras.Sequential([...]) or keras.Model(inputs, outputs)"
        )
    function = model
    if type(model) is keras.Sequential:
        if getattr(model, "inputs", None) is None:
            raise ValueError(
                f"{model.name!r} has no weights yet: build it with "
                "model.build(input_shape), or start it with a keras.Input"
            )
        function = keras.Model(model.inputs, model.outputs, name=model.name)
    numbers: dict[int, int] = {}
    shapes: list[tuple] = []

    def number(tensors):
        for tensor in tensors:
            if id(tensor) not in numbers:
                numbers[id(tensor)] = len(shapes)
                shapes.append(tuple(tensor.shape))
        return tuple(numbers[id(tensor)] for tensor in tensors)

    inputs = number(function.inputs)
    used = nodes(function)
    uses = collections.Counter(
        id(part) for node in used for part in _parts(node.operation)
    )
    calls = tuple(
        Call(
            layer=node.operation,
            inputs=number(node.inputs),
            outputs=number(node.outputs),
            input_shapes=tuple(tuple(t.shape) for t in node.inputs),
            output_shapes=tuple(tuple(t.shape) for t in node.outputs),
            arguments=_arguments(node),
            shared=any(uses[id(part)] > 1 for part in _parts(node.operation)),
        )
        for node in used
    )
    return Graph(calls, inputs, number(function.outputs), tuple(shapes))


def width(shape: tuple) -> int:
    """Returns how many channels a tensor of this shape has; 0 if that is not known."""
    return (shape[-1] or 0) if shape else 0


def is_plain(model: Any) -> bool:
    """Whether the graph that Keras knows of a model is all that its call does.

    So it is of sequential and functional models, and of a functional subclass that
    leaves `call` to Keras, as those of KerasHub do.
    """
    return type(model) is keras.Sequential or (
        isinstance(model, keras.Model)
        and isinstance(model, keras.Function)
        and from_keras(definer(model, "call"))
    )


def definer(instance: Any, name: str) -> type:
    """Returns the class that an object has a method from."""
    return next(c for c in type(instance).__mro__ if name in vars(c))


def own_variables(layer: keras.layers.Layer) -> list[keras.Variable]:
    """Returns the variables that a layer holds itself, and no layer inside it."""
    inner = inner_layers(layer, recursive=False)
    inside = {id(v) for part in inner for v in part.variables}
    return [v for v in layer.variables if id(v) not in inside]


def infer(model: keras.Model, x: Any) -> Any:
    """Returns the outputs of a model at inference; the state stays as it is."""
    arguments = {"training": False} if asks_for_training(model) else {}
    with keras.StatelessScope():
        return model(x, **arguments)


def _arguments(node: Node) -> int | None:
    tensors_alone = len(keras.tree.flatten(node.args)) == len(node.inputs)
    by_name = any(v is not None and v is not False for v in node.kwargs.values())
    return len(node.args) if tensors_alone and not by_name else None


def _parts(operation: Any) -> list:
    inside = isinstance(operation, keras.layers.Layer) and inner_layers(operation)
    return [operation, *(inside or ())]
