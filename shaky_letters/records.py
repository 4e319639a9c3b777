"""Examples as bytes: `tf.train.Example`, written in one way only.

An example is a map of names to features, and protocol buffers write a map in any order
they like: the library's differs from process to process. Here it is that of the names,
so that the same example is the same bytes wherever it is made. Numbers also go from
NumPy to the record in one piece, where the library takes them one by one.
"""

from typing import Any

import numpy as np
import tensorflow_datasets as tfds

_BYTES, _FLOATS, _INTEGERS = 1, 2, 3  # the fields of a feature


class RecordSerializer(tfds.core.ExampleSerializer):
    """Writes examples as `tf.train.Example`, features in the order of their names.

    Args:
        example_specs: of numbers, byte strings, and arrays of numbers, as a feature's
            `get_serialized_info()` returns it.
    """

    def __init__(self, example_specs: Any):
        super().__init__(example_specs)
        self._features = [
            (name, _field(1, name.encode()), spec.np_dtype)
            for name, spec in sorted(self._flat_example_specs.items())
        ]

    def serialize_example(self, example: Any) -> bytes:
        """Returns an encoded example as a record."""
        values = tfds.core.utils.flatten_nest_dict(example)
        entries = [
            _field(1, key + _field(2, _feature(values[name], dtype)))
            for name, key, dtype in self._features
        ]
        return _field(1, b"".join(entries))


def _feature(value: Any, dtype: np.dtype) -> bytes:
    if isinstance(value, bytes):
        return _field(_BYTES, _field(1, value))
    array = np.asarray(value, dtype)
    if array.dtype.kind == "f":
        return _field(_FLOATS, _field(1, array.astype("<f4", copy=False).tobytes()))
    if array.dtype.kind == "b":
        return _field(_INTEGERS, _field(1, array.tobytes()))
    return _field(_INTEGERS, _field(1, b"".join(map(_varint, array.ravel().tolist()))))


def _field(number: int, content: bytes) -> bytes:
    """Returns a field of a message: its number, its length, its content."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    """Returns a whole number from 0, seven bits a byte, the lowest first."""
    if number < 128:
        return bytes((number,))
    return bytes((number & 127 | 128,)) + _varint(number >> 7)
