"""What `compact` keeps of the networks of keras.applications.

python -m benchmarks.zoo --output docs/results

Weights are random. As training in groups leaves a network, half of the filters of each
convolution and half of the units of each dense layer are zero, and so is what a
BatchNormalization behind makes of them. The ideal is what cutting can leave: every
layer with half of its channels. Inputs and outputs of the networks stay.
"""

import pathlib
import time
from collections.abc import Iterator
from typing import Any

import click
import keras
import numpy as np

from commands.cli import Command, InputError
from commands.folder import make
from rvsm_tf.compaction import plan
from rvsm_tf.graph import Call, Graph, read_graph

from . import page

NETWORKS = {
    "VGG16": 64,
    "ResNet50": 64,
    "ResNet50V2": 64,
    "InceptionV3": 96,
    "InceptionResNetV2": 96,
    "Xception": 96,
    "DenseNet121": 64,
    "NASNetMobile": 64,
    "MobileNet": 64,
    "MobileNetV2": 64,
    "MobileNetV3Small": 64,
    "MobileNetV3Large": 64,
    "EfficientNetB0": 64,
    "EfficientNetV2B0": 64,
}
"""Names in keras.applications, and the pictures' width and height, pixels."""

_DEPTHWISE = (keras.layers.DepthwiseConv2D,)
_TEXT = """\
Kept is the share of the weights, and of the multiply-adds of convolutions and dense
layers, that `rvsm_tf.compact` leaves; ideal is the least that cutting channels can.
Half of the channels go in every layer, the same in layers that are added to each other.
The difference is that of the answers to random pictures, as a share of the largest one.
"""


def halve(model: keras.Model) -> dict[int, np.ndarray]:
    """Gives a network random weights, half of its channels zero.

    Returns:
        by the number of each tensor in the network's graph which channels live.
    """
    rng = np.random.default_rng(0)
    graph = read_graph(model)
    living = {t: np.ones(graph.shapes[t][-1], bool) for t in graph.inputs}
    answers = _answers(graph)
    for call in graph.calls:
        found = _living(call, [living[t] for t in call.inputs])
        if answers & set(call.outputs):
            found = np.ones_like(found)
        living.update(dict.fromkeys(call.outputs, found))
        if isinstance(call.layer, keras.layers.Layer) and call.layer.weights:
            _fill(call.layer, found, rng)
    return living


def count(graph: Graph, living: dict[int, np.ndarray]) -> tuple[int, int]:
    """Returns the weights, and the multiply-adds, of what lives.

    Args:
        graph: of the network.
        living: see `halve`.
    """
    weights, operations = 0, 0
    for call in graph.calls:
        inputs = sum(int(living[t].sum()) for t in call.inputs)
        outputs = int(living[call.outputs[0]].sum())
        for weight in getattr(call.layer, "weights", ()):
            lengths = [*weight.shape]
            if len(lengths) < 2:
                lengths[-1:] = [outputs] if lengths and lengths[-1] > 1 else [1]
            elif isinstance(call.layer, _DEPTHWISE) or _is_depthwise(weight):
                lengths[-2:] = [inputs, lengths[-1]]
            else:
                lengths[-2:] = [inputs, outputs]
            size = int(np.prod(lengths))
            weights += size
            if len(lengths) > 1:
                operations += size * int(np.prod(call.output_shapes[0][1:-1]))
    return weights, operations


def all_living(graph: Graph) -> dict[int, np.ndarray]:
    """Returns that every channel lives."""
    return {t: np.ones(shape[-1], bool) for t, shape in enumerate(graph.shapes)}


