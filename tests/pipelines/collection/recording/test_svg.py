"""SVG: commands and transforms by hand, curves against their circles."""

import itertools
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.collection import recording
from pipelines.collection.recording.content import FileContent
from pipelines.collection.recording.formats import svg as reader
from tests.pipelines.collection.recording.files import guesses, strokes, unusable

LINE = 'fill="none" stroke="black"'


def svg(*inside, attributes=LINE):
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {attributes}>{"".join(inside)}</svg>'
    )


def drawn(d, **more):
    extra = "".join(f" {key}={value!r}" for key, value in more.items())
    return svg(f'<path d="{d}"{extra}/>')


@pytest.mark.parametrize(
    ("d", "expected"),
    [
        ("M1 2 L3 4 5 6", [[(1, 2), (3, 4), (5, 6)]]),
        ("M1,2L3,4,5,6", [[(1, 2), (3, 4), (5, 6)]]),
        ("m1 2 3 4l5-6", [[(1, 2), (4, 6), (9, 0)]]),
        ("M1 2H5V9h-1v-2", [[(1, 2), (5, 2), (5, 9), (4, 9), (4, 7)]]),
        ("M0 0 4 0 4 4Z", [[(0, 0), (4, 0), (4, 4), (0, 0)]]),
        # After Z the pen is back at the start.
        ("M1 1h4v4zl2 3", [[(1, 1), (5, 1), (5, 5), (1, 1)], [(1, 1), (3, 4)]]),
        ("M1 1h4M2 3v4", [[(1, 1), (5, 1)], [(2, 3), (2, 7)]]),
        ("m1 1h4m2 3v4", [[(1, 1), (5, 1)], [(7, 4), (7, 8)]]),
        # A start that no line follows draws nothing.
        ("M9 9M1 1h4M3 3", [[(1, 1), (5, 1)]]),
        ("M.5.5-1e1+2.5E-1 05 6.", [[(0.5, 0.5), (-10, 0.25), (5, 6)]]),
        # An arc without a radius is a line.
        ("M0 0A0 5 0 0 1 6 7a5 0 0 00 1 2", [[(0, 0), (6, 7), (7, 9)]]),
    ],
)
def test_lines(d, expected, tmp_path):
    assert strokes(tmp_path, drawn(d)) == expected
    assert not guesses(tmp_path, drawn(d))


@pytest.mark.parametrize(
    ("d", "control"),
    [
        ("M0 0C0 4 6 4 6 0", [(0, 0), (0, 4), (6, 4), (6, 0)]),
        ("M1 1c0 4 6 4 6 0", [(1, 1), (1, 5), (7, 5), (7, 1)]),
        # S and T go on as the curve before came; alone they begin where the pen is.
        ("M0 0C9 9 5 3 6 0S8 4 9 9", [(6, 0), (7, -3), (8, 4), (9, 9)]),
        ("M0 0c9 9 5 3 6 0s2 4 3 9", [(6, 0), (7, -3), (8, 4), (9, 9)]),
        ("M6 0S8 4 9 9", [(6, 0), (6, 0), (8, 4), (9, 9)]),
        ("M0 0Q3 4 6 0", [(0, 0), (3, 4), (6, 0)]),
        ("M0 0Q3 4 6 0T9 9", [(6, 0), (9, -4), (9, 9)]),
        ("M0 0q3 4 6 0t3 9", [(6, 0), (9, -4), (9, 9)]),
    ],
)
def test_curves_are_points_of_theirs(d, control, tmp_path):
    (stroke,) = strokes(tmp_path, drawn(d))
    start = stroke.index(control[0])
    points = np.array(stroke[start:])
    t = np.linspace(0, 1, len(points))[:, None]
    # As de Casteljau draws it: lines between lines.
    curve = [np.array([point]) for point in control]
    while len(curve) > 1:
        curve = [(1 - t) * a + t * b for a, b in itertools.pairwise(curve)]
    np.testing.assert_allclose(points, curve[0], atol=1e-12)
    assert len(points) > 5


# From (0, 0) to (10, 0) on circles of radius 5 or larger: middle, and how far around.
@pytest.mark.parametrize(
    ("flags", "middle", "top"),
    [
        ("5 5 0 0 1", (5, 0), -5),  # clockwise as seen: y counts downwards
        ("5 5 0 0 0", (5, 0), 5),
        ("2 2 0 0 1", (5, 0), -5),  # too small: scaled up
        ("13 13 0 0 1", (5, 12), -1),
        ("13 13 0 1 1", (5, -12), -25),
        ("13 13 0 00", (5, -12), 1),
        ("13 13 0 10", (5, 12), 25),
    ],
)
def test_arcs_lie_on_their_circle(flags, middle, top, tmp_path):
    (stroke,) = strokes(tmp_path, drawn(f"M0 0A{flags} 10 0"))
    x, y = np.array(stroke).T
    radius = np.hypot(5, middle[1])
    far = np.hypot(x - middle[0], y - middle[1])
    np.testing.assert_allclose(far, radius, rtol=3e-4)
    assert y[np.abs(y).argmax()] == pytest.approx(top, abs=0.02)
    np.testing.assert_allclose([x[0], y[0], x[-1], y[-1]], [0, 0, 10, 0], atol=1e-12)


