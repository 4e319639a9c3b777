"""What a layer does to channels, and which layers that is known of.

A channel is a place on the last axis of a tensor. It is constant if it has one value at
every place and for every input. In arrays of constants NaN stands for a channel that
varies.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from ..graph import Call

Mask = bool | np.ndarray
"""Some channels: True for all of them, False for none, or an array of one bool each."""


@dataclasses.dataclass(frozen=True)
class Cut:
    """What is left of a layer.

    Attributes:
        changes: of its configuration.
        weights: its weights, in the order of `layer.get_weights()`.
        picked: the numbers of the inputs that a gather in front of it picks; None if
            there is to be none. The weights are those of the inputs that are picked.
    """

    changes: dict[str, Any] = dataclasses.field(default_factory=dict)
    weights: list[np.ndarray] = dataclasses.field(default_factory=list)
    picked: tuple[int, ...] | None = None


class Kind:
    """What a kind of layer does to channels: what it joins, keeps and reads, and cuts.

    A subclass says so of its layers, under the decorator `register`. Each method is
    given one use of a layer, a `rvsm_tf.graph.Call`. The channels of all its inputs are
    numbered one input after the other, and so are those of its outputs.

    As it stands here, a kind is of a layer without weights that makes output channel k
    of input channel k. What is not said cuts less, and breaks nothing.

    Attributes:
        arguments: how many positional arguments its layers are called with, each a
            tensor or a structure of tensors. Calls with others stay whole.
        whole: why a layer of this kind stays whole; "" if it does not.
    """

    arguments = 1
    whole = ""

    def obstacle(self, call: Call) -> str | None:
        """Returns why this call must be left whole, None if there is no reason."""
        return None

    def takes(self, call: Call) -> bool:
        """Whether a call is given what calls of this kind are given."""
        return call.arguments == self.arguments

    def joins(self, call: Call) -> np.ndarray:
        """Returns which channels go together, or stay together.

        Returns:
            one row for each output channel: the numbers of the input channels that it
            goes with. The rows are equally long, and empty where an output channel
            may go by itself, as a unit of a Dense layer.
        """
        return np.arange(call.channels_out)[:, None]

    def keeps(self, call: Call) -> tuple[Mask, Mask]:
        """Returns which input channels, and which output channels, must stay."""
        return False, False

    def reads(self, call: Call, constants: np.ndarray) -> np.ndarray | None:
        """Returns which outputs read which inputs, and so need them to stay.

        Args:
            call: the use of the layer.
            constants: of the inputs; what `cut` makes up for is not read.

        Returns:
            booleans, inputs × outputs; None where an output channel reads what it is
            joined with and nothing else.
        """
        return None

    def constants(self, call: Call, inputs: np.ndarray) -> np.ndarray:
        """Returns the outputs' constants, given the inputs'; NaN, as here, is safe."""
        return np.full(call.channels_out, np.nan)

    def cut(
        self, call: Call, kept: np.ndarray, kept_out: np.ndarray, constants: np.ndarray
    ) -> Cut:
        """Returns what is left if only some channels are kept.

        Args:
            call: the use of the layer.
            kept: by input channel whether it is kept.
            kept_out: by output channel whether it is kept, at least one.
            constants: of the inputs, also of those that are cut.
        """
        return Cut()


class Whole(Kind):
    """A layer that is left as it is, with all that it reads.

    Args:
        whole: why.
    """

    def __init__(self, whole: str):
        self.whole = whole

    def joins(self, call: Call) -> np.ndarray:
        """Returns that it joins nothing, as nothing of it can go."""
        return np.empty((call.channels_out, 0), int)

    def keeps(self, call: Call) -> tuple[Mask, Mask]:
        """Returns that all inputs and all outputs stay."""
        return True, True


_KINDS: dict[type, Kind] = {}


def register(*classes: type[keras.Operation]) -> Callable[[type[Kind]], type[Kind]]:
    """Returns a class decorator: the kind is that of these layers.

    Each layer class, and each class of operations, has one kind: the one that was
    registered last. Subclasses do not inherit it.

    Args:
        *classes: the layers' classes, of Keras or of one's own.

    Raises:
        ValueError: a class is none of a layer, or what is decorated is no `Kind`.
    """
    if not classes:
        raise ValueError("register takes the layers that a kind is for, got none")
    for cls in classes:
        if not (isinstance(cls, type) and issubclass(cls, keras.Operation)):
            raise ValueError(
                "register takes the classes of layers that a kind is for, such as "
                f"keras.layers.Dense, got {cls!r}"
            )

    def registered(kind):
        if not (isinstance(kind, type) and issubclass(kind, Kind)):
            raise ValueError(
                "a layer kind is a class derived from rvsm_tf.compaction.Kind, got "
                f"{kind!r}"
            )
        _KINDS.update(dict.fromkeys(classes, kind()))
        return kind

    return registered


def kind_of(call: Call) -> Kind:
    """Returns how a call treats channels, `Whole` if it must be left whole."""
    kind = _KINDS.get(type(call.layer))
    if kind is None:
        return Whole(_unknown(call.layer))
    problem = _unusual(call, kind) or kind.obstacle(call)
    return Whole(problem) if problem else kind


def _unknown(layer: Any) -> str:
    sort = type(layer).__name__
    if isinstance(layer, keras.Model):
        return "a nested model"
    if not isinstance(layer, keras.layers.Layer):
        return f"{sort} is not a layer"
    return f"{sort} is not known"


def _unusual(call: Call, kind: Kind) -> str | None:
    """Returns why no call like this one is understood, None if it is."""
    if not kind.takes(call):
        return "called with further arguments"
    if call.shared and getattr(call.layer, "weights", None):
        return "used more than once"
    if getattr(call.layer, "data_format", "channels_last") != "channels_last":
        return "channels come first"
    shapes = (*call.input_shapes, *call.output_shapes)
    if any(len(shape) < 2 or shape[-1] is None for shape in shapes):
        return "no fixed number of channels"
    return None
