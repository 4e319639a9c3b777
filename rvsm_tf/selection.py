"""Which kernels of a network are split: from names and patterns to variables.

Where a penalty decides on whole units (or filters), a unit's bias goes with it, and so
do the scale and the shift of a BatchNormalization that alone reads the layer: they
follow. (In a subclassed model the bias alone: who reads it is not known.) A
unit whose weights alone are zero would still be a constant, which the next layer cannot
take over if it pads its input with zeros.
"""

import dataclasses
import fnmatch
from collections.abc import Mapping
from typing import Any, NamedTuple

import keras

from .channels import channels
from .graph import is_plain, read_graph
from .groups import divide
from .penalties import Group, Penalty
from .schedules import Schedule

Selection = Mapping[Any, "Penalty | tuple[Penalty, Schedule]"]
"""Which kernels are split, and how: from a layer, its name or path, or a pattern of
these (`"conv*"`), to a penalty, or a penalty and a λ of its own."""

# Their kernels are (…, out, in) and (…, channels, filters of each channel).
TRANSPOSED = (
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
)
DEPTHWISE = (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D)
SEPARABLE = (keras.layers.SeparableConv1D, keras.layers.SeparableConv2D)


class Chosen(NamedTuple):
    """An entry of a selection: its key, penalty and own λ, and what they govern."""

    key: str
    penalty: Penalty
    own: "Schedule | None"
    kernels: tuple[keras.Variable, ...]
    followers: tuple[tuple[keras.Variable, ...], ...]


def select(net: keras.Model, split: Selection) -> list[Chosen]:
    """Returns what the entries of a selection name.

    An entry with a `Group` comes several times, one after the other, if its layers
    stand behind different numbers of channels.

    Raises:
        ValueError: see `Splitting`.
    """
    check_selection(split)
    layers, normalized = _layers(net), _normalizations(net)
    splittable = [path for path, layer in layers if _kernel(layer) is not None]
    chosen, owner = [], {}
    for key, value in split.items():
        pair = isinstance(value, tuple) and len(value) == 2
        penalty, own = value if pair else (value, None)
        if not isinstance(penalty, Penalty):
            raise ValueError(
                f"the penalty of {key!r} must be an rvsm_tf penalty such as "
                f"rvsm_tf.TL1(a=0.1), or a pair of one and its λ, got {penalty!r}"
            )
        key = key_of(key, net)
        named = [(path, layer) for path, layer in layers if path == key] or [
            (path, layer)
            for path, layer in layers
            if _matches(path, layer.name, net.name, key)
        ]
        divided: dict[Penalty, list[keras.layers.Layer]] = {}
        for path, layer in named:
            if _kernel(layer) is not None:
                divided.setdefault(_fitted(penalty, path, layer, net), []).append(layer)
        kernels = [layer.kernel for some in divided.values() for layer in some]
        if not kernels:
            there_are = ", ".join(splittable) or "none"
            problem = "has no kernel" if named else "matches no layer"
            raise ValueError(f"{key!r} {problem}; layers with a kernel: {there_are}")
        for w in kernels:
            if id(w) in owner:
                raise ValueError(
                    f"{w.path} is named twice, by {owner[id(w)]!r} and by {key!r}"
                )
            owner[id(w)] = key
        by_unit = isinstance(penalty, Group) and penalty.groups == "units"
        for fitted, some in divided.items():
            ws = tuple(layer.kernel for layer in some)
            followers = tuple(
                _followers(layer, normalized) if by_unit else () for layer in some
            )
            chosen.append(Chosen(key, fitted, own, ws, followers))
    return chosen


