"""InkML: numbers and differences by hand, and whose format a trace has."""

import pytest

from tests.pipelines.collection.recording.files import (
    guesses,
    read,
    strokes,
    unusable,
)

W3C = 'xmlns="http://www.w3.org/2003/InkML"'


def ink(*inside, attributes=W3C):
    return f"<ink {attributes}>{''.join(inside)}</ink>"


def form(*channels, name=""):
    """A trace format: each channel's attributes, "name='X' units='mm'"."""
    listed = "".join(f"<channel {channel}/>" for channel in channels)
    return f"<traceFormat{name and f' xml:id={name!r}'}>{listed}</traceFormat>"


XY = ("name='X'", "name='Y'")


def test_traces_are_strokes_of_x_and_y(tmp_path):
    text = ink(
        "<trace>10 0, 9 14, -8 28.5</trace>", "<trace> 130 155 ,144 159,</trace>"
    )
    expected = [[(10, 0), (9, 14), (-8, 28.5)], [(130, 155), (144, 159)]]
    assert strokes(tmp_path, text) == expected
    assert strokes(tmp_path, text.replace(f" {W3C}", "")) == expected
    prefixed = text.replace("<", "<i:").replace("<i:/", "</i:")
    assert strokes(tmp_path, prefixed.replace("xmlns", "xmlns:i")) == expected
    assert strokes(tmp_path, f"<?xml version='1.0'?>\n{text}") == expected
    assert strokes(tmp_path, text.encode("utf-16")) == expected
    assert not guesses(tmp_path, text)  # y counts downwards, as W3C says


def test_differences_of_first_and_second_order(tmp_path):
    # X: 1125, then 23 on; then each step is larger by 7, 3, 7, 6, 6, 3, 2, 3, 3. Behind
    # colons are channels of which some samples have values, or none.
    trace = (
        "1125 18432,'23'43,\"7\"-8,3-5,7 -3,6 2,6 8,3 6:T,2 4:*T,3 6,3-6:F F"  # W3C's
    )
    x = [1125, 1148, 1178, 1211, 1251, 1297, 1349, 1404, 1461, 1521, 1584]
    y = [18432, 18475, 18510, 18540, 18567, 18596, 18633, 18676, 18723, 18776, 18823]
    text = ink(f"<trace>{trace}</trace>")
    assert strokes(tmp_path, text) == [list(zip(x, y))]
    often = "<intermittentChannels><channel name='S'/></intermittentChannels>"
    named = form(*XY).replace("</trace", f"{often}</trace")
    assert strokes(tmp_path, ink(named, f"<trace>{trace}</trace>")) == [list(zip(x, y))]


@pytest.mark.parametrize(
    ("trace", "expected"),
    [
        # A sign holds for its channel alone, until the next one; * repeats a number.
        ("0 0, '1 5, 1 6, !9 *, '* 8", [(0, 0), (1, 5), (2, 6), (9, 6), (18, 8)]),
        ("0 0, '2 !1, * *, \"* *", [(0, 0), (2, 1), (4, 1), (8, 1)]),
        # After numbers that stand for themselves the last step is their difference.
        ('0 0, 3 1, "1 2', [(0, 0), (3, 1), (7, 2)]),
        ("#1F -#a, 1e1 .5, - 2 +3", [(31, -10), (10, 0.5), (-2, 3)]),
    ],
)
def test_how_numbers_are_written(trace, expected, tmp_path):
    assert strokes(tmp_path, ink(f"<trace>{trace}</trace>")) == [expected]


def test_channels_come_in_the_order_of_the_format(tmp_path):
    text = ink(
        form("name='T' units='ms'", "name='Y'", "name='F'", "name='X'"),
        "<trace>0 1 0 2, 5 3 0 4</trace>",
    )
    assert strokes(tmp_path, text) == [[(2, 1), (4, 3)]]
    # As drafts of the standard had it.
    wrapped = text.replace("<channel", "<regularChannels><channel", 1)
    wrapped = wrapped.replace("</traceF", "</regularChannels></traceF")
    assert strokes(tmp_path, wrapped) == [[(2, 1), (4, 3)]]


def test_y_may_count_upwards_and_units_may_differ(tmp_path):
    up = ink(form(XY[0], "name='Y' orientation='-ve'"), "<trace>1 2, 3 4</trace>")
    assert strokes(tmp_path, up) == [[(1, -2), (3, -4)]]
    units = ink(
        form("name='X' units='cm'", "name='Y' units='mm'"), "<trace>1 2, 3 4</trace>"
    )
    assert strokes(tmp_path, units) == [[(10, 2), (30, 4)]]
    same = units.replace("cm", "dev").replace("mm", "dev")
    assert strokes(tmp_path, same) == [[(1, 2), (3, 4)]]
    reason = unusable(tmp_path, units.replace("cm", "dev"))
    assert reason == "has X in 'dev' and Y in 'mm': give both in the same unit"


