"""Somebody's own drawings, from a folder to a trained network."""

import csv
import json

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from sklearn.datasets import load_digits

from export import convert
from pipelines import evaluate, train
from pipelines.collection import collection, sheet
from pipelines.figures import plots
from pipelines.images import augmentation
from pipelines.images.division import Division
from pipelines.run.classifier import Classifier
from pipelines.training.checkpoint import Checkpoint
from shaky_letters import canonical, raster
from tests.commands.refusal import refused
from tests.pipelines.collection import folders

QUICK = ["--epochs", "3", "--batch-size", "16"]
PERSONS, EACH = 6, 2


@pytest.fixture(autouse=True, scope="module")
def short():
    """Epochs of a few images: what is shown more often is tested elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(augmentation, "SHOWN", 160)
        yield


@pytest.fixture(scope="module")
def drawings(tmp_path_factory):
    """A folder per class, with what holds no drawing among them."""
    folder = tmp_path_factory.mktemp("own") / "letters"
    folders.class_folders(folder, PERSONS, EACH, np.random.default_rng(0))
    (folder / "shaky" / "P07_letter_9.png").write_bytes(b"")
    return folder


def trained(*options, exit_code=0):
    result = CliRunner().invoke(train.main, [*QUICK, *map(str, options)])
    assert result.exit_code == exit_code, result.output
    return result


@pytest.fixture(scope="module")
def run(drawings, tmp_path_factory):
    """A finished run: its folder, and what was printed."""
    folder = tmp_path_factory.mktemp("runs") / "own"
    return folder, trained("--dataset", drawings, "--output", folder)


def listed(folder):
    with open(folder / "drawings.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("layout", folders.MAKERS)
def test_in_every_layout_nobody_is_on_two_sides_and_no_file_is_lost(layout, tmp_path):
    folder = tmp_path / "set"
    folders.MAKERS[layout](folder, 5, 2, np.random.default_rng(0))
    found = collection.read(folder, "skip", raster.SIZE)
    division = Division(found, found.divided(0))
    whose = {}
    for name in ("train", "validation", "test"):
        images = division.load(name)
        assert set(images.label) == {0, 1}
        for person in images.person:
            assert whose.setdefault(person, name) == name
    assert len(whose) == 10
    (tmp_path / "run").mkdir()
    division.begin(tmp_path / "run")
    rows = listed(tmp_path / "run")
    there = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    assert {row["file"] for row in rows} == there
    for row in rows:
        assert bool(row["split"]) != bool(row["left out"])


def test_a_run_leaves_what_the_contract_lists(run, drawings):
    folder, result = run
    assert {"drawings.csv", "sheets", "model.keras"} <= {
        p.name for p in folder.iterdir()
    }
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["test_large_accuracy"] is None
    assert 1 <= metrics["best_epoch"] <= metrics["epochs"] <= 3
    assert not list(folder.glob("*checkpoint*")) + list(folder.glob("best*"))
    labels = json.loads((folder / "about.json").read_text())["labels"]
    assert labels == ["regular", "shaky"]
    assert "P07_letter_9.png' is empty: zero bytes" in result.stderr
    assert "| test |" in result.stdout
    assert f"{2 * PERSONS * EACH} drawings, 1 left out" in result.stdout


def test_the_sheet_shows_every_drawing_and_what_was_left_out(run):
    (page,) = (run[0] / "sheets").iterdir()
    tiles = 2 * PERSONS * EACH + 1
    with Image.open(page) as picture:
        width, height = picture.size
    across = width // sheet._TILE[0]
    assert across * (height // sheet._TILE[1]) >= tiles
    assert (across - 1) * (height // sheet._TILE[1]) < tiles


def test_the_samples_are_drawn_class_by_class(run, tmp_path):
    """Each class has its part of the width, and ink in it."""
    image = np.zeros((3 * 40, 100, 100, 1), "uint8")
    image[:, 40:60, 40:60] = 255
    label = np.repeat([0, 1, 2], [40, 40, 40])
    plots.samples(tmp_path / "all.png", image, label, ("a", "b", "c"))
    pictures = [(tmp_path / "all.png", 3), (run[0] / "samples.png", 2)]
    for path, classes in pictures:
        dark = np.asarray(Image.open(path).convert("L")) < 100
        for part in np.array_split(dark[dark.shape[0] // 10 :], classes, axis=1):
            assert part[: len(part) // 2].mean() > 0.003


def test_evaluation_is_of_the_test_persons_alone(run, drawings):
    folder, _ = run
    rows = [row for row in listed(folder) if row["split"] == "test"]
    result = evaluate.run(folder)
    assert result["images"] == len(rows)
    assert result["persons"] == len({row["person"] for row in rows})
    metrics = json.loads((folder / "metrics.json").read_text())
    assert result["accuracy"] == metrics["test_accuracy"]


def test_other_drawings_are_all_measured_but_for_those_trained_on(
    run, drawings, tmp_path
):
    other = tmp_path / "other"
    folders.class_folders(other, 2, 3, np.random.default_rng(5))
    seen = next(row for row in listed(run[0]) if row["split"] == "train")
    copied = other / "shaky" / "Q1_copy.png"
    copied.write_bytes((drawings / seen["file"]).read_bytes())
    result = CliRunner().invoke(
        evaluate.main,
        [str(run[0]), "--dataset", str(other), "--output", str(tmp_path / "out")],
    )
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("all: 12 images")
    assert result.stdout.endswith("out: other-all.json, other-all.png\n")
    assert {file.name for file in (tmp_path / "out").iterdir()} == {
        "other-all.json",
        "other-all.png",
    }
    assert "Q1_copy.png' was trained on" in result.stderr
    # Q1 is a person's name by the usual rule no more than 1 is.
    assert "unknown for 13 of 13 drawings" in result.stderr


def test_a_size_is_refused_in_a_line_before_anything_is_designed(drawings, tmp_path):
    told = trained(
        *("--dataset", drawings, "--target-size", "14kB"),
        *("--output", tmp_path / "run"),
        exit_code=2,
    )
    assert "--target-size 14000 is for the paper's network" in told.stderr


def canonical_of(made):
    pen = made["strokes"]
    return canonical.of_path(pen["x"], pen["y"], pen["pen_down"])


def test_what_is_exported_answers_as_the_run_does(run, tmp_path):
    convert.run(run[0], tmp_path, ("float32",), quiet=True)
    rng = np.random.default_rng(0)
    pictures = np.stack([canonical_of(folders.drawn(i % 2, rng)) for i in range(6)])
    one, two = (Classifier(p) for p in (run[0], tmp_path / "float32.tflite"))
    assert one.labels == two.labels == ("regular", "shaky")
    np.testing.assert_allclose(one(pictures), two(pictures), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("target", [[], ["--target-sparsity", "0.9"]])
def test_a_run_that_was_interrupted_ends_with_the_same_weights(
    target, drawings, tmp_path, monkeypatch
):
    options = ["--dataset", drawings, "--patience", 1, "--learning-rate", 0.01, *target]
    trained(*options, "--output", tmp_path / "whole")
    saved = Checkpoint.on_epoch_end

    def interrupted(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt
        saved(self, epoch, logs)

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "on_epoch_end", interrupted)
        trained(*options, "--output", tmp_path / "killed", exit_code=130)
    assert not (tmp_path / "killed" / "metrics.json").exists()
    trained(*options, "--output", tmp_path / "killed", "--resume")
    models = [
        keras.saving.load_model(tmp_path / name / "model.keras").get_weights()
        for name in ("whole", "killed")
    ]
    for one, two in zip(*models, strict=True):
        np.testing.assert_array_equal(one, two)


def test_drawings_that_changed_since_a_run_began_are_refused(drawings, tmp_path):
    copy = tmp_path / "letters"
    folders.class_folders(copy, 4, 1, np.random.default_rng(0))
    output = tmp_path / "run"
    options = ["--dataset", copy, "--output", output]
    trained(*options, "--epochs", "1")
    (output / "metrics.json").unlink()
    next((copy / "shaky").glob("*.png")).write_bytes(b"")
    line = trained(*options, "--epochs", 1, "--resume", exit_code=2).stderr
    assert "not those that the run" in line.splitlines()[-1]


@pytest.mark.slow
def test_every_person_is_tested_on_in_one_fold(drawings, tmp_path):
    output = tmp_path / "run"
    printed = trained("--dataset", drawings, "--output", output, "--folds", 3).stdout
    tested = []
    for fold in (1, 2, 3):
        rows = listed(output / f"fold-{fold}")
        tested += [row["file"] for row in rows if row["split"] == "test"]
    assert len(tested) == len(set(tested)) == 2 * PERSONS * EACH
    together = json.loads((output / "folds.json").read_text())
    assert together["images"] == len(tested)
    assert together["persons"] == 2 * PERSONS
    right = sum(
        evaluate.run(output / f"fold-{fold}")["accuracy"]
        * evaluate.run(output / f"fold-{fold}")["images"]
        for fold in (1, 2, 3)
    )
    assert together["accuracy"] == pytest.approx(right / len(tested))
    assert f"{100 * together['accuracy']:.2f} %" in printed
    before = (output / "folds.json").read_bytes()
    trained("--dataset", drawings, "--output", output, "--folds", 3, "--resume")
    assert (output / "folds.json").read_bytes() == before


def digits(folder, *numbers, each=40):
    """Scanned digits: 8 × 8 pixels, as scikit-learn has them from UCI."""
    images, target = load_digits(return_X_y=True)
    for number in numbers:
        place = folder / f"digit {number}"
        place.mkdir(parents=True)
        for i, image in enumerate(images[target == number][:each]):
            pixels = (image.reshape(8, 8) * 255 / 16).astype("uint8")
            Image.fromarray(pixels).save(place / f"{i}.png")


@pytest.mark.slow
def test_scanned_digits_are_told_apart(run, tmp_path, monkeypatch):
    monkeypatch.setattr(augmentation, "SHOWN", 1600)
    digits(tmp_path / "digits", 0, 1)
    trained("--dataset", tmp_path / "digits", "--output", tmp_path / "run")
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["test_accuracy"] > 0.9
    assert metrics["sparsity"] > 0.5


@pytest.mark.slow
def test_three_classes_start_from_a_run_of_two(run, tmp_path):
    digits(tmp_path / "digits", 0, 1, 4, each=8)
    output = tmp_path / "run"
    options = ["--dataset", tmp_path / "digits", "--output", output, "--from", run[0]]
    trained(*options, "--epochs", 1, "--learning-rate", 1e-9, "--lam", 0)
    first, second = (
        keras.saving.load_model(folder / "model.keras") for folder in (run[0], output)
    )
    assert second.output_shape == (None, 3)
    for name in ("conv1", "conv3", "dense"):
        one, two = (m.get_layer(name).kernel.numpy() for m in (first, second))
        np.testing.assert_allclose(one, two, atol=1e-5)
    assert len(evaluate.run(output)["confusion"]) == 3
    told = refused(evaluate.main, output, "--dataset", "letters")
    assert "digit 4 apart, and 'letters' has regular, shaky" in told


def test_wrong_options_are_named(run, drawings, tmp_path):
    def line(*options):
        return refused(train.main, *options, "--output", tmp_path / "new")

    few = tmp_path / "few"
    folders.person_folders(few, 3, 1, np.random.default_rng(0))
    assert "too few persons" in line("--dataset", few, "--folds", 9)
    assert "drawings of your own" in line("--folds", 3)
    assert "drawings of your own" in line("--patience", 3)
    assert "no run in" in line("--from", tmp_path)
    assert "P07_letter_9.png' is empty" in line(
        "--dataset", drawings, "--on-error", "stop"
    )
    other = line("--dataset", drawings, "--from", run[0], "--kernel-size", 5)
    assert "--kernel-size" in other
    assert not (tmp_path / "new").exists()
