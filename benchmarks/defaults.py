"""What `pipelines.train` reaches with its defaults, and the dense network beside it.

python -m benchmarks.defaults --output docs/results

Trains with `--penalty tl1 --a 0.1` and with `--penalty none`, three seeds each, on
letters. Finished runs in --runs are not repeated, interrupted ones are resumed.
"""

import pathlib
import statistics

import click

from pipelines.config import TrainConfig

from . import page
from .runs import finished

FIGURES = ("sparsity", "test_accuracy", "test_unseen_accuracy", "test_large_accuracy")


@click.command()
@click.option("--seeds", default=3, show_default=True)
@click.option(
    "--runs",
    type=click.Path(path_type=pathlib.Path),
    default="runs/defaults",
    show_default=True,
)
@click.option("--output", type=click.Path(path_type=pathlib.Path), metavar="DIR")
def main(seeds: int, runs: pathlib.Path, output: pathlib.Path | None) -> None:
    """Train with the defaults and dense, several seeds, and print the figures."""
    rows = []
    for seed in range(seeds):
        figures = {}
        for penalty in ("none", "tl1"):
            folder = runs / f"{penalty}-{seed}"
            config = TrainConfig(penalty=penalty, seed=seed)
            print(f"{penalty}, seed {seed}: {folder}", flush=True)
            figures[penalty] = finished(config, folder)
        for penalty, method in (("none", "dense"), ("tl1", "rvsm")):
            found, config = figures[penalty], TrainConfig(penalty=penalty)
            splitting = penalty != "none"
            rows.append(
                {
                    "dataset": config.dataset,
                    "method": method,
                    "penalty": penalty if splitting else None,
                    "a": config.a if splitting else None,
                    "lam": config.lam if splitting else None,
                    "beta": config.beta if splitting else None,
                    "seed": seed,
                    **{name: round(found[name], 5) for name in FIGURES},
                    "dense_accuracy": figures["none"]["test_accuracy"],
                }
            )
    summary = []
    for method in ("dense", "rvsm"):
        chosen = [row for row in rows if row["method"] == method]
        means = {f: statistics.mean(row[f] for row in chosen) for f in FIGURES}
        spread = {f: max(abs(row[f] - means[f]) for row in chosen) for f in FIGURES}
        summary.append(
            f"{method}, mean of {seeds} seeds (largest deviation): "
            + ", ".join(
                f"{f.replace('_', ' ')} {100 * means[f]:.2f} % (±{100 * spread[f]:.2f})"
                for f in FIGURES
            )
        )
    print("\n".join(summary))
    if output:
        page.write(
            output,
            "defaults",
            "The defaults, on letters",
            f"python -m benchmarks.defaults --seeds {seeds} --output {output}",
            "\n\n".join(summary),
            rows,
        )


if __name__ == "__main__":
    main()
