"""Sets of any size: every file made by itself, in one process or on Apache Beam."""

import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow_datasets as tfds
from apache_beam.options.pipeline_options import PipelineOptions
from tensorflow_datasets.core.utils.shard_utils import ShardConfig
from tensorflow_datasets.core.writer import Writer

from pipelines.images import data
from shaky_letters.config import ShakyLettersConfig
from shaky_letters.examples import example, stored
from shaky_letters.records import RecordSerializer
from shaky_letters.shaky_letters_dataset_builder import Builder
from shaky_letters.shards import ShardWriter

pytestmark = pytest.mark.slow

ROOT = pathlib.Path(__file__).parents[2]
TFDS = (sys.executable, "-m", "tensorflow_datasets.scripts.cli.main")
FEW = 43
"""Images of a split: more than its files, and not a multiple of them."""


class SortedSerializer(tfds.core.ExampleSerializer):
    """The library's own records, map entries in the order of their names."""

    def serialize_example(self, example):
        return self.get_tf_example(example).SerializeToString(deterministic=True)


def build(folder, few=FEW, **config):
    builder = Builder(config=ShakyLettersConfig(**config), data_dir=folder)
    builder.download_and_prepare(
        download_config=tfds.download.DownloadConfig(max_examples_per_split=few)
    )
    return builder


def files(folder):
    folder = pathlib.Path(folder)
    return {f.name: f.read_bytes() for f in folder.iterdir() if f.is_file()}


