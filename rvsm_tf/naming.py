"""Names of weights: what a layer's name, a path or a pattern stands for in a network.

A layer stands for its kernel. Other matrices (embeddings, the recurrent kernel of an
LSTM, the two of a separable convolution) are named by themselves, behind their layer:
`"embedding/embeddings"`, `"*/recurrent_kernel"`.
"""

import fnmatch
from collections.abc import Iterator
from typing import NamedTuple

import keras

from .graph import own_variables
from .inside import inner_layers

# A slope or a shift for each channel or place: no matrix that anybody would thin out.
_NO_MATRIX = ("bias", "alpha", "gamma", "beta", "token")


class Target(NamedTuple):
    """A weight that can be split: the path of its layer, the layer, and the weight."""

    layer_path: str
    layer: keras.layers.Layer
    w: keras.Variable

    @property
    def path(self) -> str:
        """The weight's own path, behind its layer's."""
        return f"{self.layer_path}/{self.w.name}"


def key_of(layer: "keras.layers.Layer | str", net: keras.Model) -> str:
    """Returns the name that a selection knows a layer by: its path in the network.

    Raises:
        ValueError: the network has no such layer, or another one of the same path.
    """
    if isinstance(layer, str):
        return layer
    paths = [path for path, _ in layers_of(net)]
    for path, candidate in layers_of(net):
        if candidate is layer and paths.count(path) > 1:
            raise ValueError(
                f"{net.name!r} has {paths.count(path)} layers of the path {path!r}, "
                "which cannot be told apart: give them names of their own"
            )
        if candidate is layer:
            return path
    raise ValueError(f"{layer!r} is not a layer of the network {net.name!r}")


def layers_of(net: keras.Model) -> list[tuple[str, keras.layers.Layer]]:
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


def matches(path: str, name: str, net_name: str, pattern: str) -> bool:
    """Whether a name or pattern stands for a layer of this path and name."""
    names = {name, path, f"{net_name}/{path}"}
    return pattern in names or any(fnmatch.fnmatchcase(n, pattern) for n in names)


def names_weight(key: str, target: Target, net_name: str) -> bool:
    """Whether a key names a weight, behind its layer."""
    layer, _, weight = key.rpartition("/")
    if not weight.strip("*?"):  # "encoder/*" are layers
        return False
    return fnmatch.fnmatchcase(target.w.name, weight) and matches(
        target.layer_path, target.layer.name, net_name, layer
    )


def is_pattern(key: str) -> bool:
    """Whether a key stands for whatever is like it, and not for one thing."""
    return any(sign in key for sign in "*?[")


def kernel_of(layer: keras.layers.Layer) -> keras.Variable | None:
    """Returns the kernel of a Dense, Conv or similar layer; None if it has none."""
    kernel = getattr(layer, "kernel", None) if layer.built else None
    return kernel if isinstance(kernel, keras.Variable) else None


def matrices_of(path: str, layer: keras.layers.Layer) -> Iterator[Target]:
    """Yields a layer's own weights of two or more dimensions."""
    for v in own_variables(layer) if layer.built else ():
        kind = keras.backend.standardize_dtype(v.dtype)
        if is_matrix(v) and keras.backend.is_float_dtype(kind):
            yield Target(path, layer, v)


def is_matrix(w: keras.Variable) -> bool:
    """Whether a weight has two or more dimensions, and is no shift or slope."""
    return len(w.shape) >= 2 and not w.name.endswith(_NO_MATRIX)
