"""How wide each layer may be for a file of a given size, or of a given speed.

Cutting filters and units out of the paper's network leads to networks of its family:
the same layers, narrower. Multiply-adds and bytes of weights are known exactly for all
of them. What else is in a file, and how long the runtime takes, is measured, on a
network with random weights of the widths in question: neither depends on their values.

Of the networks that meet a target the one is chosen with the smallest sum of 1/width
over its layers: what a layer loses by its last filters grows as it gets narrow, so that
none becomes a bottleneck.
"""

import contextlib
import dataclasses
import math
import pathlib
import tempfile
from collections.abc import Iterator
from typing import Any

import click
import keras
import numpy as np

import rvsm_tf as rvsm
from commands.cli import InputError, quietly
from commands.files import read_json, write_json
from export import timing
from rvsm_tf.litert.converter import Converter, NotApplicable
from rvsm_tf.litert.source import Examples

from ..images.images import Images
from ..run.config import STRUCTURES, TrainConfig

FULL = {"conv1": 32, "conv2": 32, "conv3": 32, "dense": 128}
"""The paper's widths: filters of the convolutions, units of the dense layer."""

FILE = "design.json"
FORMATS = ("int4", "int8")
"""What is shipped, the first that applies: no other format is smaller, or faster."""

CARD = 1600
"""Bytes that the card takes which export puts into a file, at most."""

MARGIN = 0.8
"""A latency is aimed at this share of its target: where the processor's other threads
are busy, small networks were seen to lose up to a quarter against the dense one."""

_TRIES = 16
_CLOSE = 1.1  # multiply-adds that differ by less are as good as the same
_AROUND = 4500.0  # bytes of a file that are not weights, to begin with
_EXAMPLES = 20  # to take int8's ranges from; the figures do not depend on them
_SIDES = (100, 50, 25, 13)  # of the convolutions' inputs, and of what is flattened


@dataclasses.dataclass(frozen=True)
class Design:
    """Widths that meet the targets.

    Attributes:
        widths: filters or units by layer.
        columns: of the image, that are read as channels, see `rvsm_tf.fold`; None if
            the network stays as it is.
        bytes: of the file.
        latency_ratio: against the dense float32 file.
    """

    widths: dict[str, int]
    columns: int | None
    bytes: int
    latency_ratio: float

    def __str__(self) -> str:
        names = "-".join(str(width) for width in self.widths.values())
        return f"{names}: {self.bytes:,} bytes, latency ratio {self.latency_ratio:.3f}"


def network(widths: dict[str, int], seed: int, stddev: float = 0.1) -> keras.Model:
    """Returns the paper's network in these widths."""
    *filters, units = widths.values()
    return rvsm.networks.paper_cnn(stddev, seed, tuple(filters), units)


def design(config: TrainConfig, images: Images, quiet: bool) -> Design:
    """Returns the design that a run's targets ask for.

    Raises:
        InputError: no network of the family meets them.
    """
    # Folding costs bytes and saves time.
    choices = (None,) if config.target_latency_ratio is None else (None, 2, 4)
    smallest = {n: 1 if n in _free(config) else w for n, w in FULL.items()}
    with _bench(images) as bench:
        nearest = [bench.measure(smallest, columns) for columns in choices]
        found = [d for d in nearest if _is_small(d, config) and _is_fast(d, config)]
        if not found:
            raise InputError(_unreachable(config, nearest))
        for columns in [d.columns for d in found]:
            found += _search(config, bench, columns, quiet)
    best = min(found, key=_narrowness)
    if not quiet:
        click.echo(f"aiming at {best}")
    return best


def read(folder: pathlib.Path) -> Design | None:
    """Returns the design of the run in a folder, None if it has none yet.

    Raises:
        InputError: the file is damaged.
    """
    file = folder / FILE
    if not file.exists():
        return None
    fields = read_json(file)
    whole = fields.keys() == {field.name for field in dataclasses.fields(Design)}
    if not (
        whole
        and fields["columns"] in (None, 2, 4)
        and isinstance(fields["widths"], dict)
        and list(fields["widths"]) == list(FULL)
        and all(w in range(1, FULL[name] + 1) for name, w in fields["widths"].items())
    ):
        raise InputError(f"{str(file)!r} is damaged: train again into a new folder")
    return Design(**fields)


