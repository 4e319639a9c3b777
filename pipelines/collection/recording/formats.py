"""Which kinds of file pen recordings are read from: a row each."""

import dataclasses
import pathlib
from collections.abc import Callable

from ..photo.unusable import Unusable
from . import inkml, strokes, svc, svg, table, tablet, uci
from .content import FileContent, load
from .recorded import Recording


@dataclasses.dataclass(frozen=True)
class RecordingFormat:
    """A kind of file.

    Attributes:
        name: as people call it.
        recognises: whether a file's content is of the kind. What the file is named does
            not matter.
        read: it.
    """

    name: str
    recognises: Callable[[FileContent], bool]
    read: Callable[[FileContent], Recording]


FORMATS = (
    RecordingFormat("InkML", inkml.recognises, inkml.read),
    RecordingFormat("SVG", svg.recognises, svg.read),
    RecordingFormat("the tablet's JSON", tablet.recognises, tablet.read),
    RecordingFormat("JSON", strokes.recognises, strokes.read),
    RecordingFormat(".svc", svc.recognises, svc.read),
    RecordingFormat("UCI's .txt", uci.recognises, uci.read),
    RecordingFormat("a table", table.recognises, table.read),
)
"""The first that recognises a file reads it."""


def read(file: pathlib.Path) -> Recording:
    """Reads a recording; at most its first `LONGEST` bytes.

    Raises:
        Unusable: the file holds no drawing.
        OSError: there is no such file, or it cannot be read.
    """
    content = load(file)
    for form in FORMATS:
        if form.recognises(content):
            return form.read(content)
    names = ", ".join(form.name for form in FORMATS)
    raise Unusable(f"is XML, <{content.root.name[:40]}>: it should be one of {names}")
