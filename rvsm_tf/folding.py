"""Neighbouring columns as channels → an equal model that runs faster on a processor.

XNNPACK, which runs `.tflite` files on processors, computes an int8 convolution of 2
filters on one channel in the time that it takes for 8 filters on 8 channels. A small
convolution that is pooled is therefore rewritten. Neighbouring columns are read as
channels, which moves nothing in memory,

    (H, W, C) → (H, W/g, g·C),

and one convolution computes several places of the output as filters of their own. Its
kernel holds the old one once for each place, and zeros around.

- In pairs: the two columns of a group; pooling stays as it is.
- By windows: all four places of each 2×2 pooling window, the convolution going down two
  rows at a time, so that pooling takes the maximum of four neighbours in memory.

What is folded was decided by timing networks of three convolutions in int8, with 1 to
32 inputs and 2 to 32 filters, one thread, x86 with AVX-512:

    inputs  filters  way               the network with n inputs, m filters
    1       ≤ 8      windows, g = 4    1, 4: 69 → 34 µs   1, 8: 68 → 45 µs
    ≤ 8     ≤ 4      windows, g = 2    4, 4: 34 → 27 µs   8, 4: 45 → 40 µs
    ≤ 8     ≤ 8      pairs             4, 8: 34 → 28 µs   8, 8: 45 → 43 µs
    more of either   left as it is     pairs would make 4, 16: 35 → 34 µs
                                       8, 16: 46 → 51 µs  16, 16: 76 → 88 µs

In float32 up to 4 filters gain as well, 78 → 61 µs, 55 → 48 µs and 98 → 80 µs in the
rows above; 8 filters gain next to nothing. 3×3 kernels grow: to 43 times their size by
windows with g = 4, to 11 times with g = 2, to 4 times in pairs.
"""

import dataclasses
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import activations, layers

from .agreement import check
from .compaction.constants import is_elementwise
from .compaction.kind import kind_of
from .copying import Part, rebuild, renewed
from .graph import Call, Graph, read_graph
from .model import RVSM

_NON_DECREASING = [
    getattr(activations, name)
    for name in (
        *("elu", "hard_sigmoid", "hard_tanh", "leaky_relu", "linear", "log_sigmoid"),
        *("relu", "relu6", "selu", "sigmoid", "softplus", "softsign", "tanh"),
    )
    if hasattr(activations, name)
]


@dataclasses.dataclass(frozen=True)
class _Block:
    """A convolution and the pooling of its output.

    Attributes:
        conv: the convolution.
        pool: the pooling, the only one that reads it.
        activation: between the two, the convolution's own or a layer's.
        spent: the layers that `activation` was taken from, which go.
    """

    conv: Call
    pool: Call
    activation: Any
    spent: tuple[Any, ...]


def fold(model: keras.Model, columns: int = 4) -> keras.Model:
    """Returns a model with the same outputs at inference, rewritten for speed.

    It is meant as the last step before an export, after all training. Small pooled
    convolutions, 3×3 or of another size, of stride 1 and padding "same", read
    neighbouring columns as channels; see the top of this file for which and why. An
    activation layer between convolution and pooling, or behind the pooling, becomes
    the convolution's if it has none: the maximum of non-decreasing values is the value
    of the maximum. Everything else stays.

    Args:
        model: a hardened network, built, sequential or functional.
        columns: how many a convolution of a single channel reads as channels: 4, which
            is fastest in int8, or 2, which keeps its kernel smaller.

    Returns:
        a plain Keras model, sequential if the model is, with the same names for what
        stays; an equal copy if there is nothing to fold. It is not compiled.

    Raises:
        ValueError: `columns` is neither 2 nor 4; the model is an RVSM, not built, or
            of a class whose call is its own, or has a layer that cannot be copied; or
            the rewritten model does not answer like it.

    Example:
        >>> net = keras.Sequential([
        ...     keras.Input((8, 8, 1)),
        ...     keras.layers.Conv2D(4, 3, padding="same", activation="relu"),
        ...     keras.layers.MaxPooling2D(),
        ... ])
        >>> folded = rvsm.fold(net)
        >>> [type(layer).__name__ for layer in folded.layers][:3]
        ['Reshape', 'Conv2D', 'Reshape']
        >>> x = np.random.default_rng(0).normal(size=(1, 8, 8, 1))
        >>> np.allclose(net(x), folded(x), atol=1e-6)
        True
    """
    if columns not in (2, 4):
        raise ValueError(f"columns must be 2 or 4, got {columns!r}")
    if isinstance(model, RVSM):
        raise ValueError(
            "an RVSM still has its dense weights: fold the sparse copy, "
            "fold(model.harden())"
        )
    graph, parts = read_graph(model), {}
    names = {call.layer.name for call in graph.calls}
    for block in _blocks(graph):
        parts.update(_folded(block, columns, names))

    def replace(layer):
        if id(layer) in parts:
            return parts[id(layer)]
        return [(renewed(layer), layer)]

    folded = rebuild(model, replace)
    check(model, folded)
    return folded


