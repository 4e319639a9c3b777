import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.collection import recording
from pipelines.collection.photo.unusable import Unusable
from pipelines.collection.recording import Path
from shaky_letters.fit import PEN, fit
from shaky_letters.raster import rasterize
from tests.pipelines.collection import folders
from tests.pipelines.collection.recording.files import read, unusable, written

RNG = np.random.default_rng(0)
MADE = folders.drawn(1, RNG)
PEN_PATH = MADE["strokes"]


def picture(x, y, pen_down):
    x, y, _ = fit(x, y, pen_down)
    return rasterize(x, y, pen_down, PEN)


def tablet(**changed):
    stroke = {"x": [100, 200, 400], "y": [100, 150, 500], "t": [0, 0.5, 1]}
    content = {"format": "rvsm_tf drawing", "version": 1, "width": 640, "height": 640}
    return json.dumps({**content, "strokes": [stroke], **changed})


def table(order, delimiter=",", scale=1):
    """The made drawing as text, with columns in an order."""
    names = {"x": "X [mm]", "y": "y", "t": "Timestamp", "pressure": "Pressure"}
    lines = [delimiter.join(names[column] for column in order)]
    for row in folders.csv_rows(PEN_PATH):
        values = dict(zip(("x", "y", "t", "pressure"), row))
        lines.append(delimiter.join(str(scale * values[column]) for column in order))
    return "\n".join(lines)


def made_json():
    x, y, t, pressure = zip(*folders.csv_rows(PEN_PATH))
    return json.dumps({"x": x, "y": y, "t": t, "pressure": pressure})


@pytest.mark.parametrize(
    "text",
    [
        table(("x", "y", "t", "pressure")),
        table(("pressure", "t", "y", "x"), ";"),
        table(("y", "pressure", "x"), "\t"),
        table(("x", "y", "pressure"), ";").replace(".", ","),
        "\ufeff" + table(("x", "y", "pressure")),
        table(("x", "y", "pressure")).replace("\n", "\r\n\r\n"),
        made_json(),
    ],
)
def test_columns_come_in_any_order(text, tmp_path):
    path = read(tmp_path, text)
    n = len(PEN_PATH["x"])
    np.testing.assert_array_equal(path.x[:n], PEN_PATH["x"])
    np.testing.assert_array_equal(path.y[:n], PEN_PATH["y"])
    np.testing.assert_array_equal(path.pen_down[:n], PEN_PATH["pen_down"])
    assert not path.pen_down[n:].any()  # the pen is lifted after a stroke
    assert path.x.dtype == path.y.dtype == "float64"
    expected = picture(PEN_PATH["x"], PEN_PATH["y"], PEN_PATH["pen_down"])
    np.testing.assert_array_equal(recording.draw(path), expected)


def test_a_whole_number_of_the_unit_draws_the_same_picture(tmp_path):
    # Doubling is exact in floating point, fitting takes it back.
    once = recording.draw(read(tmp_path, table(("x", "y", "pressure"))))
    twice = recording.draw(read(tmp_path, table(("x", "y", "pressure"), scale=1024)))
    np.testing.assert_array_equal(once, twice)


def test_pahaws_columns_are_y_x_time_button(tmp_path):
    # y downwards 0, 10, 20 and x rightwards 5, 5, 7; the third sample is in the air.
    text = "3\n0 5 100 1 1190 720 800\n10 5 90 1 1190 720 900\n20 7 95 0 1180 720 0\n"
    path = read(tmp_path, text)
    np.testing.assert_array_equal(path.x, [5, 5, 7])
    np.testing.assert_array_equal(path.y, [0, 10, 20])
    np.testing.assert_array_equal(path.pen_down, [True, True, False])


def test_a_pahaw_drawing_looks_like_the_one_it_was_made_of(tmp_path):
    path = read(tmp_path, folders.svc_text(MADE))
    expected = picture(PEN_PATH["x"], PEN_PATH["y"], PEN_PATH["pen_down"])
    # Positions were whole 64ths of a pixel, so nothing was rounded.
    np.testing.assert_array_equal(recording.draw(path), expected)


