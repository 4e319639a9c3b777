"""One worker of several, started again when another one is lost.

TensorFlow cannot take a worker back into a running cluster: all of them have to start
anew. So training has a process of its own here, and when it ends because another one
is gone, or is killed itself, it goes on from the run's last checkpoint.
"""

import pathlib
import sys
from typing import Any

import click

from commands import children
from commands.cli import InputError, quietly
from commands.files import read_json

from ..devices import tf_config
from ..run.config import TrainConfig
from ..run.folder import METRICS, epochs_done

_LOST = 75  # the exit code that asks to be started again
_TRIES = 3
_PATIENCE = 60  # seconds that a worker may take to end when the leader has finished


def run(
    config: TrainConfig, output: pathlib.Path, quiet: bool
) -> dict[str, Any] | None:
    """Trains as one of several workers, as often as need be.

    Args:
        config: what to train.
        output: the run's folder, which all workers see.
        quiet: print nothing.

    Returns:
        the contents of metrics.json; None from a worker that does not lead.

    Raises:
        InputError: workers are lost again and again.
    """
    leads, others = tf_config.leads("multiworker"), tf_config.others()
    tries, done = 0, epochs_done(output)
    while tries < _TRIES:
        if others and not quiet:
            click.echo(f"waiting for the other workers: {', '.join(others)}")
        code = _attempt(config, output, quiet, leads)
        if code == 0:
            return read_json(output / METRICS) if leads else None
        if code != _LOST and code > 0:
            sys.exit(code)  # it has said why
        before, done = done, epochs_done(output)
        tries = 0 if done > before else tries + 1
        if not quiet:
            click.echo("starting again from the last checkpoint")
    raise InputError(
        f"a worker was lost {_TRIES} times without an epoch in between: see what the "
        "others say, and go on with --resume"
    )


def _attempt(
    config: TrainConfig, output: pathlib.Path, quiet: bool, leads: bool
) -> int:
    """Trains until the end, or until a worker is lost; returns the exit code."""
    process = children.start(_train, config, output, quiet)
    try:
        while process.is_alive():
            process.join(timeout=1)
            if not leads and (output / METRICS).exists():
                # One lost in the last moments would wait for the others for ever.
                process.join(timeout=_PATIENCE)
                return 0
        return process.exitcode
    finally:
        process.kill()  # while it waits for others it hears nothing else


def _train(config: TrainConfig, output: pathlib.Path, quiet: bool) -> None:
    with quietly():
        from ..devices.distribution import LostWorker
        from .training import Training

    try:
        Training(config, output, quiet, "multiworker").run()
    except LostWorker as error:
        click.echo(f"a worker is lost: {error}", err=True)
        sys.exit(_LOST)
