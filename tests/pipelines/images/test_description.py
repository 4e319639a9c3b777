"""A dataset's folder that somebody else made runs nothing, and stays in its folder."""

import copy
import json
import shutil

import pytest

from pipelines import train
from pipelines.images import data
from tests.commands.refusal import refused

FEATURES = "tensorflow_datasets.core.features"


@pytest.fixture
def folder(letters, tmp_path):
    """A copy of a dataset, to be changed."""
    return shutil.copytree(letters, tmp_path / "1.0.0")


def changed(file, change):
    """Changes a JSON file in place, by a function of its content."""
    content = json.loads(file.read_text("utf-8"))
    change(content)
    file.write_text(json.dumps(content), "utf-8")


def unread(folder):
    """What training on a folder says: one line, which names the folder."""
    output = folder.parent / "run"
    line = refused(train.main, "--dataset", folder, "--output", output)
    assert str(folder) in line
    assert not output.exists()
    return line


def proto(name):
    return {"pythonClassName": name, "tensor": {"dtype": "int64", "shape": {}}}


def hidden(name):
    """The same in the text of another feature, which TFDS reads in turn."""
    inner = {"type": name, "content": {}, "proto_cls": ""}
    return {
        "pythonClassName": f"{FEATURES}.features_dict.FeaturesDict",
        "jsonFeature": {"json": json.dumps({"evil": inner})},
    }


@pytest.mark.parametrize(
    ("feature", "says"),
    [
        (proto("evil.Evil"), "evil.Evil"),
        (proto("tensorflow_datasets.evil.Evil"), "tensorflow_datasets.evil.Evil"),
        (proto("subprocess.Popen"), "subprocess.Popen"),
        (proto(""), "''"),
        (hidden("evil.Evil"), "FeaturesDict"),
        ({"type": "evil.Evil", "content": {}, "proto_cls": ""}, "damaged"),
        ({"python_class_name": "evil.Evil", **proto("evil.Evil")}, "evil.Evil"),
    ],
    ids=str,
)
@pytest.mark.parametrize("whole", [True, False])
def test_no_module_is_imported(folder, tmp_path, monkeypatch, whole, feature, says):
    (tmp_path / "evil.py").write_text("import os; os.mkdir('ran')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    file = folder / "features.json"
    if whole:
        file.write_text(json.dumps(feature), "utf-8")
    else:
        changed(
            file,
            lambda content: content["featuresDict"]["features"]["strokes"][
                "featuresDict"
            ]["features"].update(t=copy.deepcopy(feature)),
        )
    assert says in unread(folder)
    assert not (tmp_path / "ran").exists()


def test_the_labels_of_a_feature_are_in_the_folder(folder):
    changed(
        folder / "features.json",
        lambda content: content["featuresDict"]["features"].update(
            {"../../evil": content["featuresDict"]["features"]["label"]}
        ),
    )
    assert "damaged" in unread(folder)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("filepathTemplate", "../../{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}"),
        ("filepathTemplate", "/etc/passwd"),
        ("filepathTemplate", ""),
        ("name", "../../train"),
    ],
)
def test_shards_are_in_the_folder(folder, name, value):
    changed(
        folder / "dataset_info.json",
        lambda content: content["splits"][0].update({name: value}),
    )
    assert repr(value) in unread(folder)


@pytest.mark.parametrize(
    ("name", "value"),
    [("name", "../shaky_letters"), ("fileFormat", "riegeli"), ("version", "1.0.0/..")],
)
def test_it_is_one_of_ours(folder, name, value):
    changed(folder / "dataset_info.json", lambda content: content.update({name: value}))
    assert value in unread(folder)


@pytest.mark.parametrize("file", ["dataset_info.json", "features.json"])
@pytest.mark.parametrize("content", ["[" * 100_000, "[]", "5", '{"a":' * 100_000])
def test_what_describes_nothing_is_damaged(folder, file, content):
    (folder / file).write_text(content, "utf-8")
    assert "damaged" in unread(folder)


def test_one_of_ours_is_read(folder):
    assert len(data.load(data.prepare(str(folder)), "train")) == 160
