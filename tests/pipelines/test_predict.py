import csv
import io
import itertools
import json

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from export import convert
from pipelines import picture, predict
from pipelines.collection import recording
from pipelines.figures import terminal
from pipelines.run import committed
from pipelines.run.classifier import Classifier
from rvsm_tf.networks import paper_cnn
from shaky_letters import canonical
from shaky_letters.examples import CLASSES
from shaky_letters.fit import PEN, fit
from shaky_letters.raster import rasterize
from shaky_letters.shaky_letters_dataset_builder import ShakyLettersConfig, example
from tests.commands.refusal import refused
from tests.pipelines.collection.folders import uci_text

LETTERS = ShakyLettersConfig(name="letters")
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


def seen(file):
    (drawing,) = recording.read(file).drawings
    return recording.draw(drawing.path)


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
        np.testing.assert_array_equal(seen(file), expected)


def answered(model, *files):
    return np.stack(
        [a.probabilities for a in predict.answers(Classifier(model), files)]
    )


def said(*arguments, exit_code=0):
    result = CliRunner().invoke(predict.main, [str(a) for a in arguments])
    assert result.exit_code == exit_code, result.output
    return result


def test_a_run_and_its_tflite_file_answer_alike(run_folder, tmp_path):
    file = write(tmp_path / "line.json", LINE)
    dot = {"x": [300], "y": [90]}
    other = write(tmp_path / "other.json", [*LINE, dot])
    convert.run(run_folder, tmp_path / "out", ("float32",), quiet=True)
    one = answered(run_folder, file, other)
    two = answered(tmp_path / "out" / "float32.tflite", file, other)
    np.testing.assert_allclose(one, two, atol=1e-5)
    assert one.shape == (2, 2)
    assert not np.allclose(one[0], one[1])
    ink = (seen(file) / 255)[None]
    model = keras.models.load_model(run_folder / "model.keras")
    np.testing.assert_allclose(one[:1], model.predict(ink, verbose=0), atol=1e-6)

    lines = said(run_folder, file, other).stdout.splitlines()
    label = CLASSES[one[0].argmax()]
    assert lines[0] == f"{file}: {label}, probability of shaky {100 * one[0, 1]:.1f} %"
    # Below it the ink: a line of Braille for each four rows of pixels that have any.
    rows = np.flatnonzero(seen(file).any((1, 2)))
    below = rows[-1] // 4 - rows[0] // 4 + 1
    assert lines[1 : 1 + below] == terminal.drawn(seen(file)).split("\n")
    assert lines[1 + below].startswith(f"{other}: ")


def mixed(folder):
    """A picture, a recording with two drawings, and what holds none."""
    picture_file = folder / "letter.png"
    made = example(LETTERS, LETTERS.splits()["test"], 0)
    Image.fromarray(255 - made["image"][..., 0]).save(picture_file)
    (folder / "two.txt").write_text(uci_text(made, 0) + uci_text(made, 1), "utf-8")
    (folder / "empty.png").write_bytes(b"")
    Image.new("L", (200, 200), 255).save(folder / "blank.jpg")
    return [folder / n for n in ("letter.png", "empty.png", "two.txt", "blank.jpg")]


def test_what_holds_no_drawing_is_named_and_the_others_are_answered(
    run_folder, tmp_path
):
    files = mixed(tmp_path)
    result = said(run_folder, *files, "--json")
    rows = json.loads(result.stdout)
    names = ["letter.png", "empty.png", "two.txt", "two.txt", "blank.jpg"]
    assert [row["file"].split("/")[-1] for row in rows] == names
    assert [row["part"] for row in rows] == [0, None, 0, 1, None]
    for row in rows:
        given = list(row["probabilities"].values())
        if row["error"]:
            assert row["class"] is None
            assert given == [None, None]
        else:
            assert sum(given) == pytest.approx(1, abs=1e-5)
            assert row["class"] == CLASSES[given[1] > given[0]]
    told = result.stderr.splitlines()
    assert len(told) == 2
    assert "empty.png' is empty: zero bytes" in told[0]
    assert "blank.jpg' " in told[1]

    as_csv = said(run_folder, *files, "--csv")
    table = list(csv.DictReader(io.StringIO(as_csv.stdout)))
    assert len(table) == 5
    for row, line in zip(rows, table, strict=True):
        assert line["class"] == (row["class"] or "")
        shaky = row["probabilities"]["shaky"]
        assert line["probability of shaky"] == ("" if shaky is None else str(shaky))

    stopped = said(run_folder, *files, "--on-error", "stop", exit_code=2)
    assert "empty.png" in stopped.stderr.splitlines()[-1]
    none = said(run_folder, files[1], files[3], exit_code=2)
    assert none.stderr.splitlines()[-1] == "Error: none of the files holds a drawing"


