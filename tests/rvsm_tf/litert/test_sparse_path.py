"""XNNPACK's sparse path: files that are right on a PC and garbage elsewhere."""

import json
import platform

import keras
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from click.testing import CliRunner

from export import convert, runtimes
from rvsm_tf.litert import source, verify, xnnpack
from rvsm_tf.litert.base import flatbuffer
from rvsm_tf.litert.base.formats import FORMATS
from rvsm_tf.litert.converter import Converter, NotApplicable
from rvsm_tf.litert.runtimes import there
from tests.rvsm_tf.litert import networks

pytestmark = pytest.mark.slow

L = keras.layers

HERE, ELSEWHERE = runtimes.ALL[:2], runtimes.ALL[2:]

MIDDLES = {
    "max pooling": (96, lambda: [L.MaxPooling2D(2)]),
    "a convolution": (96, lambda: [L.Conv2D(8, 3, padding="same")]),
    # 49 pixels wide there, an odd number: the converter makes SAME of the two.
    "padding folded into SAME": (
        98,
        lambda: [L.ZeroPadding2D(1), L.DepthwiseConv2D(3, 2, activation="relu")],
    ),
}


@pytest.fixture(scope="module", params=MIDDLES)
def model(request):
    size, middle = MIDDLES[request.param]
    return networks.behind_a_start(middle(), size)


@pytest.fixture(scope="module")
def given(model):
    return networks.examples(model, count=8)


@pytest.fixture(scope="module")
def expected(model, given):
    return source.predict(model, given)


@pytest.fixture(params=ELSEWHERE, ids=lambda runtime: runtime.name)
def elsewhere(request):
    how = request.param.missing()
    if how:
        pytest.skip(f"{request.param.name}: {how}")
    return request.param


def operators(file):
    model = flatbuffer.read(file)
    return [flatbuffer.builtin(model, o) for o in model.subgraphs[0].operators]


@pytest.fixture
def unguarded(model, monkeypatch, tmp_path):
    """The file as it was written before: its dense kernel unpacked at load."""
    monkeypatch.setattr(xnnpack, "may_go_sparse", lambda model: False)
    file = tmp_path / "unguarded.tflite"
    file.write_bytes(Converter(model, None).write("float32-sparse"))
    assert schema.BuiltinOperator.DENSIFY in operators(file.read_bytes())
    return file


def test_the_signal_gets_through(expected):
    # Pictures of noise are much alike; still their answers differ by far more than
    # what a runtime may be off.
    scale = np.abs(expected).max()
    assert 0.1 < scale < 100
    assert expected.std(axis=0).min() > 30 * FORMATS["float32"].tolerance * scale


def test_without_the_guard_the_file_is_wrong_elsewhere(
    unguarded, given, expected, elsewhere
):
    answer = elsewhere.run(unguarded, {k: x[:4] for k, x in given.inputs.items()})
    gap = np.abs(answer.outputs - expected[:4]).max(axis=1)
    assert gap.min() > 0.1 * np.abs(expected).max()
    verdict = verify.verify(unguarded, given, expected, "float32-sparse", [elsewhere])
    assert verdict.refused.startswith(f"{elsewhere.name}: ")
    assert "differ from Keras" in verdict.refused


@pytest.mark.skipif(platform.machine() != "x86_64", reason="not an x86 processor")
def test_without_the_guard_the_file_is_right_on_a_pc(unguarded, given, expected):
    """Which is why one cannot see it there."""
    verdict = verify.verify(unguarded, given, expected, "float32-sparse", HERE)
    assert verdict.refused is None
    assert verdict.max_abs_diff < 1e-5