def write(folder: pathlib.Path, found: Design) -> None:
    """Writes the design of a run into its folder."""
    write_json(folder / FILE, dataclasses.asdict(found))


def _search(
    config: TrainConfig, bench: "_Bench", columns: int | None, quiet: bool
) -> list[Design]:
    """Returns networks that meet the targets, found while looking for the widest.

    How many multiply-adds are fast enough is found by halving an interval. Time does
    not follow them closely, so that this is near the best, no more.
    """
    size, ratio = config.target_size or math.inf, config.target_latency_ratio
    work = math.inf if ratio is None else ratio * _multiply_adds(FULL)
    around, enough, many = _AROUND, 0.0, math.inf
    measured: dict[tuple[int, ...], Design] = {}
    while len(measured) < _TRIES and many > _CLOSE * enough:
        widths = _widest(config, work, size - around, columns)
        if widths is None:
            break
        key = tuple(widths.values())
        again = key in measured
        if not again:
            measured[key] = bench.measure(widths, columns)
            if not quiet:
                click.echo(f"measured {measured[key]}")
        last, used = measured[key], _multiply_adds(widths)
        fits = _is_small(last, config)
        if again and (fits or ratio is None):
            break
        around = last.bytes - _weight_bytes(widths, columns)
        if ratio is None:
            continue
        faster = MARGIN * ratio / last.latency_ratio
        if faster < 1:
            many = min(many, used)
        elif fits:
            enough = max(enough, used)
        if not enough:
            work = used * min(math.sqrt(faster), 0.97) if faster < 1 else work
        elif many < math.inf:
            work = math.sqrt(enough * many)
        else:
            work = used * max(faster, _CLOSE)
    met = measured.values()
    return [d for d in met if _is_small(d, config) and _is_fast(d, config)]


def _narrowness(found: Design) -> float:
    return sum(1 / width for width in found.widths.values())


def _is_small(found: Design, config: TrainConfig) -> bool:
    return config.target_size is None or found.bytes <= config.target_size


def _is_fast(found: Design, config: TrainConfig) -> bool:
    ratio = config.target_latency_ratio
    return ratio is None or found.latency_ratio <= MARGIN * ratio


def _unreachable(config: TrainConfig, nearest: list[Design]) -> str:
    """Returns which targets are out of reach, and what is within it."""
    size = f"--target-size {config.target_size}"
    ratio = f"--target-latency-ratio {config.target_latency_ratio}"
    parts = []
    if not any(_is_small(d, config) for d in nearest):
        least = min(d.bytes for d in nearest)
        parts.append(f"{size}: the smallest network of this family takes {least} bytes")
    if not any(_is_fast(d, config) for d in nearest):
        least = min(d.latency_ratio for d in nearest)
        asked = math.ceil(1000 * least / MARGIN) / 1000
        parts.append(
            f"{ratio}: the fastest network of this family takes {least:.3f}; ask for "
            f"{asked:.3f} or more"
        )
    if not parts:
        pairs = (f"{d.bytes} bytes at {d.latency_ratio:.3f}" for d in nearest)
        parts.append(
            f"{size} and {ratio}: the smallest networks of this family take "
            f"{' or '.join(pairs)}"
        )
    return "; ".join(parts)


def _free(config: TrainConfig) -> list[str]:
    """Returns the layers that become narrower."""
    return [name for structure in config.structures for name in STRUCTURES[structure]]


