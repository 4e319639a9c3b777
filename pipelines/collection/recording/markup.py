"""XML of strangers: elements, attributes and text, and nothing else of it.

Nothing is fetched or put in: expat reads no file that a document names, and entities,
which can grow without end, are refused where they are declared. Prefixes of names are
dropped, as many writers of InkML declare none.
"""

import dataclasses
from collections.abc import Iterator
from xml.parsers import expat

from ..photo.unusable import Unusable
from .path import MOST

DEEPEST = 100
"""Elements inside each other."""


@dataclasses.dataclass
class Element:
    """An element of XML.

    Attributes:
        name: without a prefix.
        attributes: by their names, with prefixes.
        children: the elements right inside.
        text: its own, without its children's.
    """

    name: str
    attributes: dict[str, str]
    children: list["Element"] = dataclasses.field(default_factory=list)
    text: str = ""

    def every(self) -> Iterator["Element"]:
        """Yields it, and all inside, in the document's order."""
        yield self
        for child in self.children:
            yield from child.every()


def parse(data: bytes) -> Element:
    """Returns the outermost element of a document.

    Raises:
        Unusable: it is damaged, declares entities, or is too deep or too long.
    """
    top = Element("", {})
    opened, pieces = [top], [[""]]
    count = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if count > MOST:
            raise Unusable(f"is too long: above {MOST} elements of XML")
        if len(opened) > DEEPEST:
            raise Unusable(f"is nested too deep: {DEEPEST} elements of XML may be")
        element = Element(name.rpartition(":")[2], attributes)
        opened[-1].children.append(element)
        opened.append(element)
        pieces.append([])

    def end(_: str) -> None:
        opened.pop().text = "".join(pieces.pop())

    def refuse(name: str, *_: object) -> None:
        raise Unusable(
            f"declares the entity {name[:40]!r}: save it without a DOCTYPE, as plain "
            "SVG or InkML"
        )

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = lambda text: pieces[-1].append(text)
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise Unusable(f"holds no drawing: its XML is damaged, {error}") from None
    except (LookupError, ValueError):
        raise Unusable("is in an unknown encoding: save its XML as UTF-8") from None
    return top.children[0]