def test_ucis_file_holds_two_drawings_and_a_test(tmp_path):
    text = "".join(f"{i};{2 * i};0;{i};900;{50 - i};0\n" for i in range(4))
    text += "0;0;0;9;900;7;2\n9;9;0;9;900;8;2\n"
    text += "".join(f"{3 * i};{i};0;5;900;{i};1\n" for i in range(3))
    found = recording.read(written(tmp_path, text))
    first, second = found.drawings
    assert (first.part, first.task) == (0, "spiral")
    assert (second.part, second.task) == (1, "spiral")
    # Timestamps fall all along: the order is the file's.
    np.testing.assert_array_equal(first.path.x, [0, 1, 2, 3])
    np.testing.assert_array_equal(first.path.y, [0, 2, 4, 6])
    np.testing.assert_array_equal(first.path.pen_down, [False, True, True, True])
    np.testing.assert_array_equal(second.path.x, [0, 3, 6])
    assert found.left_out == ("the stability test is no drawing",)


def test_one_of_ucis_drawings_may_be_lost(tmp_path):
    text = "1;1;0;0;900;0;0\n2;2;0;0;900;0;0\n" + "1;1;0;5;900;0;1\n5;1;0;5;900;0;1\n"
    found = recording.read(written(tmp_path, text))
    assert [drawing.part for drawing in found.drawings] == [1]
    assert found.left_out == ("the static spiral holds no ink: the pen was never down",)
    reason = unusable(tmp_path, "1;1;0;5;900;0;2\n5;1;0;5;900;0;2\n")
    assert reason == "holds no drawing: the stability test is no drawing"


def test_the_pen_is_down_where_the_file_says_so(tmp_path):
    rows = [(0, 0, 1, 0), (5, 0, 0, 9), (5, 5, 1, 0), (5, 9, 1, 3)]
    text = "x,y,pen_down,pressure\n" + "\n".join(",".join(map(str, r)) for r in rows)
    np.testing.assert_array_equal(read(tmp_path, text).pen_down, [1, 0, 1, 1])
    without = text.replace("pen_down", "other")
    np.testing.assert_array_equal(read(tmp_path, without).pen_down, [0, 1, 0, 1])
    text = "x,y,Button\n0,0,true\n5,0,False\n5,5,TRUE"
    np.testing.assert_array_equal(read(tmp_path, text).pen_down, [True, False, True])
    text = "x,y\n0,0\n5,0\n5,5"
    assert read(tmp_path, text).pen_down.all()
    text = '{"x": [0, 5, 5], "y": [0, 0, 5], "pen_down": [true, 0, 1], "pressure": 7}'
    np.testing.assert_array_equal(read(tmp_path, text).pen_down, [1, 0, 1, 0])


def test_strokes_are_kept_apart(tmp_path):
    text = "stroke,x,y\n1,0,0\n1,5,0\n2,0,9\n2,5,9"
    path = read(tmp_path, text)
    np.testing.assert_array_equal(path.x, [0, 5, 5, 0, 5, 5])
    np.testing.assert_array_equal(path.pen_down, [True, True, False] * 2)
    text = (
        '[{"x": [0, 5], "y": [0, 0]}, {"x": [], "y": []}, {"x": [0, 5], "y": [9, 9]}]'
    )
    other = read(tmp_path, text)
    np.testing.assert_array_equal(other.x, path.x)
    np.testing.assert_array_equal(other.pen_down, path.pen_down)
    ink = recording.draw(path)[..., 0] > 0
    assert not ink[20:80].any()  # two lines, and nothing that joins them


