"""Trains the paper's network by variable splitting on shaky letters.

python -m pipelines.train --penalty tl1 --a 0.1
"""

import datetime
import pathlib
from typing import Any

import click

from commands.cli import Command, InputError, Number, Size, quietly
from commands.files import read_json
from commands.folder import alone

from . import supervision, tf_config
from .config import (
    CHECKPOINT,
    DISTRIBUTIONS,
    METHODS,
    METRICS,
    OPTIMIZERS,
    PENALTIES,
    PRECISIONS,
    STRUCTURED_EPOCHS,
    TrainConfig,
    check_distribution,
    check_output,
)


def run(
    config: TrainConfig,
    output: pathlib.Path,
    resume: bool = False,
    quiet: bool = False,
    distribute: str | None = None,
) -> dict[str, Any] | None:
    """Trains, hardens, measures, and writes what `design.md` lists into a folder.

    Args:
        config: what to train.
        output: the run's folder, created if need be; empty unless resuming.
        resume: continue the run that was interrupted in that folder.
        quiet: print nothing.
        distribute: one of `config.DISTRIBUTIONS`, or None for one device.

    Returns:
        the contents of metrics.json; None from a worker that does not lead.

    Raises:
        InputError: something given is wrong or damaged.
        OSError: a file cannot be written.
    """
    config.check()
    check_distribution(distribute, config)
    finished = output / METRICS
    if not tf_config.leads(distribute):
        return None if finished.exists() else supervision.run(config, output, quiet)
    with alone(output):
        check_output(output, config, resume)
        if resume and finished.exists():
            left = output / CHECKPOINT
            if left.exists():  # by a run that was killed when all but this was done
                left.unlink()
            return read_json(finished)
        if distribute == "multiworker":
            return supervision.run(config, output, quiet)
        # TensorFlow takes seconds to import; wrong arguments are answered before that.
        with quietly():
            if config.method == "magnitude":
                from .magnitude import Magnitude as Training
            else:
                from .training import Training

        return Training(config, output, quiet, distribute).run()


def report(metrics: dict[str, Any], output: pathlib.Path) -> str:
    """Returns the table that a run ends with."""

    def percent(share: float | None) -> str:
        return "-" if share is None else f"{100 * share:.2f} %"

    rows = [
        ("accuracy, test", percent(metrics["test_accuracy"])),
        ("accuracy, test_unseen", percent(metrics["test_unseen_accuracy"])),
        ("accuracy, test_large", percent(metrics["test_large_accuracy"])),
        ("zeros in the split kernels", percent(metrics["sparsity"])),
        ("zeros in the whole network", percent(metrics["network_sparsity"])),
        ("weights that are not zero", f"{metrics['nonzero_weights']:,}"),
        ("training", f"{metrics['train_seconds']:.0f} s"),
        ("images per second", f"{metrics['images_per_second']:,.0f}"),
        ("device", f"{metrics['device']}, {metrics['precision']}"),
    ]
    width = max(len(name) for name, _ in rows)
    lines = [f"{name:<{width}}  {value}" for name, value in rows]
    files = ", ".join(sorted(p.name for p in output.iterdir() if p.is_file()))
    return "\n".join([*lines, "", f"in {output}: {files}, tensorboard"])


@click.command(cls=Command, context_settings={"show_default": True})
@click.option(
    "--method",
    type=click.Choice(METHODS),
    default="rvsm",
    help="To compare with: loss adds the penalty to the loss, magnitude prunes.",
)
@click.option(
    "--penalty",
    type=click.Choice(PENALTIES),
    default="tl1",
    help="What zeros are bought with; none trains the dense network.",
)
@click.option(
    "--a",
    type=Number(0, above=True),
    default=0.1,
    help="Shape of tl1: towards 0 it becomes l0, towards infinity l1.",
)
@click.option("--lam", type=Number(0), default=5e-4, help="Weight of the penalty, λ.")
@click.option(
    "--beta",
    type=Number(0, above=True),
    default=0.1,
    help="Weight of the coupling, β; λ/β sets the threshold.",
)
@click.option(
    "--target-sparsity",
    type=Number(0, 1),
    help="Share of zeros to end with, 0 to 1; drives λ.",
)
@click.option(
    "--structure",
    metavar="filters,units",
    help="What is cut out as a whole.  [default: both, where one of the next is given]",
)
@click.option(
    "--target-size",
    type=Size(),
    metavar="SIZE",
    help="Bytes of the exported file, such as 14kB; chooses filters and units.",
)
@click.option(
    "--target-latency-ratio",
    type=Number(0, 1, above=True),
    help="Latency of the exported file against the dense one; chooses them too.",
)
@click.option(
    "--split-layers",
    default="dense",
    metavar="NAMES",
    help="Layers to split: names or patterns, with commas.",
)
@click.option("--optimizer", type=click.Choice(OPTIMIZERS), default="adam")
@click.option(
    "--learning-rate",
    type=Number(0, above=True),
    help="At its peak; by default what suits the optimizer.",
)
@click.option(
    "--constant-rate",
    is_flag=True,
    help="Keep the learning rate, instead of letting it fall to zero.",
)
@click.option(
    "--epochs",
    type=Number(1, whole=True),
    help=f"[default: {TrainConfig.epochs}; {STRUCTURED_EPOCHS} with a structure, of "
    "which two thirds fine-tune what is left]",
)
@click.option("--batch-size", type=Number(1, whole=True), default=32)
@click.option("--seed", type=Number(0, 2**31 - 1, whole=True), default=0)
@click.option(
    "--stddev",
    type=Number(0, above=True),
    help="Of the dense kernel's initial weights.  [default: what suits the penalty]",
)
@click.option("--keep-norm", is_flag=True, help="Scale the kernel back at every step.")
@click.option(
    "--kernel-size",
    type=Number(1, whole=True),
    default=3,
    help="Of the convolutions.",
)
@click.option(
    "--dataset",
    default="letters",
    metavar="letters|shapes|drawings|DIR",
    help="DIR is a folder that 'tfds build shaky_letters' made.",
)
@click.option(
    "--precision",
    type=click.Choice(PRECISIONS),
    default="auto",
    help="auto is the fastest that does no harm here; small networks take float32.",
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
    metrics = run(TrainConfig.given(options), output, resume, quiet, distribute)
    if metrics and not quiet:
        click.echo(report(metrics, output))


if __name__ == "__main__":
    main()
