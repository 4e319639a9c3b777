"""Constants, computed: what activations make of them, and what can be said of weights.

In arrays of constants NaN stands for a channel that varies.
"""

from typing import Any

import keras
import numpy as np
from keras import activations

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


def activate(activation: Any, values: np.ndarray) -> np.ndarray:
    """Applies an activation to constants; behind one that mixes channels all vary."""
    if not is_elementwise(activation):
        return np.full_like(values, np.nan)
    known = np.isfinite(values)
    x = keras.ops.convert_to_tensor(np.where(known, values, 0).astype("float32"))
    return np.where(known, array(activation(x) if activation else x), np.nan)
