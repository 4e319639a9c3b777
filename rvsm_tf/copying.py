"""Copies of models, whose weights are paired by what they are and never by position.

A copy is made from the graph where Keras knows it, and otherwise from the model's own
configuration. Neither keeps the order of a model's list of weights: a functional
subclass lists them as its attributes were set, its copy as the graph runs. Two weights
belong together where the same layer of the graph, or the same attribute of the same
class, holds them under the same name.
"""

import inspect
import itertools
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
from keras import ops

from .errors import in_one_line
from .graph import is_plain, own_variables
from .inside import TRACKED, from_keras, inner_layers, source

Part = tuple[Any, "list[np.ndarray] | Any"]
"""A new layer, operation or other callable, and the weights it is to have: a list of
them, or the layer (or operation) that it is a copy of."""

Pair = tuple[keras.Variable, keras.Variable]
"""A variable, and the one that plays its part in a copy."""


class Uncopyable(ValueError):
    """A model or layer that its configuration does not make again."""


def copied(model: keras.Model, inputs: Any = None) -> keras.Model:
    """Returns an equal copy of a model, not compiled, with variables of its own.

    Sequential and functional models are copied by their graph. A model of a class of
    its own is made by `from_config`; a functional one whose class has none that works
    becomes a plain `keras.Model` of the same graph.

    Args:
        model: a built Keras model.
        inputs: symbolic inputs as its call takes them, to build a copy that its
            configuration alone does not build; None if they are not known.

    Raises:
        ValueError: a layer's class does not say how to copy it, or copies it to
            something else; the message names the layer.
    """
    if type(model) is keras.Sequential or _is_functional(model):
        return _by_graph(model)
    try:
        copy = _by_config(model)
        if not copy.built and inputs is not None:
            copy(inputs)
        _set_equal(model, copy)
    except Uncopyable:
        if not is_plain(model):
            raise
        return _by_graph(model)
    return copy


def rebuild(model: keras.Model, replace: Callable[[Any], list[Part]]) -> keras.Model:
    """Returns a model of the same graph, not compiled, made of other layers.

    It is sequential if the model is and all that it is made of are layers.

    Args:
        model: a sequential or functional model that is built.
        replace: called once per layer (or operation), in no particular order, with
            those of a nested model, its `keras.layers.InputLayer` among them, and not
            with the nested model itself. Returns what takes its place, one behind the
            other; nothing if the layer is left out.
    """
    parts: dict[int, list[Part]] = {}

    def copy(layer):
        if id(layer) not in parts:
            if is_plain(layer):
                parts[id(layer)] = [(_copy(layer, copy, entry), [])]
            else:
                parts[id(layer)] = replace(layer)
        return [new for new, _ in parts[id(layer)]]

    def entry(tensor):
        (new,) = copy(source(tensor).operation)
        return new.output

    made = _copy(model, copy, _new_input)
    for new, weights in itertools.chain.from_iterable(parts.values()):
        if isinstance(weights, keras.layers.Layer):
            _set_equal(weights, new)
        elif isinstance(weights, list) and weights:
            new.set_weights(weights)
            _settle(new)
    return made


def renewed(layer: Any, **changes: Any) -> Any:
    """Returns a layer (or operation) like this one, without its weights.

    A class without a `get_config` is made again by what its `__init__` was given, as
    Keras noted it or as its instance keeps it. What has no state may be in two models
    at once, and is itself returned where nothing is known of it.

    Args:
        layer: what is copied.
        changes: of its configuration.

    Raises:
        ValueError: its class does not say how to copy it.
    """
    try:
        return _by_arguments(layer, {**layer.get_config(), **changes})
    except (NotImplementedError, TypeError, AttributeError, ValueError) as error:
        if not changes:
            if (copy := _by_attributes(layer)) is not None:
                return copy
            if not getattr(layer, "variables", ()):
                return layer
        raise Uncopyable(
            f"cannot copy the layer {layer.name!r}: give {type(layer).__name__} a "
            f"get_config that makes it again ({in_one_line(error)})"
        ) from error


def _by_arguments(layer: Any, config: dict[str, Any]) -> Any:
    """Returns what a class makes of a configuration, also of what Keras adds to it.

    Keras adds a name, a precision and whether it is trained; layers as its guides write
    them take none of these, and get them afterwards.
    """
    kind = type(layer)
    taken = inspect.signature(kind.__init__).parameters
    takes_all = any(p.kind is p.VAR_KEYWORD for p in taken.values())
    given = config
    if not (takes_all or from_keras(kind)):
        added = {"name", "dtype", "trainable"} - taken.keys()
        given = {name: value for name, value in config.items() if name not in added}
    # Functions of a Lambda layer come from this process, and not from a file.
    trusted = {"safe_mode": False} if isinstance(layer, keras.layers.Lambda) else {}
    new = kind.from_config(given, **trusted)
    return new if given is config else _called_like(layer, new)


def _called_like(layer: Any, new: Any) -> Any:
    """Gives a new layer what Keras adds to the configuration of one like it."""
    new.name, new.dtype_policy = layer.name, layer.dtype_policy
    new.trainable = layer.trainable
    return new


