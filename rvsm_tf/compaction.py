"""Structured zeros → a smaller, equal model.

A channel of a tensor (a filter of a convolution, a unit of a dense layer) goes for one
of two reasons. Nobody reads it: the weights that would are zero. Or it is constant: its
own weights are zero, so that it is act(bn(bias)) everywhere, and the bias of whoever
reads it takes that over. With it go its bias, its BatchNormalization and the weights
that read it. Channels that are added to each other go together or not at all.

A walk through the graph tells which channels are constant; walks back from the outputs,
as long as something new turns up, which are alive. What is left is built anew. Where
a Dense layer then still has many rows of zeros, a gather in front of it picks the
inputs of the others.
"""

import dataclasses
import math
from typing import Any

import keras
import numpy as np

from .agreement import check
from .carriers import Concatenate, Kind, Merge, kind_of
from .copying import rebuild, renewed
from .gather import Gather, picked
from .graph import Call, Graph, read_graph
from .kernels import Cut, Dense, Mixer
from .model import RVSM
from .tables import aligned


@dataclasses.dataclass(frozen=True)
class LayerPlan:
    """What becomes of one layer.

    Attributes:
        name: the layer's name.
        channels: how many output channels it has; None if that is not known.
        kept: how many of them stay.
        inputs: how many inputs it has, if a gather picks some of them; None if it
            reads all that it gets.
        kept_inputs: how many are picked.
        weights: how many weights it has, biases and statistics included.
        kept_weights: how many of them stay.
        whole: why it is left as it is, with all that it reads; "" if it is not.
    """

    name: str
    channels: int | None
    kept: int | None
    inputs: int | None
    kept_inputs: int | None
    weights: int
    kept_weights: int
    whole: str


@dataclasses.dataclass(frozen=True, eq=False)
class Plan:
    """What can be cut from a model; prints as a table.

    Attributes:
        model: the model, which stays as it is.
        layers: one row per layer that has weights or is left whole.
    """

    model: keras.Model
    layers: tuple[LayerPlan, ...]
    _cuts: dict[int, Cut] = dataclasses.field(repr=False)
    _picked: dict[int, tuple[int, ...]] = dataclasses.field(repr=False)

    @property
    def weights(self) -> int:
        """How many weights the model has."""
        return self.model.count_params()

    @property
    def kept_weights(self) -> int:
        """How many weights the smaller model has."""
        return self.weights - sum(row.weights - row.kept_weights for row in self.layers)

    def apply(self) -> keras.Model:
        """Returns the smaller model, see `compact`.

        It consists of Keras's layers, and of the model's own that were left whole. It
        is not compiled. It was tried: it answers made-up inputs like the model.

        Raises:
            ValueError: the model has a layer that cannot be copied, or the smaller
                model does not answer like it.
        """

        def replace(layer):
            changes, weights = self._cuts.get(id(layer), ({}, layer))
            new = renewed(layer, **changes), weights
            inputs = self._picked.get(id(layer))
            return [new] if inputs is None else [(Gather(inputs), []), new]

        smaller = rebuild(self.model, replace)
        check(self.model, smaller)
        return smaller

    def __str__(self) -> str:
        rows = [("layer", "channels", "weights", "left whole")]
        for row in self.layers:
            if row.inputs is not None:
                picked = f"{row.inputs:,} → {row.kept_inputs:,}"
                rows.append((f"inputs of {row.name}", picked, "", ""))
            channels = "" if row.channels is None else f"{row.channels} → {row.kept}"
            weights = f"{row.weights:,} → {row.kept_weights:,}" if row.weights else ""
            rows.append((row.name, channels, weights, row.whole))
        rows.append(("all", "", f"{self.weights:,} → {self.kept_weights:,}", ""))
        return aligned(rows, left=(0, 3))


def compact(model: keras.Model) -> keras.Model:
    """Returns a smaller model with the same outputs at inference.

    Input features and outputs of the model stay, and every layer keeps at least one
    channel. `print(plan(model))` shows what is cut, and what is left whole and why:
    layers whose way with channels is not known, that are used more than once, and
    nested models.

    Where only some inputs of a Dense layer are read, and it saves enough to be faster,
    `keras.ops.take` in front of the layer picks them.

    Args:
        model: a hardened network, built, sequential or functional.

    Returns:
        a plain Keras model, whose layers have the same names; sequential if the model
        is and no inputs are picked, functional otherwise; an equal copy if there is
        nothing to cut. It is not compiled.

    Raises:
        ValueError: the model is an RVSM, not built, or of a class whose call is its
            own; or the smaller model does not answer like it.

    Example:
        >>> net = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, "relu"),
        ...                         keras.layers.Dense(1)])
        >>> kernel, *rest = net.get_weights()
        >>> kernel[:, 1:] = 0  # three of four units
        >>> net.set_weights([kernel, *rest])
        >>> rvsm.compact(net).layers[0].units
        1
    """
    return plan(model).apply()


