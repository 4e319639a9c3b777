"""Which kernels of a network are split: from names and patterns to variables.

A layer stands for its kernel. Other matrices (embeddings, the recurrent kernel of an
LSTM, the two of a separable convolution) are named by themselves, behind their layer:
`"embedding/embeddings"`, `"*/recurrent_kernel"`. A pattern that leaves such weights
out says so.

Where a penalty decides on whole units (or filters), a unit's bias goes with it, and so
do the scale and the shift of a BatchNormalization that alone reads the layer: they
follow. (In a subclassed model the bias alone: who reads it is not known.) A
unit whose weights alone are zero would still be a constant, which the next layer cannot
take over if it pads its input with zeros.
"""

import dataclasses
import fnmatch
import math
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

import keras

from .channels import channels
from .graph import is_plain, own_variables, read_graph
from .groups import divide
from .inside import inner_layers
from .penalties import Group, Penalty
from .schedules import Schedule

Selection: TypeAlias = Mapping[Any, Penalty | tuple[Penalty, Schedule]]
"""Which kernels are split, and how: from a layer, its name or path, or a pattern of
these (`"conv*"`), or a weight behind its layer (`"lstm/lstm_cell/recurrent_kernel"`,
`"*/embeddings"`), to a penalty, or a penalty and a λ of its own."""

# Their kernels are (…, out, in) and (…, channels, filters of each channel).
TRANSPOSED = (
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
)
DEPTHWISE = (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D)
SEPARABLE = (keras.layers.SeparableConv1D, keras.layers.SeparableConv2D)


# A slope or a shift for each channel or place: no matrix that anybody would thin out.
_NO_MATRIX = ("bias", "alpha", "gamma", "beta", "token")

# Of its name, what a table of positions has: few weights, and none that anybody names.
_POSITION = "pos"


class Chosen(NamedTuple):
    """An entry of a selection: its key, penalty and own λ, and what they govern."""

    key: str
    penalty: Penalty
    own: "Schedule | None"
    kernels: tuple[keras.Variable, ...]
    followers: tuple[tuple[keras.Variable, ...], ...]


class Target(NamedTuple):
    """A weight that can be split: the path of its layer, the layer, and the weight."""

    layer_path: str
    layer: keras.layers.Layer
    w: keras.Variable

    @property
    def path(self) -> str:
        """The weight's own path, behind its layer's."""
        return f"{self.layer_path}/{self.w.name}"


def select(net: keras.Model, split: Selection) -> list[Chosen]:
    """Returns what the entries of a selection name.

    An entry with a `Group` comes several times, one after the other, if its layers
    stand behind different numbers of channels.

    Raises:
        ValueError: see `Splitting`.

    Warns:
        UserWarning: a pattern leaves out weights that it seems to name.
    """
    check_selection(split)
    layers, normalized = _layers(net), _normalizations(net)
    matrices = [t for path, layer in layers for t in _matrices(path, layer)]
    chosen: list[Chosen] = []
    owner: dict[int, str] = {}
    wanted: dict[str, list[Target]] = {}
    for key, value in split.items():
        if isinstance(value, tuple) and len(value) == 2:
            penalty, own = value
        else:
            penalty, own = value, None
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
        targets = [
            Target(path, layer, _kernel(layer))
            for path, layer in named
            if _kernel(layer) is not None
        ]
        taken = {id(t.w) for t in targets}
        targets += [
            t for t in matrices if id(t.w) not in taken and _names(key, t, net.name)
        ]
        if not targets:
            raise ValueError(_nothing(key, named, layers))
        for t in targets:
            if id(t.w) in owner:
                raise ValueError(
                    f"{t.w.path} is named twice, by {owner[id(t.w)]!r} and by {key!r}"
                )
            owner[id(t.w)] = key
        if _is_pattern(key):
            inside = {id(layer) for _, layer in named}
            wanted[key] = [t for t in matrices if id(t.layer) in inside]
        divided: dict[Penalty, list[Target]] = {}
        for t in targets:
            divided.setdefault(_fitted(penalty, t, net), []).append(t)
        by_unit = isinstance(penalty, Group) and penalty.groups == "units"
        for fitted, some in divided.items():
            followers = tuple(
                _followers(t, normalized) if by_unit else () for t in some
            )
            chosen.append(Chosen(key, fitted, own, tuple(t.w for t in some), followers))
    for key, some in wanted.items():
        _warn_of_left_out(key, some, owner)
    return chosen


def _warn_of_left_out(key: str, wanted: list[Target], owner: Mapping[int, str]) -> None:
    left = [
        t
        for t in wanted
        if id(t.w) not in owner and t.w.trainable and _POSITION not in t.w.name
    ]
    if left:
        size = sum(math.prod(t.w.shape) for t in left)
        share = size / sum(math.prod(t.w.shape) for t in wanted if t.w.trainable)
        paths = ", ".join(t.path for t in left[:3])
        more = f" and {len(left) - 3} more" if len(left) > 3 else ""
        warnings.warn(
            f"{key!r} splits kernels alone, and leaves out {share:.0%} of the weights "
            f"that it seems to name: {paths}{more}. Name them as well, for example "
            f"'*/{left[0].w.name}'",
            stacklevel=2,
        )


