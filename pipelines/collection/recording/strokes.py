"""JSON of any program: strokes, as points or as lists of their coordinates.

    [{"x": 1, "y": 2, "t": 3}, …]                   one stroke, a point each
    [[1, 2, 3], …]                                  the same: x, y, and more
    {"x": [1, …], "y": [2, …], "pressure": [0, …]}  one stroke, a list for each axis
    [stroke, …]                                     strokes, each in any of these forms
    {"strokes": …} {"points": …}                    any of these

Capitals and units in brackets do not matter. A point, or a stroke of lists, may have
`pen_down` or `pressure`: the pen is down where the first says so, else where there is
pressure, else all the time. What stands behind x and y in a point that is a list is
not looked at. y counts downwards, which is guessed.
"""

import json
from typing import Any

from ..photo.unusable import Unusable
from . import columns
from .content import FileContent
from .path import LARGEST, Path, joined, path
from .recorded import Y_DOWN, Recording, alone

_NO_STROKES = (
    'holds no drawing: its JSON should be strokes, {"x": […], "y": […]} or lists of '
    'points such as {"x": 1, "y": 2} or [1, 2], or what the tablet\'s demo saves'
)

_WRAPPERS = ("strokes", "points")

_MOST_VALUES = 8
"""Numbers of a point; a longer list is one of a coordinate."""


def recognises(content: FileContent) -> bool:
    """Whether it is JSON."""
    return content.is_json


def read(content: FileContent) -> Recording:
    """Reads strokes.

    Raises:
        Unusable: there are none, or one is malformed.
    """
    said = content.json
    if isinstance(said, dict):
        said = next((said[name] for name in _WRAPPERS if name in said), [said])
    if not isinstance(said, list) or not said:
        raise Unusable(_NO_STROKES)
    strokes = [said] if _is_point(said[0]) else said
    return alone(joined(map(_stroke, strokes)), Y_DOWN)


def of_lists(stroke: dict[str, Any], largest: float = LARGEST) -> Path:
    """Returns a stroke of a list for each axis.

    Args:
        stroke: has lists x and y, and may have pen_down or pressure.
        largest: coordinate.

    Raises:
        Unusable: they are no numbers, or not as many.
    """
    given = {means: stroke[name] for means, name in columns.known(stroke).items()}
    x, y = given.get("x"), given.get("y")
    if not (is_numbers(x, largest) and is_numbers(y, largest) and len(x) == len(y)):
        raise Unusable(
            "holds no drawing: in each stroke, x and y should be lists of as many "
            f"numbers, up to {largest:g}"
        )
    down = given.get("pen_down", given.get("pressure"))
    if down is None:
        return path(x, y)
    if not (isinstance(down, list) and len(down) == len(x) and all(map(_is_on, down))):
        raise Unusable(
            "holds no drawing: pen_down or pressure should be a list as long as x"
        )
    return path(x, y, [value > 0 for value in down])


def is_numbers(values: Any, largest: float = LARGEST) -> bool:
    """Whether something is a list of numbers, none too large; NaN and true are none."""
    return isinstance(values, list) and all(
        type(value) in (int, float) and abs(value) <= largest for value in values
    )


def _is_on(value: Any) -> bool:
    return isinstance(value, bool) or is_numbers([value])


def _is_point(value: Any) -> bool:
    """Whether something is a point, though maybe a malformed one."""
    if isinstance(value, list):
        return bool(value) and not isinstance(value[0], (list, dict))
    if not isinstance(value, dict):
        return False
    given = columns.known(value)
    axes = [value[given[axis]] for axis in "xy" if axis in given]
    return bool(axes) and not any(isinstance(axis, list) for axis in axes)


def _stroke(stroke: Any) -> Path:
    if isinstance(stroke, dict):
        if "points" not in stroke:
            return of_lists(stroke)
        stroke = stroke["points"]
    if not isinstance(stroke, list):
        raise Unusable(_NO_STROKES)
    points = [_point(point) for point in stroke]
    return path(*zip(*points)) if points else path([], [])


def _point(point: Any) -> tuple[float, float, bool]:
    """Returns a point's x and y, and whether the pen is down."""
    if isinstance(point, dict):
        given = {means: point[name] for means, name in columns.known(point).items()}
        x, y = given.get("x"), given.get("y")
        down = given.get("pen_down", given.get("pressure", True))
        if is_numbers([x, y]) and _is_on(down):
            return x, y, down > 0
    elif is_numbers(point) and 2 <= len(point) <= _MOST_VALUES:
        return point[0], point[1], True
    raise Unusable(
        f"holds no drawing: it has {_quoted(point)} for a point, where "
        f'{{"x": 1, "y": 2}} or [1, 2] belongs, numbers up to {LARGEST:g}'
    )


def _quoted(value: Any) -> str:
    """Returns the beginning of something that may be long and deep."""
    inside = value.values() if isinstance(value, dict) else value
    if isinstance(value, (list, dict)) and any(
        isinstance(v, (list, dict)) for v in inside
    ):
        return "lists or objects inside each other"
    return json.dumps(value)[:60]