def check_selection(split: Any) -> None:
    """Accepts a dictionary that names a layer.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(split, Mapping):
        raise ValueError(
            "split must be a dictionary from layers to their penalties, such as "
            f"{{'dense': rvsm_tf.TL1(a=0.1)}}, got {split!r}"
        )
    if not split:
        raise ValueError("nothing to split: name at least one layer")


def key_of(layer: "keras.layers.Layer | str", net: keras.Model) -> str:
    """Returns the name that a selection knows a layer by: its path in the network.

    Raises:
        ValueError: the network has no such layer.
    """
    if isinstance(layer, str):
        return layer
    for path, candidate in _layers(net):
        if candidate is layer:
            return path
    raise ValueError(f"{layer!r} is not a layer of the network {net.name!r}")


def _layers(net: keras.Model) -> list[tuple[str, keras.layers.Layer]]:
    """Returns every layer with its path in the network, such as "encoder/dense".

    Unlike Keras's `layer.path` it is the same before building and after loading.
    """
    found, seen = [], set()

    def visit(parent, prefix):
        for layer in parent._flatten_layers(include_self=False, recursive=False):
            if id(layer) not in seen:
                seen.add(id(layer))
                found.append((prefix + layer.name, layer))
                visit(layer, f"{prefix}{layer.name}/")

    visit(net, "")
    return found


def _matches(path: str, name: str, net_name: str, pattern: str) -> bool:
    names = {name, path, f"{net_name}/{path}"}
    return pattern in names or any(fnmatch.fnmatchcase(n, pattern) for n in names)


def _kernel(layer: keras.layers.Layer) -> keras.Variable | None:
    """Returns the kernel of a Dense, Conv or similar layer; None if it has none."""
    kernel = getattr(layer, "kernel", None) if layer.built else None
    return kernel if isinstance(kernel, keras.Variable) else None


def _followers(
    layer: keras.layers.Layer, normalized: Mapping[int, keras.layers.Layer]
) -> tuple[keras.Variable, ...]:
    """Returns the vectors that belong to a layer's units, one value for each."""
    behind = normalized.get(id(layer))
    found = (
        getattr(layer, "bias", None),
        *(getattr(behind, name, None) for name in ("gamma", "beta")),
    )
    return tuple(v for v in found if v is not None)


def _normalizations(net: keras.Model) -> dict[int, keras.layers.Layer]:
    """Returns, by a layer's id, the BatchNormalization that alone reads it.

    Empty if the graph is not known, as in a subclassed model.
    """
    try:
        graph = read_graph(net)
    except ValueError:
        return {}
    found = {}
    for call in graph.calls:
        if is_plain(call.layer):
            found |= _normalizations(call.layer)
        behind = graph.only_reader(call)
        if behind is None or call.shared or behind.shared:
            continue
        layer, last = behind.layer, len(call.output_shapes[0]) - 1
        normalizes = isinstance(layer, keras.layers.BatchNormalization)
        if normalizes and layer.axis in (-1, last):
            found[id(call.layer)] = layer
    return found


def _fitted(
    penalty: Penalty, path: str, layer: keras.layers.Layer, net: keras.Model
) -> Penalty:
    """Returns the penalty as it applies to a layer's kernel.

    Raises:
        ValueError: it is a `Group` that the kernel cannot be divided into.
    """
    if not isinstance(penalty, Group):
        return penalty
    groups = penalty.groups
    if groups in ("units", "inputs"):
        if isinstance(layer, TRANSPOSED):
            groups = "inputs" if groups == "units" else "units"
        elif isinstance(layer, DEPTHWISE) and groups == "units":
            raise ValueError(
                f"{path}: a depthwise convolution has a filter for each input channel "
                "and no others: its groups are 'inputs'"
            )
        elif groups == "inputs" and getattr(layer, "groups", 1) > 1:
            raise ValueError(
                f"{path}: its inputs are spread over {layer.groups} groups of filters, "
                "and lie on no axis of the kernel"
            )
    try:
        if groups == "channels":
            divide(layer.kernel.shape, (groups, 1))
            groups = groups, channels(layer, [inner for _, inner in _layers(net)])
        divide(layer.kernel.shape, groups)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return dataclasses.replace(penalty, groups=groups)
