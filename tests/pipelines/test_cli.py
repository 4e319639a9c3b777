"""Wrong input: one line that quotes it, exit code 2, no traceback."""

import json
import os
import shutil

import pytest
from click.testing import CliRunner

from pipelines import evaluate, train
from pipelines.run.claim import claim
from pipelines.run.config import TrainConfig
from tests.commands.refusal import refused, refused_alone


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--penalty", "l2"),
        ("--a", "0"),
        ("--a", "-1"),
        ("--a", "nan"),
        ("--a", "inf"),
        ("--a", "1e40"),
        ("--lam", "-1e-9"),
        ("--lam", "nan"),
        ("--beta", "0"),
        ("--beta", "-0.1"),
        ("--beta", "nan"),
        ("--target-sparsity", "1.5"),
        ("--target-sparsity", "-0.1"),
        ("--target-sparsity", "nan"),
        ("--optimizer", "lion"),
        ("--learning-rate", "0"),
        ("--epochs", "0"),
        ("--epochs", "2.5"),
        ("--batch-size", "0"),
        ("--seed", "-1"),
        ("--precision", "int8"),
    ],
)
def test_a_wrong_value_is_quoted_with_its_option(option, value, tmp_path):
    line = refused(train.main, option, value, "--output", tmp_path / "run")
    assert option in line
    assert value in line
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "options", [["--lam", "1e+40"], ["--lam", "1e-45"], ["--beta", "1e+40"]]
)
def test_a_step_that_cannot_be_held_is_refused(options, tmp_path):
    line = refused(train.main, *options, "--output", tmp_path / "run")
    assert " ".join(options) in line
    assert not (tmp_path / "run").exists()


def test_an_unknown_option_is_named():
    assert "--lambda" in refused(train.main, "--lambda", "1")


def test_a_dataset_that_is_not_there_is_named(tmp_path):
    line = refused(
        train.main, "--dataset", tmp_path / "no", "--output", tmp_path / "run"
    )
    assert str(tmp_path / "no") in line
    assert "letters" in line


def test_a_folder_without_a_dataset_is_named(tmp_path):
    (tmp_path / "empty").mkdir()
    line = refused(
        train.main, "--dataset", tmp_path / "empty", "--output", tmp_path / "run"
    )
    assert "in a folder for each class" in line


def test_a_dataset_of_another_version_is_refused(letters, tmp_path):
    other = tmp_path / "1.0.0"
    shutil.copytree(letters, other)
    info = json.loads((other / "dataset_info.json").read_text())
    info["version"] = "0.9.0"
    (other / "dataset_info.json").write_text(json.dumps(info))
    line = refused(train.main, "--dataset", other, "--output", tmp_path / "run")
    assert "0.9.0" in line
    assert "1.0.0" in line


@pytest.mark.parametrize("damage", ["truncated", "garbled", "missing"])
def test_a_damaged_shard_is_reported(letters, tmp_path, damage):
    other = tmp_path / "1.0.0"
    shutil.copytree(letters, other)
    (shard,) = other.glob("*-train.tfrecord*")
    content = bytearray(shard.read_bytes())
    if damage == "missing":
        shard.unlink()
    elif damage == "truncated":
        shard.write_bytes(content[: len(content) // 2])
    else:
        content[len(content) // 2] ^= 1
        shard.write_bytes(content)
    line = refused(train.main, "--dataset", other, "--output", tmp_path / "run")
    assert "'train'" in line
    assert "damaged" in line


def test_a_damaged_dataset_description_is_reported(letters, tmp_path):
    other = tmp_path / "1.0.0"
    shutil.copytree(letters, other)
    (other / "dataset_info.json").write_text('{"name": ')
    line = refused(train.main, "--dataset", other, "--output", tmp_path / "run")
    assert str(other) in line


def test_a_damaged_standard_set_is_reported(letters, tmp_path, monkeypatch):
    there = tmp_path / "shaky_letters" / "letters" / "1.0.0"
    shutil.copytree(letters, there)
    (there / "dataset_info.json").write_text('{"name": ')
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    line = refused_alone("pipelines.train", "--output", tmp_path / "run")
    assert repr(str(there.parent)) in line
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("layers", "says"),
    [("denze", "matches no layer"), ("flatten", "has no kernel"), ("", "no layer")],
)
@pytest.mark.parametrize("penalty", ["tl1", "none"])
def test_a_layer_that_cannot_be_split_is_answered_with_those_that_can(
    letters, tmp_path, penalty, layers, says
):
    line = refused(
        train.main, "--split-layers", layers, "--dataset", letters,
        "--output", tmp_path / "run", "--penalty", penalty,
    )  # fmt: skip
    assert repr(layers) in line
    assert says in line
    for name in ("conv1", "conv2", "conv3", "dense", "probabilities"):
        assert name in line


def test_nothing_else_is_printed_not_even_by_tensorflow(letters, tmp_path):
    arguments = ["--split-layers", "denze", "--dataset", letters]
    line = refused_alone("pipelines.train", *arguments, "--output", tmp_path / "run")
    assert line.startswith("Error: --split-layers: 'denze' matches no layer")


def test_a_batch_larger_than_the_dataset_is_refused(letters, tmp_path):
    line = refused(
        train.main, "--batch-size", 161, "--dataset", letters,
        "--output", tmp_path / "run",
    )  # fmt: skip
    assert "161" in line
    assert "160" in line


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    precious = tmp_path / "precious.txt"
    precious.write_text("do not touch")
    line = refused(train.main, "--output", tmp_path)
    assert "not empty" in line
    assert os.listdir(tmp_path) == ["precious.txt"]
    assert precious.read_text() == "do not touch"


def test_an_output_that_is_a_file_is_refused(tmp_path):
    file = tmp_path / "file"
    file.write_text("content")
    assert str(file) in refused(train.main, "--output", file)
    assert file.read_text() == "content"


@pytest.mark.parametrize("place", ["{}/file", "/sys"])
def test_an_output_that_nobody_can_write_to_is_refused(letters, tmp_path, place):
    # A file takes no folders; nor does /sys, not even from root.
    (tmp_path / "file").write_text("content")
    output = place.format(tmp_path) + "/run"
    line = refused(train.main, "--dataset", letters, "--output", output)
    assert "cannot write" in line
    assert output in line


def test_resuming_needs_a_run(tmp_path):
    assert "--output" in refused(train.main, "--resume")
    assert "no run" in refused(train.main, "--resume", "--output", tmp_path / "none")


def test_resuming_with_other_options_is_refused(tmp_path):
    claim(tmp_path / "run", TrainConfig(epochs=3))
    line = refused(train.main, "--resume", "--epochs", 4, "--output", tmp_path / "run")
    assert "--epochs 3" in line


@pytest.mark.parametrize("content", ["{", "[]", ""])
def test_resuming_a_run_with_a_damaged_configuration_is_refused(tmp_path, content):
    (tmp_path / "config.json").write_text(content)
    line = refused(train.main, "--resume", "--output", tmp_path)
    assert "config.json" in line


def test_evaluating_nothing_is_refused(tmp_path):
    assert str(tmp_path) in refused(evaluate.main, tmp_path)
    assert "nowhere" in refused(evaluate.main, "nowhere")


def test_an_unfinished_run_cannot_be_evaluated(tmp_path):
    claim(tmp_path / "run", TrainConfig())
    assert "model.keras" in refused(evaluate.main, tmp_path / "run")


@pytest.mark.parametrize("command", [train.main, evaluate.main])
def test_help_is_given(command):
    result = CliRunner().invoke(command, ["--help"])
    assert result.exit_code == 0
    assert "--dataset" in result.output