def test_the_tablets_pressure_is_not_looked_at(tmp_path):
    stroke = {"x": [100, 200, 400], "y": [100, 150, 500], "pressure": [0, 0, 0]}
    path = read(tmp_path, tablet(strokes=[stroke]))
    np.testing.assert_array_equal(path.pen_down, [True, True, True, False])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty: zero bytes"),
        (" \n\n", "is empty: white space alone"),
        (b"\x89PNG\r\n\x1a\n\xff\xd8", "is no text"),
        ("hello\n1,2\n", "begins with 'hello'"),
        ("x,t\n1,2\n", "begins with 'x,t': its first line should name x and y"),
        ("x,y\n", "holds no samples"),
        ("x,y\n1,2\n", "is a single dot"),
        ("x,y\n1,2\n1,2\n1,2", "is a single dot"),
        ("x,y\n1,2\n1\n", "has 1 values in line 3, where 2 belong"),
        ("x,y\n1,2\n1,2,3\n", "has 3 values in line 3"),
        ("x,y\n1,2\n1,nan\n", "has 'nan' in line 3, where a number belongs"),
        ("x,y\n1,2\ninf,1\n", "has 'inf' in line 3"),
        ("x,y\n1,2\n,1\n", "has '' in line 3"),
        ('x,y\n1,2\n"1,5",2\n', "has '1,5' in line 3"),
        ("x,y\n1,2\n1e10,2\n", "has a coordinate of 1e+10"),
        ("x,y,pressure\n1,2,0\n3,4,0\n", "holds no ink"),
        ('x,y\n1,"2\n', "it is no table"),
        ("3\n1 2 3 1 5 6 7\n", "is cut off: of 3 samples it holds 1"),
        ("2\n1 2 3 1 5 6 7\n1 2 3 1 5 6\n", "has 6 values in line 3"),
        ("2\n1 2 3 0 5 6 7\n8 2 3 0 5 6 7\n", "holds no ink"),
        ("5", "holds no samples"),
        ("1;2;0;5;900;1;0\n1;2;0\n", "has 3 values in line 2"),
        ("[]", "its JSON should be strokes"),
        ("[1, 2]", "its JSON should be strokes"),
        ("{", "its JSON is damaged"),
        ("[" * 100_000, "its JSON is damaged"),
        ("{}", "x and y should be lists"),
        ('{"x": [1, 2], "y": [1]}', "x and y should be lists"),
        ('{"x": [1, "2"], "y": [1, 2]}', "x and y should be lists"),
        ('{"x": [1, NaN], "y": [1, 2]}', "x and y should be lists"),
        ('{"x": [1, 1e999], "y": [1, 2]}', "x and y should be lists"),
        ('{"x": [1, true], "y": [1, 2]}', "x and y should be lists"),
        ('{"x": [1, 2], "y": [1, 2], "pressure": [1]}', "a list as long as x"),
        ('{"x": [1, 2], "y": [1, 2], "pressure": ["a", 1]}', "a list as long as x"),
        ('{"x": [1, 2], "y": [1, 2], "pressure": [0, 0]}', "holds no ink"),
        (tablet(version=2), "version 2: this program reads"),
        (tablet(format="svg"), "is a 'svg', version 1"),
        (tablet(width=0), "save it again in the demo"),
        (tablet(strokes=5), "save it again in the demo"),
        (tablet(strokes=[{"x": [1, 1e6], "y": [1, 2]}]), "up to 100000"),
        (tablet(strokes=[{"x": [1, 9], "y": [1, 2]}]), "too small to tell"),
    ],
)
def test_what_is_no_drawing_is_named(text, words, tmp_path):
    assert words in unusable(tmp_path, text)


