"""Trains many runs, a process for each, a few at a time."""

import multiprocessing
import multiprocessing.connection
import os
import pathlib
import shutil
import sys
import threading
import time
from typing import Any

import click

from commands.cli import InputError, quietly
from commands.files import read_rows

from ..config import TrainConfig
from . import cell


def train(
    configs: list[TrainConfig],
    cells: pathlib.Path,
    runs: pathlib.Path,
    jobs: int,
) -> None:
    """Trains what is missing, and leaves a file for each run; shows the progress.

    Args:
        configs: what to train.
        cells: folder of the files with the figures; what is there is not trained.
        runs: folder of the runs in progress. A run that was interrupted goes on; a
            finished one leaves nothing but its figures.
        jobs: runs at a time, which share the processor's cores.

    Raises:
        InputError: a run failed; its process has said why.
    """
    waiting = [c for c in configs if not cell.file(cells, c).exists()]
    if not waiting:
        return
    threads = max(1, (os.cpu_count() or 1) // jobs)
    # A forked TensorFlow does not work.
    spawn = multiprocessing.get_context("spawn")
    running: dict[Any, TrainConfig] = {}
    total, done, shown = sum(c.epochs for c in waiting), 0, 0
    interactive, first = sys.stdout.isatty(), time.monotonic()
    with click.progressbar(length=total, label="epochs") as bar:
        while waiting or running:
            while waiting and len(running) < jobs:
                config = waiting.pop(0)
                process = spawn.Process(
                    target=_work, args=(config, cells, runs, threads), daemon=True
                )
                process.start()
                running[process] = config
            sentinels = [process.sentinel for process in running]
            multiprocessing.connection.wait(sentinels, timeout=1)
            for process in [p for p in running if not p.is_alive()]:
                config = running.pop(process)
                done += config.epochs
                if process.exitcode:
                    raise InputError(f"failed: {cell.command(config)}")
                if not interactive:
                    minutes = (time.monotonic() - first) / 60
                    click.echo(
                        f"{cell.name(config)}: done; {minutes:.0f} minutes, about "
                        f"{minutes * (total / done - 1):.0f} to go"
                    )
            half_done = sum(_epochs(runs / cell.name(c)) for c in running.values())
            bar.update(done + half_done - shown)
            shown = done + half_done


def _epochs(folder: pathlib.Path) -> int:
    """Returns how many epochs the run in a folder has behind it."""
    return len(read_rows(folder / "history.csv"))


def _work(
    config: TrainConfig, cells: pathlib.Path, runs: pathlib.Path, threads: int
) -> None:
    """Trains and measures one run, in a process of its own."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        with quietly():
            import tensorflow as tf

            from .. import data, device
            from ..train import run
            from .measure import figures

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
        data.prepare(config.dataset, quiet=True)
        folder = runs / cell.name(config)
        run(config, folder, resume=(folder / "config.json").exists(), quiet=True)
        cell.write(cells, config, device.words(), figures(config, folder))
        shutil.rmtree(folder)
    except InputError as error:
        click.echo(f"\nError: {error.format_message()}", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


def _end_with_parent() -> None:
    """Ends the process when the one that started it is gone, however it went."""
    multiprocessing.parent_process().join()
    os._exit(1)
