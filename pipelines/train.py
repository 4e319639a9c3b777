"""Trains the paper's network by variable splitting on shaky letters.

python -m pipelines.train --penalty tl1 --a 0.1
"""

import datetime
import pathlib
from typing import Any

import click

from commands.cli import Command, InputError

from .collection import ON_ERROR
from .devices import DISTRIBUTIONS
from .images.datasets import SPLITS
from .run.config import TrainConfig
from .run.options import options
from .training.launch import run

# In the order of the fields, but for the precision, which stands last.
_OPTIONS = options(TrainConfig)
_PRECISION = _OPTIONS.pop("precision")


def report(metrics: dict[str, Any]) -> str:
    """Returns the table that a run ends with."""

    def percent(share: float) -> str:
        return f"{100 * share:.2f} %"

    accuracies = {split: metrics[f"{split}_accuracy"] for split in SPLITS}
    rows = [
        *(
            (f"accuracy, {split}", percent(accuracy))
            for split, accuracy in accuracies.items()
            if accuracy is not None
        ),
        ("zeros in the split kernels", percent(metrics["sparsity"])),
        ("zeros in the whole network", percent(metrics["network_sparsity"])),
        ("weights that are not zero", f"{metrics['nonzero_weights']:,}"),
        ("training", f"{metrics['train_seconds']:.0f} s"),
        ("images per second", f"{metrics['images_per_second']:,.0f}"),
        ("device", f"{metrics['device']}, {metrics['precision']}"),
    ]
    width = max(len(name) for name, _ in rows)
    lines = [f"{name:<{width}}  {value}" for name, value in rows]
    return "\n".join(lines)


def _together(result: dict[str, Any]) -> str:
    """Returns the tables that several folds end with."""
    from .figures import evaluation

    zeros = f"zeros in the split kernels, mean  {100 * result['sparsity']:.2f} %"
    return f"{evaluation.report(result)}\n{zeros}"


def _contents(output: pathlib.Path) -> str:
    files = sorted(p.name for p in output.iterdir() if p.is_file())
    folders = sorted(p.name for p in output.iterdir() if p.is_dir())
    return f"in {output}: {', '.join([*files, *folders])}"


@click.command(
    cls=Command,
    context_settings={"show_default": True},
    params=[
        *_OPTIONS.values(),
        click.Option(
            ["--on-error"],
            type=click.Choice(ON_ERROR),
            default=ON_ERROR[0],
            help="Name files of your own that hold no drawing and leave them out, or "
            "stop.",
        ),
        _PRECISION,
    ],
)
@click.option(
    "--output",
    type=click.Path(path_type=pathlib.Path),
    metavar="DIR",
    help="Folder of the run.  [default: runs/<time>-<penalty>]",
)
@click.option(
    "--distribute",
    type=click.Choice(DISTRIBUTIONS),
    help="All devices of this machine train together, or all workers in TF_CONFIG.",
)
@click.option("--resume", is_flag=True, help="Continue the run in --output.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def main(
    output: pathlib.Path | None,
    distribute: str | None,
    resume: bool,
    quiet: bool,
    on_error: str,
    **options: Any,
):
    """Train the paper's network by variable splitting on shaky letters."""
    if output is None:
        if resume:
            raise InputError("--resume needs the run's folder: --output DIR")
        if distribute == "multiworker":
            raise InputError(
                "--distribute multiworker needs a folder that all workers see: "
                "--output DIR"
            )
        now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
        rvsm = options["method"] == "rvsm"
        kind = options["penalty" if rvsm else "method"]
        output = pathlib.Path("runs") / f"{now}-{kind}"
    config = TrainConfig.given(options)
    metrics = run(config, output, resume, quiet, distribute, on_error)
    if metrics and not quiet:
        click.echo(report(metrics) if not config.folds else _together(metrics))
        click.echo(f"\n{_contents(output)}")


if __name__ == "__main__":
    main()
