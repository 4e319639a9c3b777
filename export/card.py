"""What a .tflite file says about itself, in its metadata under the name "rvsm_tf".

JSON, so that any language reads it; docs/reading.md has a reader for Python,
JavaScript and Android. Keys:

    version         of this layout, 1
    format          "float32", "int8", …
    labels          what the outputs mean, in their order
    preprocessing   how a drawing becomes the input
    training        how the model was trained, and what it reached
    golden          inputs: vectors as in `export.golden`; outputs: what this file
                    answers to each, with six decimals; tolerance: by how much a
                    sound runtime may differ
"""

import json
from typing import Any

from . import flatbuffer

NAME = "rvsm_tf"
VERSION = 1

ABOUT = ("labels", "preprocessing", "training")
"""The keys that about.json may fill."""

LIMIT = 3000
"""Bytes that a card may take: whole models are smaller than five times that."""


def embed(file: bytes, card: dict[str, Any]) -> bytes:
    """Returns the file with the card inside, in place of one that it had.

    Numbers that are not finite become null: JSON has no others, and most languages
    refuse to read Python's `NaN`.

    Raises:
        ValueError: the card is longer than 3,000 bytes.
    """
    card = json.loads(json.dumps(card), parse_constant=lambda _: None)
    text = json.dumps(card, ensure_ascii=False, separators=(",", ":")).encode()
    if len(text) > LIMIT:
        raise ValueError(f"a card of {len(text)} bytes: {LIMIT} are allowed")
    return flatbuffer.with_metadata(file, NAME, text)


def read(file: bytes) -> dict[str, Any]:
    """Returns the card inside a file.

    Raises:
        ValueError: the file has none, or is no .tflite file.
    """
    text = flatbuffer.metadata(file, NAME)
    if text is None:
        raise ValueError("the file has no card: it was not written by export.convert")
    return json.loads(text)
