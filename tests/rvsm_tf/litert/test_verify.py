"""Files that the runtime gets wrong are refused; each is built here the usual way."""

import numpy as np
import pytest
import tensorflow as tf

from rvsm_tf.litert import runtimes, source, verify
from rvsm_tf.litert.converter import Converter, _saved_model
from tests.rvsm_tf.litert import networks

SPARSE = tf.lite.Optimize.EXPERIMENTAL_SPARSITY


def converted(model, folder, given=None, *, half=False):
    """What TensorFlow's converter makes of a model, asked for sparsity."""
    saved = _saved_model(model, folder)
    converter = tf.lite.TFLiteConverter.from_saved_model(saved)
    converter.optimizations = [SPARSE, tf.lite.Optimize.DEFAULT]
    if half:
        converter.target_spec.supported_types = [tf.float16]
    if given is not None:
        converter.representative_dataset = lambda: (
            ("serving_default", {"image": given.inputs["image"][i : i + 1]})
            for i in range(len(given))
        )
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    file = folder / "model.tflite"
    file.write_bytes(converter.convert())
    return file


@pytest.mark.parametrize(
    ("pattern", "format_", "options"),
    [
        (4, "float16", {"half": True}),
        ("scattered", "int8", {}),  # int8 weights with float arithmetic
        (4, "int8", {}),
        (16, "int8", {}),
        ("scattered", "int8", {"calibrated": True}),
        (4, "int8", {"calibrated": True}),
    ],
)
@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated:UserWarning")
def test_what_is_known_to_be_broken_is_refused(pattern, format_, options, tmp_path):
    model = networks.dense(pattern)
    given = networks.examples(model)
    calibration = given if options.pop("calibrated", False) else None
    file = converted(model, tmp_path, calibration, **options)
    verdict = verify.verify(file, given, source.predict(model, given), format_)
    assert verdict.refused is not None
    assert "delegate o" in verdict.refused


@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated:UserWarning")
def test_what_works_is_kept(tmp_path):
    model = networks.dense(16)
    given = networks.examples(model)
    file = converted(model, tmp_path, given)
    verdict = verify.verify(file, given, source.predict(model, given), "int8")
    assert verdict.refused is None
    assert list(verdict.outputs)[:2] == ["delegate on", "delegate off"]
    assert 0 < verdict.max_abs_diff < 0.05


@pytest.mark.parametrize(("format_", "allowed"), [("int8", 1), ("float32", 0)])
def test_of_few_examples_one_may_stray_in_integers_alone(format_, allowed, tmp_path):
    model = networks.dense(16)
    given = networks.examples(model, count=20)
    file = tmp_path / "model.tflite"
    file.write_bytes(Converter(model, given).write(format_))
    expected = source.predict(model, given)
    for strays in range(3):
        told = expected.copy()
        told[:strays] += 0.5
        refused = verify.verify(file, given, told, format_).refused
        assert (refused is not None) == (strays > allowed)
        assert refused is None or f"{strays} of 20 examples" in refused


def test_answers_of_another_model_are_refused(tmp_path):
    model, other = networks.dense(4), networks.dense(4, seed=5)
    given = networks.examples(model)
    file = tmp_path / "model.tflite"
    file.write_bytes(Converter(model, None).write("float32"))
    verdict = verify.verify(file, given, source.predict(other, given), "float32")
    assert "differ from Keras" in verdict.refused
    assert verdict.max_abs_diff == pytest.approx(
        np.abs(source.predict(model, given) - source.predict(other, given)).max(),
        abs=1e-5,
    )


@pytest.mark.parametrize("damage", ["cut", "noise"])
def test_a_damaged_file_is_refused_not_fatal(damage, tmp_path):
    model = networks.dense(4)
    given = networks.examples(model, count=4)
    good = Converter(model, None).write("float32")
    rng = np.random.default_rng(0)
    file = tmp_path / "model.tflite"
    file.write_bytes(good[: len(good) // 2] if damage == "cut" else rng.bytes(5000))
    verdict = verify.verify(file, given, source.predict(model, given), "float32")
    assert verdict.refused is not None


def test_a_runtime_is_given_few_examples_from_all_over():
    for count in range(1, 200):
        for most in (None, 1, 4, 32):
            taken = np.arange(count)[verify.few(count, most)]
            assert taken[0] == 0
            assert len(taken) == count if most is None else len(taken) <= most
            gaps = np.diff([*taken, count])
            assert gaps.max() <= -(-count // (most or count))


class Elsewhere:
    """A runtime that rounds otherwise: so much is added to each of its answers."""

    name, most = "elsewhere", 4

    def __init__(self, added):
        self.added = added

    def run(self, file, inputs):
        answer = runtimes.Here("on").run(file, inputs)
        return answer._replace(outputs=answer.outputs + self.added)


@pytest.mark.parametrize(("added", "kept"), [(0.01, True), (0.03, False)])
def test_a_runtime_that_would_fail_an_application_s_self_test_is_named(
    added, kept, tmp_path
):
    """int8 may be 0.1 from Keras, and 0.02 from one processor to the other."""
    model = networks.dense(16)
    given = networks.examples(model)
    file = tmp_path / "model.tflite"
    file.write_bytes(Converter(model, given).write("int8"))
    expected = source.predict(model, given)
    where = [runtimes.Here("on"), Elsewhere(added * expected.max())]
    refused = verify.verify(file, given, expected, "int8", where).refused
    assert (refused is None) == kept
    assert kept or refused.startswith("elsewhere: answers differ from this processor")


def test_answers_that_tell_nothing_apart_are_told():
    assert verify.is_telling(np.array([[0.9, 0.1], [0.1, 0.9]]))
    assert not verify.is_telling(np.array([[0.51, 0.49], [0.5, 0.5]]))
