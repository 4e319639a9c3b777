import csv
import json
import os
import signal
import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from tensorflow.python.summary.summary_iterator import summary_iterator

from pipelines import evaluate, train

METRICS = {
    "test_accuracy",
    "test_unseen_accuracy",
    "test_large_accuracy",
    "sparsity",
    "network_sparsity",
    "nonzero_weights",
    "dense_accuracy",
    "epochs",
    "train_seconds",
    "images_per_second",
    "device",
    "precision",
    "seed",
    "temperature",
}
FILES = {
    "config.json",
    "history.csv",
    "metrics.json",
    "model.keras",
    "images.npz",
    "about.json",
    "weights.png",
    "convergence.png",
    "samples.png",
    "tensorboard",
}
QUICK = ["--batch-size", "32", "--epochs", "2"]


def trained(folder, letters, *options):
    result = CliRunner().invoke(
        train.main,
        ["--dataset", str(letters), "--output", str(folder), *QUICK, *options],
        catch_exceptions=False,
    )
    assert result.exit_code == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def run(letters, tmp_path_factory):
    """A finished run: its folder, and what was printed."""
    folder = tmp_path_factory.mktemp("runs") / "tl1"
    return folder, trained(folder, letters)


def test_a_run_leaves_what_the_contract_lists(run):
    folder, _ = run
    assert {p.name for p in folder.iterdir()} == FILES
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics.keys() == METRICS | {"crc32"}
    assert metrics["dense_accuracy"] is None
    assert metrics["epochs"] == 2
    for picture in folder.glob("*.png"):
        with Image.open(picture) as image:
            assert min(image.size) > 300


def test_the_figures_are_those_of_the_saved_model(run):
    folder, _ = run
    metrics = json.loads((folder / "metrics.json").read_text())
    model = keras.saving.load_model(folder / "model.keras")
    kernel = model.get_layer("dense").kernel.numpy()
    assert kernel.dtype == np.float32
    assert metrics["sparsity"] == (kernel == 0).mean() > 0.3
    assert not np.signbit(kernel[kernel == 0]).any()
    weights = np.concatenate([w.ravel() for w in model.get_weights()])
    assert metrics["nonzero_weights"] == np.count_nonzero(weights)
    assert metrics["network_sparsity"] == pytest.approx((weights == 0).mean())


def test_the_model_loads_where_this_package_is_not(run, tmp_path):
    folder, _ = run
    code = (
        "import sys, keras\n"
        "model = keras.saving.load_model(sys.argv[1])\n"
        "assert type(model) is keras.Sequential\n"
        "assert not any(m.startswith('rvsm') for m in sys.modules)\n"
    )
    subprocess.run(
        [sys.executable, "-I", "-c", code, folder / "model.keras"],
        cwd=tmp_path,
        check=True,
        env={"PATH": os.environ["PATH"], "TF_CPP_MIN_LOG_LEVEL": "3"},
    )


def test_progress_and_table_show_accuracy_and_zeros(run):
    folder, printed = run
    lines = printed.splitlines()
    assert [line.split()[1] for line in lines[:2]] == ["1/2", "2/2"]
    metrics = json.loads((folder / "metrics.json").read_text())
    assert f"{100 * metrics['sparsity']:.2f} %" in printed
    assert f"{100 * metrics['test_large_accuracy']:.2f} %" in printed
    assert str(folder) in lines[-1]


