import numpy as np
import pytest

from rvsm_tf.litert.base import nibbles


def test_packing_by_hand():
    values = np.array([[1, -1, 7], [-7, -8, 3]], np.int8)
    assert nibbles.packed(values).tolist() == [0xF1, 0x97, 0x38]


def test_an_odd_number_of_weights_leaves_the_last_half_zero():
    assert nibbles.packed(np.array([2, 3, -1])).tolist() == [0x32, 0x0F]


def test_unpacking_by_hand():
    values = nibbles.unpacked(np.array([0xF1, 0x97, 0x08], np.uint8), 5)
    assert values.dtype == np.int8
    assert values.tolist() == [1, -1, 7, -7, -8]


@pytest.mark.parametrize("count", [0, 1, 2, 15, 16, 1001])
def test_what_was_packed_comes_back(count):
    values = np.random.default_rng(count).integers(-8, 8, count).astype(np.int8)
    packed = nibbles.packed(values)
    assert (packed.dtype, packed.size) == (np.uint8, (count + 1) // 2)
    np.testing.assert_array_equal(nibbles.unpacked(packed, count), values)
