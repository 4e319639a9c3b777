"""Which kernels of a network are split: from a selection to variables.

What a key stands for is in `rvsm_tf.naming`, what a group is of a layer in
`rvsm_tf.units`. A pattern that leaves weights out says so.
"""

import math
import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

import keras

from .inside import inner_layers
from .naming import (
    Target,
    is_pattern,
    kernel_of,
    key_of,
    layers_of,
    matches,
    matrices_of,
    names_weight,
)
from .penalties import Group, Penalty
from .schedules import Schedule
from .units import followers_of, normalizations, penalty_of

Selection: TypeAlias = Mapping[Any, Penalty | tuple[Penalty, Schedule]]
"""Which kernels are split, and how: from a layer, its name or path, or a pattern of
these (`"conv*"`), or a weight behind its layer (`"lstm/lstm_cell/recurrent_kernel"`,
`"*/embeddings"`), to a penalty, or a penalty and a λ of its own."""

# Of its name, what a table of positions has: few weights, and none that anybody names.
_POSITION = "pos"


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

    Warns:
        UserWarning: a pattern leaves out weights that it seems to name.
    """
    check_selection(split)
    layers, normalized = layers_of(net), normalizations(net)
    matrices = [t for path, layer in layers for t in matrices_of(path, layer)]
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
            if matches(path, layer.name, net.name, key)
        ]
        targets = [
            Target(path, layer, kernel_of(layer))
            for path, layer in named
            if kernel_of(layer) is not None
        ]
        taken = {id(t.w) for t in targets}
        targets += [
            t
            for t in matrices
            if id(t.w) not in taken and names_weight(key, t, net.name)
        ]
        if not targets:
            raise ValueError(_nothing(key, named, layers))
        for t in targets:
            if id(t.w) in owner:
                raise ValueError(
                    f"{t.w.path} is named twice, by {owner[id(t.w)]!r} and by {key!r}"
                )
            owner[id(t.w)] = key
        if is_pattern(key):
            inside = {id(layer) for _, layer in named}
            wanted[key] = [t for t in matrices if id(t.layer) in inside]
        divided: dict[Penalty, list[Target]] = {}
        for t in targets:
            divided.setdefault(penalty_of(penalty, t, net), []).append(t)
        by_unit = isinstance(penalty, Group) and penalty.groups == "units"
        for fitted, some in divided.items():
            followers = tuple(
                followers_of(t, normalized) if by_unit else () for t in some
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
        for t in matrices_of(*next(pair for pair in layers if pair[1] is inner))
        if t.w.trainable
    ]
    if inside:
        weights = ", ".join(repr(path) for path in inside)
        return f"{key!r} has no kernel: name the weights to split, {weights}"
    there_are = ", ".join(p for p, layer in layers if kernel_of(layer) is not None)
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
