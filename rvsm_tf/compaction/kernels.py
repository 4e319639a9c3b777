"""Layers with kernels: an output is a sum over inputs, each times a weight.

The weights that would read a constant are not needed: the bias takes it over.
"""

from typing import Any

import numpy as np
from keras import layers

from ..graph import Call
from ..units import TRANSPOSED
from .constants import activate, array, is_elementwise, unexpected
from .gather import picked
from .kind import Cut, Kind, Mask, register


@register(layers.Conv1D, layers.Conv2D, layers.Conv3D)
class Mixer(Kind):
    """Dense or Conv: every output channel is a sum over input channels."""

    size = "filters"  # what the layer's configuration calls its outputs
    kernels = 1

    def obstacle(self, call: Call) -> str | None:
        """Returns that it is grouped, quantized, or the like."""
        if getattr(call.layer, "groups", 1) != 1:
            return "a convolution in groups"
        return unexpected(call.layer, self.kernels + call.layer.use_bias)

    def joins(self, call: Call) -> np.ndarray:
        """Returns that each output goes by itself."""
        return np.empty((call.channels_out, 0), int)

    def keeps(self, call: Call) -> tuple[Mask, Mask]:
        """Returns all outputs if the activation mixes them."""
        return False, not is_elementwise(call.layer.activation)

    def links(self, layer: Any) -> tuple[np.ndarray, np.ndarray]:
        """Returns two matrices, inputs × outputs.

        The first says whether a weight between the two is not zero, the second what a
        constant input of 1 adds to the output, away from borders.
        """
        return _over_space(array(layer.kernel))

    def reads(self, call: Call, constants: np.ndarray) -> np.ndarray:
        """Returns where a weight is not zero, and the bias cannot take over."""
        touch, _ = self.links(call.layer)
        return touch & np.isnan(_absorbable(call.layer, constants))[:, None]

    def constants(self, call: Call, inputs: np.ndarray) -> np.ndarray:
        """Returns the outputs that are made of constants, or of nothing."""
        touch, gain = self.links(call.layer)
        c = _absorbable(call.layer, inputs)[:, None]
        value = np.where(touch, c * gain, 0.0).sum(0) + _bias(call.layer)
        return activate(call.layer.activation, value)

    def cut(
        self, call: Call, kept: np.ndarray, kept_out: np.ndarray, constants: np.ndarray
    ) -> Cut:
        """Drops kernel slices; the bias takes over what the inputs cut add to it."""
        layer = call.layer
        _, gain = self.links(layer)
        c = np.nan_to_num(_absorbable(layer, constants))
        absorbed = c[~kept] @ gain[~kept]
        weights = layer.get_weights()
        kernels, bias = weights[: self.kernels], weights[self.kernels :]
        changes: dict[str, Any] = {self.size: int(kept_out.sum())}
        if bias:
            bias = [(bias[0] + absorbed).astype(bias[0].dtype)[kept_out]]
        elif absorbed[kept_out].any():
            bias = [absorbed.astype(kernels[0].dtype)[kept_out]]
            changes["use_bias"] = True
        return Cut(changes, [*self._slices(kernels, kept, kept_out), *bias])

    def _slices(self, kernels, kept, kept_out):
        return [kernels[0][..., kept, :][..., kept_out]]


@register(layers.Dense)
class Dense(Mixer):
    """A dense layer: each unit reads every input."""

    size = "units"

    def cut(
        self, call: Call, kept: np.ndarray, kept_out: np.ndarray, constants: np.ndarray
    ) -> Cut:
        """Drops units; a gather in front picks inputs where many rows are zero."""
        cut = super().cut(call, kept, kept_out, constants)
        kernel, *bias = cut.weights
        inputs = picked(call, kernel)
        if inputs is None:
            return cut
        return Cut(cut.changes, [kernel[list(inputs)], *bias], inputs)


@register(layers.SeparableConv1D, layers.SeparableConv2D)
class SeparableConv(Mixer):
    """A depthwise convolution, and a dense layer at every place."""

    kernels = 2

    def links(self, layer: Any) -> tuple[np.ndarray, np.ndarray]:
        """Returns the links through the depthwise and the pointwise kernel."""
        touch, gain = _over_space(array(layer.depthwise_kernel))
        point = array(layer.pointwise_kernel).reshape(*gain.shape, -1)
        both = np.einsum("im,imo->imo", touch, point != 0).any(1)
        return both, np.einsum("im,imo->io", gain, point)

    def _slices(self, kernels, kept, kept_out):
        depthwise, pointwise = kernels
        repeated = np.repeat(kept, depthwise.shape[-1])
        return [depthwise[..., kept, :], pointwise[..., repeated, :][..., kept_out]]


@register(*TRANSPOSED)
class TransposedConv(Mixer):
    """A convolution turned round: its kernel has filters in front of inputs."""

    def links(self, layer: Any) -> tuple[np.ndarray, np.ndarray]:
        """Returns the links through the kernel, inputs × outputs."""
        return _over_space(array(layer.kernel).swapaxes(-1, -2))

    def _slices(self, kernels, kept, kept_out):
        return [kernels[0][..., kept_out, :][..., kept]]


@register(layers.DepthwiseConv1D, layers.DepthwiseConv2D)
class DepthwiseConv(Kind):
    """A convolution of each channel by itself; output c·m + j comes from input c."""

    def obstacle(self, call: Call) -> str | None:
        """Returns that it is quantized, or the like."""
        return unexpected(call.layer, 1 + call.layer.use_bias)

    def joins(self, call: Call) -> np.ndarray:
        """Returns every input channel, m times."""
        return np.arange(call.channels_out)[:, None] // call.layer.depth_multiplier

    def keeps(self, call: Call) -> tuple[Mask, Mask]:
        """Returns all outputs if the activation mixes them."""
        return False, not is_elementwise(call.layer.activation)

    def constants(self, call: Call, inputs: np.ndarray) -> np.ndarray:
        """Returns a zero kernel's bias, and what constants become without borders."""
        layer = call.layer
        touch, gain = (x.ravel() for x in _over_space(array(layer.kernel)))
        c = _absorbable(layer, inputs)[self.joins(call)[:, 0]]
        value = np.where(touch, c * gain, 0.0) + _bias(layer)
        return activate(layer.activation, value)

    def cut(
        self, call: Call, kept: np.ndarray, kept_out: np.ndarray, constants: np.ndarray
    ) -> Cut:
        """Drops the kernels and biases of what is cut."""
        kernel, *bias = call.layer.get_weights()
        return Cut(weights=[kernel[..., kept, :], *(b[kept_out] for b in bias)])


def _bias(layer: Any) -> "np.ndarray | float":
    return array(layer.bias) if layer.use_bias else 0.0


def _over_space(kernel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    space = tuple(range(kernel.ndim - 2))
    return (kernel != 0).any(space), kernel.sum(space)


def _absorbable(layer: Any, constants: np.ndarray) -> np.ndarray:
    """Returns the constants that are so up to the borders, where zeros are added.

    Behind a transposed convolution no place has as many neighbours as the next.
    """
    pads = getattr(layer, "padding", "valid") != "valid"
    uneven = pads or isinstance(layer, TRANSPOSED)
    if uneven and any(size > 1 for size in layer.kernel_size):
        return np.where(constants == 0, 0.0, np.nan)
    return np.where(np.isfinite(constants), constants, np.nan)
