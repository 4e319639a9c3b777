"""What layers with kernels do to channels; and constants, computed.

A channel, the last axis of a tensor, is constant if it has one value at every place and
for every input. In arrays of constants NaN stands for a channel that varies.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import activations

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


class Mixer:
    """Dense or Conv: every output channel is a sum over input channels."""

    size = "filters"  # what the layer's configuration calls its outputs
    kernels = 1

    def obstacle(self, call: Call) -> str | None:
        """Returns that it is grouped, quantized, or the like."""
        if getattr(call.layer, "groups", 1) != 1:
            return "a convolution in groups"
        return unexpected(call.layer, self.kernels + call.layer.use_bias)

    def mixes_outputs(self, layer: Any) -> bool:
        """Whether the activation does."""
        return not is_elementwise(layer.activation)

    def links(self, layer: Any) -> tuple[np.ndarray, np.ndarray]:
        """Returns two matrices, inputs × outputs.

        The first says whether a weight between the two is not zero, the second what a
        constant input of 1 adds to the output, away from borders.
        """
        return _over_space(array(layer.kernel))

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
        return activate(call.layer.activation, value)

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
    """The same for a dense layer, whose outputs are called units."""

    size = "units"


class SeparableConv(Mixer):
    """A depthwise convolution, and a dense layer at every place."""

    kernels = 2

    def links(self, layer: Any) -> tuple[np.ndarray, np.ndarray]:
        """Takes the two kernels together."""
        touch, gain = _over_space(array(layer.depthwise_kernel))
        point = array(layer.pointwise_kernel).reshape(*gain.shape, -1)
        both = np.einsum("im,imo->imo", touch, point != 0).any(1)
        return both, np.einsum("im,imo->io", gain, point)

    def _slices(self, kernels, kept, kept_out):
        depthwise, pointwise = kernels
        repeated = np.repeat(kept, depthwise.shape[-1])
        return [depthwise[..., kept, :], pointwise[..., repeated, :][..., kept_out]]


class DepthwiseConv:
    """A convolution of each channel by itself; output c·m + j comes from input c."""

    def obstacle(self, call: Call) -> str | None:
        """Returns that it is quantized, or the like."""
        return unexpected(call.layer, 1 + call.layer.use_bias)

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
        touch, gain = (x.ravel() for x in _over_space(array(layer.kernel)))
        c = _absorbable(layer, inputs[0])[self.origin(call)]
        value = np.where(touch, c * gain, 0.0) + _bias(layer)
        return activate(layer.activation, value)

    def cut(self, call: Call, kept: np.ndarray, kept_out: np.ndarray) -> Cut:
        """Drops the kernels and biases of what is cut."""
        kernel, *bias = call.layer.get_weights()
        return {}, [kernel[..., kept, :], *(b[kept_out] for b in bias)]


def is_elementwise(activation: Any) -> bool:
    """Whether an activation is known to treat each value by itself."""
    return activation is None or any(activation is f for f in _ELEMENTWISE)


def mixing(activation: Any) -> str:
    """Returns what is wrong with an activation that is not elementwise."""
    name = getattr(activation, "__name__", type(activation).__name__)
    return f"{name} mixes channels, or may"


def unexpected(layer: Any, weights: int) -> str | None:
    """Returns what is wrong with a layer that does not have so many weights."""
    if len(layer.weights) == weights:
        return None
    return f"{len(layer.weights)} weights where {weights} are usual"


def array(variable: Any) -> np.ndarray:
    """Returns a variable or tensor in float64."""
    return keras.ops.convert_to_numpy(variable).astype("float64")


def _bias(layer: Any) -> "np.ndarray | float":
    return array(layer.bias) if layer.use_bias else 0.0


def _over_space(kernel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    space = tuple(range(kernel.ndim - 2))
    return (kernel != 0).any(space), kernel.sum(space)


def _absorbable(layer: Any, constants: np.ndarray) -> np.ndarray:
    """Returns the constants that are so up to the borders, where zeros are added."""
    pads = getattr(layer, "padding", "valid") != "valid"
    if pads and any(size > 1 for size in layer.kernel_size):
        return np.where(constants == 0, 0.0, np.nan)
    return np.where(np.isfinite(constants), constants, np.nan)


def activate(activation: Any, values: np.ndarray) -> np.ndarray:
    """Applies an activation to constants; behind one that mixes channels all vary."""
    if not is_elementwise(activation):
        return np.full_like(values, np.nan)
    known = np.isfinite(values)
    x = keras.ops.convert_to_tensor(np.where(known, values, 0).astype("float32"))
    return np.where(known, array(activation(x) if activation else x), np.nan)