def test_with_the_guard_it_is_written_otherwise_and_right(
    model, given, expected, tmp_path
):
    converter = Converter(model, None)
    file = tmp_path / "guarded.tflite"
    file.write_bytes(converter.write("float32-sparse"))
    assert file.stat().st_size < len(converter.write("float32"))
    assert schema.BuiltinOperator.DENSIFY not in operators(file.read_bytes())
    assert "1 of the kernels" in converter.notes["float32-sparse"]
    assert "WebAssembly" in converter.notes["float32-sparse"]
    where = there(runtimes.ALL)
    verdict = verify.verify(file, given, expected, "float32-sparse", where)
    assert verdict.refused is None
    assert verdict.max_abs_diff < 1e-5
    assert list(verdict.outputs) == [one.name for one in where]


def test_the_report_says_so(tmp_path):
    size, middle = MIDDLES["max pooling"]
    networks.behind_a_start(middle(), size).save(tmp_path / "net.keras")
    names = "float32,float16,float32-sparse"
    result = CliRunner().invoke(
        convert.main, [str(tmp_path / "net.keras"), "--formats", names]
    )
    assert result.exit_code == 0, result.output
    rows = json.loads((tmp_path / "export" / "report.json").read_text("utf-8"))
    ran = [one.name for one in there(runtimes.ALL)]
    assert [row["runs_on"] for row in rows] == [ran] * 3
    assert [row["note"] is None for row in rows] == [True, True, False]
    assert f"note: float32-sparse.tflite: {rows[2]['note']}\n" in result.stdout
    assert f"each was run in: {', '.join(ran)}\n" in result.stdout


def test_a_form_that_does_not_pay_any_more_says_why():
    """One output in hundreds has all its weights: by columns alone that is smaller."""
    image = keras.Input((32, 32, 3), name="image")
    x = L.Conv2D(600, 3, 2, padding="same")(image)
    net = keras.Model(image, L.Dense(8)(L.GlobalAveragePooling2D()(x)))
    kernel = net.layers[-1].kernel
    w = networks.masked((600, 8), "scattered", 0.29, np.random.default_rng(0))
    kernel.assign(w)
    with pytest.raises(NotApplicable, match="unpacked at load"):
        Converter(net, None).write("float32-sparse")


@pytest.mark.parametrize(
    ("channels", "first", "found"),
    [
        (3, L.Conv2D(8, 3, 2, padding="valid"), True),
        (3, L.Conv2D(8, 3, 2, padding="same"), True),  # to be on the safe side
        (3, L.Conv2D(8, 3, 1, padding="same"), False),
        (3, L.Conv2D(8, 5, 2, padding="same"), False),
        (3, L.DepthwiseConv2D(3, 2, padding="same"), False),
        (1, L.Conv2D(8, 3, 2, padding="same"), False),
        (4, L.Conv2D(8, 3, 2, padding="same"), False),
    ],
)
def test_a_start_is_a_convolution_of_stride_two_on_three_channels(
    channels, first, found
):
    image = keras.Input((16, 16, channels), name="image")
    net = keras.Model(image, L.Dense(2)(L.GlobalAveragePooling2D()(first(image))))
    file = Converter(net, None).write("float32")
    assert xnnpack.may_go_sparse(flatbuffer.read(file)) == found


def test_one_channel_taken_three_times_is_a_start():
    image = keras.Input((16, 16, 1), name="image")
    x = L.ZeroPadding2D(1)(L.Concatenate()([image] * 3))
    x = L.GlobalAveragePooling2D()(L.Conv2D(8, 3, 2)(x))
    file = Converter(keras.Model(image, L.Dense(2)(x)), None).write("float32")
    assert xnnpack.may_go_sparse(flatbuffer.read(file))


def test_without_a_start_a_kernel_by_columns_is_right_everywhere(tmp_path):
    model = networks.dense("scattered")
    given = networks.examples(model)
    file = tmp_path / "columns.tflite"
    converter = Converter(model, None)
    file.write_bytes(converter.write("float32-sparse"))
    assert schema.BuiltinOperator.DENSIFY in operators(file.read_bytes())
    assert converter.notes == {}
    expected = source.predict(model, given)
    where = there(runtimes.ALL)
    verdict = verify.verify(file, given, expected, "float32-sparse", where)
    assert verdict.refused is None
    assert verdict.max_abs_diff < 1e-5
