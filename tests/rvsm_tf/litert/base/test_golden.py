import base64
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rvsm_tf.litert.base import golden

pictures = hnp.arrays(
    st.sampled_from([np.bool_, np.uint8, np.float32]),
    hnp.array_shapes(max_dims=4, max_side=5),
    elements=st.sampled_from([0.0, 1.0]),
)


def hashed(s, size):
    """The formula of the module's docstring, in Python's whole numbers."""
    values = [(2654435761 * (i + 1 + 40503 * s) % 2**32) / 2**32 for i in range(size)]
    return np.array(values, "float32")


@settings(deadline=None)
@given(pictures)
def test_a_picture_of_any_shape_comes_back(ink):
    decoded = golden.decode(golden.encode(ink), {"ink": ink.shape})
    assert list(decoded) == ["ink"]
    assert decoded["ink"].dtype == np.float32
    np.testing.assert_array_equal(decoded["ink"], ink.astype("float32"))


def test_a_picture_by_hand():
    text = golden.encode(np.array([[1, 0, 0, 0, 0], [0, 1, 1, 0, 1]]))
    packed = zlib.decompress(base64.b64decode(text), wbits=-15)
    assert packed == bytes([0b10000011, 0b01000000])


@settings(deadline=None)
@given(st.integers(0, 10**10), st.integers(1, 200))
def test_hashed_values_follow_the_formula(s, size):
    values = golden.decode(s, {"x": (size,)})["x"]
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values, hashed(s, size))


def test_hashed_values_by_hand():
    values = golden.decode(0, {"x": (1, 2)})["x"]
    expected = np.float32([[2654435761 / 2**32, (2 * 2654435761 - 2**32) / 2**32]])
    np.testing.assert_array_equal(values, expected)


def test_hashed_values_of_a_large_input_follow_the_formula():
    values = golden.decode(123456, {"x": (1, 100, 1001, 1)})["x"]
    np.testing.assert_array_equal(values.ravel(), hashed(123456, 100_100))


def test_two_hashed_inputs_are_cut_in_the_order_of_their_names():
    decoded = golden.decode(7, {"second": (2, 2), "first": (1, 3)})
    np.testing.assert_array_equal(decoded["first"], hashed(7, 7)[:3].reshape(1, 3))
    np.testing.assert_array_equal(decoded["second"], hashed(7, 7)[3:].reshape(2, 2))


def test_two_pictures_are_cut_in_the_order_of_their_names():
    text = golden.encode(np.array([1, 1, 0, 0, 0, 1, 0, 0, 1]))
    decoded = golden.decode(text, {"b": (2, 3), "a": (3,)})
    np.testing.assert_array_equal(decoded["a"], [1, 1, 0])
    np.testing.assert_array_equal(decoded["b"], [[0, 0, 1], [0, 0, 1]])


@pytest.mark.parametrize("shape", [(4, 5), (2, 4), (100, 100, 1)])
def test_a_picture_of_another_size_is_refused(shape):
    text = golden.encode(np.ones((3, 4)))
    with pytest.raises(ValueError, match=r"^a picture of 2 bytes does not fit an inp"):
        golden.decode(text, {"ink": shape})
