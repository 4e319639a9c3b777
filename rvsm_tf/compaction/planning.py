"""Plans: what can be cut from a model, and the smaller model that is left."""

import dataclasses
import math

import keras
import numpy as np

from ..agreement import check
from ..copying import rebuild, renewed
from ..graph import Call, read_graph
from ..model import RVSM
from ..tables import aligned
from .gather import Gather
from .kind import Cut, Kind, kind_of
from .liveness import channels


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
            cut = self._cuts.get(id(layer))
            if cut is None:
                return [(renewed(layer), layer)]
            new = renewed(layer, **cut.changes), cut.weights
            return [new] if cut.picked is None else [(Gather(cut.picked), []), new]

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
    layers whose way with channels is not known, or that are used more than once.
    Models inside the model that are sequential or functional are cut too.

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
    cuts, rows = {}, {}
    for call, kind, (kept, kept_out, known) in zip(
        graph.calls, kinds, channels(graph, kinds)
    ):
        if not kind.whole:
            cuts[id(call.layer)] = kind.cut(call, kept, kept_out, known)
        row = _row(call, kind, kept_out, cuts.get(id(call.layer)))
        if row.weights or row.whole:
            rows[id(call.layer)] = row
    return Plan(model, tuple(rows.values()), cuts)


def _row(call: Call, kind: Kind, kept_out: np.ndarray, cut: Cut | None) -> LayerPlan:
    shape = call.output_shapes[0]
    known = len(call.output_shapes) == 1 and len(shape) > 1 and shape[-1] is not None
    size = sum(math.prod(w.shape) for w in getattr(call.layer, "weights", []))
    picked = cut.picked if cut else None
    return LayerPlan(
        name=call.layer.name,
        channels=len(kept_out) if known else None,
        kept=int(kept_out.sum()) if known else None,
        inputs=None if picked is None else call.channels_in,
        kept_inputs=None if picked is None else len(picked),
        weights=size,
        kept_weights=sum(w.size for w in cut.weights) if cut else size,
        whole=kind.whole,
    )
