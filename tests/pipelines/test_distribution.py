"""Training on several devices, and on several workers of which one is killed."""

import csv
import json

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
from pipelines import tf_config, train
from tests.commands.refusal import refused


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
