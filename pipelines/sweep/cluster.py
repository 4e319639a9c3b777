"""Ray: points go to processes on this machine or on a cluster, figures come back."""

import contextlib
import os
import pathlib
import signal
import socket
from collections.abc import Iterator

import ray
from ray.exceptions import RayError, RayTaskError

from commands.cli import InputError, quietly, told
from commands.files import replacing

from ..experiments import cell
from ..experiments.progress import Progress
from ..run.config import TrainConfig
from . import point

_ROOT = pathlib.Path(__file__).parents[2]
_SOURCES = ("commands", "export", "pipelines", "rvsm_tf", "shaky_letters")

# Of a point whose process or node has died.
_RETRIES = 3

# That a training takes by default, where there are any: the network is small.
_GPUS = 0.25

# Seconds after which an interrupt is noticed in any case.
_LISTENS = 1.0


def train(
    configs: list[TrainConfig],
    output: pathlib.Path,
    address: str | None,
    cpus: int,
    gpus: float | None,
    quiet: bool,
) -> list[str]:
    """Trains points; as soon as one is finished, there is a file with its figures.

    Args:
        configs: the points.
        output: the sweep's folder. Its folder `cells` has a file for each point, its
            folder `failed` the trace of each that broke.
        address: the cluster's; if None, Ray is started on this machine.
        cpus: cores that a training takes.
        gpus: GPUs that a training takes, or the share of one; if None, what suits.
        quiet: show no progress.

    Returns:
        a line for each point that failed: what went wrong, and its command.

    Raises:
        InputError: there is no cluster at the address, or this machine is too small.
        OSError: a file cannot be written.
    """
    cells, commit, lines = output / "cells", cell.commit(), []
    cells.mkdir(parents=True, exist_ok=True)
    shown = Progress(sum(c.epochs for c in configs), quiet)
    with connected(address), shown, _interrupts() as interrupts:
        if gpus is None:
            gpus = _GPUS if ray.cluster_resources().get("GPU") else 0
        if address is None:
            _check_room(cpus, gpus)
        # TensorFlow keeps threads, memory and seeds: each point has its own process.
        task = ray.remote(
            num_cpus=cpus, num_gpus=gpus, max_calls=1, max_retries=_RETRIES
        )(point.train)
        running = {
            task.options(name=cell.name(config)).remote(config, cpus): config
            for config in configs
        }
        while running:
            found, _ = ray.wait(list(running), timeout=_LISTENS)
            if interrupts:  # Ray swallows one that falls into a callback of its own
                raise KeyboardInterrupt
            if not found:
                continue
            (ended,) = found
            config = running.pop(ended)
            trace = output / "failed" / f"{cell.name(config)}.txt"
            line = None
            try:
                figures = ray.get(ended)
            except RayError as error:
                line = f"{_reason(error, trace)}: {cell.command(config)}"
                lines.append(line)
            else:
                cell.write(cells, config, commit, figures.pop("machine"), figures)
                trace.unlink(missing_ok=True)
            shown.end(cell.name(config), config.epochs, "failed" if line else "done")
            shown.show()
    return lines


@contextlib.contextmanager
def _interrupts() -> Iterator[list[int]]:
    """Yields a list of the interrupts (Ctrl-C) that have come in the block."""
    came: list[int] = []

    def note(number, frame):
        came.append(number)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, note)
    try:
        yield came
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def connected(address: str | None) -> Iterator[None]:
    """Connects to a cluster, or starts Ray here; ends that when the block ends.

    Raises:
        InputError: no cluster answers at the address.
    """
    if address is None:
        where = {
            "address": "local",
            "include_dashboard": False,
            # What goes through it are sources and figures.
            "object_store_memory": 100 << 20,
        }
    else:
        _check_address(address)
        # Or Ray would go on asking whatever it is that answers there.
        os.environ.update(RAY_gcs_server_port_wait_time_s="1")
        where = {"address": address}
    try:
        with quietly():
            ray.init(
                **where,
                runtime_env={"py_modules": [str(_ROOT / name) for name in _SOURCES]},
                log_to_driver=False,
                logging_level="ERROR",
            )
    except (ConnectionError, RuntimeError) as error:
        if address is None:
            raise
        raise InputError(
            f"--ray {address!r} is not a cluster's head, or this machine is none of "
            f"its nodes: {error}"
        ) from None
    try:
        yield
    finally:
        ray.shutdown()


def _check_address(address: str) -> None:
    """Makes sure that something answers at an address."""
    if address == "auto":
        return
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, ValueError, OverflowError) as error:
        raise InputError(
            f"--ray {address!r}: nothing answers there ({error}); give HOST:PORT as "
            "'ray start --head' prints it, or auto on one of the cluster's machines"
        ) from None


def _check_room(cpus: int, gpus: float) -> None:
    """Makes sure that a training fits into this machine: Ray would wait for ever."""
    found = ray.cluster_resources()
    for option, wanted, kind in (("--cpus", cpus, "CPU"), ("--gpus", gpus, "GPU")):
        if wanted > found.get(kind, 0):
            raise InputError(
                f"{option} {wanted:g}: this machine has {found.get(kind, 0):g}"
            )


def _reason(error: RayError, trace: pathlib.Path) -> str:
    """Returns why a point failed; what its user cannot mend leaves its trace."""
    cause = error.cause if isinstance(error, RayTaskError) else error
    if line := told(cause):
        return line
    trace.parent.mkdir(exist_ok=True)
    with replacing(trace) as draft:
        draft.write_text(f"{error}\n", encoding="utf-8")
    return f"{type(cause).__name__}, see {trace}"
