"""Wacom's .svc: which axis the first column is."""

import numpy as np
import pytest

from tests.pipelines.collection.recording.files import guesses, read, strokes, unusable

# first, second and button; then a quarter of a turn is what the first column decides.
ROWS = [(0, 5, 1), (10, 5, 1), (20, 7, 0), (30, 9, 1), (40, 9, 1)]

ELSE = (
    "if they are not, the drawing lies on its side: give a table that names x and y, y "
    "downwards"
)
AS_PAHAW = f"the first column is y and the second x, as in PaHaW's files; {ELSE}"
Y_FIRST = (
    "the first column is y and the second x, as its strokes follow each other along "
    f"the second; {ELSE}"
)
X_FIRST = (
    "the first column is x and the second y, upwards, as its strokes follow each other "
    f"along the first; {ELSE}"
)


def svc(rows, count=True, separator=" "):
    lines = [
        separator.join(map(str, (first, second, 5 * i, button, 1190, 720, 800)))
        for i, (first, second, button) in enumerate(rows)
    ]
    return "\n".join([str(len(lines))] * count + lines) + "\n"


@pytest.mark.parametrize("count", [True, False])
@pytest.mark.parametrize("separator", [" ", "\t", "   "])
@pytest.mark.parametrize("name", ["drawing.svc", "drawing.txt", "00001__1_1.svc"])
def test_without_evidence_the_first_column_is_y(count, separator, name, tmp_path):
    text = svc(ROWS, count, separator)
    path = read(tmp_path, text, name)
    np.testing.assert_array_equal(path.x, [5, 5, 7, 9, 9])
    np.testing.assert_array_equal(path.y, [0, 10, 20, 30, 40])
    np.testing.assert_array_equal(path.pen_down, [1, 1, 0, 1, 1])
    # PaHaW's own files are known by their names.
    expected = () if name.startswith("0") else (AS_PAHAW,)
    assert guesses(tmp_path, text, name) == expected


def written_line(words, high):
    """A line of writing: as many strokes, each `high` and a tenth of that wide."""
    along, up, down = [], [], []
    for word in range(words):
        for step in range(3):
            along.append(high * (word + step / 20))
            up.append(high * (step % 2))
            down.append(1)
        along.append(high * (word + 0.5))
        up.append(0)
        down.append(0)
    return along, up, down


def test_a_line_of_writing_tells_which_column_is_x(tmp_path):
    along, up, down = written_line(5, 100)
    # As Wacom's tablets count: x rightwards and y upwards.
    x_first = svc(zip(along, up, down), count=False)
    path = read(tmp_path, x_first)
    np.testing.assert_array_equal(path.x, along)
    np.testing.assert_array_equal(path.y, [-y for y in up])
    assert guesses(tmp_path, x_first) == (X_FIRST,)
    # The same, of a tablet turned by a quarter: y downwards comes first.
    y_first = svc(zip([-y for y in up], along, down), count=False)
    turned = read(tmp_path, y_first)
    np.testing.assert_array_equal(turned.x, path.x)
    np.testing.assert_array_equal(turned.y, path.y)
    assert guesses(tmp_path, y_first) == (Y_FIRST,)
    assert strokes(tmp_path, y_first) == strokes(tmp_path, x_first)
    assert not guesses(tmp_path, x_first, "00001__2_1.svc")


@pytest.mark.parametrize(
    "rows",
    [
        list(zip(*written_line(3, 100))),  # three strokes
        list(zip(*written_line(5, 100)))[::-1],  # from right to left
        [(a, 3 * b, d) for a, b, d in zip(*written_line(5, 100))],  # as high as wide
        [(a, b, 1) for a, b, _ in zip(*written_line(5, 100))],  # one stroke
    ],
)
def test_less_is_no_evidence(rows, tmp_path):
    assert guesses(tmp_path, svc(rows)) == (AS_PAHAW,)
    mirrored = [(second, first, down) for first, second, down in rows]
    assert guesses(tmp_path, svc(mirrored)) == (AS_PAHAW,)


def test_a_first_line_that_names_the_columns_decides(tmp_path):
    text = "x y time button\n" + "\n".join(f"{a} {b} 0 {d}" for a, b, d in ROWS)
    assert strokes(tmp_path, text) == [[(0, 5), (10, 5)], [(30, 9), (40, 9)]]
    swapped = text.replace("x y", "Y X")
    assert strokes(tmp_path, swapped) == [[(5, 0), (5, 10)], [(9, 30), (9, 40)]]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            svc(ROWS, count=False) + "1 2 3 1\n",
            "has 4 values in line 6, where 7 belong",
        ),
        (svc(ROWS) + "1 2 3 1\n", "has 4 values in line 7, where 7 belong"),
        (
            svc(ROWS, count=False).replace("10 5 5 1", "10 5 5 x"),
            "has 'x' in line 2, where a number belongs",
        ),
        (
            svc([(0, 0, 0), (9, 9, 0)], count=False),
            "holds no ink: the pen was never down",
        ),
    ],
)
def test_what_is_no_drawing_is_named(text, reason, tmp_path):
    assert unusable(tmp_path, text) == reason