def _widest(
    config: TrainConfig, work: float, room: float, columns: int | None
) -> dict[str, int] | None:
    """Returns the widths with the smallest sum of 1/width within work and room.

    Args:
        config: says what may become narrower.
        work: multiply-adds.
        room: bytes of weights.
        columns: see `Design`.
    """
    free = _free(config)
    axes = [
        np.arange(1, w + 1) if n in free else np.array([w]) for n, w in FULL.items()
    ]
    grid = dict(zip(FULL, np.meshgrid(*axes, indexing="ij", sparse=True)))
    fits = (_multiply_adds(grid) <= work) & (_weight_bytes(grid, columns) <= room)
    if not fits.any():
        return None
    loss = np.where(fits, sum(1 / w for w in grid.values()), np.inf)
    best = np.unravel_index(loss.argmin(), loss.shape)
    return {n: int(axis[i]) for n, axis, i in zip(FULL, axes, best)}


def _multiply_adds(widths: dict[str, Any]) -> Any:
    """Returns the multiply-adds of one image; widths may be arrays."""
    a, b, c, units = widths.values()
    first, second, third, flat = (side**2 for side in _SIDES)
    convolutions = 9 * (first * a + second * a * b + third * b * c)
    return convolutions + flat * c * units + 2 * units


def _weight_bytes(widths: dict[str, Any], columns: int | None) -> Any:
    """Returns the bytes of kernels, biases and scales in a file; widths may be arrays.

    A folded kernel holds its weights several times; `rvsm_tf.folding` says when.
    """
    a, b, c, units = widths.values()
    windows = (384 / 9, 8, 8) if columns == 4 else (96 / 9, 4, 4)
    repeats, copies = _repeats(1, a, columns, windows)
    first, filters = 9 * repeats * a, copies * a
    repeats, copies = _repeats(a, b, columns, (96 / 9, 4, 4))
    second, filters = 9 * repeats * a * b, filters + copies * b
    kernels = first + second + 9 * b * c + _SIDES[-1] ** 2 * c * units / 2 + 2 * units
    return kernels + 16 * (filters + c + units)  # bias, scale and zero point of each


def _repeats(
    inputs: Any, filters: Any, columns: int | None, windows: tuple[float, int, int]
) -> tuple[Any, Any]:
    """Returns how many times its size a folded kernel has, and its filters' number.

    Args:
        inputs: of the convolution.
        filters: of it.
        columns: None if nothing is folded.
        windows: both figures where it is folded by windows, and up to how many filters
            that is so; up to 8 it is in pairs.
    """
    if columns is None:
        return 1, 1
    *figures, most = windows
    by_windows = (inputs <= 8) & (filters <= most)
    in_pairs = (inputs <= 8) & (filters <= 8)
    return tuple(
        np.where(by_windows, window, np.where(in_pairs, pair, 1))
        for window, pair in zip(figures, (4, 2), strict=True)
    )


class _Bench:
    """Where networks are written and timed, in turns with the dense float32 file."""

    def __init__(self, folder: pathlib.Path, examples: Examples):
        self._folder, self._examples = folder, examples
        self._dense = folder / "dense.tflite"
        self._write(self._dense, network(FULL, seed=0), ("float32",))

    def measure(self, widths: dict[str, int], columns: int | None) -> Design:
        """Returns what widths amount to."""
        model = network(widths, seed=0)
        # Initial biases are all zero, and a file holds equal parts once.
        random = np.random.default_rng(0)
        for weight in model.weights:
            weight.assign(weight + 0.1 * random.random(weight.shape))
        path = self._folder / "narrow.tflite"
        self._write(path, rvsm.fold(model, columns) if columns else model, FORMATS)
        timings = timing.in_turns([self._dense, path])
        ratio = timing.ratios(timings, self._dense)[1].median
        return Design(widths, columns, path.stat().st_size + CARD, round(ratio, 4))

    def _write(
        self, path: pathlib.Path, model: keras.Model, formats: tuple[str, ...]
    ) -> None:
        converter = Converter(model, self._examples)
        for name in formats:
            with quietly(), contextlib.suppress(NotApplicable):
                path.write_bytes(converter.write(name))
                return


@contextlib.contextmanager
def _bench(images: Images) -> Iterator[_Bench]:
    """Yields a bench in a folder of its own."""
    pictures = images.image[:_EXAMPLES].astype("float32") / 255
    with tempfile.TemporaryDirectory() as folder:
        yield _Bench(pathlib.Path(folder), Examples({"image": pictures}))
