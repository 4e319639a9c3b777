"""Which kernels of a network are split: from names and patterns to variables."""

import fnmatch
from collections.abc import Mapping
from typing import Any

import keras

from .penalties import Penalty
from .schedules import Schedule

Selection = Mapping[Any, "Penalty | tuple[Penalty, Schedule]"]
"""Which kernels are split, and how: from a layer, its name or path, or a pattern of
these (`"conv*"`), to a penalty, or a penalty and a λ of its own."""


def select(
    net: keras.Model, split: Selection
) -> list[tuple[str, Penalty, "Schedule | None", tuple[keras.Variable, ...]]]:
    """Returns key, penalty, own λ and kernels of each entry of a selection.

    Raises:
        ValueError: see `Splitting`.
    """
    if not split:
        raise ValueError("nothing to split: name at least one layer")
    layers = _layers(net)
    splittable = [path for path, layer in layers if _kernel(layer) is not None]
    chosen, owner = [], {}
    for key, value in split.items():
        penalty, own = value if isinstance(value, tuple) else (value, None)
        if not isinstance(penalty, Penalty):
            raise ValueError(
                f"the penalty of {key!r} must be an rvsm_tf penalty such as "
                f"rvsm_tf.TL1(a=0.1), got {penalty!r}"
            )
        key = key_of(key, net)
        named = [layer for path, layer in layers if path == key] or [
            layer for path, layer in layers if _matches(path, layer.name, net.name, key)
        ]
        kernels = tuple(w for w in map(_kernel, named) if w is not None)
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
        chosen.append((key, penalty, own, kernels))
    return chosen


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
