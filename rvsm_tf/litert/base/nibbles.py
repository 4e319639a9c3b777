"""Four-bit weights, two to a byte, as TensorFlow Lite packs them.

The first of two stands in the low half of the byte. A last weight without another
leaves the high half zero.
"""

import numpy as np

BOUND = 7
"""Weights go from -7 to 7. -8 fits too, but has no opposite."""


def packed(values: np.ndarray) -> np.ndarray:
    """Returns whole numbers from -8 to 7, in row-major order, as uint8."""
    nibbles = values.ravel().astype(np.uint8) & 15
    nibbles = np.append(nibbles, np.zeros(nibbles.size % 2, np.uint8))
    return nibbles[::2] | nibbles[1::2] << 4


def unpacked(data: np.ndarray, count: int) -> np.ndarray:
    """Returns the numbers in packed bytes, int8, shape (count,)."""
    # Shifted up and down again as signed numbers, a nibble's sign bit spreads.
    nibbles = np.stack([data << 4, data & 0xF0], axis=-1).view(np.int8)
    return nibbles.ravel()[:count] >> 4
