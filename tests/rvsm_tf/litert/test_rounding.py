"""Coarser int8 weights: smaller zipped, the same answers."""

import zlib

import numpy as np
import pytest

from rvsm_tf.litert import rounding, source
from rvsm_tf.litert.base import flatbuffer
from rvsm_tf.litert.converter import Converter
from tests.rvsm_tf.litert import networks


@pytest.fixture(scope="module")
def int8():
    model = networks.dense("scattered")
    return Converter(model, networks.examples(model)).write("int8")


def kernels(file):
    model = flatbuffer.read(file)
    return [v for _, v in flatbuffer.constants(model) if v.dtype == np.int8]


def everywhere(file, step):
    """The file with all kernels rounded to one step."""
    return rounding.rounded(
        file, dict.fromkeys(rounding._kernels(flatbuffer.read(file)), step)
    )


def test_weights_move_by_half_a_step_at_most_and_zeros_stay(int8):
    for step in rounding.STEPS:
        before, after = kernels(int8), kernels(everywhere(int8, step))
        for old, new in zip(before, after, strict=True):
            assert (new[old == 0] == 0).all()
            moved = np.abs(new.astype(int) - old)
            inside = np.abs(old.astype(int)) <= 127 // step * step
            assert moved[inside].max() <= step // 2


def test_coarse_weights_zip_better(int8):
    sizes = [len(zlib.compress(everywhere(int8, s), 9)) for s in (1, 2, 4, 8, 16)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < 0.8 * sizes[0]


def test_small_kernels_are_left_alone(int8):
    small = [k for k in kernels(int8) if k.size < 1000]
    after = [k for k in kernels(everywhere(int8, 16)) if k.size < 1000]
    assert len(small) == 0 or all(map(np.array_equal, small, after))


@pytest.fixture(scope="module")
def answers():
    """A file that is sure of its examples, the examples, and what it says of them.

    They lie around eight centres, and the last kernel holds what the layer before
    makes of these.
    """
    model = networks.dense("scattered", share=0.5)
    hidden, last = model.layers
    rng = np.random.default_rng(2)
    centres = rng.random((8, 512)).astype("float32")
    kernel = np.asarray(hidden(centres)) - np.mean(hidden(centres), axis=0)
    kernel *= 16 / (kernel**2).sum(1).mean()
    last.set_weights([kernel.T, -kernel @ np.mean(hidden(centres), axis=0)])
    noise = rng.normal(0, 0.3, (200, 512))
    images = np.clip(np.repeat(centres, 25, axis=0) + noise, 0, 1)
    given = source.Examples({"image": images.astype("float32")})
    file = Converter(model, given)._tensorflow("int8")
    return file, given, rounding._outputs(file, given)


def harmless(file, given, expected):
    outputs = rounding._outputs(file, given)
    gap = np.quantile(np.abs(outputs - expected).max(axis=1), 0.99)
    same = (outputs.argmax(1) == expected.argmax(1)).all()
    return bool(same and gap <= rounding.TOLERANCE * expected.max())


def test_no_step_is_taken_that_changes_answers(answers):
    """Each kernel has the coarsest step that the larger kernels' steps leave it."""
    file, given, expected = answers
    coarse, steps = rounding.coarsest(file, given)
    assert coarse == rounding.rounded(file, steps)
    assert harmless(coarse, given, expected)
    found = rounding._kernels(flatbuffer.read(file))
    larger = {}
    for index in sorted(found, key=lambda i: -found[i].size):
        for step in (s for s in rounding.STEPS if s >= steps.get(index, 1)):
            candidate = rounding.rounded(file, larger | {index: step})
            assert harmless(candidate, given, expected) == (step == steps.get(index))
        larger |= {index: steps[index]} if index in steps else {}


def test_kernels_have_steps_of_their_own(answers):
    _, steps = rounding.coarsest(*answers[:2])
    assert len(set(steps.values())) > 1
