"""The benchmark's table, its files, and what it says to wrong input."""

import json
import os
import shutil

import pytest
from click.testing import CliRunner
from matplotlib.figure import Figure
from PIL import Image

from export import benchmark, runtime, scatter, timing
from export.timing import Spread, Timing
from tests.commands import refusal


def refused(*arguments):
    return refusal.refused(benchmark.main, *arguments)


@pytest.fixture
def made_up(monkeypatch):
    """Replaces measurements by made-up ones: a file takes a millisecond a byte."""
    calls = []

    def in_turns(files, threads, rounds, cold, progress):
        calls.append((threads, rounds, cold))
        for _ in range(rounds):
            progress()
        ms = [float(file.stat().st_size) for file in files]
        return [
            Timing(file, threads, [m / threads] * rounds, [2 * m / threads] * rounds)
            for file, m in zip(files, ms)
        ]

    monkeypatch.setattr(timing, "in_turns", in_turns)
    return calls


@pytest.fixture
def files(tmp_path):
    """Two files that look like .tflite files, of 1,000 and 250 bytes."""
    folder = tmp_path / "files"
    folder.mkdir()
    for name, size in (("b.tflite", 1000), ("a.tflite", 250)):
        (folder / name).write_bytes(b"\x1c\0\0\0TFL3".ljust(size, b"\0"))
    return [folder / "b.tflite", folder / "a.tflite"]


def test_real_files_are_measured_and_written_down(tflite_files, tmp_path):
    arguments = [*map(str, tflite_files), "--rounds", "2", "--output", str(tmp_path)]
    result = CliRunner().invoke(benchmark.main, arguments)
    assert result.exit_code == 0, result.output
    rows = json.loads((tmp_path / "benchmark.json").read_text())
    assert len(rows) == 3 * 2 * 2
    for row in rows:
        assert row["rounds"] == 2
        assert 0 < row["ms_low"] <= row["ms"] <= row["ms_high"]
        assert 0 < row["ratio_low"] <= row["ratio"] <= row["ratio_high"]
        if row["file"] == "middle.tflite":
            assert row["ratio_low"] == row["ratio"] == row["ratio_high"] == 1
    with Image.open(tmp_path / "benchmark.png") as picture:
        assert 850 <= picture.width <= 950
    assert sorted(os.listdir(tmp_path)) == ["benchmark.json", "benchmark.png"]
    assert result.stderr.splitlines() == [f"round {i} of 4" for i in range(1, 5)]


def test_rows_are_in_one_order_for_all_conditions(made_up, files):
    rows = benchmark.run(files, rounds=3, quiet=True)
    assert made_up == [(1, 3, True), (2, 3, True)]
    conditions = [(1, "warm"), (1, "cold"), (2, "warm"), (2, "cold")]
    assert [(r["threads"], r["caches"], r["file"]) for r in rows] == [
        (*condition, name)
        for condition in conditions
        for name in ("b.tflite", "a.tflite")
    ]
    assert [r["ms"] for r in rows] == [1000, 250, 2000, 500, 500, 125, 1000, 250]
    assert [r["ratio"] for r in rows] == [1, 0.25] * 4


def test_the_table_has_a_line_for_each_file_and_names_the_reference(made_up, files):
    result = CliRunner().invoke(benchmark.main, [*map(str, files), "--quiet"])
    assert result.exit_code == 0
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert "b.tflite, the first file" in lines[0]
    assert lines[-2].split()[:2] == ["b.tflite", "1,000"]
    assert lines[-1].split()[:2] == ["a.tflite", "250"]
    assert lines[-1].split()[3:] == [
        *("250.0000", "0.250", "500.0000", "0.250"),
        *("125.0000", "0.250", "250.0000", "0.250"),
    ]
    assert len({len(line) for line in lines[-4:]}) == 1


def test_help_says_which_file_is_the_reference():
    result = CliRunner().invoke(benchmark.main, ["--help"])
    assert result.exit_code == 0
    assert "first one is the reference" in " ".join(result.output.split())


def test_a_folder_stands_for_the_files_in_it_and_none_counts_twice(files):
    folder = files[0].parent
    (folder / "notes.txt").write_text("not a model")
    (folder / "folder.tflite").mkdir()
    assert benchmark.find([folder]) == sorted(files)
    assert benchmark.find([files[0], folder]) == files
    assert benchmark.find([files[0], folder / ".." / "files" / "b.tflite"]) == files[:1]


