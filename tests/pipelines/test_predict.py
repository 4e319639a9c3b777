import itertools
import json

import keras
import numpy as np
import pytest
from click.testing import CliRunner

from export import convert
from pipelines import drawing, predict
from rvsm_tf.networks import paper_cnn
from shaky_letters.fit import PEN, fit
from shaky_letters.raster import rasterize
from shaky_letters.shaky_letters_dataset_builder import ShakyLettersConfig, example
from tests.commands.refusal import refused

SCALE = 6.4  # the tablet's pad is 640 wide


def strokes(recording):
    """A recording's strokes, as the tablet saves them."""
    found = []
    for down, group in itertools.groupby(range(len(recording["t"])), _at(recording)):
        part = list(group)
        if down:
            x, y, t = (recording[name][part].astype("float64") for name in "xyt")
            x, y = SCALE * x, SCALE * y
            found.append({"x": x.tolist(), "y": y.tolist(), "t": t.tolist()})
    return found


def _at(recording):
    return lambda i: bool(recording["pen_down"][i])


def write(file, drawn, **changed):
    content = {
        "format": "rvsm_tf drawing",
        "version": 1,
        "width": 640,
        "height": 640,
        "strokes": drawn,
    }
    file.write_text(json.dumps({**content, **changed}), "utf-8")
    return file


LINE = [{"x": [100, 200, 400], "y": [100, 150, 500], "t": [0, 0.5, 1]}]


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    keras.utils.set_random_seed(0)
    paper_cnn().save(folder / "model.keras")
    return folder


def test_the_picture_is_the_recording_fitted_and_drawn(tmp_path):
    config = ShakyLettersConfig(name="letters")
    for i in range(20):
        made = example(config, config.splits()["test"], i)["strokes"]
        file = write(tmp_path / "letter.json", strokes(made))
        x, y = (SCALE * made[name].astype("float64") for name in "xy")
        x, y, _ = fit(x, y, made["pen_down"])
        expected = rasterize(x, y, made["pen_down"], PEN)
        np.testing.assert_array_equal(drawing.picture(file), expected)


def test_a_run_and_its_tflite_file_answer_alike(run_folder, tmp_path):
    file = write(tmp_path / "line.json", LINE)
    dot = {"x": [300], "y": [90]}
    other = write(tmp_path / "other.json", [*LINE, dot])
    convert.run(run_folder, tmp_path / "out", ("float32",), quiet=True)
    one = predict.run(run_folder, [file, other])
    two = predict.run(tmp_path / "out" / "float32.tflite", [file, other])
    np.testing.assert_allclose(one, two, atol=1e-5)
    assert one.shape == (2, 2)
    assert not np.allclose(one[0], one[1])
    ink = (drawing.picture(file) / 255)[None]
    model = keras.models.load_model(run_folder / "model.keras")
    np.testing.assert_allclose(one[:1], model.predict(ink, verbose=0), atol=1e-6)

    result = CliRunner().invoke(predict.main, [str(run_folder), str(file), str(other)])
    lines = result.output.splitlines()
    label = ("regular", "shaky")[one[0].argmax()]
    assert result.exit_code == 0
    assert len(lines) == 2
    assert lines[0] == f"{file}: {label}, probability of shaky {100 * one[0, 1]:.1f} %"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"format": "svg"}, "is a 'svg', version 1"),
        ({"version": 2}, "version 2: this program reads"),
        ({"width": 0}, "holds no drawing"),
        ({"strokes": 5}, "holds no drawing"),
        ({"strokes": [{"x": [1], "y": []}]}, "holds no drawing"),
        ({"strokes": [{"x": [1, "2"], "y": [1, 2]}]}, "holds no drawing"),
        ({"strokes": [{"x": [1, 1e999], "y": [1, 2]}]}, "holds no drawing"),
        ({"strokes": [{"x": [1, 1e6], "y": [1, 2]}]}, "holds no drawing"),
        ({"strokes": []}, "no ink"),
        ({"strokes": [{"x": [1], "y": [1]}]}, "a single dot"),
        ({"strokes": [{"x": [1, 9], "y": [1, 2]}]}, "too small to tell"),
    ],
)
def test_what_is_no_drawing_is_named(changed, words, run_folder, tmp_path):
    file = write(tmp_path / "bad.json", LINE, **changed)
    assert words in refused(predict.main, run_folder, file)


@pytest.mark.parametrize(
    "content", ["", "[]", "{", "5", '{"format": 1}', "[" * 100_000, '{"a":' * 100_000]
)
def test_a_damaged_file_is_named(content, run_folder, tmp_path):
    (tmp_path / "bad.json").write_text(content, "utf-8")
    assert "bad.json" in refused(predict.main, run_folder, tmp_path / "bad.json")


def test_a_file_is_read_no_further_than_any_drawing_goes(run_folder, tmp_path):
    file = write(tmp_path / "long.json", LINE)
    with open(file, "a", encoding="utf-8") as text:
        text.write(" " * drawing.LONGEST)
    assert drawing.picture(file).any()  # what is read of it is a drawing
    file = write(tmp_path / "long.json", LINE, note="." * drawing.LONGEST)
    assert "holds no drawing" in refused(predict.main, run_folder, file)


def test_what_a_file_says_of_itself_is_quoted_in_a_few_words(run_folder, tmp_path):
    file = write(tmp_path / "bad.json", LINE, format="x" * 10_000, version=["y" * 9999])
    line = refused(predict.main, run_folder, file)
    assert "xxx" in line
    assert "yyy" in line
    assert len(line) < 500


def test_what_is_missing_is_named(run_folder, tmp_path):
    file = write(tmp_path / "line.json", LINE)
    assert "no drawing" in refused(predict.main, run_folder, tmp_path / "none.json")
    assert "no model" in refused(predict.main, tmp_path, file)
    assert "none.tflite" in refused(predict.main, tmp_path / "none.tflite", file)
    (tmp_path / "bad.tflite").write_bytes(b"no model")
    assert "does not run" in refused(predict.main, tmp_path / "bad.tflite", file)
