"""Accuracy against bytes and against latency: four ways to a small network.

python -m benchmarks.frontier --output docs/results

- rvsm: single weights of the dense layer, `--target-sparsity`.
- tfmot: magnitude pruning to the same shares of zeros, on the same batches, for as many
  steps, with the same learning rates (`--method magnitude`).
- rvsm, structured: filters and units, `--target-size` and `--target-latency-ratio`.
- from scratch: networks of the widths that the structured ones ended with, trained for
  as many epochs on the same batches.

Each model is exported by `export.convert`, and the smallest file that passed stands for
it. Its accuracy is that of the file, on the 20,000 images of test_large; latencies are
measured on all files in turns within one run. Finished runs in --runs are kept.
"""

import pathlib
import time
from typing import Any

import click
import keras
from matplotlib.figure import Figure

from commands.cli import quietly
from commands.files import replacing
from export import convert, timing
from pipelines.devices import device
from pipelines.images import data
from pipelines.recipe import design
from pipelines.recipe.recipe import Recipe
from pipelines.run import handover
from pipelines.run.config import TrainConfig
from shaky_letters.examples import CLASSES

from . import page
from .runs import accuracy, finished, shipped

SHARES = (0.9, 0.95, 0.97, 0.98, 0.99, 0.995)
TARGETS = (
    *((40_000, 0.3), (28_000, 0.215), (20_000, 0.155)),
    *((14_000, 0.12), (11_000, 0.1), (9_000, 0.09)),
)
"""Bytes and latency ratio, both to be met."""

EPOCHS, STRUCTURED_EPOCHS = 20, 45
"""Two thirds of the second are epochs of the small network, a third as long."""

PENALTY = "l0"
TEXT = """\
![curves](frontier.png)

Letters, seed 0; accuracy of the exported file on the 20,000 images of test_large, where
one standard error is 0.03 points. Each model stands with the smallest file that
`export.convert` keeps of it; where int8 and int4 strayed and were refused, that is
float16. Latency: one thread, all files in turns in one run.

One seed each. From 20 kB up both kinds of small networks are as good as the dense one,
and there is nothing to tell them apart by. Below, a network cut out of a trained one
makes fewer mistakes than one of its widths trained from scratch, down to 11 kB. At 9 kB
two filters are left in the first convolution, and which two decides: other seeds lie up
to 0.3 points away, and turn the order round. Magnitude pruning is trained with our
learning rates, and ends where splitting ends.
"""

_STYLES = (
    *(("#0b6e99", "o"), ("#9c36b5", "s")),
    *(("#d9480f", "D"), ("#2b8a3e", "^")),
)


def unstructured(share: float, folder: pathlib.Path) -> float:
    """Trains to a share of zeros; returns the sparsity."""
    config = TrainConfig(penalty=PENALTY, epochs=EPOCHS, target_sparsity=share)
    return finished(config, folder)["sparsity"]


def structured(target: tuple[int, float], folder: pathlib.Path) -> float:
    """Trains to bytes and latency; returns the sparsity."""
    size, ratio = target
    config = TrainConfig(
        penalty=PENALTY,
        epochs=STRUCTURED_EPOCHS,
        target_size=size,
        target_latency_ratio=ratio,
    )
    return finished(config, folder)["sparsity"]


def magnitude_pruned(share: float, folder: pathlib.Path) -> float:
    """Prunes to a share of zeros; returns the sparsity."""
    config = TrainConfig(method="magnitude", epochs=EPOCHS, target_sparsity=share)
    return finished(config, folder)["sparsity"]


def from_scratch(found: design.Design, folder: pathlib.Path) -> float:
    """Trains a network of a design's widths as the structured ones are fine-tuned."""
    with quietly():
        import rvsm_tf as rvsm

    config = TrainConfig(penalty="none", epochs=STRUCTURED_EPOCHS)
    file = folder / "model.keras"
    if not file.exists():
        images = data.load(data.prepare(config.dataset), "train")
        recipe = Recipe(config, None, len(images), device.detect().jit_compile)
        # As He et al. (2015) start, which suits it better than the default.
        stddev = (2 / (13 * 13 * found.widths["conv3"])) ** 0.5
        model = design.network(found.widths, config.seed, stddev)
        recipe.small(model, config.epochs).fit(
            data.training_batches(
                images, config.batch_size, config.seed, range(config.epochs)
            ),
            epochs=config.epochs,
            steps_per_epoch=len(images) // config.batch_size,
            shuffle=False,
            verbose=2,
        )
        folded = rvsm.fold(model, found.columns) if found.columns else model
        _leave(folded, config, folder)
    return 1 - _weights(found.widths) / _weights(design.FULL)


def _weights(widths: dict[str, int]) -> int:
    model = design.network(widths, 0)
    return sum(model.get_layer(name).kernel.shape.num_elements() for name in widths)


