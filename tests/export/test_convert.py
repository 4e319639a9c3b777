"""The command: from a model to files that were run, and a report that says so."""

import base64
import io
import json
import os
import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from click.testing import CliRunner

import rvsm_tf as rvsm
from commands import files
from export import card, convert, flatbuffer, golden, runtime, runtimes, selftest
from rvsm_tf.litert import source
from rvsm_tf.litert.runtimes import there
from tests.commands import refusal
from tests.rvsm_tf.litert import networks

L = keras.layers

KEYS = {
    *("file", "format", "bytes", "zip_bytes", "latency_ms", "latency_ratio"),
    *("max_abs_diff", "label_agreement", "test_accuracy", "runs_on"),
}


def ink(count, seed=0):
    """Pictures of strokes: a random walk each."""
    rng = np.random.default_rng(seed)
    pictures = np.zeros((count, 100, 100, 1), "uint8")
    for picture in pictures:
        path = np.cumsum(rng.integers(-1, 2, (200, 2)), axis=0) + 50
        picture[np.clip(path[:, 0], 0, 99), np.clip(path[:, 1], 0, 99)] = 1
    return pictures


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    """What a run leaves: the paper's network at 97 % zeros, examples, a description."""
    folder = tmp_path_factory.mktemp("run")
    model = rvsm.networks.paper_cnn(seed=3)
    kernel = model.get_layer("dense").kernel
    w = np.asarray(kernel)
    kernel.assign(np.where(np.abs(w) > np.quantile(np.abs(w), 0.97), w, 0))
    model.save(folder / "model.keras")
    pictures = ink(60)
    label = model.predict(pictures.astype("float32"), verbose=0).argmax(-1)
    label[:3] = 1 - label[:3]
    np.savez_compressed(
        folder / "images.npz", calibration=ink(20, 1), test=pictures, test_label=label
    )
    about = {"labels": ["regular", "shaky"], "training": {"penalty": "tl1"}}
    (folder / "about.json").write_text(json.dumps(about), "utf-8")
    return folder


@pytest.fixture(scope="module")
def report(run_folder):
    result = CliRunner().invoke(convert.main, [str(run_folder)])
    assert result.exit_code == 0, result.output
    assert "float32-sparse.tflite" in result.stdout
    return json.loads((run_folder / "export" / "report.json").read_text("utf-8"))


def by_format(report):
    return {row["format"]: row for row in report}


def test_the_report_has_what_others_read(report):
    assert [row["format"] for row in report] == list(convert.FORMATS)
    for row in report:
        assert set(row) >= KEYS


def test_every_file_listed_is_there_and_nothing_else(run_folder, report):
    files = {row["file"] for row in report if row["file"]}
    found = {path.name for path in (run_folder / "export").iterdir()}
    assert found == files | {"report.json", "golden.json"}
    for row in report:
        if row["file"]:
            path = run_folder / "export" / row["file"]
            assert path.stat().st_size == row["bytes"]
            with zipfile.ZipFile(run_folder / "z.zip", "w") as archive:
                archive.write(path, path.name, zipfile.ZIP_DEFLATED, compresslevel=9)
            assert row["zip_bytes"] == (run_folder / "z.zip").stat().st_size


@pytest.mark.slow
def test_figures_are_those_of_the_files(run_folder, report):
    """Each file is run here once more, and compared with Keras by hand."""
    examples = source.read(run_folder / "model.keras").test
    model = keras.models.load_model(run_folder / "model.keras")
    x = examples.inputs["image"]
    expected = model.predict(x, verbose=0)
    step = {None: 1, 32: 2, 4: 15}  # of 60 examples
    for row in report:
        if not row["file"]:
            continue
        path = run_folder / "export" / row["file"]
        found = {
            one.name: one.run(path, {"image": x[:: step[one.most]]})
            for one in there(runtimes.ALL)
        }
        worst = max(
            np.abs(found[one.name].outputs - expected[:: step[one.most]]).max()
            for one in there(runtimes.ALL)
        )
        assert row["max_abs_diff"] == pytest.approx(worst, abs=1e-6)
        assert list(found)[:2] == ["delegate on", "delegate off"]
        answers = found["delegate on"].outputs.argmax(-1)
        assert row["label_agreement"] == (answers == expected.argmax(-1)).mean()
        assert row["test_accuracy"] == (answers == examples.label).mean()
        assert row["keras_test_accuracy"] == pytest.approx(57 / 60)
        assert row["runs_on"] == list(found)
        assert row["note"] is None
        assert all(zero["kept"] == zero["zeros"] for zero in row["zeros"])


