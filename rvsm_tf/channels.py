"""What layers do to channels, the last axis of a tensor: one class per behaviour.

A channel is constant if it has one value at every place and for every input; in arrays
of constants NaN stands for a channel that varies. A *group* is a set of channels that
are cut together or not at all, such as filter k, its BatchNormalization and channel k
of the sum that it is added to.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import activations, layers

from .graph import Call

Cut = tuple[dict[str, Any], list[np.ndarray]]
"""What is left of a layer: changes of its configuration, and its weights."""

_ELEMENTWISE = [
    getattr(activations, name)
    for name in (
        *("celu", "elu", "exponential", "gelu", "hard_shrink", "hard_sigmoid"),
        *("hard_silu", "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "mish"),
        *("relu", "relu6", "selu", "sigmoid", "silu", "soft_shrink", "softplus"),
        *("softsign", "sparse_plus", "sparse_sigmoid", "squareplus", "tanh"),
        "tanh_shrink",
    )
    if hasattr(activations, name)
]


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
        return {}, call.layer.get_weights()


class Elementwise(Carrier):
    """An activation without parameters, applied to each value by itself."""

    def obstacle(self, call: Call) -> str | None:
        """Returns that a function mixes channels, or may."""
        activation = getattr(call.layer, "activation", None)
        return None if is_elementwise(activation) else _mixing(activation)

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
        return _unexpected(layer, 2 + layer.scale + layer.center)

    def constants(self, call: Call, inputs: Sequence[np.ndarray]) -> np.ndarray:
        """Scales and shifts; a channel with γ = 0 has become constant."""
        layer = call.layer
        scale = 1 / np.sqrt(_array(layer.moving_variance) + layer.epsilon)
        if layer.scale:
            scale = scale * _array(layer.gamma)
        shift = -_array(layer.moving_mean) * scale
        if layer.center:
            shift = shift + _array(layer.beta)
        return np.where(scale == 0, shift, inputs[0] * scale + shift)

    def cut(self, call: Call, kept: np.ndarray, kept_out: np.ndarray) -> Cut:
        """Drops the parameters of what is cut."""
        return {}, [w[kept] for w in call.layer.get_weights()]


class DepthwiseConv(Carrier):
    """A convolution of each channel by itself; output c·m + j comes from input c."""

    def obstacle(self, call: Call) -> str | None:
        """Returns that it is quantized, or the like."""
        return _unexpected(call.layer, 1 + call.layer.use_bias)

    def mixes_outputs(self, layer: Any) -> bool:
        """Whether the activation does."""
        return not is_elementwise(layer.activation)

    def origin(self, call: Call) -> np.ndarray:
        """Returns every input channel, m times."""
        channels = call.input_shapes[0][-1]
        return np.repeat(np.arange(channels), call.output_shapes[0][-1] // channels)

    def constants(self, call: Call, inputs: Sequence[np.ndarray]) -> np.ndarray:
        """Returns a zero kernel's bias, and what constants become without borders."""
        layer = call.layer
        touch, gain = (x.ravel() for x in _over_space(_array(layer.kernel)))
        c = _absorbable(layer, inputs[0])[self.origin(call)]
        value = np.where(touch, c * gain, 0.0) + _bias(layer)
        return _activate(layer.activation, value)

    def cut(self, call: Call, kept: np.ndarray, kept_out: np.ndarray) -> Cut:
        """Drops the kernels and biases of what is cut."""
        kernel, *bias = call.layer.get_weights()
        return {}, [kernel[..., kept, :], *(b[kept_out] for b in bias)]


class Mixer:
    """Dense or Conv: every output channel is a sum over input channels."""

    size = "filters"

    def obstacle(self, call: Call) -> str | None:
        """Returns that it is grouped, quantized, or the like."""
        if getattr(call.layer, "groups", 1) != 1:
            return "a convolution in groups"
        return _unexpected(call.layer, self.kernels + call.layer.use_bias)

    def mixes_outputs(self, layer: Any) -> bool:
        """Whether the activation does."""
        return not is_elementwise(layer.activation)

    kernels = 1

    def links(self, layer: Any) -> tuple[np.ndarray, np.ndarray]:
        """Returns two matrices, inputs × outputs.

        The first says whether a weight between the two is not zero, the second what a
        constant input of 1 adds to the output, away from borders.
        """
        return _over_space(_array(layer.kernel))

    def reads(self, call: Call, inputs: np.ndarray) -> np.ndarray:
        """Returns, inputs × outputs, whether the output needs the input.

        It does not need a constant that its bias can take over.
        """
        touch, _ = self.links(call.layer)
        return touch & np.isnan(_absorbable(call.layer, inputs))[:, None]

    def constants(self, call: Call, inputs: Sequence[np.ndarray]) -> np.ndarray:
        """Returns the outputs that are made of constants, or of nothing."""
        touch, gain = self.links(call.layer)
        c = _absorbable(call.layer, inputs[0])[:, None]
        value = np.where(touch, c * gain, 0.0).sum(0) + _bias(call.layer)
        return _activate(call.layer.activation, value)

    def absorbed(self, call: Call, inputs: np.ndarray, kept: np.ndarray) -> np.ndarray:
        """Returns what the inputs that are cut add to each output's bias."""
        _, gain = self.links(call.layer)
        c = np.nan_to_num(_absorbable(call.layer, inputs))
        return c[~kept] @ gain[~kept]

    def cut(
        self, call: Call, kept: np.ndarray, kept_out: np.ndarray, absorbed: np.ndarray
    ) -> Cut:
        """Drops kernel slices; the bias takes over `absorbed`, one value an output."""
        layer = call.layer
        weights = layer.get_weights()
        kernels, bias = weights[: self.kernels], weights[self.kernels :]
        changes: dict[str, Any] = {self.size: int(kept_out.sum())}
        if bias:
            bias = [(bias[0] + absorbed).astype(bias[0].dtype)[kept_out]]
        elif absorbed[kept_out].any():
            bias = [absorbed.astype(kernels[0].dtype)[kept_out]]
            changes["use_bias"] = True
        return changes, [*self._slices(kernels, kept, kept_out), *bias]

    def _slices(self, kernels, kept, kept_out):
        return [kernels[0][..., kept, :][..., kept_out]]