def test_an_ellipse_that_is_turned(tmp_path):
    # Half axes 4 and 2, turned by 90 degrees: half an ellipse 4 deep below y = 0.
    (stroke,) = strokes(tmp_path, drawn("M0 0a4 2 90 0 0 4 0"))
    x, y = np.array(stroke).T
    np.testing.assert_allclose(((x - 2) / 2) ** 2 + (y / 4) ** 2, 1, rtol=1e-3)
    assert y.max() == pytest.approx(4, rel=1e-3)
    assert y.min() > -1e-9


@given(
    points=st.lists(
        st.tuples(*[st.integers(-1000, 1000)] * 2), min_size=4, max_size=4, unique=True
    )
)
def test_no_picture_shows_that_a_curve_is_lines(points):
    (a, b), (c, d), (e, f), (g, h) = points
    text = drawn(f"M{a} {b}C{c} {d} {e} {f} {g} {h}")
    path = reader.read(FileContent("a.svg", text.encode())).drawings[0].path
    found = np.stack([path.x, path.y])[:, path.pen_down]
    t = np.linspace(0, 1, 997)
    p = np.array(points, "float64").T[:, :, None]
    curve = (
        (1 - t) ** 3 * p[:, 0]
        + 3 * (1 - t) ** 2 * t * p[:, 1]
        + 3 * (1 - t) * t**2 * p[:, 2]
        + t**3 * p[:, 3]
    )
    # From each point of the curve to the nearest line.
    start, along = found[:, :-1, None], np.diff(found)[:, :, None]
    length = np.maximum((along**2).sum(0), 1e-300)
    where = np.clip((along * (curve[:, None] - start)).sum(0) / length, 0, 1)
    away = np.hypot(*(start + where * along - curve[:, None])).min(0)
    assert away.max() <= np.ptp(p[..., 0], axis=1).max() / 2000 + 1e-9


def test_lines_of_other_elements(tmp_path):
    text = svg(
        '<polyline points="0,0 1,2 3 4"/>',
        '<polygon points="0 0 5 0 5 5"/>',
        '<line x1="1" y1="2px" x2="3"/>',
        '<polyline points=""/>',
    )
    assert strokes(tmp_path, text) == [
        [(0, 0), (1, 2), (3, 4)],
        [(0, 0), (5, 0), (5, 5), (0, 0)],
        [(1, 2), (3, 0)],
    ]


@pytest.mark.parametrize(
    ("transform", "expected"),
    [
        ("translate(10 20)", (13, 24)),
        ("translate(10)", (13, 4)),
        ("scale(2)", (6, 8)),
        ("scale(2,-1)", (6, -4)),
        ("matrix(1 2 3 4 5 6)", (1 * 3 + 3 * 4 + 5, 2 * 3 + 4 * 4 + 6)),
        ("rotate(90)", (-4, 3)),  # clockwise as seen
        ("rotate(90, 3, 0)", (3 - 4, 0)),
        ("skewX(45)", (3 + 4, 4)),
        ("skewY(45)", (3, 4 + 3)),
        # The last one is the first to be done.
        ("translate(10 20) scale(2)", (16, 28)),
        ("scale(2), translate(10 20)", (26, 48)),
        ("none", (3, 4)),
    ],
)
def test_transforms(transform, expected, tmp_path):
    text = svg(f'<line x1="3" y1="4" x2="99" transform="{transform}"/>')
    assert strokes(tmp_path, text)[0][0] == pytest.approx(expected)


def test_transforms_of_groups_are_done_after_those_inside(tmp_path):
    text = svg(
        '<g transform="translate(10 20)"><g style="transform: scale(2)">',
        '<line x1="3" y1="4" x2="5" transform="translate(1)"/></g></g>',
        '<line x2="1"/>',
    )
    assert strokes(tmp_path, text) == [[(18, 28), (22, 20)], [(0, 0), (1, 0)]]


def test_what_is_filled_or_hidden_is_no_stroke(tmp_path):
    text = svg(
        '<line x2="1"/>',
        '<line x2="2" stroke="none"/>',
        '<path d="M0 0h9v9z" style="fill: red; stroke: none"/>',
        '<g stroke="none" fill="black"><path d="M0 0h8"/>',
        '<path d="M0 0h3" style="stroke:blue !important"/></g>',
        '<g display="none"><line x2="4"/></g><line x2="5" style="display:none"/>',
        '<g visibility="hidden"><line x2="6"/>',
        '<line x2="7" visibility="visible"/></g>',
        '<defs><line x2="8"/></defs><symbol><line x2="8"/></symbol>',
    )
    assert [stroke[-1][0] for stroke in strokes(tmp_path, text)] == [1, 3, 7]


STYLED = (
    "lines that say neither stroke nor fill are strokes; if they go around ink, give a "
    "picture such as PNG"
)