def row_of(name: str, size: int) -> dict[str, Any]:
    """Makes, cuts and compares a network; returns its row."""
    make_network = getattr(keras.applications, name)
    model = make_network(weights=None, input_shape=(size, size, 3))
    living, graph = halve(model), read_graph(model)
    whole, least = count(graph, all_living(graph)), count(graph, living)
    start = time.perf_counter()
    planned = plan(model)
    smaller = planned.apply()
    seconds = time.perf_counter() - start
    left = read_graph(smaller)
    kept = count(left, all_living(left))
    x = np.random.default_rng(1).uniform(0, 255, (4, size, size, 3)).astype("float32")
    expected, found = (m.predict(x, verbose=0) for m in (model, smaller))
    away = float(np.abs(found - expected).max() / np.abs(expected).max())
    return {
        "network": name,
        "weights": f"{whole[0]:,}",
        "kept": f"{kept[0] / whole[0]:.1%}",
        "ideal": f"{least[0] / whole[0]:.1%}",
        "of_the_ideal": round(kept[0] / least[0], 3),
        "multiply_adds_kept": f"{kept[1] / whole[1]:.1%}",
        "their_ideal": f"{least[1] / whole[1]:.1%}",
        "difference": f"{away:.0e}",
        "seconds": round(seconds, 1),
        "left_whole": ", ".join(sorted({r.whole for r in planned.layers if r.whole})),
    }


def _living(call: Call, inputs: list[np.ndarray]) -> np.ndarray:
    """Returns which channels of a call's output live."""
    size = call.output_shapes[0][-1]
    if _has_kernel(call) and not isinstance(call.layer, _DEPTHWISE):
        return np.arange(size) % 2 == 1  # so they are alike side by side
    together = np.concatenate(inputs)
    if len(inputs) > 1 and len(together) == size:  # side by side
        return together
    if len(inputs) > 1:  # added up, or one times the other
        return np.any([x for x in inputs if len(x) == size], axis=0)
    return np.resize(together, size)  # the same, or flattened


def _answers(graph: Graph) -> set[int]:
    """Returns the tensors that the network's answers are, but for activations."""
    found = set(graph.outputs)
    for call in reversed(graph.calls):
        if found & set(call.outputs) and not _has_kernel(call):
            found |= set(call.inputs)
    return found


def _has_kernel(call: Call) -> bool:
    return any(len(w.shape) > 1 for w in getattr(call.layer, "weights", ()))


def _is_depthwise(weight: keras.Variable) -> bool:
    """Whether a weight is the first kernel of a separable convolution."""
    return weight.name == "depthwise_kernel"


def _fill(layer: keras.layers.Layer, living: np.ndarray, rng) -> None:
    """Draws a layer's weights; those of outputs that do not live are zero."""
    values = []
    for weight in layer.weights:
        fan_in = max(1, int(np.prod(weight.shape[:-1])))
        if len(weight.shape) > 1:
            last = isinstance(layer, _DEPTHWISE) or _is_depthwise(weight)
            spread = (2 / (np.prod(weight.shape[:2]) if last else fan_in)) ** 0.5
            value = rng.normal(0, spread, weight.shape)
            if isinstance(layer, _DEPTHWISE):
                value[..., ~living, :] = 0
            elif not last:
                value[..., ~living] = 0
        else:
            middle = weight.name in ("gamma", "moving_variance", "variance")
            value = rng.normal(float(middle), 0.1, weight.shape)
            if len(value.shape) and len(value) == len(living):
                value[~living] = float(weight.name == "moving_variance")
        values.append(value)
    layer.set_weights(values)


def rows_of(names: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Yields the row of each network, by its name in `NETWORKS`."""
    for name in names:
        yield row_of(name, NETWORKS[name])
        keras.backend.clear_session()


@click.command(cls=Command)
@click.option("--only", multiple=True, help="Name of a network; as often as you like.")
@page.output_option("zoo.md and zoo.json")
def main(only: tuple[str, ...], output: pathlib.Path) -> None:
    """Cut channels out of the networks of keras.applications."""
    for name in only:
        if name not in NETWORKS:
            raise InputError(
                f"no network {name!r} here: choose from {', '.join(NETWORKS)}"
            )
    make(output)
    rows = []
    for row in rows_of(only or tuple(NETWORKS)):
        click.echo(f"{row['network']}: kept {row['kept']}, ideal {row['ideal']}")
        rows.append(row)
    words = "".join(f" --only {name}" for name in only)
    command = f"python -m benchmarks.zoo{words} --output {output}"
    page.write(
        output, "zoo", "Channels cut out of known networks", command, _TEXT, rows
    )
    click.echo(f"in {output}: zoo.md, zoo.json")


if __name__ == "__main__":
    main()
