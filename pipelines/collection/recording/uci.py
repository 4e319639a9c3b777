"""UCI's .txt: X;Y;Z;Pressure;GripAngle;Timestamp;TestID without a header.

Test 0 is a static spiral, 1 a dynamic one, 2 holds the pen above a point and is no
drawing. X and Y run from 0 to 500, as on a screen: y downwards, though nothing says so;
a mirrored spiral is one too, so nothing is told of that.
"""

import re

from ..photo.unusable import Unusable
from . import numbers
from .content import FileContent
from .path import check, path
from .recorded import Recorded, Recording

_TESTS = {0: "static spiral", 1: "dynamic spiral", 2: "stability test"}


def recognises(content: FileContent) -> bool:
    """Whether the first line is seven numbers with semicolons between."""
    return bool(re.fullmatch(r"[-+.\d]+(;[-+.\d]+){6}", content.lines[0]))


def read(content: FileContent) -> Recording:
    """Reads all of a file's spirals.

    Raises:
        Unusable: there is none, or a line is malformed.
    """
    rows = [line.split(";") for line in content.lines]
    x, y, _, pressure, _, _, test = numbers.read(rows, range(7), 1, 7).T
    drawings, left_out = [], []
    for number in sorted(set(test.tolist())):
        name = _TESTS.get(number, f"test {number:g}")
        if number not in (0, 1):
            left_out.append(f"the {name} is no drawing")
            continue
        here = test == number
        way = path(x[here], y[here], pressure[here] > 0)
        try:
            check(way)
        except Unusable as reason:
            left_out.append(f"the {name} {reason}")
            continue
        drawings.append(Recorded(way, int(number), "spiral"))
    if not drawings:
        raise Unusable(f"holds no drawing: {', '.join(left_out)}")
    return Recording(tuple(drawings), tuple(left_out))
