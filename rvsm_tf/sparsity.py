"""Counting: zeros and structured zeros, scales of weights, sign changes."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from .inside import inner_layers
from .naming import is_matrix
from .tables import aligned
from .units import DEPTHWISE, SEPARABLE, TRANSPOSED


@dataclasses.dataclass(frozen=True)
class KernelSummary:
    """The zeros of one kernel.

    Attributes:
        path: the kernel's path in the model.
        shape: its shape.
        zeros: how many weights are exactly zero.
        units: how many outputs it has (columns of a dense kernel, filters of a
            convolution).
        zero_units: how many of them have zero weights only.
        inputs: how many inputs it has (rows, input channels).
        zero_inputs: how many of them have zero weights only.
        trainable: whether it is trained; False of a frozen layer.
    """

    path: str
    shape: tuple[int, ...]
    zeros: int
    units: int
    zero_units: int
    inputs: int
    zero_inputs: int
    trainable: bool = True

    @property
    def weights(self) -> int:
        """How many weights the kernel has."""
        return int(np.prod(self.shape))

    @property
    def sparsity(self) -> float:
        """Share of weights that are exactly zero, 0 to 1."""
        return self.zeros / self.weights


@dataclasses.dataclass(frozen=True)
class Summary:
    """The zeros of a model's kernels; prints as a table.

    Attributes:
        kernels: one row per kernel, in the model's order.
        weights: all weights of the model, biases included.
        zeros: how many of all weights are exactly zero.
    """

    kernels: tuple[KernelSummary, ...]
    weights: int
    zeros: int

    @property
    def sparsity(self) -> float:
        """Share of all the model's weights that are exactly zero, 0 to 1."""
        return self.zeros / self.weights

    def __str__(self) -> str:
        rows: list[tuple[str, ...]] = [
            ("kernel", "shape", "weights", "zeros", "zero units", "zero inputs")
        ]
        for k in self.kernels:
            rows.append(
                (
                    k.path if k.trainable else f"{k.path} (frozen)",
                    " × ".join(map(str, k.shape)),
                    f"{k.weights:,}",
                    f"{100 * k.sparsity:.2f} %",
                    f"{k.zero_units} of {k.units}",
                    f"{k.zero_inputs} of {k.inputs}",
                )
            )
        share = f"{100 * self.sparsity:.2f} %"
        rows.append(("all", "", f"{self.weights:,}", share, "", ""))
        return aligned(rows, left=(0, 1))


def kernels(model: keras.Model) -> list[keras.Variable]:
    """Returns the weights that can be split: kernels, embeddings and other matrices."""
    return [w for w in model.weights if is_matrix(w)]


def summarize(model: keras.Model) -> Summary:
    """Counts the zeros of a model.

    Args:
        model: any built Keras model. An `RVSM` holds the dense w: look at what its
            `harden` returns.

    Returns:
        a row for each of `kernels`, and the totals over all weights. `print` it to
        see a table.

    Example:
        >>> net = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="d")])
        >>> net.set_weights([np.array([[1, 0], [2, 0], [0, 0]]), np.zeros(2)])
        >>> summary = rvsm.summarize(net)
        >>> summary.kernels[0].zeros, summary.kernels[0].zero_units
        (4, 1)
        >>> summary.sparsity  # the two biases are zero, too
        0.75
    """
    layers = {id(kernel): layer for layer, kernel in _turned(model)}
    rows = []
    for variable in kernels(model):
        alive = np.asarray(keras.ops.convert_to_numpy(variable)) != 0
        units, inputs = _alive(alive, layers.get(id(variable)))
        rows.append(
            KernelSummary(
                path=variable.path,
                shape=alive.shape,
                zeros=int(alive.size - alive.sum()),
                units=units.size,
                zero_units=int((~units).sum()),
                inputs=inputs.size,
                zero_inputs=int((~inputs).sum()),
                trainable=variable.trainable,
            )
        )
    values = [keras.ops.convert_to_numpy(v) for v in model.weights]
    return Summary(
        kernels=tuple(rows),
        weights=sum(v.size for v in values),
        zeros=sum(int((v == 0).sum()) for v in values),
    )


def _turned(
    model: keras.Model,
) -> Iterator[tuple[keras.layers.Layer, keras.Variable]]:
    """Yields kernels that do not lie as (…, inputs, units), each with its layer."""
    for layer in [model, *inner_layers(model)]:
        if isinstance(layer, TRANSPOSED + DEPTHWISE) and layer.built:
            yield layer, layer.kernel
        if isinstance(layer, SEPARABLE) and layer.built:
            yield layer, layer.depthwise_kernel


def _alive(
    alive: np.ndarray, layer: keras.layers.Layer | None
) -> tuple[np.ndarray, np.ndarray]:
    """Returns which units and which inputs of a kernel have a weight that is not zero.

    Args:
        alive: which weights are not zero, shape of the kernel.
        layer: whose kernel it is, if it does not lie as (…, inputs, units).
    """
    pairs: Any = alive.any(axis=tuple(range(alive.ndim - 2)))
    inputs, units = pairs.any(axis=1), pairs.any(axis=0)
    if isinstance(layer, TRANSPOSED):
        return inputs, units
    if isinstance(layer, DEPTHWISE + SEPARABLE):
        return pairs, inputs  # each filter reads one input
    return units, inputs


def scales(w: Any, largest: float = 1e-1, decades: int = 5) -> list[float]:
    """Returns the share of weights below successive powers of ten (paper, table 3).

    Args:
        w: array of any shape.
        largest: first bound; each further one is a tenth of the one before.
        decades: how many bounds.

    Returns:
        for each bound the share of |w| below it, 0 to 1.

    Example:
        >>> rvsm.scales([0.5, -0.05, 0.002, 0.0], decades=3)
        [0.75, 0.5, 0.25]
    """
    size = np.abs(np.asarray(w))
    return [float((size < largest * 10.0**-i).mean()) for i in range(decades)]


def sign_changes(before: Any, after: Any) -> float:
    """Returns the share of weights whose sign differs, 0 to 1 (paper, table 4).

    Args:
        before: array of any shape.
        after: array of the same shape. A weight that is zero in one of them and not
            in the other counts as changed.

    Example:
        >>> rvsm.sign_changes([1.0, -2.0, 0.0, 3.0], [1.5, 2.0, 0.0, 0.0])
        0.5
    """
    return float((np.sign(np.asarray(before)) != np.sign(np.asarray(after))).mean())