def test_of_a_folder_all_drawings_are_looked_at(run_folder, tmp_path):
    files = mixed(tmp_path)
    (tmp_path / "inner").mkdir()
    inner = write(tmp_path / "inner" / "line.json", LINE)
    (tmp_path / "README.txt").write_text("no drawing", "utf-8")
    told = said(run_folder, tmp_path, "--csv").stdout
    assert told == said(run_folder, *sorted([*files, inner]), "--csv").stdout
    assert told.count(str(inner)) == 1
    # Without a run before it, the network that comes with the project answers.
    assert (
        said(tmp_path, "--csv").stdout == said(*sorted([*files, inner]), "--csv").stdout
    )


def test_the_ink_that_was_seen_can_be_kept(run_folder, tmp_path):
    files = mixed(tmp_path)
    said(run_folder, *files, "--ink", tmp_path / "ink", "--json")
    kept = sorted((tmp_path / "ink").iterdir())
    assert [p.name.split("-", 1)[1] for p in kept] == [
        *("letter.png", "two.png", "two-2.png")
    ]
    seen = next(predict.answers(Classifier(run_folder), files)).drawn.picture
    np.testing.assert_array_equal(np.asarray(Image.open(kept[0])), seen[..., 0])


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
        text.write(" " * recording.LONGEST)
    assert seen(file).any()  # what is read of it is a drawing
    file = write(tmp_path / "long.json", LINE, note="." * recording.LONGEST)
    assert "holds no drawing" in refused(predict.main, run_folder, file)


def test_what_a_file_says_of_itself_is_quoted_in_a_few_words(run_folder, tmp_path):
    file = write(tmp_path / "bad.json", LINE, format="x" * 10_000, version=["y" * 9999])
    line = refused(predict.main, run_folder, file)
    assert "xxx" in line
    assert "yyy" in line
    assert len(line) < 500


def test_what_is_missing_is_named(run_folder, tmp_path):
    file = write(tmp_path / "line.json", LINE)
    none = tmp_path / "none.json"
    assert "is not there" in refused(predict.main, run_folder, none)
    assert "is not there" in refused(
        predict.main, run_folder, none, file, "--on-error", "stop"
    )
    (tmp_path / "empty").mkdir()
    assert "has no photo" in refused(predict.main, run_folder, tmp_path / "empty")
    assert "no model" in refused(predict.main, tmp_path / "empty", file)
    model = run_folder / "model.keras"
    assert "is no PNG" in refused(predict.main, model)
    assert "no drawing to look at" in refused(predict.main, run_folder)
    assert "is not there" in refused(predict.main, none)
    assert "none.tflite" in refused(predict.main, tmp_path / "none.tflite", file)
    (tmp_path / "bad.tflite").write_bytes(b"no model")
    assert "does not run" in refused(predict.main, tmp_path / "bad.tflite", file)


def test_without_a_model_the_one_of_the_project_answers(tmp_path):
    file = write(tmp_path / "line.json", LINE)
    told = CliRunner().invoke(predict.main, [str(file), "--csv"])
    assert told.exit_code == 0, told.output
    same = CliRunner().invoke(predict.main, [str(committed.file()), str(file), "--csv"])
    assert told.stdout == same.stdout
    assert "probability of shaky" in told.stdout


def test_the_canonical_picture_of_a_file(tmp_path):
    file = write(tmp_path / "line.json", LINE)
    result = CliRunner().invoke(
        picture.main, [str(file), "--output", str(tmp_path / "pictures")]
    )
    assert result.exit_code == 0, result.output
    (written,) = (tmp_path / "pictures").glob("*.png")
    (drawing,) = recording.read(file).drawings
    path = drawing.path
    expected = canonical.of_path(path.x, path.y, path.pen_down)[..., 0]
    np.testing.assert_array_equal(np.asarray(Image.open(written)), expected)
    (tmp_path / "empty.png").write_bytes(b"")
    output = ["--output", str(tmp_path / "others")]
    assert "is empty" in refused(picture.main, tmp_path / "empty.png", *output)


def test_a_missing_file_is_left_out_like_others(run_folder, tmp_path):
    file = write(tmp_path / "line.json", LINE)
    result = CliRunner().invoke(
        predict.main,
        [str(run_folder), str(tmp_path / "none.json"), str(file), "--json"],
    )
    assert result.exit_code == 0, result.output
    one, other = json.loads(result.stdout)
    assert one["class"] is None
    assert "No such file" in one["error"]
    assert other["class"] is not None


def test_a_file_in_the_place_of_the_ink_folder(run_folder, tmp_path):
    file = write(tmp_path / "line.json", LINE)
    assert "name a folder" in refused(predict.main, run_folder, file, "--ink", file)


def test_other_recordings_are_read_too(run_folder, tmp_path):
    (tmp_path / "line.csv").write_text("x,y\n100,100\n200,150\n400,500\n", "utf-8")
    other = write(tmp_path / "line.json", LINE)
    one, two = answered(run_folder, tmp_path / "line.csv", other)
    np.testing.assert_array_equal(one, two)
