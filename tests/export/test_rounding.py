"""Coarser int8 weights: smaller zipped, the same answers."""

import zlib

import numpy as np
import pytest

from export import flatbuffer, formats, rounding
from tests.export import networks


@pytest.fixture(scope="module")
def int8():
    model = networks.dense("scattered")
    return formats.Converter(model, networks.examples(model)).write("int8")


def kernels(file):
    model = flatbuffer.read(file)
    return [v for _, v in flatbuffer.constants(model) if v.dtype == np.int8]


def test_weights_move_by_half_a_step_at_most_and_zeros_stay(int8):
    for step in rounding.STEPS:
        before, after = kernels(int8), kernels(rounding.rounded(int8, step))
        for old, new in zip(before, after, strict=True):
            assert (new[old == 0] == 0).all()
            moved = np.abs(new.astype(int) - old)
            inside = np.abs(old.astype(int)) <= 127 // step * step
            assert moved[inside].max() <= step // 2


def test_coarse_weights_zip_better(int8):
    sizes = [len(zlib.compress(rounding.rounded(int8, s), 9)) for s in (1, 2, 4, 8, 16)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < 0.8 * sizes[0]


def test_small_kernels_are_left_alone(int8):
    small = [k for k in kernels(int8) if k.size < 1000]
    after = [k for k in kernels(rounding.rounded(int8, 16)) if k.size < 1000]
    assert len(small) == 0 or all(map(np.array_equal, small, after))


def test_no_step_is_taken_that_changes_answers():
    model = networks.dense("scattered", share=0.0, inputs=64)
    given = networks.examples(model, count=200)
    file = formats.Converter(model, given).write("int8")
    expected = rounding._outputs(file, given)
    coarse, step = rounding.coarsest(file, given)
    for candidate in (s for s in rounding.STEPS if s >= step):
        outputs = rounding._outputs(rounding.rounded(file, candidate), given)
        same = (outputs.argmax(1) == expected.argmax(1)).all()
        gap = np.quantile(np.abs(outputs - expected).max(axis=1), 0.99)
        harmless = bool(same and gap <= rounding.TOLERANCE * expected.max())
        assert harmless == (candidate == step)
    assert coarse == (rounding.rounded(file, step) if step > 1 else file)
