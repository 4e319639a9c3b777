"""JSON of any program: the forms that strokes have."""

import json

import pytest

from pipelines.collection import recording
from pipelines.collection.recording.recorded import Y_DOWN
from tests.pipelines.collection.recording.files import (
    guesses,
    read,
    strokes,
    unusable,
)

ONE, TWO = [(1, 2), (3, 4), (5, 4)], [(7, 8), (9, 8)]


def dicts(points, **more):
    return [{"x": x, "y": y, "t": 0.1, **more} for x, y in points]


def lists(points, *more):
    return [[x, y, *more] for x, y in points]


def columns(points):
    x, y = zip(*points)
    return {"x": x, "y": y, "time": [7] * len(points)}


@pytest.mark.parametrize(
    "content",
    [
        dicts(ONE),
        lists(ONE),
        lists(ONE, 0.1, 0, 9),
        {"points": dicts(ONE)},
        {"points": lists(ONE, 3), "pen": "blue"},
        {"strokes": dicts(ONE)},
        columns(ONE),
        [{"X [mm]": 1.0, "Y": 2}, {"X [mm]": 3, "Y": 4}, {"X [mm]": 5, "Y": 4}],
        [{"y": y, "timestamp": 10**18, "x": x} for x, y in ONE],
    ],
)
def test_a_stroke(content, tmp_path):
    text = json.dumps(content)
    assert strokes(tmp_path, text) == [ONE]
    assert guesses(tmp_path, text) == (Y_DOWN,)


@pytest.mark.parametrize("first", [dicts, lists, columns, lambda s: {"points": s}])
@pytest.mark.parametrize("second", [dicts, lists, columns])
@pytest.mark.parametrize(
    "wrapped",
    [
        lambda s: s,
        lambda s: {"strokes": s, "width": 640},
        lambda s: {"strokes": [s[0], [], s[1]]},
        lambda s: {"points": s},
    ],
)
def test_several_strokes(first, second, wrapped, tmp_path):
    text = json.dumps(wrapped([first(ONE), second(TWO)]))
    assert strokes(tmp_path, text) == [ONE, TWO]
    assert guesses(tmp_path, text) == (Y_DOWN,)


def test_the_pen_is_down_where_a_point_says_so(tmp_path):
    points = [(0, 0), (5, 0), (5, 5), (5, 9)]

    def down(*, names, values):
        said = [
            {"x": x, "y": y, **dict(zip(names, each))}
            for (x, y), each in zip(points, values)
        ]
        return read(tmp_path, json.dumps(said)).pen_down.tolist()[:-1]

    both = [(True, 0), (False, 0.9), (True, 0), (1, 3)]
    assert down(names=("penDown", "pressure"), values=both) == [True, False, True, True]
    pressed = [(0,), (0.5,), (0,), (3,)]
    assert down(names=("p",), values=pressed) == [False, True, False, True]
    assert down(names=("Force",), values=pressed) == [False, True, False, True]
    assert down(names=("t",), values=pressed) == [True] * 4


POINT = 'where {"x": 1, "y": 2} or [1, 2] belongs, numbers up to 1e+09'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[{"x": 1, "y": 2}, {"x": 1}]', f'it has {{"x": 1}} for a point, {POINT}'),
        ('[{"x": 1, "y": "2"}]', f'it has {{"x": 1, "y": "2"}} for a point, {POINT}'),
        ('[{"x": 1, "y": null}]', f'it has {{"x": 1, "y": null}} for a point, {POINT}'),
        ("[[1, 2], [3]]", f"it has [3] for a point, {POINT}"),
        ("[[1, 2], 3]", f"it has 3 for a point, {POINT}"),
        ("[[1, 2], [3, NaN]]", f"it has [3, NaN] for a point, {POINT}"),
        ("[[1, 2], [3, 1e999]]", f"it has [3, Infinity] for a point, {POINT}"),
        ("[[1, 2], [3, true]]", f"it has [3, true] for a point, {POINT}"),
        ("[[1, 2], [3, 2e9]]", f"it has [3, 2000000000.0] for a point, {POINT}"),
        (
            "[[1, 2], [3, [4]]]",
            f"it has lists or objects inside each other for a point, {POINT}",
        ),
        # Lists of coordinates, as some programs write them.
        (
            "[[[1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 3, 4, 5, 6, 7, 8, 9]]]",
            f"it has [1, 2, 3, 4, 5, 6, 7, 8, 9] for a point, {POINT}",
        ),
        (
            '[{"x": 1, "y": 2, "pen_down": "yes"}]',
            f'it has {{"x": 1, "y": 2, "pen_down": "yes"}} for a point, {POINT}',
        ),
        (
            '[{"x": [1], "y": 2}]',
            "in each stroke, x and y should be lists of as many numbers, up to 1e+09",
        ),
    ],
)
def test_what_is_wrong_with_a_point_is_named(text, reason, tmp_path):
    assert unusable(tmp_path, text) == f"holds no drawing: {reason}"


@pytest.mark.parametrize(
    "text",
    [
        '{"strokes": 5}',
        '{"strokes": []}',
        '{"strokes": {"x": [1, 2], "y": [1, 2]}}',
        '{"points": "1 2 3"}',
        '[[[1, 2], [3, 4]], "a"]',
        '["format"]',
        "[null]",
    ],
)
def test_what_has_no_strokes_is_named(text, tmp_path):
    assert unusable(tmp_path, text) == (
        'holds no drawing: its JSON should be strokes, {"x": […], "y": […]} or lists '
        'of points such as {"x": 1, "y": 2} or [1, 2], or what the tablet\'s demo saves'
    )


@pytest.mark.parametrize("deep", [10, 900, 100_000])
@pytest.mark.parametrize("around", [("[", "]"), ('{"strokes":', "}")])
def test_json_may_be_as_deep_as_it_likes(deep, around, tmp_path):
    text = around[0] * deep + "1" + around[1] * deep
    assert unusable(tmp_path, text).startswith("holds no drawing: ")


def test_empty_strokes_hold_no_ink(tmp_path):
    assert unusable(tmp_path, "[[], []]") == "holds no ink: the pen was never down"
    air = json.dumps([{"x": 1, "y": 2, "p": 0}, {"x": 3, "y": 2, "p": 0}])
    assert unusable(tmp_path, air) == "holds no ink: the pen was never down"


def test_reading_is_bounded(tmp_path):
    points = [[1, 2], [3, 4]] * (recording.MOST // 2)
    reason = "is too long: 100001 samples, where 100000 may be"
    assert unusable(tmp_path, json.dumps(points)) == reason
    assert len(read(tmp_path, json.dumps(points[1:])).x) == recording.MOST
