"""Pen recordings: where the pen was, from files of several kinds.

What kind a file is, its text tells, not its name:

- The tablet's: JSON with `"format": "rvsm_tf drawing"`, version 1, `width` and `height`
  of the pad and `strokes`, each with x and y in the pad's pixels.
- JSON `{"x": […], "y": […]}`, or a list of such strokes; `pressure` and `pen_down` may
  be there.
- A table with a header that names x and y, in any order, separated by commas,
  semicolons or tabs; in the latter numbers may have a decimal comma. It may name
  `pen_down` (or `button`), `pressure` and `stroke`.
- PaHaW's .svc: the number of samples, then a line for each with y, x, time, button,
  azimuth, altitude and pressure, by its own description. Wacom's tablets count their
  first axis rightwards and the second upwards; called y and x, they are those of a
  tablet turned by a quarter: y downwards, x rightwards. Nothing is flipped. Should the
  description be wrong, drawings lie on their side, all alike; none is mirrored.
- UCI's .txt: X;Y;Z;Pressure;GripAngle;Timestamp;TestID without a header. Test 0 is a
  static spiral, 1 a dynamic one, 2 holds the pen above a point and is no drawing. X and
  Y run from 0 to 500, as on a screen: y downwards, though nothing says so; a mirrored
  spiral is one too.

In JSON and tables y counts downwards, as on screens. The pen is down where `pen_down`
says so, else where there is pressure, else all the time. Times are not looked at: in
UCI's and PaHaW's files they jump backwards. The order of the samples is the file's.
"""

import csv
import dataclasses
import json
import pathlib
import re
from typing import Any

import numpy as np

from shaky_letters import canonical
from shaky_letters.fit import PEN, fit
from shaky_letters.raster import SIZE, rasterize

from .drawn import Path
from .photo.unusable import Unusable

_NO_STROKES = (
    'holds no drawing: its JSON should be strokes, {"x": […], "y": […]} or a list of '
    "such, or what the tablet's demo saves"
)

FORMAT, VERSION = "rvsm_tf drawing", 1

LONGEST = 16 << 20
"""Bytes of a file that are read: twenty minutes of drawing."""

MOST = 100_000
"""Samples of a file, with those in the air: eight minutes at 200 a second."""

LARGEST = 1e9
"""Largest coordinate; no digitiser counts as far."""

LARGEST_ON_PAD = 1e5
"""Largest number in a file of the tablet's; no pad has as many pixels."""

FINEST = 1e-6
"""Smallest larger side of a drawing, in its unit: below, it is one point."""

SMALLEST = 0.05
"""Smallest larger side of a drawing on the tablet, as a share of the pad's."""

_COLUMNS = {
    "x": {"x", "xcoordinate", "xpos", "posx"},
    "y": {"y", "ycoordinate", "ypos", "posy"},
    "pen_down": {"pendown", "pen", "button", "buttonstatus", "penstatus"},
    "pressure": {"pressure", "force"},
    "stroke": {"stroke", "strokeid", "strokenumber"},
}

_TESTS = {0: "static spiral", 1: "dynamic spiral", 2: "stability test"}


@dataclasses.dataclass(frozen=True)
class Recorded:
    """One drawing of a pen recording, as the digitiser saw it.

    Attributes:
        path: the pen's way, in the file's unit.
        part: which of the file's drawings, from 0.
        task: what is drawn, "" where the file does not say.
    """

    path: Path
    part: int = 0
    task: str = ""


@dataclasses.dataclass(frozen=True)
class Recording:
    """The pen recordings that a file holds, and what of it is none.

    Attributes:
        drawings: one or several.
        left_out: what else is in it, a phrase each: "the stability test is no drawing".
    """

    drawings: tuple[Recorded, ...]
    left_out: tuple[str, ...] = ()


def read(file: pathlib.Path) -> Recording:
    """Reads a recording; at most its first `LONGEST` bytes.

    Raises:
        Unusable: the file holds no drawing.
        OSError: there is no such file, or it cannot be read.
    """
    with open(file, "rb") as stream:
        content = stream.read(LONGEST)
        cut = bool(stream.read(1))
    if not content:
        raise Unusable("is empty: zero bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unusable("is no text: give a table, JSON, .svc or UCI's .txt") from None
    first = text.lstrip()[:1]
    if first in ("{", "["):
        return _alone(_from_json(text))
    if cut:
        raise Unusable(f"is too long: above {LONGEST >> 20} MiB")
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line]
    if not lines:
        raise Unusable("is empty: white space alone")
    if len(lines) > MOST + 1:
        raise _too_long(len(lines))
    if re.fullmatch(r"\d+", lines[0]):
        return _alone(_from_svc(lines))
    if re.fullmatch(r"[-+.\d]+(;[-+.\d]+){6}", lines[0]):
        return _from_uci(lines)
    return _alone(_from_table(lines))