def _blocks(graph: Graph) -> Iterator[_Block]:
    """Yields the convolutions that nothing but a pooling reads."""

    def reader(call):
        """Returns the only call that reads this one, if it can be understood."""
        found = graph.only_reader(call)
        return found if found and _is_known(found) else None

    for conv in graph.calls:
        if not (_is_known(conv) and _is_foldable(conv.layer)):
            continue
        own, spent = conv.layer.activation, []
        then = reader(conv)
        between = _activation(then)
        if own is activations.linear and is_elementwise(between) and between:
            own, spent = between, [then.layer]
            then = reader(then)
        if then is None or type(then.layer) is not layers.MaxPooling2D:
            continue
        pool, then = then, reader(then)
        behind = _activation(then)
        if own is activations.linear and any(behind is f for f in _NON_DECREASING):
            own, spent = behind, [*spent, then.layer]
        parts = conv.layer, pool.layer, *spent
        if len({layer.dtype_policy.name for layer in parts}) == 1:
            yield _Block(conv, pool, own, tuple(spent))


def _is_known(call: Call) -> bool:
    return not kind_of(call).whole and not call.shared


def _is_foldable(conv: Any) -> bool:
    return (
        type(conv) is layers.Conv2D
        and conv.padding == "same"
        and conv.strides == conv.dilation_rate == (1, 1)
        and is_elementwise(conv.activation)
    )


def _activation(call: Call | None) -> Any:
    """Returns the function that an activation layer applies, None if it is none."""
    layer: Any = call.layer if call else None
    if type(layer) is layers.Activation:
        return layer.activation
    if type(layer) is layers.ReLU and not (layer.negative_slope or layer.threshold):
        return {None: activations.relu, 6: activations.relu6}.get(layer.max_value)
    return None


def _folded(block: _Block, columns: int, names: set[str]) -> dict[int, list[Part]]:
    """Returns what becomes of the layers of a block; nothing if it stays.

    Args:
        block: what is folded.
        columns: see `fold`.
        names: that the model's layers have; those of new ones are added.
    """
    way = _way(block, columns)
    if way is None:
        return {}
    group, windows = way
    conv, pool = block.conv.layer, block.pool.layer
    _, height, width, inputs = block.conv.input_shapes[0]
    if windows:  # a window's four places, at each the windows side by side in a group
        firsts = range(0, group, 2)
        places = [(i, q + j) for i in (0, 1) for j in (0, 1) for q in firsts]
    else:
        places = [(0, j) for j in range(group)]
    kernel, *bias = conv.get_weights()
    kernel = _kernel(kernel, group, places)
    folded = renewed(
        conv,
        filters=kernel.shape[-1],
        kernel_size=kernel.shape[:2],
        strides=(2, 1) if windows else (1, 1),
        activation=block.activation,
    )

    def reshape(layer: Any, what: str, shape: tuple[int, ...]) -> layers.Reshape:
        name = f"{layer.name}_{what}"
        while name in names:
            name += "_"
        names.add(name)
        return layers.Reshape(shape, dtype=layer.dtype_policy, name=name)

    read = reshape(conv, "columns", (height, width // group, group * inputs))
    if windows:
        side = group // 2 * conv.filters
        behind = [
            reshape(pool, "windows", (height // 2, 4 * width // group, side)),
            renewed(pool, pool_size=(1, 4), strides=(1, 4)),
            reshape(pool, "columns", block.pool.output_shapes[0][1:]),
        ]
    else:
        behind = [
            reshape(pool, "columns", (height, width, conv.filters)),
            renewed(pool),
        ]
    weights = [kernel, *(np.tile(b, len(places)) for b in bias)]
    return {
        id(conv): [(read, []), (folded, weights)],
        id(pool): [(layer, []) for layer in behind],
        **{id(layer): [] for layer in block.spent},
    }


def _way(block: _Block, columns: int) -> tuple[int, bool] | None:
    """Returns columns in a group and whether by windows; None if it would not pay."""
    pool, filters = block.pool.layer, block.conv.layer.filters
    _, height, width, inputs = block.conv.input_shapes[0]
    if None in (height, width) or width % 2 or inputs > 8 or filters > 8:
        return None
    windows = height % 2 == 0 and pool.pool_size == pool.strides == (2, 2)
    if windows and inputs == 1 and columns == 4 and width % 4 == 0:
        return 4, True
    return 2, windows and filters <= 4


def _kernel(
    kernel: np.ndarray, group: int, places: list[tuple[int, int]]
) -> np.ndarray:
    """Returns the kernel that computes several places of the output at once.

    Args:
        kernel: rows × columns × inputs × filters.
        group: columns that are read as channels.
        places: row and column of each place, from the first row and column of a group.

    Returns:
        rows × groups × (group · inputs) × (places · filters).
    """
    rows, columns, inputs, filters = kernel.shape
    left = (columns - 1) // 2  # where padding "same" puts the smaller half
    reach = -((left - columns + 1) // group)  # groups on either side
    height = rows + max(row for row, _ in places)
    folded = np.zeros(
        (height, 2 * reach + 1, group, inputs, len(places), filters), kernel.dtype
    )
    for n, (row, column) in enumerate(places):
        for j in range(columns):
            away, channel = divmod(column + j - left, group)
            folded[row : row + rows, reach + away, channel, :, n] = kernel[:, j]
    return folded.reshape(height, 2 * reach + 1, group * inputs, -1)