def test_a_sparse_model_gets_small(report):
    rows = by_format(report)
    assert rows["float32"]["bytes"] > 2_800_000
    assert rows["float32-sparse"]["bytes"] < 200_000
    # Two bytes for a weight, where float32 takes five.
    assert rows["int8w-sparse"]["bytes"] < 0.5 * rows["float32-sparse"]["bytes"]
    assert "smallest" in rows["int8w-sparse"]["best"]


def test_four_bits_take_half_the_bytes_of_eight(report):
    rows = by_format(report)
    kernel = 5408 * 128
    assert rows["int4"]["file"] == "int4.tflite"
    saved = rows["int8"]["bytes"] - rows["int4"]["bytes"]
    assert saved == pytest.approx(kernel / 2, abs=200)
    assert rows["int4"]["zip_bytes"] < rows["int8"]["zip_bytes"]


def test_a_file_says_what_it_is(run_folder, report):
    for row in report:
        if not row["file"]:
            continue
        file = (run_folder / "export" / row["file"]).read_bytes()
        contents = card.read(file)
        assert contents["labels"] == ["regular", "shaky"]
        assert contents["training"] == {"penalty": "tl1"}
        assert contents["format"] == row["format"]
        assert len(contents["golden"]["inputs"]) == 4
        assert len(flatbuffer.metadata(file, card.NAME)) <= 3000
        runner = runtime.interpreter(
            run_folder / "export" / row["file"]
        ).get_signature_runner()
        assert list(runner.get_input_details()) == ["image"]
        assert list(runner.get_output_details()) == ["probabilities"]
        for vector, answer in zip(
            contents["golden"]["inputs"], contents["golden"]["outputs"], strict=True
        ):
            outputs = runner(**golden.decode(vector, {"image": (1, 100, 100, 1)}))
            gap = np.abs(outputs["probabilities"][0] - answer).max()
            assert gap <= contents["golden"]["tolerance"]


def test_golden_vectors_are_test_pictures_of_all_classes(run_folder, report):
    vectors = json.loads((run_folder / "export" / "golden.json").read_text("utf-8"))
    with np.load(run_folder / "images.npz") as arrays:
        pictures = {picture.tobytes() for picture in arrays["test"]}
    # 60 pictures in all: 4 are in the files, the others beside them.
    assert len(vectors["inputs"]) == 56
    for text in vectors["inputs"]:
        picture = golden.decode(text, {"image": (1, 100, 100, 1)})["image"]
        assert picture.astype("uint8").tobytes() in pictures