def draw(path: Path, size: int = SIZE) -> np.ndarray:
    """Draws a path in the middle of a picture.

    Args:
        path: the pen's way.
        size: of the picture: `raster.SIZE` for the paper's, `canonical.SIZE` for what
            the tablet draws, too.

    Returns:
        uint8, shape (size, size, 1), ink 255 on 0.

    Raises:
        Unusable: the pen was never down, or only at one point.
    """
    check(path)
    if size == canonical.SIZE:
        return canonical.of_path(path.x, path.y, path.pen_down)
    x, y, _ = fit(path.x, path.y, path.pen_down)
    return rasterize(x, y, path.pen_down, PEN)


def check(path: Path) -> float:
    """Returns a drawing's larger side, in its unit.

    Raises:
        Unusable: the pen was never down, or only at one point.
    """
    down = path.pen_down
    if not down.any():
        raise Unusable("holds no ink: the pen was never down")
    side = max(float(np.ptp(axis[down])) for axis in (path.x, path.y))
    if side < FINEST:
        raise Unusable("is a single dot: draw a letter, a shape or a spiral")
    return side


def _alone(path: Path) -> Recording:
    check(path)
    return Recording((Recorded(path),))


def _from_json(text: str) -> Path:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise Unusable("holds no drawing: its JSON is damaged") from None
    if isinstance(content, dict) and ("format" in content or "strokes" in content):
        return _from_tablet(content)
    strokes = content if isinstance(content, list) else [content]
    if not strokes or not all(isinstance(stroke, dict) for stroke in strokes):
        raise Unusable(_NO_STROKES)
    parts = [_stroke(stroke, LARGEST) for stroke in strokes]
    return _joined([part for part in parts if len(part.x)])


def _from_tablet(content: dict[str, Any]) -> Path:
    found = content.get("format"), content.get("version")
    if found == (None, None):
        raise Unusable(_NO_STROKES)
    if found != (FORMAT, VERSION):
        raise Unusable(
            f"is a {str(found[0])[:80]!r}, version {str(found[1])[:80]}: this program "
            f"reads {FORMAT!r}, version {VERSION}"
        )
    sides = [content.get("width"), content.get("height")]
    strokes = content.get("strokes")
    whole = isinstance(strokes, list) and all(isinstance(s, dict) for s in strokes)
    if not (whole and _numbers(sides, LARGEST_ON_PAD) and min(sides) > 0):
        raise Unusable("holds no drawing: save it again in the demo")
    # What the pen pressed is there for others: a stroke is ink from end to end.
    bare = [{axis: stroke.get(axis) for axis in "xy"} for stroke in strokes]
    parts = [_stroke(stroke, LARGEST_ON_PAD) for stroke in bare]
    path = _joined([part for part in parts if len(part.x)])
    if check(path) < SMALLEST * max(sides):
        raise Unusable(
            "is too small to tell: draw a letter, a shape or a spiral, as large as the "
            "pad"
        )
    return path


def _stroke(stroke: dict[str, Any], largest: float) -> Path:
    x, y = stroke.get("x"), stroke.get("y")
    down = stroke.get("pen_down", stroke.get("pressure"))
    if not (_numbers(x, largest) and _numbers(y, largest) and len(x) == len(y)):
        raise Unusable(
            "holds no drawing: in each stroke, x and y should be lists of as many "
            f"numbers, up to {largest:g}"
        )
    if down is None:
        down = [True] * len(x)
    elif not (
        isinstance(down, list)
        and len(down) == len(x)
        and all(isinstance(value, bool) or _numbers([value], LARGEST) for value in down)
    ):
        raise Unusable(
            "holds no drawing: pen_down or pressure should be a list as long as x"
        )
    return _path(x, y, [value > 0 for value in down])


def _numbers(values: Any, largest: float) -> bool:
    return isinstance(values, list) and all(
        type(value) in (int, float) and abs(value) <= largest for value in values
    )


def _from_svc(lines: list[str]) -> Path:
    table = _table([line.split() for line in lines[1:]], range(7), 2)
    if len(table) < int(lines[0][:12]):
        raise Unusable(f"is cut off: of {lines[0][:12]} samples it holds {len(table)}")
    y, x, _, button = table.T[:4]
    return _path(x, y, button > 0)