def test_files_of_one_name_are_told_apart(made_up, files, tmp_path):
    other = tmp_path / "other" / "b.tflite"
    other.parent.mkdir()
    shutil.copy(files[0], other)
    rows = benchmark.run([*files, other], rounds=1, quiet=True)
    assert [row["file"] for row in rows[:3]] == [str(files[0]), "a.tflite", str(other)]


def test_no_file_is_refused():
    assert "FILE" in refused()


@pytest.mark.parametrize("content", [b"", b"TFL3", b"PK\3\4 not a model", b"\0" * 99])
def test_what_is_no_tflite_file_is_quoted(content, files, tmp_path):
    wrong = tmp_path / "wrong.tflite"
    wrong.write_bytes(content)
    line = refused(files[0], wrong, "--output", tmp_path / "out")
    assert repr(str(wrong)) in line
    assert "not a .tflite file" in line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("end", [8, 100, 1000, -1000, -1])
def test_a_truncated_file_is_quoted(end, tflite_files, tmp_path):
    cut = tmp_path / "cut.tflite"
    cut.write_bytes(tflite_files[0].read_bytes()[:end])
    line = refused(tflite_files[0], cut, "--output", tmp_path / "new" / "out")
    assert repr(str(cut)) in line
    assert not (tmp_path / "new").exists()


def test_a_file_that_is_not_there_is_quoted(tmp_path):
    missing = tmp_path / "missing.tflite"
    line = refused(missing)
    assert repr(str(missing)) in line
    assert "No such file" in line


def test_a_folder_without_tflite_files_is_quoted(tmp_path):
    assert repr(str(tmp_path)) in refused(tmp_path)


def test_what_the_runtime_says_is_passed_on(files, tmp_path, monkeypatch):
    def in_turns(files, *arguments):
        raise runtime.RuntimeFailure(f"{str(files[1])!r}: no such operation")

    monkeypatch.setattr(timing, "in_turns", in_turns)
    (tmp_path / "benchmark.json").write_text("precious")
    line = refused(*files, "--output", tmp_path)
    assert line.endswith(f"does not run {str(files[1])!r}: no such operation")
    assert (tmp_path / "benchmark.json").read_text() == "precious"


@pytest.mark.parametrize("place", ["{}/file", "{}/file/out", "/sys", "/sys/out"])
def test_an_output_that_takes_no_files_is_refused_before_measuring(
    place, made_up, files, tmp_path
):
    (tmp_path / "file").write_text("content")
    output = place.format(tmp_path)
    line = refused(*files, "--output", output)
    assert repr(output) in line
    assert made_up == []
    assert (tmp_path / "file").read_text() == "content"


@pytest.mark.parametrize("rounds", ["0", "-1", "2.5", "many"])
def test_a_wrong_number_of_rounds_is_quoted(rounds, files):
    line = refused(*files, "--rounds", rounds)
    assert "--rounds" in line
    assert rounds in line


def point(label, size, ms):
    return scatter.Point(label, size, Spread(ms, 0.95 * ms, 1.1 * ms))


@pytest.mark.parametrize(
    "points",
    [
        [point("alone", 3000, 0.02)],
        [point(f"same{i}", 10**6, 0.4) for i in range(7)],
        [point("$\\x", 10**4, 0.1), point("far", 10**8, 100.0), point("b", 99, 0.1)],
    ],
)
def test_the_picture_is_drawn_whatever_the_range(points, tmp_path):
    scatter.draw(tmp_path / "picture.png", points)
    assert os.listdir(tmp_path) == ["picture.png"]


def test_labels_cover_neither_each_other_nor_marks():
    figure = Figure(figsize=(7, 5), dpi=130)
    axes = figure.subplots()
    points = [point(f"model-{i}", 10**5 + 2000 * i, 0.3 + 0.004 * i) for i in range(6)]
    scatter._scale(axes, points)
    scatter._label(figure, axes, points)
    labels = [t.get_window_extent() for t in axes.texts if t.get_text()]
    assert len(labels) == 6
    marks = [scatter._mark(axes, p) for p in points]
    for i, place in enumerate(labels):
        assert not place.count_overlaps(labels[:i] + marks)
