"""Files that somebody else wrote: a model is read, and nothing in it is run."""

import copy
import json
import stat
import zipfile

import h5py
import keras
import numpy as np
import pytest

from export import convert
from pipelines import predict
from rvsm_tf.litert import models
from rvsm_tf.litert.base.cli import InputError
from tests.commands.refusal import refused

L = keras.layers


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A network that Keras saved, as any user may have it."""
    keras.utils.set_random_seed(0)
    ink = keras.Input((4, 4, 1))
    x = L.Conv2D(2, 3, padding="same", activation="relu")(ink)
    x = L.BatchNormalization()(x)
    x = keras.ops.take(L.Flatten()(x), np.array([1, 5, 6]), axis=-1)
    x = L.Dense(3, kernel_regularizer=keras.regularizers.L2(0.1))(x)
    net = keras.Model(ink, L.Softmax()(x))
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 100)
    net.compile(keras.optimizers.Adam(schedule), "mse", ["mae"])
    net.optimizer.build(net.trainable_variables)
    file = tmp_path_factory.mktemp("saved") / "model.keras"
    net.save(file)
    return file


def contents(file):
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(file, members, compression=zipfile.ZIP_STORED):
    """Writes an archive of (name or description, bytes) pairs."""
    with zipfile.ZipFile(file, "w", compression) as archive:
        for member, value in members:
            archive.writestr(member, value)
    return file


def with_config(saved, file, change):
    """Copies a model, its configuration changed in place by a function."""
    members = contents(saved)
    config = json.loads(members["config.json"])
    change(config)
    members["config.json"] = json.dumps(config).encode()
    return packed(file, members.items())


def with_weights(saved, file, change):
    """Copies a model, its weights changed by a function of the HDF5 file."""
    members = contents(saved)
    weights = file.with_suffix(".h5")
    weights.write_bytes(members["model.weights.h5"])
    with h5py.File(weights, "r+") as content:
        change(content)
    members["model.weights.h5"] = weights.read_bytes()
    return packed(file, members.items())


def unread(file):
    """What every command says of a file: one line."""
    line = refused(convert.main, file)
    assert str(file) in line
    run = file.parent / "run"
    run.mkdir()
    (run / "model.keras").symlink_to(file)
    drawing = file.parent / "drawing.json"
    line_of_drawing = {"x": [100, 200, 400], "y": [100, 150, 500]}
    drawing.write_text(
        json.dumps(
            {
                **{"format": "rvsm_tf drawing", "version": 1},
                **{"width": 640, "height": 640, "strokes": [line_of_drawing]},
            }
        )
    )
    assert "model.keras" in refused(predict.main, run, drawing)
    return line


def test_what_keras_saves_is_read_as_it_was(saved):
    x = np.random.default_rng(0).random((3, 4, 4, 1))
    expected = keras.saving.load_model(saved).predict(x, verbose=0)
    for ready in (True, False):
        model = models.load(saved, compile=ready)
        np.testing.assert_array_equal(model.predict(x, verbose=0), expected)
        assert model.compiled == ready


def test_what_the_program_registered_itself_is_read(tmp_path):
    @keras.saving.register_keras_serializable("tests")
    class Doubled(L.Layer):
        def call(self, x):
            return 2 * x

    @keras.saving.register_keras_serializable("tests")
    def halved(x):
        return x / 2

    net = keras.Sequential([keras.Input((2,)), Doubled(), L.Activation(halved)])
    net.save(tmp_path / "model.keras")
    model = models.load(tmp_path / "model.keras")
    np.testing.assert_array_equal(model(np.ones((1, 2))), [[1, 1]])


def test_code_that_a_model_brings_is_not_run(tmp_path):
    ran = tmp_path / "ran"
    target = str(ran)

    def payload(x):
        open(target, "w").close()
        return x

    net = keras.Sequential([keras.Input((2,)), L.Lambda(payload)])
    net.save(tmp_path / "model.keras")
    assert ran.exists()  # it is one: building the network ran it
    ran.unlink()
    line = unread(tmp_path / "model.keras")
    assert "a layer of code (Lambda), which is not run" in line
    assert not ran.exists()


def function(module, name):
    return {
        **{"module": module, "class_name": "function"},
        **{"config": name, "registered_name": name},
    }


def called(thing, *arguments):
    """A node that is read before the network's output, and calls a function."""
    return {
        "module": "keras.src.ops.core",
        "class_name": "Switch",
        "config": {"name": "switch"},
        "registered_name": "Switch",
        "name": "switch",
        "inbound_nodes": [{"args": [0, [thing], *arguments], "kwargs": {}}],
    }