def documented():
    """Returns the documentation's `tfds build` commands, as lists of words."""
    text = (ROOT / "docs/billion.md").read_text("utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    commands = "".join(blocks).replace("\\\n", " ").splitlines()
    return [shlex.split(line) for line in commands if line.startswith("tfds build ")]


def local_command():
    """Returns the one for several processes on this machine, without `tfds`."""
    (found,) = (c for c in documented() if "runner=FnApiRunner" in c[-1])
    return found[1:]


@pytest.fixture(scope="module")
def on_beam(tmp_path_factory):
    """A set built by the documented command for several processes."""
    folder = tmp_path_factory.mktemp("beam")
    few = ("--data_dir", folder, "--max_examples_per_split", str(FEW))
    subprocess.run(
        [*TFDS, *local_command(), *few], cwd=ROOT, check=True, capture_output=True
    )
    (made,) = folder.glob("shaky_letters/*/1.0.0")
    return made


def test_several_processes_write_the_bytes_of_one(on_beam, tmp_path):
    config = json.loads(local_command()[local_command().index("--config") + 1])
    alone = files(build(tmp_path, **config).data_dir)
    together = files(on_beam)
    assert {"dataset_info.json", "features.json"} < alone.keys()
    assert sum("tfrecord" in name for name in alone) == 4 * 8
    assert together == alone


@pytest.mark.parametrize("subject", ["letters", "shapes", "drawings"])
def test_the_files_are_those_of_tfds_s_own_writer(subject, tmp_path):
    """Its writer for one process, its encoder, the library of protocol buffers."""
    builder = build(tmp_path / "ours", name="some", subject=subject, images=2000)
    config, features = builder.builder_config, builder.info.features
    (tmp_path / "stock").mkdir()
    for name, split in config.splits().items():
        writer = Writer(
            serializer=SortedSerializer(features.get_serialized_info()),
            filename_template=tfds.core.ShardedFileTemplate(
                data_dir=tmp_path / "stock",
                dataset_name="shaky_letters",
                split=name,
                filetype_suffix="tfrecord",
            ),
            hash_salt=name,
            disable_shuffling=True,
            example_writer=tfds.core.ExampleWriter(tfds.core.FileFormat.TFRECORD),
            shard_config=ShardConfig(num_shards=8),
        )
        for i in range(FEW):
            writer.write(i, features.encode_example(stored(config, split, i)))
        lengths, size = writer.finalize()
        assert builder.info.splits[name].shard_lengths == lengths
        assert builder.info.splits[name].num_bytes == size
    ours = files(builder.data_dir)
    assert {n: b for n, b in ours.items() if "tfrecord" in n} == files(
        tmp_path / "stock"
    )


def test_the_first_images_are_those_of_the_standard_set(on_beam):
    builder = tfds.builder_from_directory(on_beam)
    in_order = tfds.ReadConfig(interleave_cycle_length=1)
    letters = ShakyLettersConfig(name="letters").splits()
    for name, split in letters.items():
        read = builder.as_dataset(split=name, read_config=in_order).as_numpy_iterator()
        for i, found in enumerate(read):
            wanted = example(ShakyLettersConfig(name="letters"), split, i)
            np.testing.assert_array_equal(found["image"], wanted["image"])
            np.testing.assert_array_equal(found["strokes"]["x"], wanted["strokes"]["x"])
            assert found["label"] == wanted["label"]
        assert i == FEW - 1


def test_training_reads_it(on_beam):
    images = data.load(data.prepare(str(on_beam)), "train")
    assert images.image.shape == (FEW, 100, 100, 1)
    assert set(images.label) == {0, 1}


def test_files_are_neither_large_nor_few_nor_uneven():
    def lengths(images):
        config = ShakyLettersConfig(name="some", images=images)
        return ShardWriter(config, config.splits(), None, None, None).lengths("train")

    for images in (1, 7, 8, 43, 10_000, 99_999, 1_000_000, 123_456_789):
        found = lengths(images)
        assert sum(found) == images
        assert max(found) <= 10_000
        assert max(found) - min(found) <= 1
        assert len(found) >= min(images, 8)
    assert len(lengths(1_000_000_000)) == 100_000


def test_whole_numbers_of_any_size_are_recorded_as_by_the_library():
    some = tfds.features.Tensor(shape=(None,), dtype=np.int64)
    features = tfds.features.FeaturesDict({"some": some, "name": tfds.features.Text()})
    specs = features.get_serialized_info()
    numbers = np.array([2**k + d for k in range(62) for d in (-1, 0)])
    encoded = {"some": numbers, "name": b"z" * 20_000}
    record = RecordSerializer(specs).serialize_example(encoded)
    assert record == SortedSerializer(specs).serialize_example(encoded)


@pytest.mark.parametrize("images", [0, -5, 1.5, 2e4, "20000", True, [3]])
def test_a_wrong_number_of_images_is_refused(images):
    line = re.escape(
        f"'mine' cannot have {images!r} images: give a whole number from 1"
    )
    with pytest.raises(ValueError, match=line):
        ShakyLettersConfig(name="mine", images=images)


def test_a_subject_that_is_none_is_refused():
    with pytest.raises(ValueError, match=r"'mine' cannot be of 'shape': .*letters, sh"):
        ShakyLettersConfig(name="mine", subject="shape")


def test_a_name_stands_for_one_number_of_images(tmp_path):
    build(tmp_path, name="mine", images=9)
    with pytest.raises(ValueError, match="holds 9 images to train on, not 10: give"):
        build(tmp_path, name="mine", images=10)
    build(tmp_path, name="mine", images=9)
    with pytest.raises(ValueError, match="Cannot name a custom BuilderConfig the same"):
        build(tmp_path, name="letters_xl", images=10)


def test_without_a_config_only_the_standard_sets_are_built():
    assert [c.name for c in Builder.BUILDER_CONFIGS] == [
        "letters",
        "shapes",
        "drawings",
        "hands",
    ]
    assert Builder(config="letters_xl").builder_config.images == 1_000_000


def test_a_killed_build_leaves_nothing_that_looks_finished(tmp_path):
    config = {"name": "mine", "images": 900}
    command = [c if "{" not in c else json.dumps(config) for c in local_command()]
    build_on_beam = subprocess.Popen(
        [*TFDS, *command, "--data_dir", tmp_path],
        cwd=ROOT,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    folder, deadline = tmp_path / "shaky_letters/mine", time.monotonic() + 300
    while not any(folder.glob("incomplete.*/shaky_letters-*")):
        assert build_on_beam.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(build_on_beam.pid, signal.SIGKILL)
    build_on_beam.wait()
    assert not (folder / "1.0.0").exists()
    built = build(tmp_path, few=5, **config)
    assert built.info.splits["train"].num_examples == 5
    assert all(f.is_file() for f in (folder / "1.0.0").iterdir())


def test_every_documented_option_is_one_of_beam_s():
    given = [c[-1].partition("=") for c in documented() if "pipeline" in c[-1]]
    assert len(given) == 3
    for name, _, options in given:
        assert name == "--beam_pipeline_options"
        flags = options.split(",")  # as TFDS takes it apart
        known = PipelineOptions([f"--{flag}" for flag in flags]).get_all_options()
        assert {flag.split("=")[0] for flag in flags} <= known.keys()
