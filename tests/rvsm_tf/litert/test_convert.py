"""The package's own command and function do what the checkout's command does."""

import json
import pathlib
import subprocess
import sys

import click
import numpy as np
import pytest
from click.testing import CliRunner

import rvsm_tf as rvsm
from export import convert as checkout
from rvsm_tf import litert
from rvsm_tf.litert import __main__ as command
from tests.commands.refusal import refused
from tests.rvsm_tf.litert import networks

ROOT = pathlib.Path(__file__).parents[3]
# By the clock, and in those runtimes that there are.
MEASURED = {"latency_ms", "latency_ratio", "best", "memory_bytes", "max_abs_diff"}


@pytest.fixture(scope="module")
def model():
    return networks.dense(16)


@pytest.fixture(scope="module")
def given(model, tmp_path_factory):
    """A model's file, and examples that lie elsewhere."""
    folder = tmp_path_factory.mktemp("given")
    model.save(folder / "net.keras")
    arrays = networks.examples(model).inputs["image"]
    label = model.predict(arrays, verbose=0).argmax(-1)
    images = folder / "examples.npz"
    np.savez(images, calibration=arrays, test=arrays, test_label=label)
    return folder / "net.keras", images


@pytest.fixture(scope="module")
def expected(given, tmp_path_factory):
    """What `export.convert` makes of them: files by name, and the report."""
    output = tmp_path_factory.mktemp("checkout")
    checkout.run(given[0], output, images=given[1], quiet=True)
    return contents(output)


def contents(folder):
    files = {p.name: p.read_bytes() for p in folder.iterdir() if p.suffix == ".tflite"}
    golden = json.loads((folder / "golden.json").read_text("utf-8"))
    report = json.loads((folder / "report.json").read_text("utf-8"))
    for row in report:
        for key in MEASURED:
            del row[key]
        # A checkout may have more runtimes.
        assert (row.pop("runs_on") or [])[:2] in ([], ["delegate on", "delegate off"])
    return files, golden, report


@pytest.mark.slow
def test_the_command_does_what_the_checkout_s_does(given, expected, tmp_path):
    file, images = map(str, given)
    output = tmp_path / "files"
    result = CliRunner().invoke(
        command.main, [file, "--images", images, "--output", str(output)]
    )
    assert result.exit_code == 0, result.output
    assert f"in {output}: report.json, golden.json and the files" in result.stdout
    files, *_ = expected
    assert len(files) == 8
    assert contents(output) == expected


def test_the_function_takes_the_model_itself(model, given, expected, tmp_path):
    names = ("float32", "int4")
    rows = litert.convert(model, given[1], tmp_path, names, quiet=True)
    files, *_ = expected
    assert [row["file"] for row in rows] == [f"{name}.tflite" for name in names]
    assert contents(tmp_path)[0] == {f"{n}.tflite": files[f"{n}.tflite"] for n in names}


def test_without_examples_there_is_no_int8(model, tmp_path):
    rows = litert.convert(model, None, tmp_path, ("float32", "int8"), quiet=True)
    assert [row["file"] for row in rows] == ["float32.tflite", None]
    assert "needs examples" in rows[1]["refused"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"formats": ("float32", "int2")}, "no format 'int2': choose from float32, "),
        ({"images": "nothing.npz"}, "no 'nothing.npz': give the .npz file"),
        ({"model": "nothing.keras"}, "no 'nothing.keras': give a .keras file"),
    ],
)
def test_wrong_arguments_are_refused(model, wrong, said, tmp_path):
    right = {"model": model, "images": None, "output": tmp_path / "out"}
    with pytest.raises(click.ClickException, match=said):
        litert.convert(**{**right, **wrong})
    assert not (tmp_path / "out").exists()


def test_a_model_in_training_is_refused_with_the_way_out(model, tmp_path):
    training = rvsm.RVSM(model, {"dense": rvsm.L0()}, 5e-4, 0.1)
    with pytest.raises(click.ClickException, match=r"give model\.harden\(\) instead"):
        litert.convert(training, None, tmp_path)


def test_the_command_refuses_in_one_line(given, tmp_path):
    line = refused(command.main, tmp_path / "nothing.keras")
    assert line.startswith("Error: no '")
    assert "give a .keras file" in line
    assert "'int2'" in refused(command.main, given[0], "--formats", "int2")
    (tmp_path / "file").write_text("hello", "utf-8")
    assert "is a file" in refused(command.main, given[0], "--output", tmp_path / "file")


def alone(program):
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", ["tensorflow", "ai_edge_litert", "flatbuffers"])
def test_a_package_that_is_missing_is_named(name, model, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, name, None)
    message = rf"^no {name} here: pip install 'rvsm_tf\[litert\]'$"
    with pytest.raises(ImportError, match=message):
        litert.convert(model, None, tmp_path)


def test_the_command_says_so_in_one_line():
    result = alone(
        "import runpy, sys\n"
        "sys.modules['ai_edge_litert'] = sys.modules['click'] = None\n"
        "runpy.run_module('rvsm_tf.litert', run_name='__main__')\n"
    )
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert result.stderr.splitlines()[-1] == (
        "Error: no ai_edge_litert, click here: pip install 'rvsm_tf[litert]'"
    )


def test_the_library_does_not_import_it():
    result = alone(
        "import sys, rvsm_tf\n"
        "found = {m for m in sys.modules if m.startswith('rvsm_tf.litert')}\n"
        "assert not found, found\n"
    )
    assert result.returncode == 0, result.stderr