def test_what_is_guessed_and_left_out_is_told(tmp_path):
    bare = svg('<path d="M0 0h5"/>', attributes="")
    assert strokes(tmp_path, bare) == [[(0, 0), (5, 0)]]
    assert guesses(tmp_path, bare) == (STYLED,)
    by_class = svg('<path class="a" fill="none" d="M0 0h5"/>', attributes="")
    assert guesses(tmp_path, by_class) == (STYLED,)
    more = svg(
        '<rect width="9" height="9"/><text>7</text><text>8</text><line x2="5"/>',
        '<svg x="9"><line x2="4"/></svg><path d="M0 0h4v4" stroke="none" fill="red"/>',
        "<title>A letter</title><metadata/>",
    )
    assert strokes(tmp_path, more) == [[(0, 0), (5, 0)]]
    assert guesses(tmp_path, more) == (
        "<path> without a line, <rect>, <svg>, <text> are no strokes, and are left out",
    )


END = "give an SVG of lines, or a picture such as PNG"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (svg(), f"holds no strokes: {END}"),
        (svg('<path d=""/><path/>'), f"holds no strokes: {END}"),
        (svg('<image href="a.png"/>'), f"holds no strokes, only <image>: {END}"),
        (
            svg("<text>hello</text>", "<rect/>"),
            f"holds no strokes, only <rect>, <text>: {END}",
        ),
        (
            svg('<path d="M0 0h5v5z"/>', attributes='fill="black"'),
            f"holds no strokes, only <path> without a line: {END}",
        ),
        (drawn("L3 4"), "has a path that is damaged: 'L3 4'"),
        (drawn("3 4"), "has a path that is damaged: '3 4'"),
        (drawn("M0 0L3"), "has a path that is damaged: 'M0 0L3'"),
        (drawn("M0 0C1 2 3 4 5"), "has a path that is damaged: 'M0 0C1 2 3 4 5'"),
        (drawn("M0 0z9 9"), "has a path that is damaged: 'M0 0z9 9'"),
        (
            drawn("M0 0A1 1 0 2 0 3 3"),
            "has a path that is damaged: 'M0 0A1 1 0 2 0 3 3'",
        ),
        (drawn("M0 0A" + "2" * 9), "has a path that is damaged: 'M0 0A222222222'"),
        (drawn("M0 0A1 1 0 0"), "has a path that is damaged: 'M0 0A1 1 0 0'"),
        (drawn("M0 0L3 x"), "has 'x' in a path, where a number belongs"),
        (drawn("M0 0L1e999 1"), "has inf in a path, where no number is above 1e+09"),
        (
            drawn("M0 0a1 1 0 00 2e9 1"),
            "has 2e+09 in a path, where no number is above 1e+09",
        ),
        (
            drawn("M0 0h1", transform="scale(1e8) scale(1e8)"),
            "has a coordinate of 1e+16, where none is above 1e+09",
        ),
        (
            drawn("M0 0h1", transform="turn(3)"),
            "has the transform 'turn(3)', which is none of SVG's",
        ),
        (
            drawn("M0 0h1", transform="scale(1 2 3)"),
            "has the transform 'scale(1 2 3)', which is none of SVG's",
        ),
        (
            drawn("M0 0h1", transform="rotate(5deg)"),
            "has 'deg' in a transform, where a number belongs",
        ),
        (
            svg('<polyline points="1 2 3"/>'),
            "has a polyline of 3 numbers: x and y belong together",
        ),
        (svg('<line x2="50%"/>'), "has '%' in a line, where a number belongs"),
        (drawn("M3 3h0"), "is a single dot: draw a letter, a shape or a spiral"),
    ],
)
def test_what_is_no_drawing_is_named(text, reason, tmp_path):
    assert unusable(tmp_path, text) == reason


@pytest.mark.parametrize("inside", ["line", "path"])
def test_transforms_may_grow_beyond_all_numbers(inside, tmp_path):
    groups = '<g transform="scale(1e9)">' * 50, "</g>" * 50
    shape = {"line": '<line x1="1" x2="2"/>', "path": '<path d="M1 2q3 4 5 6"/>'}
    text = svg(groups[0], shape[inside], groups[1])
    assert unusable(tmp_path, text).startswith("has a coordinate of ")


@pytest.mark.parametrize(
    "d", ["M0 0A" + "2" * 100_000, "M0 0A" + "1 " * 50_000, "M0 0L" + "-" * 100_000]
)
def test_long_nonsense_is_refused_at_once(d, tmp_path):
    begun = time.perf_counter()
    assert unusable(tmp_path, drawn(d))
    assert time.perf_counter() - begun < 5


def test_reading_is_bounded(tmp_path):
    longest = drawn("M0 0" + "l1 1-1-1" * (recording.MOST // 2 - 1))
    assert len(strokes(tmp_path, longest)[0]) == recording.MOST - 1
    long = drawn("M0 0" + "l1 1-1-1" * (recording.MOST // 2 + 1))
    assert unusable(tmp_path, long).startswith("is too long: 100001 samples")
    # A curve is many points.
    bent = drawn("M0 0" + "c0 9 9 9 9 0s-9-9-9 0" * 4000)
    assert unusable(tmp_path, bent).startswith("is too long: ")