def test_the_self_test_passes_and_sees_a_wrong_answer(run_folder, report, tmp_path):
    folder = run_folder / "export"
    assert selftest.main(str(folder)) == 0
    vectors = files.read_json(folder / "golden.json")
    vectors["files"]["int8.tflite"]["outputs"][5][0] += 0.5
    for path in folder.glob("*.tflite"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    files.write_json(tmp_path / "golden.json", vectors)
    assert selftest.main(str(tmp_path)) == 1


def test_the_self_test_needs_numpy_and_the_runtime_alone(run_folder, report):
    program = (
        "import sys\n"
        "for name in ('keras', 'tensorflow', 'click', 'jax'):\n"
        "    sys.modules[name] = None\n"
        "from export import selftest\n"
        "sys.exit(selftest.main(sys.argv[1]))\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", program, run_folder / "export"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert process.stdout.count(" ok\n") == 2 * sum(bool(row["file"]) for row in report)


@pytest.mark.parametrize("name", ["golden.json", "int8.tflite"])
def test_the_self_test_refuses_damage(run_folder, report, tmp_path, capsys, name):
    for path in (run_folder / "export").iterdir():
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= path.name == name
        (tmp_path / path.name).write_bytes(content)
    assert selftest.main(str(tmp_path)) == 2
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = [x for x in said.err.splitlines() if not x.startswith("INFO")]
    assert str(tmp_path) in line
    assert "damaged" in line


@pytest.mark.slow
def test_no_negative_zero_reaches_a_file(tmp_path):
    """-0.0 in the model, and -0.0 that folding a negative scale makes of 0."""
    inputs = keras.Input((8, 8, 1), name="image")
    x = L.Conv2D(16, 3, use_bias=False, name="conv")(inputs)
    x = L.BatchNormalization(name="norm")(x)
    x = L.Dense(4, activation="softmax", name="probabilities")(L.Flatten()(x))
    model = keras.Model(inputs, x)
    rng = np.random.default_rng(0)
    kernel = rng.normal(size=(3, 3, 1, 16)) * (rng.random((3, 3, 1, 16)) < 0.5)
    model.get_layer("conv").set_weights([kernel])
    norm = model.get_layer("norm")
    norm.set_weights([-np.ones(16), np.zeros(16), np.zeros(16), np.ones(16)])
    dense = model.get_layer("probabilities").kernel
    dense.assign(np.where(rng.random(dense.shape) < 0.5, np.float32(-0.0), dense))
    model.save(tmp_path / "net.keras")
    rows = convert.run(tmp_path / "net.keras", quiet=True)
    for row in rows:
        if row["file"]:
            file = (tmp_path / "export" / row["file"]).read_bytes()
            for tensor, values in flatbuffer.constants(flatbuffer.read(file)):
                if np.issubdtype(values.dtype, np.floating):
                    assert not (np.signbit(values) & (values == 0)).any(), tensor.shape
    # Batch normalisation is folded into the convolution: nothing else multiplies.
    file = (tmp_path / "export" / "float32.tflite").read_bytes()
    codes = {code.builtinCode for code in flatbuffer.read(file).operatorCodes}
    assert not codes & {schema.BuiltinOperator.MUL, schema.BuiltinOperator.ADD}


def two_inputs():
    keras.utils.set_random_seed(1)
    left, right = keras.Input((12,), name="left"), keras.Input((5, 4), name="right")
    x = L.Concatenate()([L.Flatten()(right), left])
    x = L.Dense(64, activation="relu", name="dense")(x)
    return keras.Model(
        {"right": right, "left": left}, L.Dense(3, activation="softmax", name="p")(x)
    )


@pytest.mark.slow
def test_a_model_with_two_inputs(tmp_path):
    model = two_inputs()
    model.save(tmp_path / "two.keras")
    rng = np.random.default_rng(0)
    arrays = {
        f"{part}/{name}": rng.random((40, *shape), "float32")
        for part in ("calibration", "test")
        for name, shape in (("left", (12,)), ("right", (5, 4)))
    }
    np.savez(tmp_path / "images.npz", **arrays)
    rows = by_format(convert.run(tmp_path / "two.keras", quiet=True))
    for name in ("float32", "float16", "int8", "int4"):
        assert rows[name]["file"] == f"{name}.tflite"
        assert rows[name]["test_accuracy"] is None
        assert rows[name]["label_agreement"] > 0.9
    assert selftest.main(str(tmp_path / "export")) == 0


def test_an_adapted_normalization_survives_the_way_to_float32(tmp_path):
    x = np.random.default_rng(0).normal(5, 3, (50, 4)).astype("float32")
    normalization = L.Normalization()
    normalization.adapt(x)
    halved = L.Dense(2, "softmax", dtype="mixed_bfloat16", kernel_initializer="ones")
    model = keras.Sequential([keras.Input((4,), name="x"), normalization, halved])
    model.save(tmp_path / "model.keras")
    plain = source.read(tmp_path / "model.keras").model
    inside = keras.Model(plain.inputs, plain.layers[0].output)
    expected = (x - x.mean(0)) / x.std(0)
    np.testing.assert_allclose(inside.predict(x, verbose=0), expected, atol=1e-5)


def test_a_model_in_mixed_precision_is_exported_in_float32(tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = networks.dense("scattered")
    finally:
        keras.config.set_dtype_policy("float32")
    model.save(tmp_path / "mixed.keras")
    found = source.read(tmp_path / "mixed.keras")
    w = [np.asarray(layer.kernel) for layer in model.layers]
    hidden = np.maximum(found.test.inputs["image"] @ w[0] + model.layers[0].bias, 0)
    scores = np.exp(hidden @ w[1])
    by_hand = scores / scores.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(source.predict(found.model, found.test), by_hand, 1e-4)
    (row,) = convert.run(tmp_path / "mixed.keras", formats=("float32",), quiet=True)
    assert row["max_abs_diff"] < 1e-5


@pytest.mark.slow
def test_a_mobilenet_with_random_weights(tmp_path):
    model = keras.applications.MobileNet(
        (64, 64, 3), alpha=0.25, weights=None, classes=10, dropout=0
    )
    model.save(tmp_path / "mobilenet.keras")
    rows = by_format(convert.run(tmp_path / "mobilenet.keras", quiet=True))
    for name in ("float32", "float16"):
        assert rows[name]["file"], rows[name]["refused"]
    for name in ("int8", "int4"):
        assert "--images" in rows[name]["refused"]
    assert rows["float32-sparse"]["refused"]


def test_best_keeps_the_smallest_and_the_fastest(tmp_path):
    model = networks.dense("scattered")
    model.save(tmp_path / "net.keras")
    rows = convert.run(
        tmp_path / "net.keras",
        formats=("float32", "float32-sparse", "best"),
        quiet=True,
    )
    kept = [row for row in rows if row["file"]]
    assert {name for row in kept for name in row["best"]} == {"smallest", "fastest"}
    files = {path.name for path in (tmp_path / "export").glob("*.tflite")}
    assert files == {row["file"] for row in kept}


@pytest.mark.slow
def test_files_of_an_earlier_export_do_not_outlive_it(tmp_path):
    networks.dense(16).save(tmp_path / "net.keras")
    convert.run(tmp_path / "net.keras", quiet=True)
    assert (tmp_path / "export" / "float32-sparse.tflite").exists()
    networks.dense("scattered", share=0.0).save(tmp_path / "net.keras")
    rows = by_format(convert.run(tmp_path / "net.keras", quiet=True))
    assert rows["float32-sparse"]["file"] is None
    assert not (tmp_path / "export" / "float32-sparse.tflite").exists()


def refused(*arguments):
    return refusal.refused(convert.main, *arguments)


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    file = tmp_path_factory.mktemp("model") / "net.keras"
    networks.dense(4).save(file)
    return file


def test_what_is_not_a_model_is_refused(tmp_path, model_file):
    assert "no '" in refused(tmp_path / "nothing.keras")
    assert "model.keras" in refused(tmp_path)
    text = tmp_path / "text.keras"
    text.write_text("hello", "utf-8")
    assert "not a Keras model" in refused(text)
    other = tmp_path / "other.keras"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("a.txt", "hello")
    assert "not a Keras model" in refused(other)
    whole = model_file.read_bytes()
    for name, broken in {
        "cut": whole[: len(whole) // 2],
        "flipped": whole[:40000] + bytes([whole[40000] ^ 8]) + whole[40001:],
    }.items():
        file = tmp_path / f"{name}.keras"
        file.write_bytes(broken)
        assert "damaged" in refused(file)
        assert not (tmp_path / "export").exists()


def test_a_model_in_training_is_refused_with_the_way_out(tmp_path):
    model = rvsm.RVSM(networks.dense(4), {"dense": rvsm.L0()}, 5e-4, 0.1)
    model.save(tmp_path / "training.keras")
    assert "save model.harden() instead" in refused(tmp_path / "training.keras")


def test_a_model_of_no_fixed_size_is_refused(tmp_path):
    inputs = keras.Input((None, None, 1), name="image")
    outputs = L.Dense(2)(L.GlobalAveragePooling2D()(inputs))
    keras.Model(inputs, outputs).save(tmp_path / "free.keras")
    line = refused(tmp_path / "free.keras")
    assert "'image'" in line
    assert "fixed size" in line


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"calibration": (3, 512), "test": (9, 512)}, "3 examples to calibrate"),
        ({"calibration": (20, 512), "test": (0, 512)}, "no examples to test"),
        ({"calibration": (20, 512)}, "no array 'test'"),
        ({"calibration": (20, 511), "test": (9, 512)}, "(511,)"),
        ({"calibration": (20, 512), "test": (9, 512), "test_label": (8,)}, "length"),
    ],
)
def test_examples_that_do_not_fit_are_refused(arrays, said, model_file, tmp_path):
    images = tmp_path / "images.npz"
    np.savez(images, **{k: np.ones(shape, "float32") for k, shape in arrays.items()})
    line = refused(model_file, "--images", images, "--output", tmp_path / "out")
    assert said in line
    assert not (tmp_path / "out").exists()