def _leave(model: keras.Model, config: TrainConfig, folder: pathlib.Path) -> None:
    """Leaves what export needs in a folder."""
    builder = data.prepare(config.dataset)
    folder.mkdir(parents=True, exist_ok=True)
    train, test = data.load(builder, "train"), data.load(builder, "test")
    kept = ("sparsity", "test_accuracy", "test_large_accuracy")
    metrics = {"epochs": config.epochs, "seed": config.seed, **dict.fromkeys(kept)}
    handover.write(folder, config, CLASSES, metrics, train, test)
    with replacing(folder / "model.keras") as draft:
        model.save(draft)


def points(runs: pathlib.Path) -> list[tuple[str, pathlib.Path, float]]:
    """Trains what is missing; returns method, folder and sparsity of each model."""
    found = []

    def add(method, name, train, argument):
        folder = runs / name
        print(f"{method}: {folder}", flush=True)
        found.append((method, folder, train(argument, folder)))

    for share in SHARES:
        add("rvsm", f"rvsm-{share}", unstructured, share)
    for share in SHARES:
        add("tfmot", f"tfmot-{share}", magnitude_pruned, share)
    for target in TARGETS:
        name = f"{target[0]}-{target[1]}"
        add("rvsm, structured", f"structured-{name}", structured, target)
        found_there = design.read(runs / f"structured-{name}")
        add("from scratch", f"scratch-{name}", from_scratch, found_there)
    return found


@click.command()
@click.option(
    "--runs",
    type=click.Path(path_type=pathlib.Path),
    default="runs/frontier",
    show_default=True,
)
@click.option("--output", type=click.Path(path_type=pathlib.Path), metavar="DIR")
def main(runs: pathlib.Path, output: pathlib.Path | None) -> None:
    """Train, export, and compare four ways to a small network."""
    start = time.perf_counter()
    config = TrainConfig(penalty="none", epochs=EPOCHS)
    dense = finished(config, runs / "dense")["test_large_accuracy"]
    found = points(runs)
    images = data.load(data.prepare(config.dataset), "test_large")
    convert.run(runs / "dense", formats=("float32",), quiet=True)
    reference = runs / "dense" / "export" / "float32.tflite"
    files = [reference, *(shipped(folder) for _, folder, _ in found)]
    timings = timing.in_turns(files)
    rows: list[dict[str, Any]] = []
    ratios = timing.ratios(timings, reference)
    trained = [("dense", runs / "dense", 0.0), *found]
    for (method, _, sparsity), file, ratio in zip(trained, files, ratios, strict=True):
        rows.append(
            {
                "method": method,
                "seed": 0,
                "file": file.name,
                "bytes": file.stat().st_size,
                "latency_ratio": round(ratio.median, 4),
                "sparsity": round(sparsity, 5),
                "test_accuracy": round(accuracy(file, images), 5),
                "dense_accuracy": round(dense, 5),
            }
        )
        print(rows[-1], flush=True)
    minutes = (time.perf_counter() - start) / 60
    print(f"{minutes:.0f} minutes")
    if output:
        curves(output / "frontier.png", rows)
        page.write(
            output,
            "frontier",
            "Accuracy against bytes and against latency",
            f"python -m benchmarks.frontier --output {output}",
            TEXT,
            rows,
        )


def curves(path: pathlib.Path, rows: list[dict[str, Any]]) -> None:
    """Draws error against bytes, and against latency, a line for each method."""
    figure = Figure(figsize=(10, 5), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    methods = list(dict.fromkeys(row["method"] for row in rows[1:]))
    for axis, key, label in zip(
        axes,
        ("bytes", "latency_ratio"),
        ("bytes of the .tflite file", "latency, dense float32 = 1"),
        strict=True,
    ):
        for method, (color, marker) in zip(methods, _STYLES, strict=True):
            some = sorted(
                (r for r in rows if r["method"] == method), key=lambda r: r[key]
            )
            axis.plot(
                [row[key] for row in some],
                [100 * (1 - row["test_accuracy"]) for row in some],
                color=color,
                marker=marker,
                label=method,
            )
        error = 100 * (1 - rows[0]["test_accuracy"])
        axis.axhline(error, color="#9aa5b1", linestyle="--", label="dense float32")
        axis.set_xscale("log")
        axis.set_xlabel(label)
        axis.grid(alpha=0.25, which="both")
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_yscale("log")
    axes[0].set_ylabel("wrong answers in 100, test_large")
    axes[0].yaxis.set_major_formatter("{x:g}")
    axes[0].yaxis.set_minor_formatter("{x:g}")
    axes[1].legend(frameon=False)
    with replacing(path) as draft:
        figure.savefig(draft, dpi=120)


if __name__ == "__main__":
    main()
