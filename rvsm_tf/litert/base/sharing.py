"""A writer of flatbuffers that writes what is equal once.

A flatbuffer refers to its parts by where they are, and parts may be referred to as
often as one likes. What is generated from a schema writes each one anew: the zeros
that are every int8 kernel's zero points, one shape for the input and the output of an
activation, one and the same quantization behind each other.
"""

from collections.abc import Hashable
from typing import Any

import flatbuffers
import numpy as np


class SharingBuilder(flatbuffers.Builder):
    """A `flatbuffers.Builder` for whose user equal parts are one.

    Strings, vectors of numbers, and tables that have the same fields.
    """

    def __init__(self, size: int):
        super().__init__(size)
        self._written: dict[Hashable, int] = {}
        self._fields: list[Hashable] = []

    def CreateString(self, s: str | bytes, *coding: str) -> int:
        """Returns where the string is."""
        return self._once(("string", s), super().CreateString, s, *coding)

    def CreateNumpyVector(self, x: np.ndarray) -> int:
        """Returns where the vector is."""
        key = ("vector", x.dtype.str, x.tobytes())
        return self._once(key, super().CreateNumpyVector, x)

    def StartObject(self, numfields: int) -> None:
        """Begins a table."""
        super().StartObject(numfields)
        self._fields = []

    def PrependSlot(self, flags: Any, o: int, x: Any, d: Any) -> None:
        """Writes a number into field `o` of the table."""
        super().PrependSlot(flags, o, x, d)
        if x != d:  # else it was left out
            self._fields.append((o, flags, x))

    def PrependUOffsetTRelativeSlot(self, o: int, x: int, d: int) -> None:
        """Writes where a part is into field `o` of the table."""
        super().PrependUOffsetTRelativeSlot(o, x, d)
        if x != d:
            self._fields.append((o, "part", x))

    def EndObject(self) -> int:
        """Returns where the table is, which is taken back if there is one like it."""
        key = ("table", *self._fields)
        if key in self._written:
            self.head, self.nested = len(self.Bytes) - self.objectEnd, False
        return self._once(key, super().EndObject)

    def _once(self, key: Hashable, write: Any, *what: Any) -> int:
        if key not in self._written:
            self._written[key] = write(*what)
        return self._written[key]
