"""Each runtime runs files, refuses what is none, and outlives a crash."""

import json
import pathlib
import sys

import keras
import numpy as np
import pytest

from export import runtimes
from rvsm_tf.litert import javascript, source
from rvsm_tf.litert import runtimes as package
from rvsm_tf.litert.base import runtime
from rvsm_tf.litert.converter import Converter
from rvsm_tf.litert.javascript import JavaScript
from rvsm_tf.litert.runtimes import HERE, lacking, there

L = keras.layers

ROOT = pathlib.Path(__file__).parents[3]


@pytest.fixture(params=runtimes.ALL, ids=lambda runtime: runtime.name)
def one(request):
    how = request.param.missing()
    if how:
        pytest.skip(f"{request.param.name}: {how}")
    return request.param


@pytest.fixture(scope="module")
def net():
    """Two inputs, in another order than their names', and answers of two axes."""
    right, left = keras.Input((5, 4), name="right"), keras.Input((12,), name="left")
    x = L.Concatenate()([L.Reshape((20,))(right), left])
    return keras.Model([right, left], L.Reshape((3, 2))(L.Dense(6)(x)))


@pytest.mark.slow
def test_it_answers_each_example_as_keras_does(one, net, tmp_path):
    rng = np.random.default_rng(0)
    inputs = {
        "left": rng.normal(size=(3, 12)).astype("float32"),
        "right": rng.normal(size=(3, 5, 4)).astype("float32"),
    }
    file = tmp_path / "net.tflite"
    file.write_bytes(Converter(net, None).write("float32"))
    w, bias = net.layers[-2].get_weights()
    x = np.concatenate([inputs["right"].reshape(3, 20), inputs["left"]], axis=1)
    answer = one.run(file, inputs)
    assert answer.outputs.dtype == np.float32
    expected = (x @ w + bias).reshape(3, 3, 2)
    np.testing.assert_allclose(answer.outputs, expected, atol=1e-5)


@pytest.mark.parametrize("content", [b"", b"hello", "half"])
def test_what_is_no_model_is_refused_in_one_line(one, net, content, tmp_path):
    if content == "half":
        whole = Converter(net, None).write("float32")
        content = whole[: len(whole) // 2]
    file = tmp_path / "net.tflite"
    file.write_bytes(content)
    inputs = {k: np.zeros(s, "float32") for k, s in source.shapes(net).items()}
    with pytest.raises(runtime.RuntimeFailure) as failure:
        one.run(file, inputs)
    assert str(failure.value).strip()
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("import os; os.kill(os.getpid(), 11)", r"crashed \(signal 11\)"),
        ("raise ValueError('no such operator')", "ValueError: no such operator"),
    ],
)
def test_a_program_that_fails_is_an_answer(end, said):
    with pytest.raises(runtime.RuntimeFailure, match=said):
        runtime.start([sys.executable, "-c", end])


@pytest.mark.parametrize(
    ("version", "enough"),
    [("v18.20.4", False), ("v20.9.0", False), ("v20.19.0", True), ("v24.1.0", True)],
)
def test_an_old_node_is_none(version, enough, tmp_path, monkeypatch):
    node = tmp_path / "node"
    node.write_text(f"#!/bin/sh\necho {version}\n")
    node.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / javascript.PACKAGE).mkdir(parents=True)
    how = JavaScript("LiteRT.js", tmp_path).missing()
    assert how == (None if enough else "install Node.js 20.19 or newer")


def test_what_is_lacking_is_named_with_the_way_to_it(tmp_path, monkeypatch):
    monkeypatch.setattr(javascript, "OLDEST", ())
    known = [
        *HERE,
        *(JavaScript(name, tmp_path, runtimes.INSTALL) for name in javascript.BUILDS),
    ]
    assert lacking(known) == (
        "LiteRT.js, LiteRT.js relaxed SIMD "
        "(make mobile_demo/web/node_modules/installed)"
    )
    assert [one.name for one in there(known)] == ["delegate on", "delegate off"]


def test_without_a_checkout_npm_says_where_the_package_is(tmp_path, monkeypatch):
    monkeypatch.setattr(javascript, "OLDEST", ())
    monkeypatch.chdir(tmp_path)
    wanted = json.loads((ROOT / "mobile_demo/web/package.json").read_text("utf-8"))
    version = wanted["dependencies"]["@litertjs/core"]
    assert lacking() == (
        f"LiteRT.js, LiteRT.js relaxed SIMD (npm install @litertjs/core@{version})"
    )
    (tmp_path / "node_modules/@litertjs/core").mkdir(parents=True)
    assert lacking() == ""


def test_a_checkout_has_the_package_s_runtimes_and_an_arm_processor():
    names = [one.name for one in runtimes.ALL]
    assert names == [*(one.name for one in package.ALL), "ARM cortex-a53"]