def test_examples_that_are_no_examples_are_refused(model_file, tmp_path):
    assert "no '" in refused(model_file, "--images", tmp_path / "nothing.npz")
    (tmp_path / "text.npz").write_text("hello", "utf-8")
    assert "not an .npz file" in refused(model_file, "--images", tmp_path / "text.npz")
    np.save(tmp_path / "one.npy", np.ones(3))
    assert "not an .npz file" in refused(model_file, "--images", tmp_path / "one.npy")


class Payload:
    """What pickles as a call that makes a folder."""

    def __init__(self, folder):
        self._folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self._folder,)


def test_examples_are_not_unpickled(model_file, tmp_path):
    images, ran = tmp_path / "images.npz", tmp_path / "ran"
    payload = np.array([Payload(ran)] * 20, object)
    np.savez(images, allow_pickle=True, calibration=payload, test=payload)
    assert "not an .npz file" in refused(model_file, "--images", images)
    assert not ran.exists()
    with pytest.raises(FileExistsError):  # it is one, for who reads it otherwise
        list(np.load(images, allow_pickle=True).values())
    assert ran.exists()


def test_a_few_bytes_of_examples_do_not_become_gigabytes(model_file, tmp_path):
    images = tmp_path / "images.npz"
    np.savez(images, calibration=np.ones((20, 512)), test=np.ones((20, 512)))
    content = bytearray(images.read_bytes())
    entry = content.index(b"PK\x01\x02")
    while entry >= 0:  # each entry of the archive's table of contents
        content[entry + 24 : entry + 28] = (3 << 30).to_bytes(4, "little")
        entry = content.find(b"PK\x01\x02", entry + 1)
    images.write_bytes(content)
    line = refused(model_file, "--images", images)
    assert "more than 4,294,967,296 bytes: give fewer examples" in line


