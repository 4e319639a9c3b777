"""How many images a second the generator makes on one core.

python -m benchmarks.generator --output docs/results
"""

import os
import pathlib
import statistics
import time

import click

from commands.cli import quietly

from . import page


@click.command()
@click.option("--images", default=1000, show_default=True, help="Images per round.")
@click.option("--rounds", default=7, show_default=True)
@click.option("--output", type=click.Path(path_type=pathlib.Path), metavar="DIR")
def main(images: int, rounds: int, output: pathlib.Path | None) -> None:
    """Print images per second on one core, for each standard set."""
    # One core, whatever the linear algebra library would like.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    with quietly():
        from shaky_letters.shaky_letters_dataset_builder import Builder, example

    rows = []
    for config in Builder.BUILDER_CONFIGS:
        split = config.splits()["train"]
        for i in range(200):
            example(config, split, i)
        rates = []
        for _ in range(rounds):
            start = time.perf_counter()
            for i in range(images):
                example(config, split, i)
            rates.append(images / (time.perf_counter() - start))
        print(
            f"{config.name}: {statistics.median(rates):,.0f} images/s on one core "
            f"({min(rates):,.0f} to {max(rates):,.0f})"
        )
        rows.append(
            {
                "dataset": config.name,
                "images_per_second": round(statistics.median(rates)),
                "lowest": round(min(rates)),
                "highest": round(max(rates)),
            }
        )
    if output:
        page.write(
            output,
            "generator",
            "The generator",
            f"python -m benchmarks.generator --images {images} --rounds {rounds} "
            f"--output {output}",
            "Images per second on one core, path to picture, without writing: median, "
            "lowest and highest over the rounds.",
            rows,
        )


if __name__ == "__main__":
    main()