def pairs(model: keras.layers.Layer, copy: keras.layers.Layer) -> list[Pair]:
    """Returns each variable of a copy beside the one that it is a copy of.

    Variables of the model that stand outside its graph have no partner in a copy that
    was made of the graph; every variable of the copy has one.

    Raises:
        ValueError: the two are not made alike; the message names the layer.
    """
    found = [pair for a, b in _matched(model, copy) for pair in _own_pairs(a, b)]
    for which, all_of in (("copy", copy), ("original", model)):
        taken = {id(pair[which == "copy"]) for pair in found}
        left = [v.path for v in all_of.variables if id(v) not in taken]
        if left and not (which == "original" and is_plain(model)):
            raise Uncopyable(f"{left[0]!r} is in the {which} of {model.name!r} alone")
    return found


def _matched(
    model: keras.layers.Layer, copy: keras.layers.Layer
) -> list[tuple[keras.layers.Layer, keras.layers.Layer]]:
    """Returns a layer or model and all inside it, each beside its partner in a copy."""
    found: list[tuple[keras.layers.Layer, keras.layers.Layer]] = []
    partner: dict[int, keras.layers.Layer] = {}

    def visit(a, b):
        if id(a) in partner:
            if partner[id(a)] is not b:
                raise Uncopyable(f"{a.name!r} is shared, and its copy is not")
            return
        partner[id(a)] = b
        found.append((a, b))
        for one, other in _parts(a, b):
            visit(one, other)

    visit(model, copy)
    return found


def _is_functional(model: keras.Model) -> bool:
    """Whether a model is of Keras's own functional class, which has no public name."""
    return is_plain(model) and from_keras(type(model))


def _by_graph(model: keras.Model) -> keras.Model:
    def replace(layer):
        if isinstance(layer, keras.Model):
            return [(_by_config(layer), layer)]
        return [(renewed(layer), layer)]

    return rebuild(model, replace)


def _by_config(model: keras.Model) -> keras.Model:
    # Keras would compile the copy like the model, with losses that may have no
    # configuration.
    compiled, model.compiled = model.compiled, False
    try:
        config = keras.saving.serialize_keras_object(model)
        return keras.saving.deserialize_keras_object(
            config, custom_objects={type(model).__name__: type(model)}
        )
    except Exception as error:  # whatever a stranger's get_config raises
        copy = None if is_plain(model) else _by_attributes(model)
        if copy is None:
            raise Uncopyable(
                f"cannot copy {model.name!r}: {_culprit(model)}"
            ) from error
        return copy
    finally:
        model.compiled = compiled


