"""What filters and units that are cut out leave for a tablet.

python -m benchmarks.structure --output docs/results

Trains on letters with `--penalty l0 --target-size 14kB --target-latency-ratio 0.1`, and
dense, several seeds. Accuracy is that of the exported files on test_large; a seed's
files are timed in turns within one run. Finished runs are kept.
"""

import pathlib
import statistics
from typing import Any

import click

from commands.cli import quietly
from commands.files import read_json
from export import convert
from pipelines.run.config import TrainConfig

from . import page
from .runs import accuracy, finished, shipped

TARGETS = {"target_size": 14_000, "target_latency_ratio": 0.1}


def rows_of(seed: int, runs: pathlib.Path) -> list[dict[str, Any]]:
    """Trains and exports one seed; returns a row for the dense and the small file."""
    dense, small = (runs / "structure" / f"{name}-{seed}" for name in ("none", "l0"))
    figures = {}
    for folder, config in (
        (dense, TrainConfig(penalty="none", epochs=30, seed=seed)),
        (small, TrainConfig(penalty="l0", epochs=60, seed=seed, **TARGETS)),
    ):
        print(folder, flush=True)
        figures[folder] = finished(config, folder)
    with quietly():
        from export import timing
        from export.size import zip_bytes
        from pipelines.images import data

    exported = runs / "structure" / f"dense-{seed}"
    convert.run(dense, exported, formats=("float32",), quiet=True)
    files = {dense: exported / "float32.tflite", small: shipped(small)}
    images = data.load(data.prepare("letters"), "test_large")
    ratios = timing.ratios(timing.in_turns(list(files.values())), files[dense])
    widths = read_json(small / "design.json")["widths"].values()
    return [
        {
            "method": method,
            "seed": seed,
            "widths": names,
            "file": files[folder].name,
            "bytes": files[folder].stat().st_size,
            "zip_bytes": zip_bytes(files[folder]),
            "latency_ratio": round(ratio.median, 4),
            "sparsity": round(figures[folder]["sparsity"], 5),
            "keras_accuracy": round(figures[folder]["test_large_accuracy"], 5),
            "test_accuracy": round(accuracy(files[folder], images), 5),
            "test_unseen_accuracy": figures[folder]["test_unseen_accuracy"],
            "train_seconds": figures[folder]["train_seconds"],
        }
        for method, folder, names, ratio in zip(
            ("dense", "rvsm, structured"),
            (dense, small),
            ("32-32-32-128", "-".join(map(str, widths))),
            ratios,
            strict=True,
        )
    ]


def summary(rows: list[dict[str, Any]]) -> str:
    """Returns the means over the seeds, lowest and highest beside them."""
    lines = ["| | bytes | latency ratio | accuracy, test_large |", "|---|---|---|---|"]
    for method in dict.fromkeys(row["method"] for row in rows):
        some = [row for row in rows if row["method"] == method]

        def over(key: str, text: str, scale: float = 1, some=some) -> str:
            values = [scale * row[key] for row in some]
            mean, low, high = statistics.mean(values), min(values), max(values)
            return " ".join(
                (text.format(mean), f"({text.format(low)} to {text.format(high)})")
            )

        lines.append(
            f"| {method} | {over('bytes', '{:,.0f}')} "
            f"| {over('latency_ratio', '{:.3f}')} "
            f"| {over('test_accuracy', '{:.2f} %', 100)} |"
        )
    return "\n".join(lines)


@click.command()
@click.option("--seeds", default=3, show_default=True)
@click.option(
    "--runs",
    type=click.Path(path_type=pathlib.Path),
    default="runs",
    show_default=True,
)
@click.option("--output", type=click.Path(path_type=pathlib.Path), metavar="DIR")
def main(seeds: int, runs: pathlib.Path, output: pathlib.Path | None) -> None:
    """Train, export and compare, several seeds."""
    rows = [row for seed in range(seeds) for row in rows_of(seed, runs)]
    table = summary(rows)
    print(table)
    if output:
        page.write(
            output,
            "structure",
            "Filters and units cut out: 14 kB, a tenth of the time",
            f"python -m benchmarks.structure --seeds {seeds} --output {output}",
            "Letters; mean over the seeds, lowest and highest in brackets; accuracy of "
            "the exported file on 20,000 images; latency on one thread, dense float32 "
            f"= 1, both files of a seed in turns in one run.\n\n{table}\n\nEvery file:",
            rows,
        )


if __name__ == "__main__":
    main()
