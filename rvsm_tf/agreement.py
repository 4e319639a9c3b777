"""Whether two models answer alike: what a copy promises, tried before it is returned.

Weights can all be in their places and the answers differ nevertheless, where a class's
configuration does not say all that its layers do. So both models answer made-up
inputs: numbers around 0, numbers as in pictures, numbers of all sizes, and whole ones.
"""

import functools
import warnings
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import ops

from .errors import in_one_line
from .graph import infer, is_plain
from .inside import inner_layers

_UNKNOWN_SIZES = (16, 64, 256)
"""Sizes tried, one after the other, where a model leaves a dimension open."""

_TOLERANCE = {"float16": 2e-2, "bfloat16": 1e-1}
_TOLERANCE_ELSE = 1e-3
"""How far answers may be apart, as a share of the largest: rounding adds up in deep
networks, most of all where channels were cut and sums run in another order."""

_NUDGE, _NOISE = 1e-6, 100
"""A network may amplify rounding further: by so many times what it makes of inputs
that are nudged by so much, answers may differ as well."""


def check(model: keras.Model, made: keras.Model, inputs: Any = None) -> None:
    """Makes sure that a model made of another one answers like it.

    Args:
        model: a built Keras model.
        made: what was made of it.
        inputs: symbolic inputs as the model's call takes them; None where its own are
            known.

    Raises:
        ValueError: they do not answer alike; the message names the first layer that
            does not.

    Warns:
        UserWarning: the model itself takes none of the inputs that were tried.
    """
    inputs = symbolic_inputs(model) if inputs is None else inputs
    reason = "what it takes is not known"
    for x in _made_up(inputs):
        try:
            expected = _answers(model, x)
        except Exception as error:  # whatever a stranger's call raises
            reason = in_one_line(error)
            continue
        try:
            found = _answers(made, x)
        except Exception as error:  # as above
            raise ValueError(
                f"{made.name!r} fails where {model.name!r}, of which it was made, "
                f"answers: {in_one_line(error)}"
            ) from error
        apart = _apart(expected, found, _allowed(model, x, expected))
        if apart is not None:
            where = _first_different(model, made, x)
            raise ValueError(
                f"{made.name!r} does not answer as it must: its outputs are off by up "
                f"to {apart:.2g}{where}; please report this with the model"
            )
        return
    warnings.warn(
        f"what was made of {model.name!r} was not tried, as the model itself takes no "
        f"made-up inputs ({reason}): compare its answers with the model's",
        stacklevel=3,
    )


def symbolic_inputs(model: keras.Model) -> Any:
    """Returns what a model's call takes, as symbolic tensors; None if not known."""
    if isinstance(model, keras.Sequential):
        return model.inputs[0] if model.built else None
    if isinstance(model, keras.Function):
        return model.input
    # A class of its own: Keras notes the shapes that it was first called with.
    shapes = (model.get_build_config() or {}).get("input_shape")
    if shapes is None:
        return None
    return keras.tree.map_shape_structure(
        lambda shape: keras.KerasTensor((None, *shape[1:]), model.compute_dtype), shapes
    )


def _made_up(inputs: Any) -> Iterator[Any]:
    """Yields inputs of three examples each, for each guess of the open sizes."""
    flat = keras.tree.flatten(inputs)
    if not flat or any(tensor is None for tensor in flat):
        return
    is_open = any(None in tensor.shape[1:] for tensor in flat)
    for size in _UNKNOWN_SIZES if is_open else _UNKNOWN_SIZES[:1]:
        rng = np.random.default_rng(0)
        values = functools.partial(_values, size=size, rng=rng)
        yield keras.tree.map_structure(values, inputs)


def _values(tensor: keras.KerasTensor, size: int, rng: np.random.Generator) -> Any:
    batch, *rest = tensor.shape
    shape = (batch or 3, *(size if n is None else n for n in rest))
    kind = keras.backend.standardize_dtype(tensor.dtype)
    if kind == "string":
        return ops.convert_to_tensor(np.full(shape, "a"))
    if not keras.backend.is_float_dtype(kind):
        return ops.cast(rng.integers(0, 2, shape), kind)
    values = rng.normal(0, 1, shape)
    values[1::3] = rng.uniform(0, 255, values[1::3].shape)
    values[2::3] *= 10 ** rng.uniform(-4, 4, values[2::3].shape)
    return ops.cast(values.astype("float32"), kind)


def _answers(model: keras.Model, x: Any) -> list[np.ndarray]:
    flat = keras.tree.flatten(infer(model, x))
    return [ops.convert_to_numpy(ops.cast(y, "float32")) for y in flat]


def _allowed(model: keras.Model, x: Any, expected: list[np.ndarray]) -> list[Any]:
    """Returns how far each answer may be off, one bound an example."""

    def nudged(value):
        kind = keras.backend.standardize_dtype(value.dtype)
        is_float = keras.backend.is_float_dtype(kind)
        return value * (1 + _NUDGE) if is_float else value

    types = {layer.compute_dtype for layer in [model, *inner_layers(model)]}
    share = max(_TOLERANCE.get(t, _TOLERANCE_ELSE) for t in types)
    noise = _answers(model, keras.tree.map_structure(nudged, x))
    return [
        np.maximum(share * _largest(y), _NOISE * _largest(_difference(y, other)))
        for y, other in zip(expected, noise)
    ]


def _apart(
    expected: list[np.ndarray], found: list[np.ndarray], allowed: list[Any]
) -> float | None:
    """Returns the largest difference if it is more than is allowed, else None."""
    worst = None
    for y, other, bound in zip(expected, found, allowed, strict=True):
        if y.shape != other.shape:
            return np.inf
        # A number that is not finite in one of them only is as far off as can be.
        difference = _difference(y, other)
        is_odd = ~np.isfinite(difference).reshape(len(bound), -1).all(axis=1)
        gap = np.where(is_odd, np.inf, _largest(difference))
        if (gap > bound).any():
            worst = max(worst or 0.0, float(gap.max()))
    return worst


def _difference(y: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Returns what two answers are apart: 0 where both overflow alike."""
    alike = (y == other) | (np.isnan(y) & np.isnan(other))
    with np.errstate(invalid="ignore"):
        return np.where(alike, 0, y - other)


def _largest(y: np.ndarray) -> np.ndarray:
    """Returns the largest finite size of a number in each example."""
    size = np.where(np.isfinite(y), np.abs(y), 0)
    size = size.reshape(len(y), -1) if y.ndim else size.reshape(1, 1)
    return size.max(axis=1, initial=0)


def _first_different(model: keras.Model, made: keras.Model, x: Any) -> str:
    """Returns which layer is the first whose output differs, as far as can be seen."""
    if not (is_plain(model) and is_plain(made)):
        return ""
    others = {layer.name: layer for layer in made.layers}
    for layer in model.layers:
        if layer.name not in others:
            continue
        try:
            heads = [
                keras.Model(m.inputs, part.output)
                for m, part in ((model, layer), (made, others[layer.name]))
            ]
            given = keras.tree.flatten(x)
            y, z = (_answers(head, given) for head in heads)
        except (AttributeError, ValueError):  # used twice
            continue
        alike = [a.shape == b.shape for a, b in zip(y, z)]
        if all(alike) and _apart(y, z, [1e-3 * _largest(a) for a in y]) is not None:
            return f", first behind the layer {layer.name!r}"
    return ""
