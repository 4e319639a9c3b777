"""How many channels were flattened in front of a layer: read from the graph."""

from collections.abc import Iterable

import keras

from .inside import given, source

# They have weights, but leave every feature in its place.
_NORMALIZATION = (
    keras.layers.BatchNormalization,
    keras.layers.LayerNormalization,
    keras.layers.PReLU,
)


def channels(
    layer: keras.layers.Layer, network: Iterable[keras.layers.Layer] = ()
) -> int:
    """Returns the channels of what is flattened in front of a layer.

    Args:
        layer: a layer of a sequential or functional model.
        network: all layers of the network, models inside it among them.

    Raises:
        ValueError: there is no Flatten in front of the layer, or other layers than
            activations, dropout and the like are in between, or that cannot be seen,
            as in a subclassed model.
    """
    models = [model for model in network if _ends(model, "inputs")]
    found = {_flattened(tensor, models) for inputs in given(layer) for tensor in inputs}
    count = found.pop() if len(found) == 1 else None
    if count is None:
        raise ValueError(
            "groups 'channels' are for a Dense layer that stands behind a Flatten of "
            "feature maps, with nothing but activations, dropout and normalization in "
            "between; behind anything else say 'inputs', or say how many channels "
            "vary fastest: groups=('channels', 32)"
        )
    return count


def _flattened(tensor: keras.KerasTensor, models: list[keras.Model]) -> int | None:
    """Follows a tensor back to a Flatten; returns its channels, None if it has none."""
    while True:
        layer, inputs, place = source(tensor)
        if outputs := _ends(layer, "outputs"):  # into a model, at its end
            tensor = outputs[place]
            continue
        if not inputs:  # out of a model, at its beginning
            inputs = _fed(tensor, models)
        elif not isinstance(layer, keras.layers.Layer):
            return None
        elif inputs[0].shape != tensor.shape:
            return _channels_of(layer, inputs[0], tensor)
        elif layer.weights and not isinstance(layer, _NORMALIZATION):
            return None
        if len(inputs) != 1:
            return None
        tensor = inputs[0]


def _fed(
    tensor: keras.KerasTensor, models: list[keras.Model]
) -> list[keras.KerasTensor]:
    """Returns what models are given for an input of theirs, wherever they are used."""
    return [
        inputs[i]
        for model in models
        for i, own in enumerate(_ends(model, "inputs"))
        if own is tensor
        for inputs in given(model)
    ]


def _ends(layer: keras.layers.Layer, name: str) -> list[keras.KerasTensor]:
    """Returns a model's "inputs" or "outputs"; none if it is no graph of layers."""
    try:
        return getattr(layer, name) if isinstance(layer, keras.Model) else []
    except AttributeError:  # subclassed models have none
        return []


def _channels_of(
    layer: keras.layers.Layer, before: keras.KerasTensor, after: keras.KerasTensor
) -> int | None:
    """Returns the channels of what a layer makes flat, None if it does not."""
    if len(after.shape) != 2 or len(before.shape) < 3:
        return None
    if isinstance(layer, keras.layers.Flatten):  # moves channels to the end itself
        return before.shape[1 if layer.data_format == "channels_first" else -1]
    return before.shape[-1] if isinstance(layer, keras.layers.Reshape) else None
