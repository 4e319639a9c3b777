"""What a .tflite file says about itself, in its metadata under the name "rvsm_tf".

JSON, so that any language reads it; docs/reading.md has a reader for Python,
JavaScript and Android. Keys:

    version         of this layout, 1
    format          "float32", "int8", …
    labels          what the outputs mean, in their order
    preprocessing   how a drawing becomes the input
    training        how the model was trained, and what it reached
    golden          inputs: vectors as in `golden`; outputs: what this file
                    answers to each, with six decimals; tolerance: by how much a
                    sound runtime may differ
    crc32           of the whole file, as eight hexadecimal digits, with eight zeros
                    in their own place; earlier versions wrote none
"""

import json
import re
from typing import Any

from . import check, flatbuffer

NAME = "rvsm_tf"
VERSION = 1

ABOUT = ("labels", "preprocessing", "training")
"""The keys that about.json may fill."""

LIMIT = 3000
"""Bytes that a card may take, check value apart: whole models are smaller than five
times that."""

_BLANK = b"0" * 8
_CHECK = re.compile(rb'"%s":"(.{8})"}' % check.NAME.encode(), re.DOTALL)
"""The end of a card: found without following a damaged file's offsets."""


def embed(file: bytes, card: dict[str, Any]) -> bytes:
    """Returns the file with the card inside, in place of one that it had.

    Numbers that are not finite become null: JSON has no others, and most languages
    refuse to read Python's `NaN`.

    Raises:
        ValueError: the card is longer than 3,000 bytes.
    """
    card = json.loads(json.dumps(card), parse_constant=lambda _: None)
    if len(_text(card)) > LIMIT:
        raise ValueError(f"a card of {len(_text(card))} bytes: {LIMIT} are allowed")
    blank = _text({**card, check.NAME: _BLANK.decode()})
    file = flatbuffer.with_metadata(file, NAME, blank)
    place = _place(file)
    assert place is not None  # the card has one
    start, end = place
    return file[:start] + check.value(file).encode() + file[end:]


def verify(file: bytes) -> None:
    """Makes sure that a file is as it was written, if it has a check value.

    Raises:
        ValueError: it is damaged, or is no .tflite file.
    """
    damage = ValueError("the file is damaged: export it again")
    place = _place(file)
    if place is not None:
        start, end = place
        blank = file[:start] + _BLANK + file[end:]
        if check.value(blank).encode() != file[start:end]:
            raise damage
        return
    text = flatbuffer.metadata(file, NAME)
    try:
        # If there is a check value after all, it is one that is damaged itself.
        check.unseal(json.loads(text or b"{}"))
    except ValueError:
        raise damage from None


def read(file: bytes) -> dict[str, Any]:
    """Returns the card inside a file.

    Raises:
        ValueError: the file has none, is damaged, or is no .tflite file.
    """
    verify(file)
    text = flatbuffer.metadata(file, NAME)
    if text is None:
        raise ValueError("the file has no card: it was not written by export.convert")
    card = json.loads(text)
    card.pop(check.NAME, None)
    return card


def _text(card: dict[str, Any]) -> bytes:
    return json.dumps(card, ensure_ascii=False, separators=(",", ":")).encode()


def _place(file: bytes) -> tuple[int, int] | None:
    """Returns where the check value's digits begin and end, None if there are none."""
    places = [found.span(1) for found in _CHECK.finditer(file)]
    return places[-1] if places else None  # before it, the card's text may hold others
