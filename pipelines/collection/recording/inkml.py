"""W3C's InkML: https://www.w3.org/TR/InkML/.

A `<trace>` is a stroke: samples with commas between, each a number for each channel of
its `<traceFormat>`, X and Y where there is none. A number stands for itself (`!`), for
what is added to the last one (`'`), or for what is added to what was added last (`"`);
a sign holds until the next one. Of the channels X and Y are read, X to the right and Y
downwards, as W3C says, or the other way where `orientation` does. Traces of the type
`penUp` are ways in the air. Traces in `<definitions>` are there to be referred to, and
are not drawn.
"""

import dataclasses
import itertools
import re
from collections.abc import Iterator

from ..photo.unusable import Unusable
from .content import FileContent
from .markup import Element
from .path import MOST, joined, path, too_long
from .recorded import Recording, alone

_UNSIGNED = r"(?:#[\dA-Fa-f]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"
_VALUE = re.compile(rf"([!'\"]?)\s*([-+]?\s*{_UNSIGNED}|[TF*?])")

_LENGTHS = {"m": 1000, "cm": 10, "mm": 1, "in": 25.4, "pt": 25.4 / 72, "pc": 25.4 / 6}
"""Units of length, millimetres."""

_REFERENCES = ("contextRef", "traceFormatRef", "inkSourceRef")

_Named = dict[str, Element]


@dataclasses.dataclass(frozen=True)
class _TraceFormat:
    """What the numbers of a sample are.

    Attributes:
        channels: their names.
        scale: what X and Y are multiplied by, to be of one unit, rightwards and
            downwards.
    """

    channels: tuple[str, ...] = ("X", "Y")
    scale: tuple[float, float] = (1.0, 1.0)


@dataclasses.dataclass
class _Axis:
    """A channel that is read number by number.

    Attributes:
        order: the last sign, of what numbers stand for.
        given: the last number.
        value: the last value.
        step: to it from the one before.
    """

    order: str = "!"
    given: float | None = None
    value: float | None = None
    step: float | None = None

    def next(self, order: str, text: str) -> float | None:
        """Returns the next value; None if it cannot be told."""
        self.order = order or self.order
        if text in ("T", "F", "?"):
            return None
        if text != "*":
            self.given = _number(text)
        if self.order == "!" and self.given is not None:
            self.step = None if self.value is None else self.given - self.value
            self.value = self.given
            return self.value
        before = self.step if self.order == '"' else 0.0
        if self.given is None or self.value is None or before is None:
            return None
        self.step = before + self.given
        self.value += self.step
        return self.value


def recognises(content: FileContent) -> bool:
    """Whether it is XML whose outermost element is `<ink>`."""
    return content.is_markup and content.root.name == "ink"


def read(content: FileContent) -> Recording:
    """Reads all traces as strokes.

    Raises:
        Unusable: there are none, or one is malformed.
    """
    elements = content.root.every()
    named = {e.attributes["xml:id"]: e for e in elements if "xml:id" in e.attributes}
    strokes: list[list[tuple[float, float, bool]]] = []
    places: dict[str, int] = {}
    read_so_far = 0
    for number, (trace, form) in enumerate(
        _traces(content.root, _TraceFormat(), named), 1
    ):
        down = trace.attributes.get("type") != "penUp"
        found = itertools.islice(
            _samples(trace.text, form, number), MOST + 1 - read_so_far
        )
        samples = [(x, y, down) for x, y in found]
        read_so_far += len(samples)
        if read_so_far > MOST:
            raise too_long(read_so_far)
        if trace.attributes.get("continuation") in ("middle", "end") and strokes:
            before = trace.attributes.get("priorRef", "").removeprefix("#")
            place = places.get(before, len(strokes) - 1)
        else:
            place = len(strokes)
            strokes.append([])
        strokes[place] += samples
        places[trace.attributes.get("xml:id", "")] = place
    if not strokes:
        raise Unusable("holds no ink: its InkML has no <trace>")
    return alone(joined(path(*zip(*stroke)) for stroke in strokes if stroke))


