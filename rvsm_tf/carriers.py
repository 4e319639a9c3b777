"""What each layer does to channels, the last axis of a tensor.

Most carry channels on, one class here per way of doing so; those with kernels are in
`kernels`. What is cut must be cut along the whole way: filter k, its bias and its
BatchNormalization, channel k of the sum that it is added to.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import Model, layers

from .graph import Call, is_sum
from .kernels import (
    Cut,
    Dense,
    DepthwiseConv,
    Mixer,
    SeparableConv,
    array,
    is_elementwise,
    mixing,
    unexpected,
)


class Carrier:
    """Output channel k comes from input channel k, whose constant it keeps."""

    def obstacle(self, call: Call) -> str | None:
        """Returns why this call must be left whole, None if there is no reason."""
        return None

    def mixes_outputs(self, layer: Any) -> bool:
        """Whether output channels depend on each other, as behind a softmax."""
        return False

    def origin(self, call: Call) -> np.ndarray:
        """Returns for each output channel the input channel that it comes from."""
        return np.arange(call.input_shapes[0][-1])

    def constants(self, call: Call, inputs: Sequence[np.ndarray]) -> np.ndarray:
        """Returns the outputs' constants, given the inputs'."""
        return inputs[0][self.origin(call)]

    def cut(self, call: Call, kept: np.ndarray, kept_out: np.ndarray) -> Cut:
        """Returns what is left if only these input and output channels are kept."""
        return {}, []


class Elementwise(Carrier):
    """An activation without parameters, applied to each value by itself."""

    def obstacle(self, call: Call) -> str | None:
        """Returns that a function mixes channels, or may."""
        activation = getattr(call.layer, "activation", None)
        return None if is_elementwise(activation) else mixing(activation)

    def constants(self, call: Call, inputs: Sequence[np.ndarray]) -> np.ndarray:
        """Applies the layer to the constants."""
        return _apply(call.layer, inputs)


class Padding(Carrier):
    """Zeros around: only a constant zero stays constant."""

    def constants(self, call: Call, inputs: Sequence[np.ndarray]) -> np.ndarray:
        """Returns zero where it was."""
        return np.where(inputs[0] == 0, 0.0, np.nan)


class Reshape(Carrier):
    """Flatten, or a reshape that takes channels together: each occurs repeatedly."""

    def obstacle(self, call: Call) -> str | None:
        """Returns that channels are torn apart, or that a shared layer would change."""
        if call.output_shapes[0][-1] % call.input_shapes[0][-1]:
            return "splits channels"
        if call.shared and "target_shape" in call.layer.get_config():
            return "used more than once"
        return None

    def origin(self, call: Call) -> np.ndarray:
        """Returns the channels in turns, as they lie in memory."""
        channels = call.input_shapes[0][-1]
        return np.tile(np.arange(channels), call.output_shapes[0][-1] // channels)

    def cut(self, call: Call, kept: np.ndarray, kept_out: np.ndarray) -> Cut:
        """Changes the last dimension of the shape aimed at."""
        shape = call.layer.get_config().get("target_shape")
        if shape is None:
            return {}, []
        return {"target_shape": (*shape[:-1], int(kept_out.sum()))}, []


class Merge(Carrier):
    """Channel k of the output is made of channel k of every input."""

    def obstacle(self, call: Call) -> str | None:
        """Returns that a channel is spread over several."""
        if len({shape[-1] for shape in call.input_shapes}) > 1:
            return "broadcasts channels"
        return None

    def constants(self, call: Call, inputs: Sequence[np.ndarray]) -> np.ndarray:
        """Applies the layer where all inputs are constant."""
        return _apply(call.layer, inputs)


class Concatenate(Carrier):
    """The inputs' channels, one input after the other."""

    def obstacle(self, call: Call) -> str | None:
        """Returns that it is not channels that are joined."""
        if call.layer.axis not in (-1, len(call.output_shapes[0]) - 1):
            return f"joins along axis {call.layer.axis}, not along channels"
        return None

    def constants(self, call: Call, inputs: Sequence[np.ndarray]) -> np.ndarray:
        """Returns all of them."""
        return np.concatenate(inputs)


