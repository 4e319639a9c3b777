"""Operations of `keras.ops` that stand in a graph like layers, such as `x + 3`.

Their classes have no public names, so they are found by the modules that Keras keeps
them in; see `rvsm_tf.inside.operations`.
"""

from typing import Any

import keras
import numpy as np

from ..graph import Call
from ..inside import operations
from .carriers import Carrier, Elementwise, Merge, applied
from .kind import Cut, register


@register(
    *operations(
        *("ops.numpy.Negative", "ops.numpy.Absolute", "ops.numpy.Sign"),
        *("ops.numpy.Square", "ops.numpy.Sqrt", "ops.numpy.Exp", "ops.numpy.Expm1"),
        *("ops.numpy.Log", "ops.numpy.Log1p", "ops.numpy.Tanh", "ops.numpy.Reciprocal"),
        *("ops.numpy.Sin", "ops.numpy.Cos", "ops.numpy.Clip", "ops.numpy.Round"),
        *("ops.nn.Relu", "ops.nn.Relu6", "ops.nn.LeakyRelu", "ops.nn.Elu"),
        *("ops.nn.Selu", "ops.nn.Celu", "ops.nn.Gelu", "ops.nn.Silu", "ops.nn.Mish"),
        *("ops.nn.Sigmoid", "ops.nn.HardSigmoid", "ops.nn.HardSilu", "ops.nn.HardTanh"),
        *("ops.nn.Softplus", "ops.nn.Softsign", "ops.nn.LogSigmoid"),
        *("ops.core.Cast", "ops.core.StopGradient", "activations.activations.ReLU"),
    )
)
class Function(Elementwise):
    """A function without parameters of its own, applied to each value by itself."""

    def obstacle(self, call: Call) -> str | None:
        """Returns that there is none."""
        return None


@register(
    *operations(
        *("ops.numpy.Add", "ops.numpy.Subtract", "ops.numpy.Multiply"),
        *("ops.numpy.TrueDivide", "ops.numpy.Divide", "ops.numpy.Power"),
        *("ops.numpy.Maximum", "ops.numpy.Minimum"),
    )
)
class Arithmetic(Merge):
    """An operation of two tensors, such as `a + b`, or of a tensor and a number."""

    def takes(self, call: Call) -> bool:
        """Whether it is given two things, each a tensor or a number."""
        return len(call.given) == 2 and all(map(_is_operand, call.given))

    def constants(self, call: Call, inputs: np.ndarray) -> np.ndarray:
        """Applies the operation where all tensors are constant."""
        left, right = call.given
        if len(call.inputs) == 2:
            return applied(call.layer, *inputs.reshape(2, -1))
        if _is_tensor(left):
            return applied(lambda x: call.layer(x, right), inputs)
        return applied(lambda x: call.layer(left, x), inputs)


@register(
    *operations(
        *("ops.numpy.Mean", "ops.numpy.Max", "ops.numpy.Min"),
        *("ops.numpy.ExpandDims", "ops.numpy.Squeeze", "ops.numpy.Transpose"),
    )
)
class Places(Carrier):
    """A mean over places, or an axis more or less, which leaves the last one alone."""

    def obstacle(self, call: Call) -> str | None:
        """Returns that it is about channels, or may be."""
        rank = max(len(call.input_shapes[0]), len(call.output_shapes[0]))
        order = getattr(call.layer, "axes", None)
        if order is not None:
            alone = order[-1] % rank == rank - 1
        else:
            axis: Any = getattr(call.layer, "axis", None)
            axes = np.atleast_1d(axis).tolist()
            alone = all(a is not None and a % rank != rank - 1 for a in axes)
        return None if alone else "is not about places alone"


@register(*operations("ops.numpy.Sum"))
class SumOfPlaces(Places):
    """A sum over places."""

    def constants(self, call: Call, inputs: np.ndarray) -> np.ndarray:
        """Returns as many times the constants as there are places, if that is known."""
        shape = call.input_shapes[0]
        places = [shape[axis] for axis in np.atleast_1d(call.layer.axis).tolist()]
        if None in places:
            return np.where(inputs == 0, 0.0, np.nan)
        return inputs * np.prod(places)


@register(*operations("ops.numpy.GetItem"))
class PartOfPlaces(Carrier):
    """A part of a tensor, `x[:, 0]`, with all of its channels."""

    def takes(self, call: Call) -> bool:
        """Whether it is given a tensor and what to take of it."""
        return len(call.given) == 2 and len(call.inputs) == 1

    def obstacle(self, call: Call) -> str | None:
        """Returns that it takes some channels alone, or may."""
        key = call.given[1] if isinstance(call.given[1], tuple) else (call.given[1],)
        plain = all(isinstance(k, (int, slice)) or k is Ellipsis for k in key)
        named = [k for k in key if k is not Ellipsis]
        to_the_end = Ellipsis in key or len(named) == len(call.input_shapes[0])
        whole = not to_the_end or not named or key[-1] in (Ellipsis, slice(None))
        return None if plain and whole else "takes some channels, or may"


@register(*operations("ops.numpy.Reshape"))
class Reshaped(Carrier):
    """A reshape that takes channels together: each occurs repeatedly."""

    def obstacle(self, call: Call) -> str | None:
        """Returns that channels are torn apart."""
        torn = call.channels_out % call.channels_in
        return "splits channels" if torn else None

    def joins(self, call: Call) -> np.ndarray:
        """Returns the channels in turns, as they lie in memory."""
        return np.arange(call.channels_out)[:, None] % call.channels_in

    def cut(
        self, call: Call, kept: np.ndarray, kept_out: np.ndarray, constants: np.ndarray
    ) -> Cut:
        """Changes the last dimension of the shape aimed at."""
        *shape, _ = call.layer.newshape
        return Cut({"newshape": (*shape, int(kept_out.sum()))})


def _is_tensor(value: Any) -> bool:
    return isinstance(value, keras.KerasTensor)


def _is_operand(value: Any) -> bool:
    """Whether a value is a tensor of the graph, or one number."""
    return _is_tensor(value) or isinstance(value, (int, float, np.number))