def _traces(
    element: Element, form: _TraceFormat, named: _Named
) -> Iterator[tuple[Element, _TraceFormat]]:
    """Yields the traces in an element, each with its format."""
    for child in element.children:
        if child.name in ("context", "inkSource", "traceFormat"):
            # It holds for all that follows.
            form = _format(child, named) or form
        elif child.name == "traceGroup":
            yield from _traces(child, _format(child, named) or form, named)
        elif child.name == "trace":
            yield child, _format(child, named) or form


def _format(
    element: Element, named: _Named, seen: frozenset[str] = frozenset()
) -> _TraceFormat | None:
    """Returns the format that an element is, holds or refers to; None if it has none.

    Raises:
        Unusable: what it refers to is not there.
    """
    if element.name == "traceFormat":
        return _of_channels(element)
    for child in element.children:
        if child.name in ("inkSource", "traceFormat"):
            found = _format(child, named, seen)
            if found:
                return found
    for kind in _REFERENCES:
        reference = element.attributes.get(kind, "")
        name = reference.removeprefix("#")
        if not name:
            continue
        if name == "DefaultContext":
            return _TraceFormat()
        if name not in named or name in seen:
            raise Unusable(
                f"has a <{element.name}> that refers to {reference[:40]!r}: nothing in "
                "the file has that name"
            )
        found = _format(named[name], named, seen | {name})
        if found:
            return found
    return None


def _of_channels(element: Element) -> _TraceFormat:
    regular = [e for e in element.children if e.name != "intermittentChannels"]
    inside = (inner for e in regular for inner in e.every())
    channels = [inner.attributes for inner in inside if inner.name == "channel"]
    names = tuple(channel.get("name", "") for channel in channels)
    if not {"X", "Y"} <= set(names):
        raise Unusable(
            f"has a <traceFormat> with the channels {', '.join(names)[:60]!r}: X and Y "
            "are needed"
        )
    axes = [channels[names.index(axis)] for axis in "XY"]
    units = [axis.get("units", "") for axis in axes]
    if units[0] == units[1]:
        lengths = [1.0, 1.0]
    elif set(units) <= set(_LENGTHS):
        lengths = [_LENGTHS[unit] for unit in units]
    else:
        raise Unusable(
            f"has X in {units[0][:20]!r} and Y in {units[1][:20]!r}: give both in the "
            "same unit"
        )
    signs = [-1 if axis.get("orientation") == "-ve" else 1 for axis in axes]
    return _TraceFormat(names, (signs[0] * lengths[0], signs[1] * lengths[1]))


def _samples(
    text: str, form: _TraceFormat, trace: int
) -> Iterator[tuple[float, float]]:
    """Yields a trace's samples.

    Args:
        text: what the trace holds.
        form: its format.
        trace: its number, from 1, for what is said.
    """
    x, y = _Axis(), _Axis()
    places = [form.channels.index(axis) for axis in "XY"]
    for sample in text.split(","):
        # Behind a colon are channels that not every sample has.
        regular = sample.partition(":")[0]
        values = _VALUE.findall(regular)
        if not values and not sample.strip():
            continue
        known: list[float | None] = [None]
        whole = len(values) == len(form.channels)
        if whole and not _VALUE.sub("", regular).strip():
            known = [axis.next(*values[i]) for axis, i in zip((x, y), places)]
        if None in known:
            raise Unusable(
                f"has {sample.strip()[:40]!r} in trace {trace}, where a sample of "
                f"{', '.join(form.channels)} belongs"
            )
        yield known[0] * form.scale[0], known[1] * form.scale[1]


def _number(text: str) -> float:
    bare = "".join(text.split())
    sign = -1 if bare.startswith("-") else 1
    bare = bare.lstrip("+-")
    return sign * float(int(bare[1:16], 16) if bare.startswith("#") else bare)