def test_whose_format_a_trace_has(tmp_path):
    text = ink(
        "<definitions>",
        f"<context xml:id='turned'><inkSource>{form(*reversed(XY))}</inkSource>",
        "</context><context xml:id='again' contextRef='#turned'/>",
        form("name='F'", *XY, name="pressed"),
        "<trace>7 7, 8 8</trace></definitions>",
        "<trace>1 2, 3 4</trace>",  # X and Y
        "<trace contextRef='#again'>1 2, 3 4</trace>",
        "<traceGroup contextRef='#turned'><trace>1 2, 3 4</trace>",
        "<traceGroup><trace>5 6, 7 8</trace></traceGroup></traceGroup>",
        "<context traceFormatRef='#pressed'/>",  # from here on
        "<trace>9 1 2, 9 3 4</trace>",
        "<trace contextRef='#DefaultContext'>1 2, 3 4</trace>",
    )
    straight, turned = [(1, 2), (3, 4)], [(2, 1), (4, 3)]
    assert strokes(tmp_path, text) == [
        *(straight, turned, turned, [(6, 5), (8, 7)], straight, straight)
    ]


def test_ways_in_the_air_and_traces_in_pieces(tmp_path):
    text = ink(
        "<trace xml:id='a' continuation='begin'>0 0, 1 1</trace>",
        "<trace type='penUp'>1 1, 5 5</trace>",
        "<trace continuation='end' priorRef='#a'>2 2</trace>",
        "<trace continuation='begin'>5 5, 6 6</trace>",
        "<trace continuation='middle'>7 7</trace>",
    )
    assert strokes(tmp_path, text) == [
        *([(0, 0), (1, 1), (2, 2)], [(5, 5), (6, 6), (7, 7)])
    ]
    assert read(tmp_path, text).pen_down.tolist() == [
        *(True, True, True, False, False, False, False, True, True, True, False)
    ]


@pytest.mark.parametrize(
    ("inside", "reason"),
    [
        ((), "holds no ink: its InkML has no <trace>"),
        (("<trace/>",), "holds no ink: the pen was never down"),
        (
            ("<trace>1 1</trace>",),
            "is a single dot: draw a letter, a shape or a spiral",
        ),
        (
            ("<trace>1 1, 2 2</trace>", "<trace>1 1, 2 2 2</trace>"),
            "has '2 2 2' in trace 2, where a sample of X, Y belongs",
        ),
        (
            ("<trace>1 1, 2</trace>",),
            "has '2' in trace 1, where a sample of X, Y belongs",
        ),
        (
            ("<trace>1 1, 2 nan</trace>",),
            "has '2 nan' in trace 1, where a sample of X, Y belongs",
        ),
        (
            ("<trace>1 1, 2 ?</trace>",),
            "has '2 ?' in trace 1, where a sample of X, Y belongs",
        ),
        (
            ("<trace>'1 1, 2 2</trace>",),
            'has "\'1 1" in trace 1, where a sample of X, Y belongs',
        ),
        (
            ('<trace>1 1, "2 2</trace>',),
            "has '\"2 2' in trace 1, where a sample of X, Y belongs",
        ),
        (
            ("<trace>1 *, 2 2</trace>",),
            "has '1 *' in trace 1, where a sample of X, Y belongs",
        ),
        (
            ("<trace>1 1, 2e9 2</trace>",),
            "has a coordinate of 2e+09, where none is above 1e+09",
        ),
        (
            ("<trace>1 1, 1e999 2</trace>",),
            "has a coordinate of inf, where none is above 1e+09",
        ),
        (
            ("<trace>1 1, '1e999 2, '-1e999 3</trace>",),
            "has a coordinate of nan, where none is above 1e+09",
        ),
        (
            (form("name='X'", "name='F'"), "<trace>1 1, 2 2</trace>"),
            "has a <traceFormat> with the channels 'X, F': X and Y are needed",
        ),
        (
            ("<trace contextRef='#c'>1 1, 2 2</trace>",),
            "has a <trace> that refers to '#c': nothing in the file has that name",
        ),
        (
            (
                "<context xml:id='a' contextRef='#b'/>",
                "<context xml:id='b' contextRef='#a'/>",
            ),
            "has a <context> that refers to '#b': nothing in the file has that name",
        ),
    ],
)
def test_what_is_no_drawing_is_named(inside, reason, tmp_path):
    assert unusable(tmp_path, ink(*inside)) == reason


def test_reading_is_bounded(tmp_path):
    reason = "is too long: 100001 samples, where 100000 may be"
    long = ink(f"<trace>{'1 2,3 4,' * 50_001}</trace>")
    assert unusable(tmp_path, long) == reason
    many = ink("<trace>1 2,3 4,5 6</trace>" * 40_000)
    assert unusable(tmp_path, many) == reason
