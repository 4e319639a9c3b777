"""Devices and workers: the same training on one, on two, and with one of two killed.

Every row is one run of the command that a user types, held against that of one device.
The devices are halves of a processor here, and the workers processes on one machine:
what is compared are weights, not times.
"""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

TITLE = "Devices and workers"

_ROOT = pathlib.Path(__file__).parents[2]

# TensorFlow divides the processor before it starts.
_HALVES = """
import sys
import tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0],
    [tf.config.LogicalDeviceConfiguration()] * 2,
)
from pipelines.train import main
main(sys.argv[1:])
"""

_OPTIONS = ("--batch-size", "500", "--epochs", "3", "--precision", "float32")


class Failed(Exception):
    """A training ended as it should not; with what it printed."""


def measure() -> list[dict[str, Any]]:
    """Trains; returns a row for each way."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        ways = {
            "one device": lambda given: finish(one(given)),
            "two devices": lambda given: finish(two_devices(given)),
            "two workers": two_workers,
            "two workers, the leader killed": lambda given: two_workers(given, kill=0),
            "two workers, the other killed": lambda given: two_workers(given, kill=1),
        }
        reference = None
        for way, train in ways.items():
            output = folder / way.replace(" ", "-").replace(",", "")
            start = time.monotonic()
            train(["--output", str(output), *_OPTIONS])
            rows.append({"way": way, **_figures(output, time.monotonic() - start)})
            reference = reference or output
            rows[-1]["largest_difference"] = float(
                f"{_difference(reference, output):.1e}"
            )
            print(rows[-1], flush=True)
    return rows


def describe(rows: list[dict[str, Any]]) -> str:
    """Returns what the rows say."""
    most = max(row["largest_difference"] for row in rows)
    return (
        f"`python -m pipelines.train {' '.join(_OPTIONS)}`, and `--distribute` "
        "`mirrored` or `multiworker`: the batches are the same, and no weight ends "
        f"further than **{most:.1e}** from where one device leaves it. Killed with "
        "`kill -9` after the first epoch and started again with the same command and "
        "`--resume`, a worker meets the other one at the run's last checkpoint. The "
        "other takes half a minute to notice that it is alone; `seconds` has that, and "
        "every start."
    )


def one(arguments: list[str]) -> subprocess.Popen:
    """Starts a training on one device."""
    return _python("-m", "pipelines.train", *arguments)


def two_devices(arguments: list[str]) -> subprocess.Popen:
    """Starts a training on two halves of the processor."""
    return _python("-c", _HALVES, *arguments, "--distribute", "mirrored")


def two_workers(arguments: list[str], kill: int | None = None) -> list[str]:
    """Trains with two workers on this machine; returns what each has printed.

    Args:
        arguments: of the command, `--output DIR` the first of them.
        kill: which of them is killed, with all its processes, when the first epoch is
            saved, and started again.

    Raises:
        Failed: a worker did.
    """
    addresses = _addresses()
    workers = [_worker(i, addresses, arguments) for i in range(2)]
    if kill is not None:
        saved = pathlib.Path(arguments[1]) / "checkpoint.keras"
        _wait(saved.exists, workers)
        os.killpg(workers[kill].pid, signal.SIGKILL)
        workers[kill].communicate()
        workers[kill] = _worker(kill, addresses, [*arguments, "--resume"])
    return [finish(worker) for worker in workers]


def finish(process: subprocess.Popen) -> str:
    """Waits for a training; returns what it has printed.

    Raises:
        Failed: it has failed.
    """
    printed, _ = process.communicate()
    if process.returncode:
        raise Failed(printed)
    return printed


def cluster(addresses: list[str], index: int, kind: str = "worker") -> str:
    """Returns a TF_CONFIG."""
    task = {"type": kind, "index": index}
    return json.dumps({"cluster": {kind: addresses}, "task": task})


def _worker(index: int, addresses: list[str], arguments: list[str]) -> subprocess.Popen:
    return _python(
        *("-m", "pipelines.train", *arguments, "--distribute", "multiworker"),
        TF_CONFIG=cluster(addresses, index),
    )


def _python(*arguments: str, **environment: str) -> subprocess.Popen:
    """Starts Python in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
        cwd=_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def _addresses() -> list[str]:
    """Returns two addresses on this machine that are free."""
    with contextlib.ExitStack() as stack:
        sockets = [
            stack.enter_context(socket.create_server(("localhost", 0)))
            for _ in range(2)
        ]
        return [f"localhost:{s.getsockname()[1]}" for s in sockets]


def _wait(condition: Callable[[], bool], workers: list[subprocess.Popen]) -> None:
    """Waits for a condition, as long as the workers live."""
    while not condition():
        for worker in workers:
            if worker.poll() is not None:
                raise Failed(worker.communicate()[0])
        time.sleep(0.05)


def _figures(output: pathlib.Path, seconds: float) -> dict[str, Any]:
    metrics = json.loads((output / "metrics.json").read_text("utf-8"))
    return {
        "seconds": round(seconds),
        "accuracy": metrics["test_large_accuracy"],
        "zeros": round(metrics["sparsity"], 5),
    }


def _difference(one: pathlib.Path, other: pathlib.Path) -> float:
    """Returns how far apart two runs' weights are at most."""
    return max(abs(a - b).max() for a, b in zip(weights(one), weights(other)))


def weights(output: pathlib.Path) -> list[Any]:
    """Returns the weights that a run has ended with."""
    from rvsm_tf.litert import models

    return models.load(output / "model.keras").get_weights()