def _by_attributes(layer: Any) -> Any:
    """Returns what a class makes of what its instance keeps of its arguments.

    Keras notes nothing of models without a `get_config`, nor of arguments that are
    functions or layers. Most classes keep what they are given under the same name;
    whether it was that, pairing and trying the copy shows. None if the class keeps too
    little, or its copy would share weights.
    """
    given = {}
    for name, parameter in inspect.signature(type(layer).__init__).parameters.items():
        unnamed = (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        if name == "self" or parameter.kind in unnamed:
            continue
        if hasattr(layer, name):
            given[name] = keras.tree.map_structure(_fresh, getattr(layer, name))
        elif parameter.default is parameter.empty:
            return None
    try:
        copy = type(layer)(**given)
    except Exception:  # whatever a stranger's __init__ raises
        return None
    if not isinstance(copy, keras.layers.Layer):
        return None
    shared = {id(v) for v in copy.variables} & {id(v) for v in layer.variables}
    return None if shared else _called_like(layer, copy)


def _fresh(value: Any) -> Any:
    """Returns a copy of a model or layer, and anything else as it is."""
    if isinstance(value, keras.Model):
        return copied(value)
    return renewed(value) if isinstance(value, keras.layers.Layer) else value


def _culprit(model: keras.Model) -> str:
    """Returns which layer's class does not copy, and what it needs."""
    for layer in [*inner_layers(model), model]:
        try:
            _by_arguments(layer, layer.get_config())
        except Exception as error:  # as above
            who = "it" if layer is model else f"its layer {layer.name!r}"
            return (
                f"{who} is a {type(layer).__name__} that its get_config does not make "
                "again, and that keeps too little of what its __init__ was given: "
                f"{in_one_line(error)}"
            )
    return f"give {type(model).__name__} a get_config that from_config takes"


def _set_equal(layer: keras.layers.Layer, new: keras.layers.Layer) -> None:
    """Gives a new layer or model the values of the one that it is a copy of."""
    for a, b in _matched(layer, new):
        # What a lookup has adapted to is no weight: Keras saves it as a file.
        if hasattr(a, "save_assets"):
            with tempfile.TemporaryDirectory() as folder:
                a.save_assets(folder)
                b.load_assets(folder)
    for old, v in pairs(layer, new):
        v.assign(ops.copy(old))  # on JAX the two would share an array, and its end
    _settle(new)


def _settle(layer: keras.layers.Layer) -> None:
    """Makes layers work out what they derive from their weights.

    Normalization computes with values that it works out when it is adapted. Other
    layers that can be adapted have no weights, and what they know already.
    """
    for part in [layer, *inner_layers(layer)]:
        if hasattr(part, "finalize_state") and part.weights:
            part.finalize_state()


def _parts(a: Any, b: Any) -> Iterator[tuple[Any, Any]]:
    """Yields the layers inside two layers or models, each beside its partner."""
    if is_plain(a) and is_plain(b):
        yield from _in_graphs(a, b)
        return
    if type(a) is not type(b):
        raise Uncopyable(
            f"{a.name!r} is a {type(a).__name__}, its copy a {type(b).__name__}"
        )
    inside_a, inside_b = _by_attribute(a), _by_attribute(b)
    if inside_a.keys() != inside_b.keys():
        path = min(inside_a.keys() ^ inside_b.keys())
        raise Uncopyable(f"{a.name}.{path} is in one of it and its copy alone")
    for path, one in inside_a.items():
        yield one, inside_b[path]


def _in_graphs(a: Any, b: Any) -> Iterator[tuple[Any, Any]]:
    inside_a, inside_b = (
        [x for x in m.layers if not isinstance(x, keras.layers.InputLayer)]
        for m in (a, b)
    )
    by_name = {layer.name: layer for layer in inside_b}
    if {layer.name for layer in inside_a} == by_name.keys():
        # Names are unique in a graph.
        inside_b = [by_name[layer.name] for layer in inside_a]
    # Names that Keras made up differ; the order of two equal graphs does not.
    elif [type(x) for x in inside_a] != [type(x) for x in inside_b]:
        raise Uncopyable(f"{a.name!r} and its copy are not made of the same layers")
    yield from zip(inside_a, inside_b)


def _by_attribute(layer: keras.layers.Layer) -> dict[str, keras.layers.Layer]:
    """Returns the layers that a layer holds, by the path of attributes to them."""
    found, seen = {}, {id(layer)}

    def visit(value, path):
        if isinstance(value, keras.layers.Layer):
            if id(value) not in seen:
                seen.add(id(value))
                found[path] = value
        elif isinstance(value, dict):
            for key in value:
                visit(value[key], f"{path}.{key}")
        elif isinstance(value, (list, tuple)):
            for i, item in enumerate(value):
                visit(item, f"{path}.{i}")

    inside = vars(layer)
    for name in sorted(inside.keys() - {TRACKED}):
        visit(inside[name], name)
    # All of them once more, in the order of tracking: for what has no attribute.
    visit(inside.get(TRACKED, ()), TRACKED)
    return found


def _own_pairs(a: keras.layers.Layer, b: keras.layers.Layer) -> Iterator[Pair]:
    """Yields the variables that two layers hold themselves, each beside its partner."""
    own_a, own_b = own_variables(a), own_variables(b)
    if len(own_a) != len(own_b):
        raise Uncopyable(
            f"{a.name!r} holds {len(own_a)} weights, its copy {len(own_b)}: it is not "
            "what its configuration says"
        )
    by_name = {v.name: v for v in own_b}
    if len(by_name) == len(own_b) and {v.name for v in own_a} == by_name.keys():
        own_b = [by_name[v.name] for v in own_a]
    for old, new in zip(own_a, own_b):
        kinds = [keras.backend.standardize_dtype(v.dtype) for v in (old, new)]
        floats = all(keras.backend.is_float_dtype(kind) for kind in kinds)
        if old.shape != new.shape or not (floats or kinds[0] == kinds[1]):
            raise Uncopyable(
                f"{old.path!r} has shape {old.shape} and type {kinds[0]}, in the copy "
                f"{new.shape} and {kinds[1]}"
            )
        yield old, new


def _copy(
    model: keras.Model,
    copy: Callable[[Any], list[Any]],
    entry: Callable[[keras.KerasTensor], keras.KerasTensor],
) -> keras.Model:
    """Returns a model of the same graph.

    Args:
        model: sequential or functional.
        copy: from a layer to what takes its place.
        entry: from an input of the model to one of the copy.
    """
    if type(model) is keras.Sequential:
        x = entry(model.inputs[0])
        new = list(itertools.chain.from_iterable(map(copy, model.layers)))
        if all(isinstance(layer, keras.layers.Layer) for layer in new):
            made = keras.Sequential([x, *new], name=model.name)
        else:
            made = keras.Model(x, _in_a_row(new)(x), name=model.name)
    else:
        bare = keras.Model(model.input, model.output, name=model.name)  # not compiled
        made = keras.models.clone_model(
            bare,
            input_tensors=keras.tree.map_structure(entry, model.input),
            clone_function=lambda layer: _in_a_row(copy(layer)),
        )
    if not model.trainable:
        made.trainable = False
    return made


def _in_a_row(layers: list[Any]) -> Callable:
    if len(layers) == 1:
        return layers[0]

    def call(x, **_):  # what takes tensors alone, see `rvsm_tf.graph.Call`
        for layer in layers:
            x = layer(x)
        return x

    return call


def _new_input(tensor: keras.KerasTensor) -> keras.KerasTensor:
    layer = source(tensor).operation
    return type(layer).from_config(layer.get_config()).output