def test_reading_is_bounded(tmp_path):
    long = "x,y\n" + "1,2\n" * (recording.LONGEST // 4)
    assert unusable(tmp_path, long) == "is too long: above 16 MiB"
    x = [0, 1] * (recording.MOST // 2)
    # A sample in the air follows the stroke.
    assert len(read(tmp_path, json.dumps({"x": x[1:], "y": x[1:]})).x) == recording.MOST
    reason = unusable(tmp_path, json.dumps({"x": x, "y": x}))
    assert reason == "is too long: 100001 samples, where 100000 may be"
    rows = "x,y\n" + "1,2\n3,4\n" * (recording.MOST // 2 + 1)
    assert unusable(tmp_path, rows).startswith("is too long: 100003 samples")


def test_a_missing_file_is_the_callers(tmp_path):
    with pytest.raises(FileNotFoundError):
        recording.read(tmp_path / "none.csv")


def test_nothing_is_drawn_without_ink():
    nowhere = Path(np.zeros(3), np.arange(3.0), np.zeros(3, bool))
    with pytest.raises(Unusable, match="never down"):
        recording.draw(nowhere)
    dot = Path(np.zeros(3), np.arange(3.0), np.array([True, False, False]))
    with pytest.raises(Unusable, match="single dot"):
        recording.draw(dot)


@given(n=st.integers(200, 600), lifts=st.floats(0, 0.3), seed=st.integers(0, 1 << 30))
@settings(max_examples=25, deadline=None)
def test_long_drawings_are_drawn_as_at_once(n, lifts, seed):
    rng = np.random.default_rng(seed)
    x, y = np.cumsum(rng.normal(size=(2, n)), axis=1)
    pen_down = rng.random(n) >= lifts
    pen_down[:2] = True
    drawn = recording.draw(Path(x, y, pen_down))
    np.testing.assert_array_equal(drawn, picture(x, y, pen_down))


@pytest.mark.parametrize("k", [255, 256, 257, 512])
def test_no_line_is_lost_where_drawing_pauses(k):
    # The pen rests in a corner, and at sample k in the one across.
    x = (np.arange(600) >= k).astype("float64")
    drawn = recording.draw(Path(x, x, np.ones(600, bool)))
    np.testing.assert_array_equal(drawn, picture(x, x, np.ones(600, bool)))
    assert drawn[50, 50]


SOUND = {
    "table": table(("x", "y", "t", "pressure")),
    "json": made_json(),
    "tablet": tablet(),
    "svc": folders.svc_text(MADE),
    "uci": folders.uci_text(MADE, 0) + folders.uci_text(MADE, 1),
    "uncounted": folders.svc_text(MADE).partition("\n")[2],
    "points": '{"strokes": [{"points": [{"x": 1, "y": 2, "p": 0.5}, '
    '{"x": 3, "y": 4}]}, [[5, 6, 7], [8, 9, 10]]], "width": 100, "name": "letter"}',
    "inkml": "<ink><definitions><context xml:id='c'><traceFormat><channel name='X'/>"
    "<channel name='F'/><channel name='Y' orientation='-ve'/></traceFormat></context>"
    "</definitions><traceGroup contextRef='#c'><trace>10 0 10, 15 0 20, '5 * '4, \"2 1 "
    '"-1</trace><trace>10 0 10,11 0 12</trace></traceGroup></ink>',
    "svg": "<svg><title>A letter</title><g fill='none' stroke='black' transform='"
    "translate(10 20) rotate(30)'><path d='M10 10c1 2 3 4 5 6q7 8 9 9a5 5 0 0 1 9 8z'/>"
    "<polyline points='1 2 3 4 50 60'/></g></svg>",
}


@pytest.mark.parametrize("kind", SOUND)
def test_damage_makes_drawings_or_unusable_files(kind, tmp_path):
    content = SOUND[kind].encode()
    rng = np.random.default_rng(1)
    drawn, reasons = 0, []
    for turn in range(300):
        damaged = bytearray(content)
        if turn % 3 == 0:
            damaged = damaged[: rng.integers(len(content))]
        else:
            for _ in range(rng.integers(1, 6)):
                damaged[rng.integers(len(content))] ^= 1 << rng.integers(8)
        try:
            found = recording.read(written(tmp_path, bytes(damaged)))
        except Unusable as reason:
            reasons.append(str(reason))
            continue
        drawn += 1
        for drawing in found.drawings:
            assert recording.draw(drawing.path).any()
        assert not any("\n" in guess for guess in found.guesses)
    assert drawn
    assert reasons
    verbs = r"(is|has|holds|begins|declares) "
    assert all(re.match(verbs, reason) for reason in reasons)
