"""Units and inputs: what they are in a layer, and what goes with them.

Where a penalty decides on whole units (or filters), a unit's bias goes with it, and so
do the scale and the shift of a BatchNormalization that alone reads the layer: they
follow. (In a subclassed model the bias alone: who reads it is not known.) A
unit whose weights alone are zero would still be a constant, which the next layer cannot
take over if it pads its input with zeros.
"""

import dataclasses
from collections.abc import Mapping

import keras

from .channels import channels
from .graph import is_plain, read_graph
from .groups import divide
from .inside import inner_layers
from .naming import Target, kernel_of, layers_of
from .penalties import Group, Penalty

# Their kernels are (…, out, in) and (…, channels, filters of each channel).
TRANSPOSED = (
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
)
DEPTHWISE = (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D)
SEPARABLE = (keras.layers.SeparableConv1D, keras.layers.SeparableConv2D)


def penalty_of(penalty: Penalty, target: Target, net: keras.Model) -> Penalty:
    """Returns the penalty as it applies to a weight.

    Raises:
        ValueError: it is a `Group` that the weight cannot be divided into.
    """
    if not isinstance(penalty, Group):
        return penalty
    layer, groups = target.layer, penalty.groups
    is_kernel = target.w is kernel_of(layer)
    path = target.layer_path if is_kernel else target.path
    if groups in ("units", "inputs"):
        if isinstance(layer, TRANSPOSED):
            groups = "inputs" if groups == "units" else "units"
        elif isinstance(layer, SEPARABLE):
            raise ValueError(
                f"{path}: what units and inputs of a separable convolution are, two "
                "kernels decide together: split single weights"
            )
        elif hasattr(layer, "recurrent_kernel") and groups == "units":
            raise ValueError(
                f"{path}: a unit of a recurrent layer has columns of two kernels, one "
                "for each gate, and runs on without one of them: its groups are "
                "'inputs' and blocks"
            )
        elif isinstance(layer, DEPTHWISE) and groups == "units":
            raise ValueError(
                f"{path}: a depthwise convolution has a filter for each input channel "
                "and no others: its groups are 'inputs'"
            )
        elif groups == "inputs" and getattr(layer, "groups", 1) > 1:
            raise ValueError(
                f"{path}: its inputs are spread over {layer.groups} groups of filters, "
                "and lie on no axis of the kernel"
            )
    try:
        if groups == "channels":
            divide(target.w.shape, (groups, 1))
            groups = groups, channels(layer, [inner for _, inner in layers_of(net)])
        divide(target.w.shape, groups)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    bias = getattr(layer, "bias", None)
    if penalty.groups == "units" and is_kernel and bias is not None:
        count = target.w.shape[-1 if groups == "units" else -2]
        if tuple(bias.shape) != (count,):
            raise ValueError(
                f"{path}: its bias has shape {tuple(bias.shape)}, which is not one "
                f"value for each of {count} columns: a unit is none of them"
            )
    return dataclasses.replace(penalty, groups=groups)


def followers_of(
    target: Target, normalized: Mapping[int, keras.layers.Layer]
) -> tuple[keras.Variable, ...]:
    """Returns the vectors that belong to a kernel's units, one value for each."""
    layer = target.layer
    if target.w is not kernel_of(layer):
        return ()
    behind = normalized.get(id(layer))
    found = (
        getattr(layer, "bias", None),
        *(getattr(behind, name, None) for name in ("gamma", "beta")),
    )
    return tuple(v for v in found if v is not None)


def normalizations(net: keras.Model) -> dict[int, keras.layers.Layer]:
    """Returns, by a layer's id, the BatchNormalization that alone reads it.

    Empty if the graph is not known, as in a subclassed model.
    """
    try:
        graphs = [read_graph(net)]
    except ValueError:
        return {}
    # A model inside that is used twice, or told to train, has them all the same.
    inside = [x for x in inner_layers(net) if is_plain(x) and x.built]
    graphs += map(read_graph, inside)
    found: dict[int, keras.layers.Layer] = {}
    for graph in graphs:
        for call in graph.calls:
            behind = graph.only_reader(call)
            if behind is None or call.shared or behind.shared:
                continue
            layer, last = behind.layer, len(call.output_shapes[0]) - 1
            normalizes = isinstance(layer, keras.layers.BatchNormalization)
            if normalizes and layer.axis in (-1, last):
                found[id(call.layer)] = layer
    return found
