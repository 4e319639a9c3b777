"""Training on several devices, and on several workers of which one is killed."""

import contextlib
import csv
import json
import os
import signal
import socket
import subprocess
import sys

import numpy as np
import pytest

from benchmarks.scale.devices import (
    cluster,
    finish,
    one,
    two_devices,
    two_workers,
    weights,
)
from pipelines import train
from pipelines.devices import tf_config
from tests.commands.refusal import refused
from tests.processes import until


def options(letters, folder, *more):
    given = {"output": folder, "dataset": letters, "batch-size": 32, "epochs": 4}
    given |= {"optimizer": "sgd", "precision": "float32"}
    return [x for k, v in given.items() for x in (f"--{k}", str(v))] + list(more)


def rows(folder):
    with open(folder / "history.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


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
    finish(one(options(letters, folder)))
    return folder


@pytest.mark.slow
def test_two_devices_train_as_one(letters, alone, tmp_path):
    folder = tmp_path / "run"
    finish(two_devices(options(letters, folder)))
    assert_same(alone, folder)


def test_a_batch_that_cannot_be_divided_is_refused(letters, tmp_path):
    process = two_devices(options(letters, tmp_path / "run", "--batch-size=31"))
    printed, _ = process.communicate()
    assert process.returncode == 2
    assert "--batch-size 31 cannot be divided among 2 devices: 32 can" in printed
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.parametrize("kill", [0, 1], ids=["the leader", "another"])
def test_a_killed_worker_comes_back_and_the_run_finishes(
    letters, alone, tmp_path, kill
):
    folder = tmp_path / "run"
    printed = two_workers(options(letters, folder), kill)
    assert "starting again from the last checkpoint" in printed[1 - kill]
    assert_same(alone, folder)
    assert "accuracy, test" in printed[0]
    assert "accuracy, test" not in printed[1]


@pytest.mark.parametrize(
    ("given", "quoted"),
    [
        ("", "''"),
        ("{", "'{'"),
        (cluster(["a:1"], 1), "1"),
        (cluster(["a"], 0), '"a"'),
        (cluster(["a:1"], 0, "ps"), "ps"),
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


def listens(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread sees to it")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_worker_that_waits_for_others_can_be_stopped(letters, tmp_path, how):
    """It says whom it waits for, and leaves no process behind that has its port."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
    given = cluster([f"127.0.0.1:{port}", "nohost.invalid:1"], 0)
    environment = os.environ | {tf_config.VARIABLE: given}
    arguments = options(letters, tmp_path / "run", "--distribute=multiworker")
    command = [sys.executable, "-m", "pipelines.train", *arguments]
    process = subprocess.Popen(
        command,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        process_group=0,
        # As in a terminal, whoever runs the tests.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    until(lambda: listens(port) or process.poll() is not None)
    assert process.poll() is None
    if how == signal.SIGINT:
        arguments[1] = str(tmp_path / "second")
        second = [sys.executable, "-m", "pipelines.train", *arguments]
        found = subprocess.run(
            second, env=environment, capture_output=True, text=True, check=False
        )
        assert found.returncode == 2
        assert f"cannot listen at '127.0.0.1:{port}'" in found.stderr
        os.killpg(process.pid, how)
    else:
        process.send_signal(how)
    printed, _ = process.communicate()
    assert "waiting for the other workers: nohost.invalid:1" in printed
    assert process.returncode == (130 if how == signal.SIGINT else -how)
    # What had the port is killed by now; the system closes it a moment later.
    until(lambda: not listens(port), seconds=10)