def test_an_array_that_says_it_is_endless_is_refused(model_file, tmp_path):
    header = io.BytesIO()
    declared = {"descr": "<f4", "fortran_order": False, "shape": (1 << 50, 512)}
    np.lib.format.write_array_header_1_0(header, declared)
    with zipfile.ZipFile(tmp_path / "images.npz", "w") as archive:
        archive.writestr("calibration.npy", header.getvalue() + bytes(100))
    line = refused(model_file, "--images", tmp_path / "images.npz")
    assert "not an .npz file" in line


def test_wrong_places_and_names_are_refused(model_file, tmp_path):
    (tmp_path / "file").write_text("hello", "utf-8")
    assert "is a file" in refused(model_file, "--output", tmp_path / "file")
    assert "'int2'" in refused(model_file, "--formats", "int2")
    assert "cannot write" in refused(model_file, "--output", tmp_path / "file" / "x")


def test_a_card_has_as_many_golden_vectors_as_there_is_room_for(tmp_path):
    net = keras.Sequential(
        [keras.Input((80, 80, 1), name="image"), keras.layers.Flatten()]
    )
    net.add(keras.layers.Dense(2, activation="softmax"))
    net.save(tmp_path / "net.keras")
    # A bit for each pixel, and a third more as text: 1,067 bytes each.
    ink = (np.random.default_rng(0).random((20, 80, 80, 1)) < 0.5).astype("uint8")
    np.savez(tmp_path / "images.npz", calibration=ink, test=ink)
    rows = convert.run(
        tmp_path / "net.keras",
        tmp_path / "out",
        ("float32",),
        images=tmp_path / "images.npz",
        quiet=True,
    )
    vectors = card.read((tmp_path / "out" / rows[0]["file"]).read_bytes())["golden"]
    assert len(vectors["inputs"]) == len(vectors["outputs"]) == 2
    file = tmp_path / "out" / rows[0]["file"]
    assert selftest.is_sound(file, {"image": (1, 80, 80, 1)})


def test_a_card_that_is_too_long_is_refused(model_file, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "model.keras").write_bytes(model_file.read_bytes())
    text = base64.b64encode(bytes(3000)).decode()
    (folder / "about.json").write_text(json.dumps({"labels": [text]}), "utf-8")
    assert "shorten about.json" in refused(folder, "--formats", "float32", "--quiet")
    assert not list((folder / "export").glob("*.tflite"))
