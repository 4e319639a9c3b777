"""Answers become probabilities: an int8 file's, too, add up to 1."""

import csv

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from export import card, convert, runtime
from pipelines import predict
from pipelines.run.classifier import Classifier, probabilities
from rvsm_tf.networks import paper_cnn
from shaky_letters.shaky_letters_dataset_builder import ShakyLettersConfig, example
from tests.commands import refusal

LETTERS = ShakyLettersConfig(name="letters")


# mobile_demo/web/tests/probabilities.test.ts has the same.
@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([0, 0.99609375], [0, 1]),
        ([0.55859375, 0.4375], [143 / 255, 112 / 255]),
        ([0.5, 0.33203125, 0.1640625], [128 / 255, 85 / 255, 42 / 255]),
        ([0.25, 0.75], [0.25, 0.75]),
    ],
)
def test_answers_are_scaled_to_a_sum_of_one(said, expected):
    found = probabilities(np.array([said], "float32"))
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, [expected], rtol=0, atol=1e-15)


@pytest.mark.parametrize(
    "said", [[0.5, 0.44], [0.6, 0.46], [2, -3], [0, 0], [np.nan, 1]]
)
def test_what_is_far_from_it_is_refused(said):
    with pytest.raises(ValueError, match="add up to"):
        probabilities(np.array([[0.5, 0.5], said], "float32"))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Some letters, and the files that they are in."""
    folder = tmp_path_factory.mktemp("letters")
    split = LETTERS.splits()["test"]
    made = [example(LETTERS, split, i)["image"] for i in range(24)]
    files = [folder / f"{i}.png" for i in range(len(made))]
    for file, image in zip(files, made, strict=True):
        Image.fromarray(255 - image[..., 0]).save(file)
    return np.stack(made), files


def exported(net, images, folder):
    net.save(folder / "model.keras")
    x = (images / 255).astype("float32")
    np.savez_compressed(folder / "images.npz", calibration=x, test=x)
    convert.run(folder, formats=("int8",), quiet=True)
    return folder / "export" / "int8.tflite"


def test_an_int8_file_s_probabilities_add_up_to_one(pictures, tmp_path):
    images, files = pictures
    keras.utils.set_random_seed(0)
    file = exported(paper_cnn(), images, tmp_path)
    raw = runtime.run(file, "on", {"image": (images / 255).astype("float32")}).outputs
    assert (np.abs(raw.sum(axis=1) - 1) > 1e-3).any()  # what is to be mended
    said = Classifier(file)(images)
    np.testing.assert_allclose(said.sum(axis=1), 1, rtol=0, atol=1e-15)
    np.testing.assert_allclose(said, raw, rtol=0, atol=0.01)
    np.testing.assert_array_equal(said.argmax(axis=1), raw.argmax(axis=1))

    result = CliRunner().invoke(predict.main, ["--csv", *map(str, [file, *files])])
    assert result.exit_code == 0, result.output
    rows = list(csv.DictReader(result.stdout.splitlines()))
    assert len(rows) == len(files)
    for row in rows:
        total = sum(float(row[f"probability of {k}"]) for k in ("regular", "shaky"))
        assert total == pytest.approx(1, abs=1.5e-6)


@pytest.mark.slow
def test_a_file_that_answers_no_probabilities_is_refused(pictures, tmp_path):
    images, files = pictures
    net = paper_cnn()
    scores = keras.layers.Dense(2, name="scores", bias_initializer="ones")
    net = keras.Model(net.inputs, scores(net.layers[-2].output))
    line = refusal.refused(predict.main, exported(net, images, tmp_path), files[0])
    assert "answers no probabilities: they add up to" in line
    assert "softmax" in line


@pytest.mark.parametrize("off", [pytest.param(0.5, marks=pytest.mark.slow), np.nan])
def test_a_file_that_this_machine_gets_wrong_is_refused(pictures, tmp_path, off):
    """As one that was written for another processor's sake, or before a mistake."""
    images, files = pictures
    file = exported(paper_cnn(), images, tmp_path)
    contents = card.read(file.read_bytes())
    contents["golden"]["outputs"][2][0] += off
    file.write_bytes(card.embed(file.read_bytes(), contents))
    line = refusal.refused(predict.main, file, files[0])
    assert "does not run correctly here" in line