def _from_uci(lines: list[str]) -> Recording:
    table = _table([line.split(";") for line in lines], range(7), 1)
    x, y, _, pressure, _, _, test = table.T
    drawings, left_out = [], []
    for number in sorted(set(test.tolist())):
        name = _TESTS.get(number, f"test {number:g}")
        if number not in (0, 1):
            left_out.append(f"the {name} is no drawing")
            continue
        here = test == number
        path = _path(x[here], y[here], pressure[here] > 0)
        try:
            check(path)
        except Unusable as reason:
            left_out.append(f"the {name} {reason}")
            continue
        drawings.append(Recorded(path, int(number), "spiral"))
    if not drawings:
        raise Unusable(f"holds no drawing: {', '.join(left_out)}")
    return Recording(tuple(drawings), tuple(left_out))


def _from_table(lines: list[str]) -> Path:
    delimiter = max(",;\t", key=lines[0].count)
    try:
        header, *rows = csv.reader(lines, delimiter=delimiter, strict=True)
    except csv.Error:
        raise Unusable("holds no drawing: it is no table") from None
    if delimiter != ",":
        # As spreadsheets write numbers in many languages: 1,5.
        rows = [[cell.replace(",", ".") for cell in row] for row in rows]
    names = [re.sub(r"[([].*|[^a-z0-9]", "", name.lower()) for name in header]
    at = {
        column: next((i for i, name in enumerate(names) if name in said), None)
        for column, said in _COLUMNS.items()
    }
    if at["x"] is None or at["y"] is None:
        raise Unusable(
            f"begins with {lines[0][:60]!r}: its first line should name x and y, and "
            "may name pressure, pen_down or stroke"
        )
    given = {column: index for column, index in at.items() if index is not None}
    table = _table(rows, given.values(), 2, len(header))
    column = dict(zip(given, table.T))
    down = column.get("pen_down", column.get("pressure", np.ones(len(table))))
    path = _path(column["x"], column["y"], down > 0)
    if "stroke" not in column:
        return path
    changes = np.flatnonzero(np.diff(column["stroke"])) + 1
    parts = np.split(np.arange(len(table)), changes)
    return _joined(
        [Path(path.x[part], path.y[part], path.pen_down[part]) for part in parts]
    )


def _table(
    rows: list[list[str]], columns: Any, first: int, width: int = 7
) -> np.ndarray:
    """Returns columns of a table of numbers, float64, shape (rows, columns).

    Args:
        rows: cells, as text.
        columns: which to read.
        first: number of the first row's line.
        width: cells in each row.

    Raises:
        Unusable: there are no rows, one has another width, or a cell is no number.
    """
    if not rows:
        raise Unusable("holds no samples")
    columns = list(columns)
    numbers = []
    for line, row in enumerate(rows, first):
        if len(row) != width:
            raise Unusable(
                f"has {len(row)} values in line {line}, where {width} belong"
            )
        numbers.append([_number(row[column], line) for column in columns])
    return np.array(numbers)


def _number(cell: str, line: int) -> float:
    try:
        number = {"true": 1.0, "false": 0.0}.get(cell.strip().lower())
        number = float(cell) if number is None else number
    except ValueError:
        number = np.nan
    # The largest timestamps, in nanoseconds, are 2e18; they are read over.
    if not abs(number) <= 1e20:
        raise Unusable(f"has {cell[:40]!r} in line {line}, where a number belongs")
    return number


def _path(x: Any, y: Any, pen_down: Any) -> Path:
    x, y = np.asarray(x, "float64"), np.asarray(y, "float64")
    if len(x) > MOST:
        raise _too_long(len(x))
    for axis in (x, y):
        largest = np.abs(axis).max(initial=0)
        if largest > LARGEST:
            raise Unusable(
                f"has a coordinate of {largest:.3g}, where none is above {LARGEST:g}"
            )
    return Path(x, y, np.asarray(pen_down, bool))


def _too_long(samples: int) -> Unusable:
    return Unusable(f"is too long: {samples} samples, where {MOST} may be")


def _joined(parts: list[Path]) -> Path:
    """Returns strokes as one path; a sample in the air follows each."""
    x = [np.append(part.x, part.x[-1:]) for part in parts]
    y = [np.append(part.y, part.y[-1:]) for part in parts]
    pen_down = [np.append(part.pen_down, False) for part in parts]
    none = np.empty(0)
    return _path(*(np.concatenate([none, *part]) for part in (x, y, pen_down)))
