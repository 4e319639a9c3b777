"""Trains many runs, a process for each, a few at a time."""

import multiprocessing.connection
import os
import pathlib
import shutil
from typing import Any

from commands import children
from commands.cli import InputError, quietly

from ..experiments import cell
from ..experiments.progress import Progress
from ..run.config import TrainConfig
from ..run.folder import CONFIG, epochs_done


def train(
    configs: list[TrainConfig],
    cells: pathlib.Path,
    runs: pathlib.Path,
    jobs: int,
    fresh: bool = False,
) -> None:
    """Trains what is missing, and leaves a file for each run; shows the progress.

    Args:
        configs: what to train.
        cells: folder of the files with the figures; what is there is not trained.
        runs: folder of the runs in progress. A run that was interrupted goes on; a
            finished one leaves nothing but its figures.
        jobs: runs at a time, which share the processor's cores.
        fresh: train what is there too, from the start; its file stays until then.

    Raises:
        InputError: a file is damaged, or a run failed; its process has said why.
        OSError: a folder cannot be written to.
    """
    finished = [c for c in configs if cell.file(cells, c).exists()]
    for config in finished:
        cell.read(cells, config)
    waiting = [c for c in configs if fresh or c not in finished]
    if not waiting:
        return
    cells.mkdir(parents=True, exist_ok=True)
    for config in configs if fresh else finished:
        shutil.rmtree(runs / cell.name(config), ignore_errors=True)
    threads = max(1, (os.cpu_count() or 1) // jobs)
    running: dict[Any, TrainConfig] = {}
    with Progress(sum(c.epochs for c in waiting)) as progress:
        while waiting or running:
            while waiting and len(running) < jobs:
                config = waiting.pop(0)
                process = children.start(_work, config, cells, runs, threads)
                running[process] = config
            sentinels = [process.sentinel for process in running]
            multiprocessing.connection.wait(sentinels, timeout=1)
            for process in [p for p in running if not p.is_alive()]:
                config = running.pop(process)
                if process.exitcode:
                    raise InputError(f"failed: {cell.command(config)}")
                progress.end(cell.name(config), config.epochs)
            under_way = (epochs_done(runs / cell.name(c)) for c in running.values())
            progress.show(sum(under_way))


def _work(
    config: TrainConfig, cells: pathlib.Path, runs: pathlib.Path, threads: int
) -> None:
    """Trains and measures one run, in a process of its own."""
    commit, folder = cell.commit(), runs / cell.name(config)
    with quietly():
        import tensorflow as tf

        from ..devices import device
        from ..images import data
        from ..training.launch import run
        from .measure import figures

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    data.prepare(config.dataset, quiet=True)
    begun = (folder / CONFIG).exists()
    if not begun:  # what a kill left while it was tidied up
        shutil.rmtree(folder, ignore_errors=True)
    run(config, folder, resume=begun, quiet=True)
    found = figures(config, folder)
    cell.write(cells, config, commit, device.words(), found)
    shutil.rmtree(folder)
