"""A check value inside what is written, by which damage is noticed on reading.

In a JSON object it is the last entry, in a table the last column, both called "crc32":
eight hexadecimal digits. What has none, from an earlier version or another hand, is
read as it is. Nothing comes to look like that by damage to the name or to the digits
alone: what has the name is a check value, and so is what has the digits and nearly the
name.
"""

import json
import re
import zlib
from typing import Any

NAME = "crc32"

_ALIKE = 3  # of its characters are in their places, where damage is small


def value(data: bytes, before: str = "0") -> str:
    """Returns the check value of bytes.

    Args:
        data: the bytes.
        before: check value of what comes before them.
    """
    return f"{zlib.crc32(data, int(before, 16)):08x}"


def seal(content: dict[str, Any]) -> dict[str, Any]:
    """Returns what is to be written as JSON, with its check value."""
    return {**content, NAME: _of(content)}


def unseal(content: dict[str, Any]) -> dict[str, Any]:
    """Returns what was read from JSON, without its check value if it has one.

    Raises:
        ValueError: it is not what was written.
    """
    rest = dict(content)
    name = NAME if NAME in rest or not rest else list(rest)[-1]
    found = rest.pop(name, None)
    if not claimed(name, found):
        return content
    if (name, found) != (NAME, _of(rest)):
        raise ValueError(f"{NAME} is {found!r}, not {_of(rest)!r}")
    return rest


def claimed(name: str, found: Any) -> bool:
    """Whether a last entry is a check value, even where it or its name is damaged."""
    if name == NAME:
        return found is not None
    same = sum(a == b for a, b in zip(name, NAME)) if len(name) == len(NAME) else 0
    digits = isinstance(found, str) and re.fullmatch("[0-9a-f]{8}", found)
    return same >= _ALIKE and bool(digits)


def _of(content: dict[str, Any]) -> str:
    # Of the values, not of the text: JSON may be indented in any way.
    return value(json.dumps(content, sort_keys=True).encode())
