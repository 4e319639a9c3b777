"""Reading the graph of a model: all that leans on Keras's inside."""

import collections
import dataclasses
from typing import Any

import keras


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
            f"{model.name!r} is a {type(model).__name__}, a class of its own whose "
            "call Keras does not know as a graph: build the network as "
            "keras.Sequential([...]) or keras.Model(inputs, outputs)"
        )
    function = model._functional if type(model) is keras.Sequential else model
    if function is None:
        raise ValueError(
            f"{model.name!r} has no weights yet: build it with "
            "model.build(input_shape), or start it with a keras.Input"
        )
    numbers: dict[int, int] = {}
    shapes: list[tuple] = []

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


def from_keras(cls: type) -> bool:
    """Whether Keras itself defines a class."""
    return cls.__module__.startswith("keras.")


def inner_layers(
    layer: keras.layers.Layer, recursive: bool = True
) -> list[keras.layers.Layer]:
    """Returns the layers inside a layer or model, those inside them included."""
    return list(layer._flatten_layers(include_self=False, recursive=recursive))


def own_variables(layer: keras.layers.Layer) -> list[keras.Variable]:
    """Returns the variables that a layer holds itself, and no layer inside it."""
    inner = inner_layers(layer, recursive=False)
    inside = {id(v) for part in inner for v in part.variables}
    return [v for v in layer.variables if id(v) not in inside]


def is_inside_another(model: keras.Model) -> bool:
    """Whether a model that is about to be called is called by another one."""
    inside = model._get_call_context().entry_layer is not model
    model._maybe_reset_call_context()  # there was none if it is this model's
    return inside


def infer(model: keras.Model, x: Any) -> Any:
    """Returns the outputs of a model at inference; the state stays as it is."""
    arguments = {"training": False} if model._call_has_training_arg else {}
    with keras.StatelessScope():
        return model(x, **arguments)


def is_sum(operation: Any) -> bool:
    """Whether this is what `a + b` makes of two tensors, not the layer Add."""
    cls = type(operation)
    return (cls.__module__, cls.__name__) == ("keras.src.ops.numpy", "Add")


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
