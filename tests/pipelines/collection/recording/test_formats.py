"""The same drawing in every format is the same picture, byte for byte."""

import itertools
import json

import numpy as np
import pytest
from click.testing import CliRunner

from pipelines import picture, predict
from pipelines.collection import layout, recording
from pipelines.collection.recording.content import load
from pipelines.collection.recording.recorded import Y_DOWN
from tests.pipelines.collection import folders
from tests.pipelines.collection.recording.files import written


def strokes(pen):
    """The strokes of a drawing of the generator: lists of (x, y)."""
    points = zip(pen["x"].tolist(), pen["y"].tolist(), pen["pen_down"].tolist())
    parts = itertools.groupby(points, key=lambda point: point[2])
    return [[(x, y) for x, y, _ in part] for down, part in parts if down]


def inkml(made):
    traces = [", ".join(f"{x} {y}" for x, y in s) for s in strokes(made["strokes"])]
    return "<ink>" + "".join(f"<trace>{t}</trace>" for t in traces) + "</ink>"


def inkml_of_differences(made):
    traces = []
    for (x, y), *others in strokes(made["strokes"]):
        # Positions are whole 64ths: their differences are exact, and so are sums.
        trace, mark, last = f"{x} {y}", "'", (x, y)
        for point in others:
            dx, dy = point[0] - last[0], point[1] - last[1]
            trace += f",{mark}{dx} {mark}{dy}"
            mark, last = "", point
        traces.append(f"<trace>{trace}</trace>")
    return f"<ink>{''.join(traces)}</ink>"


def svg(made):
    paths = [
        "M" + " L".join(f"{x} {y}" for x, y in s) for s in strokes(made["strokes"])
    ]
    inside = "".join(f'<path d="{d}"/>' for d in paths)
    return f'<svg fill="none" stroke="black">{inside}</svg>'


def svg_of_polylines(made):
    lines = "".join(
        f'<polyline points="{" ".join(f"{2 * x},{2 * y}" for x, y in s)}"/>'
        for s in strokes(made["strokes"])
    )
    return f'<svg stroke="black"><g transform="scale(.5)">{lines}</g></svg>'


def json_points(made):
    pen = made["strokes"]
    rows = zip(*(pen[name].tolist() for name in ("x", "y", "t", "pen_down")))
    return json.dumps([dict(zip(("x", "y", "t", "penDown"), row)) for row in rows])


def json_strokes(made):
    return json.dumps(
        {"strokes": [[[x, y, 0] for x, y in s] for s in strokes(made["strokes"])]}
    )


def json_lists(made):
    x, y, t, pressure = zip(*folders.csv_rows(made["strokes"]))
    return json.dumps({"x": x, "y": y, "t": t, "pressure": pressure})


def tablet(made):
    listed = [dict(zip("xy", zip(*s))) for s in strokes(made["strokes"])]
    head = {"format": "rvsm_tf drawing", "version": 1, "width": 100, "height": 100}
    return json.dumps({**head, "strokes": listed})


def table(made):
    rows = [("x", "y", "t", "pressure"), *folders.csv_rows(made["strokes"])]
    return "\n".join(",".join(map(str, row)) for row in rows)


def svc(made):
    return folders.svc_text(made)


def svc_without_a_count(made):
    return folders.svc_text(made).split("\n", 1)[1]


def uci(made):
    pen = made["strokes"]
    return "".join(
        f"{x};{y};0;{600 * down};900;0;0\n"
        for x, y, down in zip(*(pen[k].tolist() for k in ("x", "y", "pen_down")))
    )


WRITERS = {
    "a.inkml": (inkml, "InkML"),
    "b.inkml": (inkml_of_differences, "InkML"),
    "c.svg": (svg, "SVG"),
    "d.svg": (svg_of_polylines, "SVG"),
    "e.json": (json_points, "JSON"),
    "f.json": (json_strokes, "JSON"),
    "g.json": (json_lists, "JSON"),
    "h.json": (tablet, "the tablet's JSON"),
    "i.csv": (table, "a table"),
    "j.svc": (svc, ".svc"),
    "k.svc": (svc_without_a_count, ".svc"),
    "l.txt": (uci, "UCI's .txt"),
}


@pytest.fixture(scope="module", params=[0, 1, 2])
def files(request, tmp_path_factory):
    """A drawing of the generator, in every format."""
    folder = tmp_path_factory.mktemp("formats")
    made = folders.drawn(request.param % 2, np.random.default_rng(request.param))
    return [written(folder, write(made), n) for n, (write, _) in WRITERS.items()]


def test_every_format_is_written_here(files):
    assert {name for _, name in WRITERS.values()} == {
        form.name for form in recording.FORMATS
    }
    assert {file.suffix for file in files} | {".tsv"} == layout.RECORDINGS


def test_one_format_recognises_a_file_before_a_table_does(files):
    for file, (_, name) in zip(files, WRITERS.values(), strict=True):
        content = load(file)
        known = [f.name for f in recording.FORMATS if f.recognises(content)]
        assert known[0] == name
        assert set(known[1:]) <= {"JSON", "a table"}


def test_all_are_the_same_picture(files, tmp_path):
    result = CliRunner().invoke(
        picture.main, [*map(str, files), "--output", str(tmp_path / "pictures")]
    )
    assert result.exit_code == 0, result.output
    pictures = sorted((tmp_path / "pictures").iterdir())
    assert [p.name.split("-", 1)[1][0] for p in pictures] == [n[0] for n in WRITERS]
    assert len({p.read_bytes() for p in pictures}) == 1
    at = dict(zip(WRITERS, map(str, files)))
    # What was guessed of several files is told once.
    assert result.stderr.splitlines() == [
        f"guessed of {at['e.json']!r} and 3 more: {Y_DOWN}",
        f"guessed of {at['j.svc']!r} and 1 more: the first column is y and the second "
        "x, as in PaHaW's files; if they are not, the drawing lies on its side: give a "
        "table that names x and y, y downwards",
    ]


def test_predictions_say_what_was_guessed_beside_the_table(files):
    named = [file for file in files if file.suffix in (".csv", ".inkml")]
    result = CliRunner().invoke(predict.main, [*map(str, named), "--csv"])
    assert result.exit_code == 0, result.output
    head, *rows = result.stdout.splitlines()
    assert head == "file,part,class,error,probability of regular,probability of shaky"
    assert len(rows) == 3
    assert len({row.partition(",")[2] for row in rows}) == 1
    assert result.stderr.splitlines() == [f"guessed of {str(named[2])!r}: {Y_DOWN}"]
