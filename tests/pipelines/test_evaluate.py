"""A finished run's figures: printed, written, drawn."""

import dataclasses
import json
import shutil

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from commands.files import read_json, write_json
from pipelines import evaluate
from pipelines.figures import diagrams, evaluation, scores
from pipelines.images import data
from pipelines.run.calibration import rescaled, temperature
from pipelines.run.config import TrainConfig
from pipelines.training import launch
from tests.commands.refusal import refused

INTERVALS = ("sensitivity", "specificity", "auc")


@pytest.fixture(scope="module")
def run(letters, tmp_path_factory):
    """The folder of a finished run that tells the classes apart, more or less."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    launch.run(TrainConfig(dataset=str(letters), epochs=6), folder, quiet=True)
    return folder


def asked(*arguments):
    result = CliRunner().invoke(evaluate.main, [str(a) for a in arguments])
    assert result.exit_code == 0, result.output
    return result


def test_the_run_is_calibrated_on_what_validation_shows(run):
    """What would be best for its probabilities now is to leave them as they are."""
    t = read_json(run / "metrics.json")["temperature"]
    images = data.load(data.prepare(read_json(run / "config.json")["dataset"]), "test")
    model = keras.saving.load_model(run / "model.keras")
    now = model.predict(images.image / 255.0, verbose=0)
    before = rescaled(now, 1 / t)
    assert temperature(before, images.label) == pytest.approx(t, rel=1e-3)
    expected = scores.calibration(images.label, before)
    found = evaluate.run(run, "test")
    assert found["uncalibrated"]["error"] == pytest.approx(expected.error, abs=1e-5)
    assert found["temperature"] == t


def test_figures_are_printed_and_written(run, tmp_path):
    result = evaluate.run(run, "test_large")
    (shaky,) = result["classes"]
    (regular_right, _), (_, shaky_right) = result["confusion"]
    assert result["labels"] == ["regular", "shaky"]
    assert result["images"] == 60
    assert shaky["sensitivity"] == shaky_right / 30
    assert shaky["specificity"] == regular_right / 30
    for name in INTERVALS:
        low, high = shaky[f"{name}_interval"]
        assert low <= shaky[name] <= high
    printed = asked(run, "--split", "test_large", "--output", tmp_path / "a" / "b")
    low, high = (100 * x for x in result["accuracy_interval"])
    first, *rest = printed.stdout.splitlines()
    assert first == (
        f"test_large: 60 images, accuracy {100 * result['accuracy']:.2f} % "
        f"({low:.1f} to {high:.1f} %)"
    )
    assert any(line.startswith("sensitivity, shaky") for line in rest)
    assert f"{100 * result['calibration']['error']:.2f} %" in printed.stdout
    assert f"before temperature {result['temperature']:.4g}" in printed.stdout
    written = read_json(tmp_path / "a" / "b" / "test_large.json")
    assert written == json.loads(json.dumps(result))
    with Image.open(tmp_path / "a" / "b" / "test_large.png") as picture:
        assert picture.size == (1820, 650)


def test_by_default_they_are_written_into_the_run(run, tmp_path):
    shutil.copytree(run, tmp_path / "run")
    printed = asked(tmp_path / "run", "--json").stdout
    assert json.loads(printed) == read_json(tmp_path / "run/evaluation/test.json")
    assert (tmp_path / "run/evaluation/test.png").stat().st_size > 10_000


def test_a_run_of_an_earlier_version_was_not_calibrated(run, tmp_path):
    shutil.copytree(run, tmp_path / "run")
    metrics = read_json(tmp_path / "run" / "metrics.json")
    del metrics["temperature"]
    write_json(tmp_path / "run" / "metrics.json", metrics)
    (tmp_path / "run" / "about.json").unlink()
    result = evaluate.run(tmp_path / "run", "test")
    assert result["temperature"] == 1
    assert result["labels"] == ["regular", "shaky"]
    before, now = result["uncalibrated"], result["calibration"]
    assert before["error"] == pytest.approx(now["error"], abs=1e-6)


def test_a_run_that_is_not_finished_is_named(run, tmp_path):
    shutil.copytree(run, tmp_path / "run")
    (tmp_path / "run" / "metrics.json").unlink()
    assert "--resume" in refused(evaluate.main, tmp_path / "run")


@pytest.mark.parametrize("labels", [None, "ab", ["a", 5], ["a", "b", "c"]])
def test_labels_that_do_not_fit_are_named(run, tmp_path, labels):
    shutil.copytree(run, tmp_path / "run")
    about = read_json(tmp_path / "run" / "about.json")
    write_json(tmp_path / "run" / "about.json", {**about, "labels": labels})
    refused(evaluate.main, tmp_path / "run")


def invented(classes, persons=None, count=300):
    """What `run` would return of a model that does not exist."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, len(classes), count)
    logits = 2 * np.eye(len(classes))[labels] + rng.normal(size=(count, len(classes)))
    sure = np.exp(2 * logits)
    sure /= sure.sum(1, keepdims=True)
    p = rescaled(sure, 1.6)
    found = scores.scores(labels, p, classes, persons)
    before = scores.calibration(labels, sure)
    return {
        "dataset": "invented",
        "split": "test",
        "name": "test",
        "labels": list(classes),
        **dataclasses.asdict(found),
        "temperature": 1.6,
        "uncalibrated": dataclasses.asdict(before),
    }


def test_any_number_of_classes_is_told_and_drawn(tmp_path):
    classes = ("spiral", "meander", "wave")
    result = invented(classes, np.arange(300) % 30)
    lines = evaluation.report(result).splitlines()
    assert lines[0].startswith("test: 300 images by 30 persons, accuracy")
    for name in classes:
        assert any(line.startswith(f"area under ROC, {name}") for line in lines)
    evaluate.write(tmp_path, result)
    with Image.open(tmp_path / "test.png") as picture:
        assert picture.size == (1820, 650)


def test_one_class_alone_is_told_and_drawn(tmp_path):
    """As in a folder of nothing but regular drawings."""
    p = np.array([[0.9, 0.1], [0.4, 0.6], [0.7, 0.3]])
    found = dataclasses.asdict(scores.scores([0, 0, 0], p, ("a", "b"), [1, 1, 1]))
    result = {**found, "labels": ["a", "b"], "split": "test", "dataset": "x"}
    result |= {"temperature": 1.0, "uncalibrated": found["calibration"]}
    lines = evaluation.report(result).splitlines()
    assert "sensitivity, b     -" in lines
    assert "(no interval: one person)" in lines[0]
    diagrams.draw(tmp_path / "one.png", result)
    assert (tmp_path / "one.png").exists()
