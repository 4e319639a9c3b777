"""Models that gather inputs, converted and run."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

import rvsm_tf as rvsm
from rvsm_tf.litert import source, verify
from rvsm_tf.litert.base import flatbuffer
from rvsm_tf.litert.converter import Converter
from tests.rvsm_tf.litert import networks


def gathering():
    """A network, and the smaller one that gathers 40 of its 512 inputs."""
    model = networks.dense("scattered")
    kernel, bias = model.get_layer("dense").get_weights()
    kernel[np.random.default_rng(0).permutation(512)[40:]] = 0
    model.get_layer("dense").set_weights([kernel, bias])
    smaller = rvsm.compact(model)
    assert smaller.get_layer("dense").kernel.shape[0] <= 40
    return model, smaller


@pytest.mark.parametrize(
    ("name", "close"), [("float32", 1e-5), ("float16", 1e-3), ("int8", 0.02)]
)
def test_files_gather_and_answer_as_the_large_model(name, close, tmp_path):
    model, smaller = gathering()
    given = networks.examples(model)
    file = tmp_path / "smaller.tflite"
    file.write_bytes(Converter(smaller, given).write(name))
    verdict = verify.verify(file, given, source.predict(model, given), name)
    assert verdict.refused is None
    expected = source.predict(model, given)
    for answers in verdict.outputs.values():
        known = expected[:: len(expected) // len(answers)]
        np.testing.assert_allclose(answers, known, rtol=0, atol=close)
    large = Converter(model, given).write(name)
    assert file.stat().st_size < len(large) / 3
    codes = [c.builtinCode for c in flatbuffer.read(file.read_bytes()).operatorCodes]
    assert schema.BuiltinOperator.GATHER in codes
    assert schema.BuiltinOperator.CUSTOM not in codes
