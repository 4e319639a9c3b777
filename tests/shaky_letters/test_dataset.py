import hashlib
import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow_datasets as tfds
from matplotlib import get_data_path

from shaky_letters.pen import Hands
from shaky_letters.raster import rasterize
from shaky_letters.shaky_letters_dataset_builder import (
    Builder,
    ShakyLettersConfig,
    example,
)

CONFIGS = {c.name: c for c in Builder.BUILDER_CONFIGS if c.subject != "hands"}
"""The sets of paths and rasters; `hands` has tests of its own."""
ROOT = pathlib.Path(__file__).parents[2]


def some(config="letters", split="train", numbers=range(200)):
    config = CONFIGS[config] if isinstance(config, str) else config
    return [example(config, config.splits()[split], i) for i in numbers]


def same(one, two):
    for key in one:
        if key == "strokes":
            return all(np.array_equal(one[key][k], two[key][k]) for k in one[key])
        if not np.array_equal(one[key], two[key]):
            return False
    return True


def test_example_i_does_not_depend_on_the_others():
    forwards, backwards = some(numbers=range(20)), some(numbers=range(19, -1, -1))
    assert all(same(a, b) for a, b in zip(forwards, backwards[::-1], strict=True))


def test_seeds_splits_and_numbers_differ():
    other = ShakyLettersConfig(name="other", seed=1)
    pictures = {
        made[0]["image"].tobytes()
        for made in (
            some(numbers=[0]),
            some(numbers=[2]),
            some(split="test", numbers=[0]),
            some(split="test_large", numbers=[0]),
            some(other, numbers=[0]),
        )
    }
    assert len(pictures) == 5


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("split", ["train", "test", "test_unseen", "test_large"])
def test_classes_are_balanced_and_only_shaky_hands_tremble(config, split):
    made = some(config, split, range(40))
    assert sum(e["label"] for e in made) == 20
    for e in made:
        assert bool(e["label"]) == (e["tremor_hz"] > 0) == (e["tremor_amplitude"] > 0)
        assert 50 < (e["image"] > 0).sum() < 4000


def test_splits_have_the_published_sizes():
    for config in CONFIGS.values():
        assert {name: split.size for name, split in config.splits().items()} == {
            "train": 5_000,
            "test": 1_000,
            "test_unseen": 1_000,
            "test_large": 20_000,
        }


def test_unseen_hands_and_alphabets_never_occur_in_training():
    seen, unseen = some(), some(split="test_unseen")
    assert not {e["alphabet"] for e in seen} & {e["alphabet"] for e in unseen}
    for name in ("pen_width", "tremor_hz"):
        assert max(e[name] for e in seen) <= min(e[name] for e in unseen if e[name])
    assert min(e["tremor_hz"] for e in seen if e["label"]) >= 4
    assert max(e["tremor_hz"] for e in unseen) <= 7


def test_all_letters_and_shapes_occur():
    assert len({e["letter"] for e in some(numbers=range(600))}) == 52
    assert {e["shape"] for e in some("shapes", numbers=range(40))} == {
        "triangle",
        "quadrangle",
    }


def test_the_picture_is_the_rasterised_recording():
    for config in CONFIGS:
        for e in some(config, numbers=range(30)):
            s = e["strokes"]
            drawn = rasterize(s["x"], s["y"], s["pen_down"], e["pen_width"])
            np.testing.assert_array_equal(drawn, e["image"])


def test_a_font_of_one_s_own_is_written_with_and_without_tremor():
    font = f"{get_data_path()}/fonts/ttf/DejaVuSerif.ttf"
    made = some(ShakyLettersConfig(name="serif", font=font), numbers=range(10))
    assert {e["alphabet"] for e in made} == {font}
    assert {e["label"] for e in made} == {0, 1}


def test_the_standard_set_is_the_one_of_version_1():
    """Golden: made with NumPy 2.4.6 on x86-64, the same with 2.2.6 on Python 3.10."""
    golden = json.loads((pathlib.Path(__file__).parent / "golden.json").read_text())
    assert str(Builder.VERSION) == "1.0.0"
    assert golden == fingerprints()


def fingerprints():
    found = {}
    for config in CONFIGS:
        for split in ("train", "test", "test_unseen", "test_large"):
            digest = hashlib.sha256()
            for e in some(config, split, range(100)):
                digest.update(e["image"].tobytes())
                for name in ("x", "y", "t", "pen_down"):
                    digest.update(e["strokes"][name].tobytes())
            found[f"{config}/{split}"] = digest.hexdigest()
    return found


def test_tfds_build_finds_and_builds_the_dataset(tmp_path):
    subprocess.run(
        [
            *(sys.executable, "-m", "tensorflow_datasets.scripts.cli.main"),
            *("build", "shaky_letters", "--config", "letters"),
            *("--data_dir", tmp_path, "--max_examples_per_split", "12"),
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    builder = tfds.builder_from_directory(tmp_path / "shaky_letters/letters/1.0.0")
    made = {e["image"].tobytes(): e for e in some(numbers=range(12))}
    read = list(tfds.as_numpy(builder.as_dataset(split="train")))
    assert {e["image"].tobytes() for e in read} == made.keys()
    names = builder.info.features
    for e in read:
        original = made[e["image"].tobytes()]
        assert e["label"] == original["label"]
        assert names["letter"].int2str(e["letter"]) == original["letter"]
        assert names["alphabet"].int2str(e["alphabet"]) == original["alphabet"]
        for name in ("tremor_hz", "tremor_amplitude", "pen_width"):
            assert e[name] == np.float32(original[name])
        for name, values in original["strokes"].items():
            np.testing.assert_array_equal(e["strokes"][name], values)
    assert names["label"].names == ["regular", "shaky"]


def test_hands_are_documented_ranges():
    for low, high in vars(Hands()).values():
        assert 0 < low < high


if __name__ == "__main__":  # makes the golden file of a new version
    print(json.dumps(fingerprints(), indent=2))


def test_drawings_are_of_three_kinds_and_lie_as_on_the_tablet():
    made = some("drawings", numbers=range(200))
    kinds = [e["kind"] for e in made]
    assert kinds.count("letter") == pytest.approx(100, abs=20)
    assert kinds.count("shape") == pytest.approx(50, abs=17)
    assert kinds.count("spiral") == pytest.approx(50, abs=17)
    for e in made:
        strokes = e["strokes"]
        ink = np.stack([strokes["x"], strokes["y"]])[:, strokes["pen_down"]]
        low, high = ink.min(1), ink.max(1)
        assert (high - low).max() == pytest.approx(64, abs=1 / 32)
        np.testing.assert_allclose((low + high) / 2, 50, atol=1 / 64)
        assert e["pen_width"] == 3