class Dense(Mixer):
    """Outputs are called units."""

    size = "units"


class SeparableConv(Mixer):
    """A depthwise convolution, and a dense layer at every place."""

    kernels = 2

    def links(self, layer: Any) -> tuple[np.ndarray, np.ndarray]:
        """Takes the two kernels together."""
        touch, gain = _over_space(_array(layer.depthwise_kernel))
        point = _array(layer.pointwise_kernel).reshape(*gain.shape, -1)
        both = np.einsum("im,imo->imo", touch, point != 0).any(1)
        return both, np.einsum("im,imo->io", gain, point)

    def _slices(self, kernels, kept, kept_out):
        depthwise, pointwise = kernels
        repeated = np.repeat(kept, depthwise.shape[-1])
        return [depthwise[..., kept, :], pointwise[..., repeated, :][..., kept_out]]


def _classes(*names: str) -> list[type]:
    return [getattr(layers, name) for name in names if hasattr(layers, name)]


_KINDS: dict[Any, list[type]] = {
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
    Merge(): _classes("Add", "Subtract", "Average", "Maximum", "Minimum", "Multiply"),
    Concatenate(): _classes("Concatenate"),
    BatchNormalization(): _classes("BatchNormalization"),
    DepthwiseConv(): _classes("DepthwiseConv1D", "DepthwiseConv2D"),
    Mixer(): _classes("Conv1D", "Conv2D", "Conv3D"),
    SeparableConv(): _classes("SeparableConv1D", "SeparableConv2D"),
    Dense(): _classes("Dense"),
}
_BY_CLASS = {cls: kind for kind, classes in _KINDS.items() for cls in classes}


def kind_of(call: Call) -> "Carrier | Mixer | str":
    """Returns how a call treats channels, or why it must be left whole."""
    layer = call.layer
    kind = _BY_CLASS.get(type(layer))  # a subclass may do anything
    if kind is None:
        return f"{type(layer).__name__} is not known"
    if not call.plain:
        return "called with further arguments"
    if call.shared and layer.weights:
        return "used more than once"
    if getattr(layer, "data_format", "channels_last") != "channels_last":
        return "channels come first"
    shapes = (*call.input_shapes, *call.output_shapes)
    if any(len(shape) < 2 or shape[-1] is None for shape in shapes):
        return "no fixed number of channels"
    return kind.obstacle(call) or kind


def is_elementwise(activation: Any) -> bool:
    """Whether an activation is known to treat each value by itself."""
    return activation is None or any(activation is f for f in _ELEMENTWISE)


def _mixing(activation: Any) -> str:
    name = getattr(activation, "__name__", type(activation).__name__)
    return f"{name} mixes channels, or may"


def _unexpected(layer: Any, weights: int) -> str | None:
    if len(layer.weights) == weights:
        return None
    return f"{len(layer.weights)} weights where {weights} are usual"


def _array(variable: Any) -> np.ndarray:
    return keras.ops.convert_to_numpy(variable).astype("float64")


def _bias(layer: Any) -> "np.ndarray | float":
    return _array(layer.bias) if layer.use_bias else 0.0


def _over_space(kernel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    space = tuple(range(kernel.ndim - 2))
    return (kernel != 0).any(space), kernel.sum(space)


def _absorbable(layer: Any, constants: np.ndarray) -> np.ndarray:
    """Returns the constants that are so up to the borders, where zeros are added."""
    pads = getattr(layer, "padding", "valid") != "valid"
    if pads and any(size > 1 for size in layer.kernel_size):
        return np.where(constants == 0, 0.0, np.nan)
    return np.where(np.isfinite(constants), constants, np.nan)


def _activate(activation: Any, values: np.ndarray) -> np.ndarray:
    if not is_elementwise(activation):
        return np.full_like(values, np.nan)
    known = np.isfinite(values)
    x = keras.ops.convert_to_tensor(np.where(known, values, 0).astype("float32"))
    return np.where(known, _array(activation(x) if activation else x), np.nan)


def _apply(layer: Any, constants: Sequence[np.ndarray]) -> np.ndarray:
    known = np.isfinite(constants).all(0)
    x = [np.where(known, c, 0).astype("float32")[None] for c in constants]
    value = _array(layer(x if len(x) > 1 else x[0]))[0]
    return np.where(known, value, np.nan)
