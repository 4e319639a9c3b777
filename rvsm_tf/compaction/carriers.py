"""Layers that carry channels on, one class here per way of doing so.

What is cut must be cut along the whole way: filter k, its bias and its
BatchNormalization, channel k of the sum that it is added to.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers

from ..graph import Call
from ..inside import operations
from ..turns import MeanOverTurns, QuarterTurns
from .constants import array, is_elementwise, mixing, unexpected
from .kind import Cut, Kind, register


@register(
    *(layers.Dropout, layers.GaussianDropout, layers.GaussianNoise),
    *(layers.AlphaDropout, layers.ActivityRegularization, layers.Identity),
    *(layers.SpatialDropout1D, layers.SpatialDropout2D, layers.SpatialDropout3D),
    *(layers.MaxPooling1D, layers.MaxPooling2D, layers.MaxPooling3D),
    *(layers.AveragePooling1D, layers.AveragePooling2D, layers.AveragePooling3D),
    *(layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D, layers.GlobalMaxPooling3D),
    layers.GlobalAveragePooling1D,
    layers.GlobalAveragePooling2D,
    layers.GlobalAveragePooling3D,
    *(layers.Cropping1D, layers.Cropping2D, layers.Cropping3D),
    *(layers.UpSampling1D, layers.UpSampling2D, layers.UpSampling3D),
    *(QuarterTurns, MeanOverTurns),
)
class Carrier(Kind):
    """Output channel k comes from input channel k, whose constant it keeps."""

    def constants(self, call: Call, inputs: np.ndarray) -> np.ndarray:
        """Returns those of the channels that the outputs come from."""
        return inputs[self.joins(call)[:, 0]]


@register(layers.Activation, layers.ReLU, layers.LeakyReLU, layers.ELU)
class Elementwise(Carrier):
    """An activation without parameters, applied to each value by itself."""

    def obstacle(self, call: Call) -> str | None:
        """Returns that a function mixes channels, or may."""
        activation = getattr(call.layer, "activation", None)
        return None if is_elementwise(activation) else mixing(activation)

    def constants(self, call: Call, inputs: np.ndarray) -> np.ndarray:
        """Applies the layer to the constants."""
        return applied(call.layer, inputs)


@register(layers.Rescaling)
class Rescaling(Elementwise):
    """A scale and an offset, one number each for all channels."""

    def obstacle(self, call: Call) -> str | None:
        """Returns that channels have numbers of their own."""
        alike = np.ndim(call.layer.scale) == np.ndim(call.layer.offset) == 0
        return None if alike else "scales each channel by itself"


@register(layers.PReLU)
class PReLU(Carrier):
    """Slopes for what is negative, each of a channel, of a place, or of both."""

    def constants(self, call: Call, inputs: np.ndarray) -> np.ndarray:
        """Applies the slopes to the constants, if places do not differ in them."""
        slopes = array(call.layer.alpha)
        slopes = slopes.reshape(-1, slopes.shape[-1])
        alike = (slopes == slopes[0]).all(0)
        negative = np.where(alike, slopes[0] * inputs, np.nan)
        return np.where(inputs >= 0, inputs, negative)

    def cut(
        self, call: Call, kept: np.ndarray, kept_out: np.ndarray, constants: np.ndarray
    ) -> Cut:
        """Drops the slopes of what is cut."""
        (slopes,) = call.layer.get_weights()
        return Cut(weights=[slopes if slopes.shape[-1] == 1 else slopes[..., kept]])


@register(layers.InputLayer)
class NestedInput(Carrier):
    """Where a model inside the model takes what it is given."""

    def obstacle(self, call: Call) -> str | None:
        """Returns that it is given several things, which may lose other channels."""
        return "used more than once" if call.shared else None

    def cut(
        self, call: Call, kept: np.ndarray, kept_out: np.ndarray, constants: np.ndarray
    ) -> Cut:
        """Changes how many channels it takes."""
        *shape, _ = call.layer.batch_shape
        return Cut({"batch_shape": (*shape, int(kept.sum()))})


@register(layers.ZeroPadding1D, layers.ZeroPadding2D, layers.ZeroPadding3D)
class Padding(Carrier):
    """Zeros around: only a constant zero stays constant."""

    def constants(self, call: Call, inputs: np.ndarray) -> np.ndarray:
        """Returns zero where it was."""
        return np.where(inputs == 0, 0.0, np.nan)


@register(layers.Flatten, layers.Reshape)
class Reshape(Carrier):
    """Flatten, or a reshape that takes channels together: each occurs repeatedly."""

    def obstacle(self, call: Call) -> str | None:
        """Returns that channels are torn apart, or that a shared layer would change."""
        if call.channels_out % call.channels_in:
            return "splits channels"
        if call.shared and "target_shape" in call.layer.get_config():
            return "used more than once"
        return None

    def joins(self, call: Call) -> np.ndarray:
        """Returns the channels in turns, as they lie in memory."""
        return np.arange(call.channels_out)[:, None] % call.channels_in

    def cut(
        self, call: Call, kept: np.ndarray, kept_out: np.ndarray, constants: np.ndarray
    ) -> Cut:
        """Changes the last dimension of the shape aimed at."""
        shape = call.layer.get_config().get("target_shape")
        if shape is None:
            return Cut()
        return Cut({"target_shape": (*shape[:-1], int(kept_out.sum()))})


@register(
    *(layers.Add, layers.Subtract, layers.Multiply),
    *(layers.Average, layers.Maximum, layers.Minimum),
    # a + b · scale, with a number for scale
    *operations("applications.inception_resnet_v2.CustomScaleLayer"),
)
class Merge(Carrier):
    """Channel k of the output is made of channel k of every input."""

    def obstacle(self, call: Call) -> str | None:
        """Returns that a channel is spread over several."""
        if len({shape[-1] for shape in call.input_shapes}) > 1:
            return "broadcasts channels"
        return None

    def joins(self, call: Call) -> np.ndarray:
        """Returns channel k of every input."""
        return np.arange(call.channels_in).reshape(-1, call.channels_out).T

    def constants(self, call: Call, inputs: np.ndarray) -> np.ndarray:
        """Applies the layer where all inputs are constant."""
        return applied(call.layer, [*inputs.reshape(-1, call.channels_out)])


@register(layers.Concatenate, *operations("ops.numpy.Concatenate"))
class Concatenate(Carrier):
    """The inputs' channels, one input after the other."""

    def obstacle(self, call: Call) -> str | None:
        """Returns that it is not channels that are joined."""
        if call.layer.axis not in (-1, len(call.output_shapes[0]) - 1):
            return f"joins along axis {call.layer.axis}, not along channels"
        return None