def _nothing(key: str, named: list, layers: list) -> str:
    """Returns what is wrong with an entry that names no weight."""
    inside = [
        t.path
        for path, layer in named
        for inner in (layer, *inner_layers(layer))
        for t in _matrices(*next(pair for pair in layers if pair[1] is inner))
        if t.w.trainable
    ]
    if inside:
        weights = ", ".join(repr(path) for path in inside)
        return f"{key!r} has no kernel: name the weights to split, {weights}"
    there_are = ", ".join(p for p, layer in layers if _kernel(layer) is not None)
    problem = "has no kernel" if named else "matches no layer"
    return f"{key!r} {problem}; layers with a kernel: {there_are or 'none'}"


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
        ValueError: the network has no such layer, or another one of the same path.
    """
    if isinstance(layer, str):
        return layer
    paths = [path for path, _ in _layers(net)]
    for path, candidate in _layers(net):
        if candidate is layer and paths.count(path) > 1:
            raise ValueError(
                f"{net.name!r} has {paths.count(path)} layers of the path {path!r}, "
                "which cannot be told apart: give them names of their own"
            )
        if candidate is layer:
            return path
    raise ValueError(f"{layer!r} is not a layer of the network {net.name!r}")


def _layers(net: keras.Model) -> list[tuple[str, keras.layers.Layer]]:
    """Returns every layer with its path in the network, such as "encoder/dense".

    Unlike Keras's `layer.path` it is the same before building and after loading.
    """
    found, seen = [], set()

    def visit(parent, prefix):
        for layer in inner_layers(parent, recursive=False):
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


def _matrices(path: str, layer: keras.layers.Layer) -> Iterator[Target]:
    """Yields a layer's own weights of two or more dimensions."""
    for v in own_variables(layer) if layer.built else ():
        kind = keras.backend.standardize_dtype(v.dtype)
        if is_matrix(v) and keras.backend.is_float_dtype(kind):
            yield Target(path, layer, v)


def is_matrix(w: keras.Variable) -> bool:
    """Whether a weight has two or more dimensions, and is no shift or slope."""
    return len(w.shape) >= 2 and not w.name.endswith(_NO_MATRIX)


def _is_pattern(key: str) -> bool:
    return any(sign in key for sign in "*?[")


def _names(key: str, target: Target, net_name: str) -> bool:
    """Whether a key names a weight, behind its layer."""
    layer, _, weight = key.rpartition("/")
    if not weight.strip("*?"):  # "encoder/*" are layers
        return False
    return fnmatch.fnmatchcase(target.w.name, weight) and _matches(
        target.layer_path, target.layer.name, net_name, layer
    )


def _followers(
    target: Target, normalized: Mapping[int, keras.layers.Layer]
) -> tuple[keras.Variable, ...]:
    """Returns the vectors that belong to a kernel's units, one value for each."""
    layer = target.layer
    if target.w is not _kernel(layer):
        return ()
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
    found: dict[int, keras.layers.Layer] = {}
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


def _fitted(penalty: Penalty, target: Target, net: keras.Model) -> Penalty:
    """Returns the penalty as it applies to a weight.

    Raises:
        ValueError: it is a `Group` that the weight cannot be divided into.
    """
    if not isinstance(penalty, Group):
        return penalty
    layer, groups = target.layer, penalty.groups
    is_kernel = target.w is _kernel(layer)
    path = target.layer_path if is_kernel else target.path
    if groups in ("units", "inputs"):
        if isinstance(layer, TRANSPOSED):
            groups = "inputs" if groups == "units" else "units"
        elif isinstance(layer, SEPARABLE):
            raise ValueError(
                f"{path}: what units and inputs of a separable convolution are, two "
                "kernels decide together: split single weights"
            )
        elif hasattr(layer, "recurrent_kernel") and groups == "units":
            raise ValueError(
                f"{path}: a unit of a recurrent layer has columns of two kernels, one "
                "for each gate, and runs on without one of them: its groups are "
                "'inputs' and blocks"
            )
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
            divide(target.w.shape, (groups, 1))
            groups = groups, channels(layer, [inner for _, inner in _layers(net)])
        divide(target.w.shape, groups)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    bias = getattr(layer, "bias", None)
    if penalty.groups == "units" and is_kernel and bias is not None:
        count = target.w.shape[-1 if groups == "units" else -2]
        if tuple(bias.shape) != (count,):
            raise ValueError(
                f"{path}: its bias has shape {tuple(bias.shape)}, which is not one "
                f"value for each of {count} columns: a unit is none of them"
            )
    return dataclasses.replace(penalty, groups=groups)
