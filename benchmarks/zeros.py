"""Zeros on `hands`: splitting, magnitude pruning, and networks that are small at once.

python -m benchmarks.zeros --output docs/results

All train on the same batches for as many epochs, with the same rates, from the same
initial weights where the network is the same:

- dense: `--penalty none`
- rvsm: `--penalty tl1 --target-sparsity`, and `--saliency fisher`, as is usual there
- rvsm, by size: the same with `--saliency magnitude`
- rvsm, l1: the first with `--penalty l1`
- magnitude: tensorflow-model-optimization's, `--method magnitude`, to the same shares
- rvsm, structured: whole filters and units, cut out before the last epochs, so many
  that about as many weights are left
- small: dense networks with so few filters and units from the beginning, that no fewer
  weights are trained than the others have left

Rows of the page that stands in --output are kept, and what is missing is trained: seeds
and shares can be added, on another day or machine. Finished runs in --runs are kept,
too; what was killed goes on, or starts that run anew.
"""

import bisect
import dataclasses
import functools
import math
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import click
import keras

import rvsm_tf as rvsm
from commands.cli import Command
from commands.files import read_json, write_json
from commands.folder import make
from commands.markdown import table
from pipelines.devices import device
from pipelines.experiments.spread import spread
from pipelines.images import data
from pipelines.images.images import Images
from pipelines.recipe.families import TREMOR, Family
from pipelines.recipe.recipe import Recipe, penalty
from pipelines.run.answers import classify
from pipelines.run.config import TrainConfig

from . import page
from .runs import finished

DATASET = "hands"
SHARES = (0.9, 0.95, 0.98, 0.99)
PENALTY = "tl1"
SPLITS = ("test_large", "test_unseen")

_FIGURES = "figures.json"  # in the folder of a network that no run trains

# What κ adds up to while filters and units are driven to zero, as in runs by saliency.
_PULL = 120.0


def small(share: float, config: TrainConfig, folder: pathlib.Path) -> dict[str, Any]:
    """Trains a network with about as many weights as a share of zeros leaves."""
    filters, units = widths(share)

    def build(config, stddev, classes):
        return rvsm.networks.tremor_cnn(config.seed, filters, units, classes)

    def train(recipe, images):
        with device.computing_in(device.detect().precision):
            model = recipe.whole()
        _fit(model, config, images, range(config.epochs))
        return _in_float32(model, recipe)

    return _kept(train, config, folder, dataclasses.replace(TREMOR, build=build))


def structured(
    share: float, config: TrainConfig, folder: pathlib.Path
) -> dict[str, Any]:
    """Drives filters and units to zero, cuts them out and fine-tunes what is left.

    Each layer keeps the same share of them, so that about as many weights are left as
    a share of zeros leaves.
    """

    def train(recipe, images):
        before = recipe.splitting_epochs
        steps = len(images) // config.batch_size * before
        target = rvsm.TargetSparsity(1 - _narrower(share), recipe.ramp)
        group = rvsm.Group(penalty(config), "units")
        with device.computing_in(device.detect().precision):
            keras.utils.set_random_seed(config.seed)
            net = recipe.network()
            grouped = [x.name for x in net.layers if x.name.startswith("conv")]
            split = dict.fromkeys([*grouped, "dense"], (group, target))
            model = rvsm.RVSM(
                net, split, lam=0, kappa=_PULL / steps, saliency=config.saliency
            )
        recipe.driven(model)
        _fit(model, config, images, range(before))
        sparse = rvsm.compact(_in_float32(model.harden(), recipe))
        recipe.small(sparse, config.epochs - before)
        _fit(sparse, config, images, range(before, config.epochs))
        return sparse

    return _kept(train, config, folder)


def _kept(
    train: Callable[[Recipe, Images], keras.Model],
    config: TrainConfig,
    folder: pathlib.Path,
    family: Family = TREMOR,
) -> dict[str, Any]:
    """Returns the figures of what no run trains; trains it where there are none."""
    if (folder / _FIGURES).is_file():
        return read_json(folder / _FIGURES)
    builder = data.prepare(config.dataset)
    images = data.load(builder, "train")
    jit_compile = device.detect().jit_compile
    network = train(
        Recipe(config, None, len(images), jit_compile, family=family), images
    )
    summary = rvsm.summarize(network)
    found = {"nonzero_weights": summary.weights - summary.zeros}
    for split in SPLITS:
        images = data.load(builder, split)
        right = classify(network, images) == images.label
        found[f"{split}_accuracy"] = float(right.mean())
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / _FIGURES, found)
    return found


def _fit(
    model: keras.Model, config: TrainConfig, images: Images, epochs: range
) -> None:
    """Shows a compiled model the batches that a run shows it in these epochs."""
    model.fit(
        data.training_batches(images, config.batch_size, config.seed, epochs),
        initial_epoch=epochs.start,
        epochs=epochs.stop,
        steps_per_epoch=len(images) // config.batch_size,
        shuffle=False,
        verbose=2,
    )


def _in_float32(model: keras.Model, recipe: Recipe) -> keras.Model:
    plain = recipe.network()
    plain.set_weights(model.get_weights())
    return plain


def widths(share: float) -> tuple[tuple[int, ...], int]:
    """Returns filters and units of the smallest network with no fewer weights.

    Args:
        share: of zeros, in the kernels that are split, of what it is compared with.
    """
    full = rvsm.networks.tremor_cnn()
    convolutions = [x for x in full.layers if isinstance(x, keras.layers.Conv2D)]
    split = [x.kernel for x in (*convolutions[1:], full.get_layer("dense"))]
    left = full.count_params() - share * sum(math.prod(w.shape) for w in split)

    def narrowed(percent):
        filters = (max(1, round(x.filters * percent / 100)) for x in convolutions)
        units = full.get_layer("dense").units
        return tuple(filters), max(1, round(units * percent / 100))

    def weights(percent):
        return rvsm.networks.tremor_cnn(0, *narrowed(percent)).count_params()

    return narrowed(bisect.bisect_left(range(100), left, key=weights))