@register(layers.BatchNormalization)
class BatchNormalization(Carrier):
    """A scale and a shift for each channel."""

    def obstacle(self, call: Call) -> str | None:
        """Returns that it is not channels that are normalized."""
        layer = call.layer
        if layer.axis not in (-1, len(call.output_shapes[0]) - 1):
            return f"normalizes axis {layer.axis}, not channels"
        return unexpected(layer, 2 + layer.scale + layer.center)

    def constants(self, call: Call, inputs: np.ndarray) -> np.ndarray:
        """Scales and shifts; a channel with γ = 0 has become constant."""
        layer = call.layer
        scale = 1 / np.sqrt(array(layer.moving_variance) + layer.epsilon)
        if layer.scale:
            scale = scale * array(layer.gamma)
        shift = -array(layer.moving_mean) * scale
        if layer.center:
            shift = shift + array(layer.beta)
        return np.where(scale == 0, shift, inputs * scale + shift)

    def cut(
        self, call: Call, kept: np.ndarray, kept_out: np.ndarray, constants: np.ndarray
    ) -> Cut:
        """Drops the parameters of what is cut."""
        return Cut(weights=[w[kept] for w in call.layer.get_weights()])


def applied(layer: Callable, *arguments: Any) -> np.ndarray:
    """Calls a layer with constants: arrays, or a list of them, one per input."""
    known = np.isfinite(keras.tree.flatten(arguments)).all(0)
    x = keras.tree.map_structure(
        lambda c: np.where(known, c, 0).astype("float32")[None], arguments
    )
    return np.where(known, array(layer(*x))[0], np.nan)