class BatchNormalization(Carrier):
    """A scale and a shift for each channel."""

    def obstacle(self, call: Call) -> str | None:
        """Returns that it is not channels that are normalized."""
        layer = call.layer
        if layer.axis not in (-1, len(call.output_shapes[0]) - 1):
            return f"normalizes axis {layer.axis}, not channels"
        return unexpected(layer, 2 + layer.scale + layer.center)

    def constants(self, call: Call, inputs: Sequence[np.ndarray]) -> np.ndarray:
        """Scales and shifts; a channel with γ = 0 has become constant."""
        layer = call.layer
        scale = 1 / np.sqrt(array(layer.moving_variance) + layer.epsilon)
        if layer.scale:
            scale = scale * array(layer.gamma)
        shift = -array(layer.moving_mean) * scale
        if layer.center:
            shift = shift + array(layer.beta)
        return np.where(scale == 0, shift, inputs[0] * scale + shift)

    def cut(self, call: Call, kept: np.ndarray, kept_out: np.ndarray) -> Cut:
        """Drops the parameters of what is cut."""
        return {}, [w[kept] for w in call.layer.get_weights()]


def _apply(layer: Any, constants: Sequence[np.ndarray]) -> np.ndarray:
    known = np.isfinite(constants).all(0)
    x = [np.where(known, c, 0).astype("float32")[None] for c in constants]
    nested = isinstance(layer, layers.Layer) and len(x) > 1
    return np.where(known, array(layer(x) if nested else layer(*x))[0], np.nan)


def _classes(*names: str) -> list[type]:
    return [getattr(layers, name) for name in names if hasattr(layers, name)]


_SUM = Merge()

Kind = Carrier | DepthwiseConv | Mixer

_KINDS: dict[Kind, list[type]] = {
    Carrier(): _classes(
        *("Dropout", "GaussianDropout", "GaussianNoise", "AlphaDropout"),
        *(f"SpatialDropout{n}D" for n in (1, 2, 3)),
        *("ActivityRegularization", "Identity"),
        *(f"{kind}Pooling{n}D" for kind in ("Max", "Average") for n in (1, 2, 3)),
        *(f"Global{kind}Pooling{n}D" for kind in ("Max", "Average") for n in (1, 2, 3)),
        *(f"Cropping{n}D" for n in (1, 2, 3)),
        *("UpSampling1D", "UpSampling2D", "UpSampling3D"),
    ),
    Elementwise(): _classes("Activation", "ReLU", "LeakyReLU", "ELU"),
    Padding(): _classes("ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D"),
    Reshape(): _classes("Flatten", "Reshape"),
    _SUM: _classes("Add", "Subtract", "Average", "Maximum", "Minimum", "Multiply"),
    Concatenate(): _classes("Concatenate"),
    BatchNormalization(): _classes("BatchNormalization"),
    DepthwiseConv(): _classes("DepthwiseConv1D", "DepthwiseConv2D"),
    Mixer(): _classes("Conv1D", "Conv2D", "Conv3D"),
    SeparableConv(): _classes("SeparableConv1D", "SeparableConv2D"),
    Dense(): _classes("Dense"),
}
_BY_CLASS = {cls: kind for kind, classes in _KINDS.items() for cls in classes}


def kind_of(call: Call) -> Kind | str:
    """Returns how a call treats channels, or why it must be left whole."""
    layer = call.layer
    kind = _SUM if is_sum(layer) else _BY_CLASS.get(type(layer))  # no subclasses
    if kind is None:
        sort = type(layer).__name__
        if isinstance(layer, Model):
            return "a nested model"
        if not isinstance(layer, layers.Layer):
            return f"{sort} is not a layer"
        return f"{sort} is not known"
    if not call.plain:
        return "called with further arguments"
    if call.shared and getattr(layer, "weights", None):
        return "used more than once"
    if getattr(layer, "data_format", "channels_last") != "channels_last":
        return "channels come first"
    shapes = (*call.input_shapes, *call.output_shapes)
    if any(len(shape) < 2 or shape[-1] is None for shape in shapes):
        return "no fixed number of channels"
    return kind.obstacle(call) or kind