def plan(model: keras.Model) -> Plan:
    """Returns what `compact` would cut from a model.

    Args:
        model: a hardened network, built, sequential or functional.

    Raises:
        ValueError: the model is an RVSM, not built, or of a class whose call is its
            own.

    Example:
        >>> net = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="d")])
        >>> print(rvsm.compaction.plan(net))  # outputs stay
        layer  channels  weights  left whole
        d         2 → 2    8 → 8
        all                8 → 8
    """
    if isinstance(model, RVSM):
        raise ValueError(
            "an RVSM still has its dense weights: compact the sparse copy, "
            "compact(model.harden())"
        )
    graph = read_graph(model)
    kinds = [kind_of(call) for call in graph.calls]
    constants, groups, fixed = _forward(graph, kinds)
    alive = _backward(graph, kinds, constants, groups, fixed)
    cuts, picks = {}, {}
    for call, kind in zip(graph.calls, kinds):
        if isinstance(kind, str):
            continue
        read, written = call.inputs[0], call.outputs[0]
        kept, kept_out = alive[groups[read]], alive[groups[written]]
        if isinstance(kind, Mixer):
            absorbed = kind.absorbed(call, constants[read], kept)
            cuts[id(call.layer)] = kind.cut(call, kept, kept_out, absorbed)
        else:
            cuts[id(call.layer)] = kind.cut(call, kept, kept_out)
        if isinstance(kind, Dense):
            changes, (kernel, *bias) = cuts[id(call.layer)]
            inputs = picked(call, kernel)
            if inputs is not None:
                picks[id(call.layer)] = inputs
                cuts[id(call.layer)] = changes, [kernel[list(inputs)], *bias]
    rows = {}
    for call, kind in zip(graph.calls, kinds):
        whole = kind if isinstance(kind, str) else ""
        row = _row(call, whole, alive[groups[call.outputs[0]]], cuts, picks)
        if row.weights or row.whole:
            rows[id(call.layer)] = row
    return Plan(model, tuple(rows.values()), cuts, picks)


def _forward(
    graph: Graph, kinds: list[Kind | str]
) -> tuple[list[np.ndarray], list[np.ndarray], np.ndarray]:
    """Returns by tensor its constants and groups, and by group whether it is fixed."""
    constants: list[Any] = [None] * len(graph.shapes)
    groups: list[Any] = [None] * len(graph.shapes)
    parent: list[int] = []
    stay: list[np.ndarray] = []

    def find(group):
        while parent[group] != group:
            group = parent[group]
        return group

    def start(tensor):
        size = graph.shapes[tensor][-1] or 0 if graph.shapes[tensor] else 0
        constants[tensor] = np.full(size, np.nan)
        groups[tensor] = np.arange(len(parent), len(parent) + size)
        parent.extend(groups[tensor].tolist())

    for tensor in graph.inputs:
        start(tensor)
        stay.append(groups[tensor])
    for call, kind in zip(graph.calls, kinds):
        if isinstance(kind, str):
            for tensor in call.outputs:
                start(tensor)
            stay.extend(groups[t] for t in (*call.inputs, *call.outputs))
            continue
        (written,) = call.outputs
        read = [groups[t] for t in call.inputs]
        if isinstance(kind, Mixer):
            start(written)
        elif isinstance(kind, Concatenate):
            groups[written] = np.concatenate(read)
        else:
            groups[written] = read[0][kind.origin(call)]
        if isinstance(kind, Merge):
            for other in read[1:]:
                for a, b in zip(read[0], other):
                    parent[find(b)] = find(a)
        constants[written] = kind.constants(call, [constants[t] for t in call.inputs])
        if kind.mixes_outputs(call.layer):
            stay.append(groups[written])
    stay.extend(groups[t] for t in graph.outputs)
    roots = np.array([find(group) for group in range(len(parent))], int)
    fixed = np.zeros(len(parent), bool)
    fixed[roots[np.concatenate(stay)]] = True
    return constants, [roots[g] for g in groups], fixed


def _backward(
    graph: Graph,
    kinds: list[Kind | str],
    constants: list[np.ndarray],
    groups: list[np.ndarray],
    fixed: np.ndarray,
) -> np.ndarray:
    """Returns by group whether it stays: it must, or something that stays reads it."""
    mixers = [
        (groups[call.inputs[0]], groups[call.outputs[0]], kind.reads(call, c))
        for call, kind in zip(graph.calls, kinds)
        if isinstance(kind, Mixer)
        for c in [constants[call.inputs[0]]]
    ]
    alive = fixed.copy()
    while True:
        before = alive.sum()
        for read, written, reads in reversed(mixers):
            alive[read[reads[:, alive[written]].any(1)]] = True
        if alive.sum() == before:
            break
    # A layer needs an output. What such a one reads need not stay: either it is
    # constant and reads nothing that varies, or nobody minds its value.
    for _, written, _ in mixers:
        if not alive[written].any():
            alive[written[0]] = True
    return alive


def _row(
    call: Call,
    whole: str,
    kept: np.ndarray,
    cuts: dict[int, Cut],
    picks: dict[int, tuple[int, ...]],
) -> LayerPlan:
    shape = call.output_shapes[0]
    known = len(call.output_shapes) == 1 and len(shape) > 1 and shape[-1] is not None
    weights = getattr(call.layer, "weights", [])
    size = sum(math.prod(w.shape) for w in weights)
    _, left = cuts.get(id(call.layer), ({}, None))
    inputs = picks.get(id(call.layer))
    return LayerPlan(
        name=call.layer.name,
        channels=len(kept) if known else None,
        kept=int(kept.sum()) if known else None,
        inputs=None if inputs is None else call.input_shapes[0][-1],
        kept_inputs=None if inputs is None else len(inputs),
        weights=size,
        kept_weights=size if left is None else sum(w.size for w in left),
        whole=whole,
    )
