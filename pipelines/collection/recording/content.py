"""A file's content, as text, JSON or XML, whatever a reader asks for."""

import dataclasses
import functools
import json
import pathlib
import re
from typing import Any

from ..photo.unusable import Unusable
from . import markup
from .path import MOST, too_long

LONGEST = 16 << 20
"""Bytes of a file that are read: twenty minutes of drawing."""


@dataclasses.dataclass(frozen=True)
class FileContent:
    """What a file holds, decoded once, where it is asked for.

    Attributes:
        name: the file's, without its folder.
        data: its first bytes, at most `LONGEST`.
        whole: whether these are all.
    """

    name: str
    data: bytes
    whole: bool = True

    @functools.cached_property
    def is_markup(self) -> bool:
        """Whether it begins as XML does, in any of its encodings."""
        return bool(re.match(rb"(\xef\xbb\xbf|\xfe\xff\0?|\xff\xfe)?\s*<", self.data))

    @functools.cached_property
    def root(self) -> markup.Element:
        """The outermost element of XML.

        Raises:
            Unusable: it is too long, damaged or declares entities.
        """
        self._check_whole()
        return markup.parse(self.data)

    @functools.cached_property
    def is_json(self) -> bool:
        """Whether it begins as JSON does."""
        return self.text.lstrip()[:1] in ("{", "[")

    @functools.cached_property
    def json(self) -> Any:
        """What its JSON says. What was cut off may have been white space.

        Raises:
            Unusable: it is damaged, or nested too deep.
        """
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError):
            raise Unusable("holds no drawing: its JSON is damaged") from None

    @functools.cached_property
    def text(self) -> str:
        """All of it.

        Raises:
            Unusable: it is no text.
        """
        try:
            return self.data.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise Unusable(
                "is no text: give InkML, SVG, JSON, a table, .svc or UCI's .txt"
            ) from None

    @functools.cached_property
    def lines(self) -> list[str]:
        """Its lines, stripped, without empty ones; at least one.

        Raises:
            Unusable: it is too long, no text or empty.
        """
        self._check_whole()
        lines = [line.strip() for line in self.text.splitlines()]
        lines = [line for line in lines if line]
        if not lines:
            raise Unusable("is empty: white space alone")
        if len(lines) > MOST + 1:
            raise too_long(len(lines))
        return lines

    def _check_whole(self) -> None:
        if not self.whole:
            raise Unusable(f"is too long: above {LONGEST >> 20} MiB")


def load(file: pathlib.Path) -> FileContent:
    """Reads a file, at most its first `LONGEST` bytes.

    Raises:
        Unusable: it is empty.
        OSError: there is no such file, or it cannot be read.
    """
    with open(file, "rb") as stream:
        data = stream.read(LONGEST)
        whole = not stream.read(1)
    if not data:
        raise Unusable("is empty: zero bytes")
    return FileContent(file.name, data, whole)
