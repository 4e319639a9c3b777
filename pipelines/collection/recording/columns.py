"""How files name what a pen recording tells of each sample."""

import functools
import re
from collections.abc import Iterable

_NAMES = {
    "x": {"x", "xcoordinate", "xpos", "posx"},
    "y": {"y", "ycoordinate", "ypos", "posy"},
    "pen_down": {"pendown", "pen", "button", "buttonstatus", "penstatus"},
    "pressure": {"pressure", "force", "p"},
    "stroke": {"stroke", "strokeid", "strokenumber"},
}


def known(names: Iterable[str]) -> dict[str, str]:
    """Returns what is known of names: the file's own, by what each means.

    Capitals, spaces, underscores and units in brackets do not matter. Of several names
    for the same the first is taken.

    Returns:
        keys are of "x", "y", "pen_down", "pressure", "stroke".
    """
    found: dict[str, str] = {}
    for name in names:
        meaning = _meaning(name)
        if meaning:
            found.setdefault(meaning, name)
    return found


@functools.lru_cache(maxsize=256)
def _meaning(name: str) -> str | None:
    bare = re.sub(r"[([].*|[^a-z0-9]", "", name.lower())
    return next((column for column, names in _NAMES.items() if bare in names), None)
