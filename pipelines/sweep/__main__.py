"""Trains a grid of options, on this machine or on a Ray cluster.

python -m pipelines.sweep --grid pipelines/sweep/example.toml --output runs/sweep
"""

import pathlib
import types

import click

from commands.cli import Command, InputError, Number
from commands.folder import alone

from ..experiments import cell
from . import grid as grids


def run(
    grid: pathlib.Path,
    output: pathlib.Path,
    address: str | None = None,
    cpus: int = 1,
    gpus: float | None = None,
    quiet: bool = False,
) -> list[pathlib.Path]:
    """Trains the points of a grid that are missing, and writes the results.

    Args:
        grid: TOML file, see `grid`.
        output: folder of the results; its folder `cells` has a file for each point.
        address: the cluster's; if None, all is done on this machine.
        cpus: cores that a training takes.
        gpus: GPUs that a training takes, or the share of one; if None, what suits.
        quiet: show no progress.

    Returns:
        the files with the results.

    Raises:
        InputError: something given is wrong or damaged, or points failed; those that
            did not are in the results.
        OSError: a file cannot be written.
    """
    points = grids.read(grid)
    with alone(output):
        cells = output / "cells"
        finished = [p for p in points if cell.file(cells, p).exists()]
        for point in finished:
            cell.read(cells, point)
        failed = []
        missing = [p for p in points if p not in finished]
        if missing:
            failed = _cluster().train(missing, output, address, cpus, gpus, quiet)
        from . import results

        files = results.write(output, points, f"--grid {grid} --output {output}")
        for line in failed:
            click.echo(f"failed: {line}", err=True)
        if failed:
            raise InputError(
                f"{len(failed)} of {len(points)} points failed; the others' results "
                f"are in {output}, and the same command tries again"
            )
        return files


def _cluster() -> types.ModuleType:
    """Returns the module that needs Ray, which is installed on request only."""
    try:
        from . import cluster
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise InputError(
            "a sweep needs Ray, which is not installed: pip install -e '.[sweep]'"
        ) from None
    return cluster


@click.command(cls=Command, context_settings={"show_default": True})
@click.option(
    "--grid",
    required=True,
    type=click.Path(path_type=pathlib.Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="TOML, options of pipelines.train with lists of values; see "
    "pipelines/sweep/example.toml.",
)
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=pathlib.Path, file_okay=False),
    metavar="DIR",
    help="Folder of the results, and of a file for each point.",
)
@click.option(
    "--ray",
    "address",
    metavar="ADDRESS",
    help="Of a cluster's head, as 'ray start --head' prints it.  [default: train on "
    "this machine alone]",
)
@click.option(
    "--cpus", type=Number(1, whole=True), default=1, help="Cores for each training."
)
@click.option(
    "--gpus",
    type=Number(0),
    help="GPUs for each training, or a share of one.  [default: 0.25 if there are any]",
)
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def main(
    grid: pathlib.Path,
    output: pathlib.Path,
    address: str | None,
    cpus: int,
    gpus: float | None,
    quiet: bool,
) -> None:
    """Train a grid of options, on this machine or on a Ray cluster.

    Points that are finished are not trained again.
    """
    files = run(grid, output, address, cpus, gpus, quiet)
    if not quiet:
        click.echo(f"results: {', '.join(map(str, files))}")


if __name__ == "__main__":
    main(prog_name="python -m pipelines.sweep")
