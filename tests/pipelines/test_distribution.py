"""Training on several devices, and on several workers of which one is killed."""

import csv
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from pipelines import tf_config, train
from tests.commands.refusal import refused

ROOT = Path(__file__).parents[2]

# One process, two devices: TensorFlow divides the processor before it starts.
TWO_DEVICES = """
import sys
import tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0],
    [tf.config.LogicalDeviceConfiguration()] * 2,
)
from pipelines.train import main
main(sys.argv[1:])
"""


def python(*arguments, **environment):
    """Starts Python in a process group of its own; what it prints goes to a file."""
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def finish(process):
    output, _ = process.communicate()
    assert process.returncode == 0, output
    return output


def options(letters, folder, *more):
    given = {"dataset": letters, "output": folder, "batch-size": 32, "epochs": 4}
    given |= {"optimizer": "sgd", "precision": "float32"}
    return [x for k, v in given.items() for x in (f"--{k}", str(v))] + list(more)


def rows(folder):
    with open(folder / "history.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def weights(folder):
    import keras

    return keras.saving.load_model(folder / "model.keras").get_weights()


def assert_same(one, other):
    """Asserts that two runs have made the same model, up to rounding."""
    for a, b in zip(weights(one), weights(other), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-4)
    for a, b in zip(rows(one), rows(other), strict=True):
        for key in ("loss", "val_loss", "sparsity", "gap", "lagrangian"):
            assert float(a[key]) == pytest.approx(float(b[key]), rel=2e-3, abs=1e-4)
    metrics = [json.loads((x / "metrics.json").read_text()) for x in (one, other)]
    for key in ("sparsity", "test_accuracy", "test_large_accuracy"):
        assert metrics[0][key] == pytest.approx(metrics[1][key], abs=0.03)


@pytest.fixture(scope="module")
def alone(letters, tmp_path_factory):
    """The run of one device that the others are held against."""
    folder = tmp_path_factory.mktemp("alone") / "run"
    finish(python("-m", "pipelines.train", *options(letters, folder)))
    return folder


def test_two_devices_train_as_one(letters, alone, tmp_path):
    folder = tmp_path / "run"
    arguments = options(letters, folder, "--distribute=mirrored")
    finish(python("-c", TWO_DEVICES, *arguments))
    assert_same(alone, folder)


def test_a_batch_that_cannot_be_divided_is_refused(letters, tmp_path):
    arguments = options(letters, tmp_path / "run", "--batch-size=31")
    process = python("-c", TWO_DEVICES, *arguments, "--distribute=mirrored")
    output, _ = process.communicate()
    assert process.returncode == 2
    assert "--batch-size 31 cannot be divided among 2 devices: 32 can" in output
    assert not (tmp_path / "run").exists()


@pytest.fixture
def addresses():
    """Two addresses on this machine that are free."""
    sockets = [socket.create_server(("localhost", 0)) for _ in range(2)]
    found = [f"localhost:{s.getsockname()[1]}" for s in sockets]
    for s in sockets:
        s.close()
    return found


def config(addresses, index, kind="worker"):
    task = {"type": kind, "index": index}
    return json.dumps({"cluster": {kind: addresses}, "task": task})


def worker(index, addresses, arguments):
    command = ("-m", "pipelines.train", *arguments, "--distribute=multiworker")
    return python(*command, TF_CONFIG=config(addresses, index))


def until(condition, *processes):
    """Waits for a condition, as long as the processes live."""
    while not condition():
        for process in processes:
            assert process.poll() is None, process.communicate()[0]
        time.sleep(0.05)


@pytest.mark.parametrize("killed", [0, 1], ids=["the leader", "another"])
def test_a_killed_worker_comes_back_and_the_run_finishes(
    letters, alone, tmp_path, addresses, killed
):
    folder = tmp_path / "run"
    arguments = options(letters, folder)
    workers = [worker(i, addresses, arguments) for i in range(2)]
    until((folder / "checkpoint.keras").exists, *workers)
    os.killpg(workers[killed].pid, signal.SIGKILL)
    workers[killed].wait()
    before = rows(folder)[:1]
    workers[killed] = worker(killed, addresses, [*arguments, "--resume"])
    said = [finish(process) for process in workers]
    assert "starting again from the last checkpoint" in said[1 - killed]
    assert rows(folder)[:1] == before  # nothing was trained twice
    assert_same(alone, folder)
    assert "accuracy, test" in said[0]
    assert "accuracy, test" not in said[1]


@pytest.mark.parametrize(
    ("given", "quoted"),
    [
        ("", "''"),
        ("{", "'{'"),
        (config(["a:1"], 1), "1"),
        (config(["a"], 0), '"a"'),
        (config(["a:1"], 0, "ps"), "ps"),
    ],
)
def test_a_wrong_cluster_is_refused(monkeypatch, tmp_path, given, quoted):
    monkeypatch.setenv(tf_config.VARIABLE, given)
    said = refused(
        train.main, "--distribute=multiworker", f"--output={tmp_path / 'run'}"
    )
    assert "TF_CONFIG" in said
    assert quoted in said
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--distribute=multiworker"], "--output DIR"),
        (["--distribute=mirrored", "--target-size=14kB"], "one device"),
        (
            [
                "--distribute=mirrored",
                "--method=magnitude",
                "--target-sparsity=0.9",
            ],
            "one device",
        ),
    ],
)
def test_what_cannot_be_spread_is_refused(more, said):
    assert said in refused(train.main, *more)
