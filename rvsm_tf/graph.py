"""Reading the graph of a model."""

import collections
import dataclasses
from typing import Any

import keras

from .inside import (
    Node,
    asks_for_training,
    from_keras,
    inner_layers,
    nodes,
    source,
)


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
        given: its positional arguments as the graph has them, tensors among them;
            empty if there are arguments by name.
        shared: whether the model uses the layer elsewhere too.
    """

    layer: Any
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    input_shapes: tuple[tuple, ...]
    output_shapes: tuple[tuple, ...]
    arguments: int | None
    given: tuple[Any, ...]
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

    Models inside it that are sequential or functional are opened: their calls stand
    where theirs would, behind one of each `keras.layers.InputLayer`, which hands on
    what the model is given.

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
    if getattr(model, "inputs", None) is None:
        raise ValueError(
            f"{model.name!r} has no weights yet: build it with "
            "model.build(input_shape), or start it with a keras.Input"
        )
    reader = _Reader()
    inputs = [reader.new(tensor) for tensor in model.inputs]
    outputs = reader.read(model, dict(zip(map(id, model.inputs), inputs)))
    uses = collections.Counter(
        id(part) for call in reader.calls for part in _parts(call.layer)
    )
    calls = tuple(
        dataclasses.replace(
            call, shared=any(uses[id(part)] > 1 for part in _parts(call.layer))
        )
        for call in reader.calls
    )
    return Graph(calls, tuple(inputs), outputs, tuple(reader.shapes))


class _Reader:
    """Numbers tensors, and notes calls, through models inside models."""

    def __init__(self):
        self.calls: list[Call] = []
        self.shapes: list[tuple] = []

    def new(self, tensor: keras.KerasTensor) -> int:
        """Returns the number of a tensor that has none yet."""
        self.shapes.append(tuple(tensor.shape))
        return len(self.shapes) - 1

    def read(self, model: keras.Model, numbers: dict[int, int]) -> tuple[int, ...]:
        """Notes a model's calls; returns the numbers of its outputs.

        Args:
            model: sequential or functional, built.
            numbers: of its inputs, by their ids; those of its other tensors are added.
        """
        function = model
        if type(model) is keras.Sequential:
            function = keras.Model(model.inputs, model.outputs, name=model.name)
        for node in nodes(function):
            inputs = tuple(numbers[id(tensor)] for tensor in node.inputs)
            if _opens(node):
                outputs = self._open(node, inputs)
            else:
                outputs = tuple(map(self.new, node.outputs))
                self._note(node, inputs, outputs)
            numbers.update(zip(map(id, node.outputs), outputs))
        return tuple(numbers[id(tensor)] for tensor in function.outputs)

    def _open(self, node: Node, inputs: tuple[int, ...]) -> tuple[int, ...]:
        """Notes the calls of a model inside a model."""
        model, numbers = node.operation, {}
        for tensor, number in zip(model.inputs, inputs):
            numbers[id(tensor)] = self.new(tensor)
            shapes = ((self.shapes[number],), (tuple(tensor.shape),))
            layer, ends = source(tensor).operation, ((number,), (numbers[id(tensor)],))
            self.calls.append(Call(layer, *ends, *shapes, 1, (tensor,), shared=False))
        return self.read(model, numbers)

    def _note(
        self, node: Node, inputs: tuple[int, ...], outputs: tuple[int, ...]
    ) -> None:
        by_name = _is_told(node)
        tensors_alone = len(keras.tree.flatten(node.args)) == len(node.inputs)
        self.calls.append(
            Call(
                layer=node.operation,
                inputs=inputs,
                outputs=outputs,
                input_shapes=tuple(tuple(t.shape) for t in node.inputs),
                output_shapes=tuple(tuple(t.shape) for t in node.outputs),
                arguments=len(node.args) if tensors_alone and not by_name else None,
                given=() if by_name else node.args,
                shared=False,
            )
        )


def _opens(node: Node) -> bool:
    """Whether a node is a use of a model whose graph says all that it does."""
    model = node.operation
    if not is_plain(model) or _is_told(node) or len(node.inputs) != len(model.inputs):
        return False
    # Keras may add or take away an axis of 1.
    return all(
        len(given.shape) == len(own.shape) and given.shape[-1:] == own.shape[-1:]
        for given, own in zip(node.inputs, model.inputs)
    )


def _is_told(node: Node) -> bool:
    """Whether a node is called with something by name that is not off."""
    values = keras.tree.flatten(node.kwargs)
    return any(v is not None and v is not False for v in values)


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


def _parts(operation: Any) -> list:
    inside = isinstance(operation, keras.layers.Layer) and inner_layers(operation)
    return [operation, *(inside or ())]
