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

from . import evaluate
from .devices import tf_config
from .run import supervision
from .run.config import (
    BEST,
    CHECKPOINT,
    DISTRIBUTIONS,
    FOLDS,
    METHODS,
    METRICS,
    ON_ERROR,
    OPTIMIZERS,
    PATIENCE,
    PENALTIES,
    PRECISIONS,
    SPLITS,
    STRUCTURED_EPOCHS,
    TrainConfig,
    check_distribution,
    check_output,
    is_own,
)


def run(
    config: TrainConfig,
    output: pathlib.Path,
    resume: bool = False,
    quiet: bool = False,
    distribute: str | None = None,
    on_error: str = ON_ERROR[0],
) -> dict[str, Any] | None:
    """Trains, hardens, measures, and writes the folder of a run.

    What is in it: `docs/architecture.md`.

    Args:
        config: what to train.
        output: the run's folder, created if need be; empty unless resuming.
        resume: continue the run that was interrupted in that folder.
        quiet: print nothing.
        distribute: one of `config.DISTRIBUTIONS`, or None for one device.
        on_error: what becomes of files without a drawing, see `collection`.

    Returns:
        the contents of metrics.json, or of folds.json where there are folds; None from
        a worker that does not lead.

    Raises:
        InputError: something given is wrong or damaged.
        OSError: a file cannot be written.
    """
    config.check()
    check_distribution(distribute, config)
    finished = output / (FOLDS if config.folds else METRICS)
    if not tf_config.leads(distribute):
        return None if finished.exists() else supervision.run(config, output, quiet)
    with alone(output):
        check_output(output, config, resume)
        if resume and finished.exists():
            for left in (output / CHECKPOINT, output / BEST):
                if left.exists():  # by a run that was killed when all but this was done
                    left.unlink()
            return read_json(finished)
        if distribute == "multiworker":
            return supervision.run(config, output, quiet)
        # TensorFlow takes seconds to import; wrong input is answered before that.
        if is_own(config.dataset):
            return _own(config, output, quiet, distribute, on_error)
        with quietly():
            if config.method == "magnitude":
                from .run.magnitude import Magnitude as Training
            else:
                from .run.training import Training

        return Training(config, output, quiet, distribute).run()


def _own(
    config: TrainConfig,
    output: pathlib.Path,
    quiet: bool,
    distribute: str | None,
    on_error: str,
) -> dict[str, Any]:
    """Trains on somebody's own drawings."""
    from .collection import collection, sheet
    from .images.division import Division

    drawings = collection.read(pathlib.Path(config.dataset), on_error, quiet)
    if config.folds:
        splits = drawings.folds(config.folds, config.seed)
    else:
        splits = [drawings.divided(config.seed)]
    divisions = [Division(drawings, split) for split in splits]
    words = [""] * len(drawings.entries) if config.folds else divisions[0].parts
    sheets = sheet.write(drawings, words, output)
    if not quiet:
        click.echo(drawings.report(splits))
        what = "sheet" if sheets == 1 else "sheets"
        click.echo(f"what the network sees: {sheets} {what} in {output / sheet.FOLDER}")
    with quietly():
        from .run import folds
        from .run.training import Training

    if config.folds:
        return folds.run(config, divisions, output, quiet, distribute)
    divisions[0].begin(output)
    return Training(config, output, quiet, distribute, divisions[0]).run()


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
    zeros = f"zeros in the split kernels, mean  {100 * result['sparsity']:.2f} %"
    return f"{evaluate.report(result)}\n{zeros}"


def _contents(output: pathlib.Path) -> str:
    files = sorted(p.name for p in output.iterdir() if p.is_file())
    folders = sorted(p.name for p in output.iterdir() if p.is_dir())
    return f"in {output}: {', '.join([*files, *folders])}"


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
    help="Shape of tl1, mcp, scad: the size from which on a weight is spared.",
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
    help="DIR holds drawings of your own, a folder for each class, or is what 'tfds "
    "build shaky_letters' made.",
)
@click.option(
    "--from",
    "from_",
    metavar="RUN_DIR",
    help="Start from the weights of a finished run.",
)
@click.option(
    "--folds",
    type=Number(3, whole=True),
    help="Train so many times on your own drawings, from 3, to test on every person "
    "once.",
)
@click.option(
    "--patience",
    type=Number(1, whole=True),
    help=f"[default: {PATIENCE} with drawings of your own]  Epochs without progress on "
    "the validation split after which training ends.",
)
@click.option(
    "--on-error",
    type=click.Choice(ON_ERROR),
    default=ON_ERROR[0],
    help="Name files of your own that hold no drawing and leave them out, or stop.",
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
