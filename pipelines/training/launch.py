"""A run from beginning to end, whatever it trains on, and on how many devices."""

import pathlib
from typing import Any

import click

from commands.cli import InputError, quietly
from commands.files import read_json
from commands.folder import alone
from shaky_letters import canonical

from ..collection import ON_ERROR
from ..devices import tf_config
from ..images.datasets import is_own
from ..run.claim import check_output
from ..run.config import TrainConfig
from ..run.folder import BEST, CHECKPOINT, FOLDS, METRICS
from . import supervision


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
        distribute: one of `devices.DISTRIBUTIONS`, or None for one device.
        on_error: one of `collection.ON_ERROR`, for drawings of one's own.

    Returns:
        the contents of metrics.json, or of folds.json where there are folds; None from
        a worker that does not lead.

    Raises:
        InputError: something given is wrong or damaged.
        OSError: a file cannot be written.
    """
    config.check()
    _check_distribution(distribute, config)
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
                from .magnitude import Magnitude as Training
            else:
                from .training import Training

        return Training(config, output, quiet, distribute).run()


def _own(
    config: TrainConfig,
    output: pathlib.Path,
    quiet: bool,
    distribute: str | None,
    on_error: str,
) -> dict[str, Any]:
    """Trains on somebody's own drawings."""
    from ..collection import collection, sheet

    with quietly():
        from ..run import handover

    size = canonical.SIZE
    if config.origin is not None:
        size = handover.read_size(config.origin)
    drawings = collection.read(pathlib.Path(config.dataset), on_error, size, quiet)
    if config.folds:
        splits = drawings.folds(config.folds, config.seed)
    else:
        splits = [drawings.divided(config.seed)]
    with quietly():
        from ..images.division import Division
        from . import folds

        if config.tune == "head":
            from .head import Head as Training
        else:
            from .training import Training

    divisions = [Division(drawings, split) for split in splits]
    words = [""] * len(drawings.entries) if config.folds else divisions[0].parts
    sheets = sheet.write(drawings, words, output)
    if not quiet:
        click.echo(drawings.report(splits))
        what = "sheet" if sheets == 1 else "sheets"
        click.echo(f"what the network sees: {sheets} {what} in {output / sheet.FOLDER}")
    if config.folds:
        return folds.run(config, divisions, output, quiet, distribute, Training)
    divisions[0].begin(output)
    return Training(config, output, quiet, distribute, divisions[0]).run()


def _check_distribution(distribute: str | None, config: TrainConfig) -> None:
    """Makes sure that what is to be trained can be spread over several devices.

    Raises:
        InputError: it cannot.
    """
    if distribute is None:
        return
    if config.structured:
        raise InputError(
            f"--distribute {distribute}: what a size or a speed leaves of the network "
            "is too small to be spread: train it on one device"
        )
    if config.method == "magnitude":
        raise InputError(
            f"--distribute {distribute}: --method magnitude trains on one device"
        )
    if config.tune == "head":
        raise InputError(
            f"--distribute {distribute}: --tune head is little work: leave it out"
        )
    if distribute == "multiworker" and is_own(config.dataset):
        raise InputError(
            "--distribute multiworker: a folder of drawings is little work: train on "
            "one machine"
        )