def test_the_history_has_a_row_per_epoch_with_the_method_s_figures(run):
    folder, _ = run
    with open(folder / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    columns = {"loss", "accuracy", "val_accuracy", "sparsity", "gap", "lagrangian"}
    assert columns <= rows[0].keys()


def test_tensorboard_has_the_sparsity(run):
    folder, _ = run
    tags = {
        value.tag
        for events in folder.glob("tensorboard/**/events*")
        for event in summary_iterator(str(events))
        for value in event.summary.value
    }
    assert {"epoch_sparsity", "epoch_lagrangian", "epoch_accuracy"} <= tags


def test_evaluate_agrees_with_the_run(run):
    folder, _ = run
    metrics = json.loads((folder / "metrics.json").read_text())
    for split in evaluate.SPLITS:
        result = evaluate.run(folder, split)
        assert result["accuracy"] == metrics[f"{split}_accuracy"]
        confusion = np.array(result["confusion"])
        assert confusion.trace() / confusion.sum() == result["accuracy"]
        assert confusion.sum() == result["images"]
        np.testing.assert_array_equal(confusion.sum(1), result["images"] // 2)
    printed = CliRunner().invoke(evaluate.main, [str(folder)]).stdout
    assert printed.startswith("test: 40 images, accuracy")


def test_a_dense_run_is_its_own_baseline(letters, tmp_path):
    trained(tmp_path / "dense", letters, "--penalty", "none")
    metrics = json.loads((tmp_path / "dense" / "metrics.json").read_text())
    assert metrics["sparsity"] == 0
    assert metrics["dense_accuracy"] == metrics["test_accuracy"]


@pytest.mark.parametrize(
    "optimizer",
    ["adam", *(pytest.param(n, marks=pytest.mark.slow) for n in ("sgd", "adamw"))],
)
def test_a_target_is_met(letters, tmp_path, optimizer):
    options = ["--target-sparsity", "0.97", "--optimizer", optimizer]
    trained(tmp_path / "run", letters, *options, "--split-layers", "dense,conv*")
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["sparsity"] == pytest.approx(0.97, abs=0.001)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "moments"),
    [
        (["--epochs", "4", "--target-sparsity", "0.9"], (1, 3)),
        # At the end of the splitting, and in the middle of the fine-tuning.
        (["--epochs", "6", "--target-size", "14kB"], (2, 4)),
    ],
    ids=["weights", "structures"],
)
def test_a_run_killed_at_any_moment_resumes_to_the_same_weights(
    options, moments, letters, tmp_path
):
    trained(tmp_path / "whole", letters, *options)
    arguments = ["--dataset", letters, "--output", tmp_path / "killed", *QUICK]
    arguments += options
    for moment in moments:
        resume = ["--resume"] if moment > moments[0] else []
        process = subprocess.Popen(
            [sys.executable, "-m", "pipelines.train", *arguments, *resume],
            stdout=subprocess.PIPE,
            text=True,
        )
        for line in process.stdout:
            if line.startswith(f"epoch {moment:3d}/"):
                # Now the checkpoint of this epoch is being written.
                process.send_signal(signal.SIGKILL)
                break
        process.wait()
        process.stdout.close()
        assert process.returncode == -signal.SIGKILL
    trained(tmp_path / "killed", letters, *options, "--resume")
    whole, killed = (
        keras.saving.load_model(tmp_path / name / "model.keras").get_weights()
        for name in ("whole", "killed")
    )
    for a, b in zip(whole, killed, strict=True):
        np.testing.assert_array_equal(a, b)
    figures = [
        json.loads((tmp_path / name / "metrics.json").read_text())
        for name in ("whole", "killed")
    ]
    for name in METRICS - {"train_seconds", "images_per_second"}:
        assert figures[0][name] == figures[1][name]


def test_resuming_a_finished_run_changes_nothing(run, letters):
    folder, _ = run
    before = {p: p.read_bytes() for p in folder.iterdir() if p.is_file()}
    trained(folder, letters, "--resume")
    assert before == {p: p.read_bytes() for p in folder.iterdir() if p.is_file()}


def test_a_damaged_checkpoint_is_named_and_kept(letters, tmp_path, run):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "config.json").write_bytes((run[0] / "config.json").read_bytes())
    content = bytearray((run[0] / "model.keras").read_bytes())
    for damaged in (content[:-100], content[: len(content) // 2], b""):
        (folder / "checkpoint.keras").write_bytes(damaged)
        result = CliRunner().invoke(
            train.main,
            ["--dataset", str(letters), "--output", str(folder), *QUICK, "--resume"],
        )
        assert result.exit_code == 2
        (line,) = result.stderr.splitlines()
        assert "checkpoint.keras" in line
        assert (folder / "checkpoint.keras").read_bytes() == damaged


def test_a_flipped_bit_in_a_saved_model_is_noticed(run, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    for file in run[0].glob("*.*"):
        (folder / file.name).write_bytes(file.read_bytes())
    content = bytearray((folder / "model.keras").read_bytes())
    with zipfile.ZipFile(folder / "model.keras") as archive:
        weights = archive.getinfo("model.weights.h5")
    content[weights.header_offset + weights.compress_size // 2] ^= 4
    (folder / "model.keras").write_bytes(content)
    result = CliRunner().invoke(evaluate.main, [str(folder)])
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert "model.keras" in line


@pytest.mark.slow
def test_a_full_disk_is_one_line_and_the_last_checkpoint_stays(letters, tmp_path):
    """Files may not grow beyond 1 MB: the checkpoint does not fit."""
    code = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))\n"
        "from pipelines.train import main\n"
        "main(sys.argv[1:])\n"
    )
    folder = tmp_path / "run"
    process = subprocess.run(
        [sys.executable, "-c", code, "--dataset", letters, "--output", folder, *QUICK],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 2, process.stderr
    assert process.stderr.splitlines()[-1].startswith("Error: cannot write")
    assert "Traceback" not in process.stderr
    assert not list(folder.glob("*.keras"))
    assert not list(folder.glob(".*"))