def built(module, name, **config):
    return {
        **{"module": module, "class_name": name, "registered_name": None},
        **{"config": {"name": "evil", **config}, "name": "evil", "inbound_nodes": []},
    }


@pytest.mark.parametrize(
    ("layer", "named"),
    [
        (built("os", "system"), "os.system"),
        (built("subprocess", "Popen", args=["touch", "ran"]), "subprocess.Popen"),
        (built("builtins", "exec"), "builtins.exec"),
        (built("ran", "Ran"), "ran.Ran"),
        (built("keras_hub.models", "Ran"), "keras_hub.models.Ran"),
        (built("keras.layers", "deserialize"), "keras.layers.deserialize"),
        (built("keras.layers", "Lambda", function="ran"), "(Lambda)"),
        (built("keras.layers", "TFSMLayer", filepath="ran"), "(TFSMLayer)"),
        (built("keras.src.export.tfsm_layer", "TFSMLayer"), "(TFSMLayer)"),
        (built("keras.layers", "TorchModuleWrapper"), "(TorchModuleWrapper)"),
        (built("keras.utils", "get_file"), "keras.utils.get_file"),
        (called(function("posix", "mkdir"), "ran"), "posix.mkdir"),
        (called(function("keras.utils", "get_file"), "ran"), "keras.utils.get_file"),
        (
            called(function("keras.datasets.mnist", "load_data"), "ran"),
            "keras.datasets.mnist.load_data",
        ),
        (
            called(function("keras.config", "set_dtype_policy"), "mixed_float16"),
            "keras.config.set_dtype_policy",
        ),
        (called(function("keras.losses", "deserialize")), "keras.losses.deserialize"),
        (called({"class_name": "__lambda__", "config": {}}), "(lambda)"),
        (called({"class_name": ["os"], "config": {}}), "os"),
        (called({"class_name": "function", "config": {}}), "{}"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_part_of_a_network_is_not_built(
    saved, tmp_path, monkeypatch, layer, named
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "ran.py").write_text("import os; os.mkdir('ran')")
    policy = keras.config.dtype_policy()
    file = with_config(
        saved,
        tmp_path / "model.keras",
        lambda config: config["config"]["layers"].insert(1, copy.deepcopy(layer)),
    )
    assert named in unread(file)
    assert not (tmp_path / "ran").exists()
    assert keras.config.dtype_policy() == policy


@pytest.mark.parametrize(
    "place", ["kernel_initializer", "activation", "kernel_regularizer"]
)
def test_nothing_is_built_inside_a_layer_either(saved, tmp_path, place):
    def change(config):
        (dense,) = (
            layer["config"]
            for layer in config["config"]["layers"]
            if layer["class_name"] == "Dense"
        )
        dense[place] = function("keras.utils", "get_file")

    file = with_config(saved, tmp_path / "model.keras", change)
    assert "keras.utils.get_file" in unread(file)


def test_nor_in_what_it_was_compiled_with(saved, tmp_path):
    def change(config):
        config["compile_config"]["loss"] = function("keras.utils", "get_file")

    file = with_config(saved, tmp_path / "model.keras", change)
    assert "keras.utils.get_file" in unread(file)


def link(name):
    """A member that unpacks to a symbolic link."""
    member = zipfile.ZipInfo(name)
    member.create_system = 3
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    return member


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("../../evil", b"evil"),
        ("/tmp/evil", b"evil"),
        ("assets/../../evil", b"evil"),
        ("assets/vocabulary.txt", b"evil"),
        ("config.json", b"{}"),
        (link("assets"), b"/"),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_archive_holds_a_model_and_nothing_else(saved, tmp_path, member, value):
    here = tmp_path / "a" / "b" / "c"
    here.mkdir(parents=True)
    file = packed(here / "model.keras", [*contents(saved).items(), (member, value)])
    assert "besides a model" in unread(file)
    assert not list(tmp_path.rglob("evil"))


def test_a_few_bytes_do_not_become_gigabytes(saved, tmp_path):
    members = contents(saved)
    members["config.json"] += b" " * (64 << 20)
    file = packed(tmp_path / "model.keras", members.items(), zipfile.ZIP_DEFLATED)
    assert file.stat().st_size < 1 << 20
    assert "was packed by another program" in unread(file)


def test_a_member_is_no_larger_than_the_file(saved, tmp_path):
    file = packed(tmp_path / "model.keras", contents(saved).items())
    content = bytearray(file.read_bytes())
    entry = content.rindex(b"PK\x01\x02")  # in the archive's table of contents
    content[entry + 24 : entry + 28] = (1 << 31).to_bytes(4, "little")
    file.write_bytes(content)
    assert "was packed by another program" in unread(file)


@pytest.mark.parametrize("nested", ["[" * 100_000, '{"a":' * 100_000])
def test_a_description_nested_too_deep_is_damaged(saved, tmp_path, nested):
    members = {**contents(saved), "config.json": nested.encode()}
    file = packed(tmp_path / "model.keras", members.items())
    assert "damaged" in unread(file)


@pytest.mark.parametrize("name", ["model.keras", "model.h5", "model.zip"])
def test_other_formats_are_not_read_whatever_their_name(saved, tmp_path, name):
    keras.saving.load_model(saved).save(tmp_path / "old.h5")
    (tmp_path / "old.h5").rename(tmp_path / name)
    with pytest.raises(models.Damaged):
        models.load(tmp_path / name)
    assert "model.save" in refused(convert.main, tmp_path / name)


def test_an_archive_of_another_name_is_not_read(saved, tmp_path):
    """Keras reads a name in .h5 as HDF5, which may begin in the middle of a file."""
    (tmp_path / "model.h5").write_bytes(saved.read_bytes())
    with pytest.raises(models.Damaged):
        models.load(tmp_path / "model.h5")


def kernel(weights):
    """The name of a kernel's dataset in a file of weights."""
    return next(f"layers/{name}/vars/0" for name in weights["layers"] if "conv" in name)


def test_weights_are_not_read_from_other_files(saved, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(1 << 16))

    def change(weights):
        name = kernel(weights)
        shape, dtype = weights[name].shape, weights[name].dtype
        del weights[name]
        size = int(np.prod(shape)) * dtype.itemsize
        weights.create_dataset(name, shape, dtype, external=[(str(secret), 0, size)])

    file = with_weights(saved, tmp_path / "model.keras", change)
    assert "Keras cannot load" in unread(file)


def test_weights_are_not_linked_to_other_files(saved, tmp_path):
    other = tmp_path / "other.h5"
    members = contents(saved)
    other.write_bytes(members["model.weights.h5"])

    def change(weights):
        name = kernel(weights)
        del weights[name]
        weights[name] = h5py.ExternalLink(str(other), name)

    file = with_weights(saved, tmp_path / "model.keras", change)
    assert "Keras cannot load" in unread(file)


def test_weights_that_declare_more_than_there_is_are_refused(saved, tmp_path):
    def change(weights):
        name = kernel(weights)
        del weights[name]
        weights.create_dataset(name, (1 << 20, 1 << 20), "float32", chunks=(1, 1024))

    file = with_weights(saved, tmp_path / "model.keras", change)
    with pytest.raises(InputError, match="Keras cannot load"):
        models.load(file)
