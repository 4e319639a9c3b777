"""Makes the paper's tables and figures again, and goes past them.

python -m pipelines.reproduce --output docs/results
"""

import os
import pathlib

import click

from commands.cli import Command, Number, quietly
from commands.folder import alone

from .plan import TABLES, rows

_RUNS = pathlib.Path("runs/reproduce")  # in progress; a finished one leaves nothing


def run(
    output: pathlib.Path,
    only: tuple[str, ...] = (),
    seeds: int = 3,
    jobs: int | None = None,
    fresh: bool = False,
    quick: bool = False,
) -> pathlib.Path:
    """Trains what is missing, and writes tables and figures.

    Args:
        output: folder of the page; its folder `cells` has a file for each run.
        only: names of `TABLES`; all if empty.
        seeds: of each row; a few rows take two more.
        jobs: runs at a time; if None one for each core and one more, which computes
            while another reads or compiles, or one on a GPU.
        fresh: train again what has been trained.
        quick: an epoch each, one seed.

    Returns:
        the HTML page.

    Raises:
        InputError: a file is damaged, or a run failed.
        OSError: a file cannot be written.
    """
    seeds = 1 if quick else seeds
    planned = rows(quick)
    chosen = [row for row in planned if not only or row.table in only]
    datasets = {row.config.dataset for row in chosen}
    configs = list(dict.fromkeys(c for row in chosen for c in row.runs(seeds)))
    with quietly():
        from ..devices import device
        from ..images import data
        from . import page, workers

    cells = output / "cells"
    with alone(output), alone(cells), alone(_RUNS):
        for dataset in sorted(datasets):
            data.prepare(dataset)
        jobs = jobs or (1 if device.detect().gpu else (os.cpu_count() or 1) + 1)
        workers.train(configs, cells, _RUNS, jobs, fresh)
        words = ["python -m pipelines.reproduce", f"--output {output}"]
        words += [f"--only {table}" for table in only]
        words += ["--quick"] if quick else [f"--seeds {seeds}"] if seeds != 3 else []
        return page.write(output, planned, seeds, " ".join(words))


@click.command(cls=Command, context_settings={"show_default": True})
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(list(TABLES)),
    help="Train for this table only; may be repeated.",
)
@click.option("--seeds", type=Number(1, whole=True), default=3, help="Of each row.")
@click.option(
    "--jobs",
    type=Number(1, whole=True),
    help="Runs at a time.  [default: one more than cores; on a GPU one]",
)
@click.option("--fresh", is_flag=True, help="Train again what has been trained.")
@click.option("--quick", is_flag=True, help="One epoch, one seed: see that it runs.")
@click.option(
    "--output",
    type=click.Path(path_type=pathlib.Path, file_okay=False),
    metavar="DIR",
    help="Folder of the page, and of its runs' files.  [default: docs/results; "
    "runs/quick with --quick]",
)
def main(
    output: pathlib.Path | None,
    only: tuple[str, ...],
    seeds: int,
    jobs: int | None,
    fresh: bool,
    quick: bool,
) -> None:
    """Make the paper's tables and figures again, and go past them.

    Runs that are finished are not trained again, interrupted ones go on.
    """
    output = output or pathlib.Path("runs/quick" if quick else "docs/results")
    page = run(output, only, seeds, jobs, fresh, quick)
    click.echo(f"results: {page}, and paper.md and paper.json beside it")


if __name__ == "__main__":
    main(prog_name="python -m pipelines.reproduce")
