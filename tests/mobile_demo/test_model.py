"""The committed networks, as the app uses them."""

import json
import pathlib

import numpy as np
import pytest

from export import card, runtime
from shaky_letters.shaky_letters_dataset_builder import ShakyLettersConfig, example

MODELS = pathlib.Path(__file__).parents[2] / "mobile_demo" / "model"


def smallest(name):
    report = json.loads((MODELS / name / "report.json").read_text("utf-8"))
    (file,) = (row["file"] for row in report if "smallest" in row["best"])
    return MODELS / name / file


@pytest.mark.parametrize("name", ["sparse", "dense"])
def test_the_network_tells_drawings_apart(name):
    config = ShakyLettersConfig(name="hands", subject="hands")
    split = config.splits()["test"]
    made = [example(config, split, i) for i in range(400)]
    images = np.stack([e["image"] for e in made]).astype("float32") / 255
    answers, _ = runtime.run(smallest(name), "on", {"image": images})
    right = answers.argmax(-1) == [e["label"] for e in made]
    # 400 drawings: four standard errors below what is published for 20,000.
    training = card.read(smallest(name).read_bytes())["training"]
    published = training["test_large_accuracy"]
    error = np.sqrt(published * (1 - published) / 400)
    assert right.mean() >= published - 4 * error


def test_the_sparse_network_has_a_tablet_s_size():
    sparse, dense = (smallest(name).stat().st_size for name in ("sparse", "dense"))
    assert sparse <= 20_000
    assert sparse < dense / 2