def _narrower(share: float) -> float:
    """Returns the share of filters that a share of zeros stands for.

    A kernel has inputs times outputs.
    """
    return (1 - share) ** 0.5


def rows_of(
    seed: int,
    epochs: int,
    shares: tuple[float, ...],
    runs: pathlib.Path,
    known: list[dict[str, Any]],
) -> Iterator[dict[str, Any]]:
    """Yields a row for each network of a seed; trains those that are not known."""
    common = {"dataset": DATASET, "epochs": epochs, "seed": seed}
    common |= {"batch_size": 64, "learning_rate": 2e-3}
    dense = TrainConfig(penalty="none", **common)

    def row(method, share, name, train):
        what = {"method": method, "seed": seed, "share": share, "epochs": epochs}
        for old in known:
            if what.items() <= old.items():
                return old
        folder = runs / f"{name}-seed{seed}"
        print(f"{method}: {folder}", flush=True)
        found = train(folder)
        accuracies = {s: found[f"{s}_accuracy"] for s in SPLITS}
        return {**what, "weights": found["nonzero_weights"], **accuracies}

    yield row("dense", None, "dense", functools.partial(finished, dense))
    for share in shares:
        target = {"target_sparsity": share, **common}
        split, l1 = (
            TrainConfig(penalty=p, saliency="fisher", **target) for p in (PENALTY, "l1")
        )
        by_size = dataclasses.replace(split, saliency="magnitude")
        pruned = TrainConfig(method="magnitude", **target)
        for method, train in (
            ("rvsm", functools.partial(finished, split)),
            ("rvsm, by size", functools.partial(finished, by_size)),
            ("rvsm, l1", functools.partial(finished, l1)),
            ("magnitude", functools.partial(finished, pruned)),
            ("rvsm, structured", functools.partial(structured, share, split)),
            ("small", functools.partial(small, share, dense)),
        ):
            name = method.replace(",", "").replace(" ", "-")
            yield row(method, share, f"{name}-{share}", train)


def text(rows: list[dict[str, Any]], epochs: int) -> str:
    """Returns the page's text: means over seeds, and who is ahead of whom."""
    lines = []
    for share, method in dict.fromkeys((r["share"], r["method"]) for r in rows):
        some = [r for r in rows if (r["share"], r["method"]) == (share, method)]
        weights = sorted(r["weights"] for r in some)[len(some) // 2]
        shares = [spread([r[split] for r in some]) for split in SPLITS]
        zeros = "" if share is None else f"{share:.0%}"
        lines.append([zeros, method, f"{weights:,}", *shares])
    heads = ["zeros", "method", "weights left", *(f"{s}, %" for s in SPLITS)]
    ahead = []
    for share in dict.fromkeys(r["share"] for r in rows if r["share"] is not None):
        by = {
            (r["method"], r["seed"]): r["test_large"]
            for r in rows
            if r["share"] == share
        }
        seeds = sorted({seed for _, seed in by})
        each = [
            f"{other} {_points([by['rvsm', s] - by[other, s] for s in seeds])}"
            for other in dict.fromkeys(m for m, _ in by if m != "rvsm")
        ]
        ahead.append(f"- {share:.0%}: {', '.join(each)}")
    return "\n\n".join(
        [
            f"Drawings in twins that differ in tremor alone; {epochs} epochs, no run "
            "started from another. Mean over seeds, with the lowest and the highest; "
            "one standard error of a share of `test_large` is 0.2 points.",
            table(heads, lines),
            "By how many points splitting is ahead on `test_large`, seed by seed:",
            "\n".join(ahead),
        ]
    )


def _points(differences: list[float]) -> str:
    return " ".join(f"{100 * value:+.2f}" for value in differences)


@click.command(cls=Command)
@click.option("--seeds", type=click.IntRange(1), default=3, show_default=True)
@click.option("--epochs", type=click.IntRange(2), default=8, show_default=True)
@click.option(
    "--shares",
    default=",".join(map(str, SHARES)),
    show_default=True,
    help="Of zeros in the kernels that are split, with commas.",
)
@click.option(
    "--runs",
    type=click.Path(path_type=pathlib.Path),
    default="runs/zeros",
    show_default=True,
)
@page.output_option("zeros.md and zeros.json")
def main(
    seeds: int, epochs: int, shares: str, runs: pathlib.Path, output: pathlib.Path
) -> None:
    """Compare ways to a small network on drawings where differences show."""
    try:
        asked = tuple(float(share) for share in shares.split(","))
    except ValueError:
        raise click.BadParameter(
            f"{shares!r} has something else than numbers with commas: give 0.9,0.95",
            param_hint="--shares",
        ) from None
    make(output)
    known = page.read_rows(output, "zeros")
    command = (
        f"python -m benchmarks.zeros --seeds {seeds} --epochs {epochs} "
        f"--shares {shares} --output {output}"
    )
    title = "Zeros where differences show"
    rows = [row for s in range(seeds) for row in rows_of(s, epochs, asked, runs, known)]
    page.write(output, "zeros", title, command, text(rows, epochs), rows, tabled=False)
    click.echo(f"in {output}: zeros.md, zeros.json")


if __name__ == "__main__":
    main()
