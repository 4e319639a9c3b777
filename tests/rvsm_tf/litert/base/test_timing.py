"""Timings in turns: their structure and arithmetic; no test looks at a clock."""

import io
import itertools
import pathlib
import sys
import zipfile

import numpy as np
import pytest
import tensorflow as tf

from rvsm_tf.litert.base import flatbuffer, runtime, timing
from rvsm_tf.litert.base.size import zip_bytes
from rvsm_tf.litert.base.timing import Spread, Timing

A, B = pathlib.Path("a.tflite"), pathlib.Path("b.tflite")


def test_a_timing_is_summed_up_by_median_and_quartiles():
    measured = Timing(A, 1, [5.0, 1.0, 2.0, 4.0, 3.0], [])
    assert measured.warm == Spread(3.0, 2.0, 4.0)
    assert measured.cold is None
    assert Timing(A, 1, [1.0], [7.0]).cold == (7.0, 7.0, 7.0)


def test_ratios_are_taken_within_a_round():
    # The second round was twice as slow for all: medians' ratio would be 2 / 4.
    timings = [Timing(A, 1, [4.0, 8.0, 4.0], []), Timing(B, 1, [1.0, 2.0, 3.0], [])]
    reference, other = timing.ratios(timings, A)
    assert reference == (1, 1, 1)
    assert other == (0.25, 0.25, 0.5)
    assert timing.ratios(timings, B)[0] == (4.0, (4 + 4 / 3) / 2, 4.0)


def test_ratios_of_cold_runs():
    timings = [Timing(A, 1, [1.0], [2.0]), Timing(B, 1, [1.0], [3.0])]
    assert timing.ratios(timings, A, cold=True)[1].median == 1.5


def test_a_reference_that_was_not_measured_is_refused():
    with pytest.raises(ValueError, match=r"'b\.tflite'"):
        timing.ratios([Timing(A, 1, [1.0], [])], B)
    with pytest.raises(ValueError, match=r"'a\.tflite'"):
        timing.ratios([Timing(A, 1, [1.0], [])], A, cold=True)


@pytest.mark.parametrize("flush", [None, lambda: None])
def test_another_file_is_first_in_each_round(flush):
    runs = []
    invokes = [lambda i=i: runs.append(i) for i in range(3)]
    events = list(timing.measure(invokes, [5, 6, 7], 4, flush))
    order = [event["file"] for event in events if "file" in event]
    assert order == [0, 1, 2, 1, 2, 0, 2, 0, 1, 0, 1, 2]
    rounds = [event for event in events if "warm" in event]
    assert [len(event["warm"]) for event in rounds] == [3] * 4
    assert [len(event["cold"]) for event in rounds] == [3 if flush else 0] * 4
    more = timing.WARM_UPS + (timing.COLD_RUNS if flush else 0)
    assert [runs.count(i) for i in range(3)] == [4 * (n + more) for n in (5, 6, 7)]
    assert [i for i, _ in itertools.groupby(runs)] == order


def test_caches_are_driven_out_before_each_cold_run_alone():
    said = []
    flush = lambda: said.append("flush")  # noqa: E731
    list(timing.measure([lambda: said.append("run")], [9], 1, flush))
    warm = ["run"] * (timing.WARM_UPS + 9)
    assert said == warm + ["flush", "run"] * timing.COLD_RUNS


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_flushing_writes_to_the_whole_buffer(threads):
    flush = timing.Flush(threads, 8 * 1000)
    for times in (1, 2):
        flush()
        np.testing.assert_array_equal(flush.buffer, np.full(1000, times))


def test_the_largest_cache_is_found(tmp_path):
    for i, size in enumerate(["48K\n", "32768K\n", "2M\n", "\n"]):
        (tmp_path / f"index{i}").mkdir()
        (tmp_path / f"index{i}" / "size").write_text(size)
    assert timing.cache_bytes(tmp_path) == 32768 * 1024
    assert timing.cache_bytes(tmp_path / "nothing") == timing.USUAL_CACHE


def test_files_are_measured_in_rounds(tflite_files, monkeypatch):
    monkeypatch.chdir(tflite_files[0].parent)
    files = [pathlib.Path(file.name) for file in tflite_files]
    rounds = []
    timings = timing.in_turns(files, 2, 3, progress=lambda: rounds.append(1))
    assert [t.file for t in timings] == files
    assert len(rounds) == 3
    for measured in timings:
        assert measured.threads == 2
        assert len(measured.warm_ms) == 3
        assert min(measured.warm_ms) > 0
        assert measured.cold_ms == []
    assert timing.ratios(timings, files[1])[1] == (1, 1, 1)


def test_cold_runs_are_measured_too(tflite_files):
    timings = timing.in_turns(tflite_files, rounds=2, cold=True)
    for measured in timings:
        assert len(measured.warm_ms) == len(measured.cold_ms) == 2
        assert min(measured.cold_ms) > 0


def test_inputs_are_random_or_zero(tmp_path):
    # Both inputs come out again as they went in.
    @tf.function(
        input_signature=[tf.TensorSpec((2, 50), t) for t in ("float32", "int32")]
    )
    def identity(x, i):
        return {"x": tf.abs(x), "i": tf.abs(i)}

    concrete = identity.get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], identity)
    file = tmp_path / "identity.tflite"
    file.write_bytes(converter.convert())

    def outputs():
        invoke = timing._load(str(file), 1)
        invoke()
        interpreter = invoke.__self__
        details = interpreter.get_output_details()
        return {d["dtype"]: interpreter.get_tensor(d["index"]) for d in details}

    once, again = outputs(), outputs()
    assert not once[np.int32].any()
    x = once[np.float32]
    assert x.shape == (2, 50)
    assert 0 <= x.min() < 0.1
    assert 0.9 < x.max() < 1
    np.testing.assert_array_equal(x, again[np.float32])


@pytest.mark.parametrize("wrong", [{"threads": 0}, {"rounds": 0}, {"files": []}])
def test_nothing_to_measure_is_refused(wrong, tflite_files):
    with pytest.raises(ValueError, match="at least one"):
        timing.in_turns(**{"files": tflite_files, **wrong})


def with_unknown_operation(file, path):
    model = flatbuffer.read(file.read_bytes())
    for code in model.operatorCodes:
        code.builtinCode = code.deprecatedBuiltinCode = 32  # CUSTOM
        code.customCode = b"Nonesuch"
    path.write_bytes(flatbuffer.write(model))
    return path


def test_a_file_that_the_runtime_refuses_is_named(tflite_files, tmp_path):
    file = with_unknown_operation(tflite_files[0], tmp_path / "odd.tflite")
    with pytest.raises(runtime.RuntimeFailure, match="Nonesuch") as failure:
        timing.in_turns([tflite_files[0], file], rounds=1)
    assert repr(str(file)) in str(failure.value)
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize(
    ("end", "words"),
    [
        ("os.kill(os.getpid(), 11)", r"'b\.tflite': the runtime crashed \(signal 11\)"),
        ("sys.exit('bad luck')", r"'b\.tflite': bad luck"),
        ("sys.exit(1)", r"'b\.tflite': the runtime failed without a word"),
    ],
)
def test_a_death_of_the_process_is_told_of_the_file_it_died_of(end, words, monkeypatch):
    program = f"import os, sys; print('{{\"file\": 1}}', flush=True); {end}"
    monkeypatch.setattr(timing, "_COMMAND", [sys.executable, "-c", program])
    with pytest.raises(runtime.RuntimeFailure, match=words):
        timing.in_turns([A, B])


def test_zipped_bytes_are_those_of_a_whole_archive(tmp_path):
    file = tmp_path / "zeros.tflite"
    file.write_bytes(bytes(100_000))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as folder:
        folder.write(file, file.name)
    assert zip_bytes(file) == len(archive.getvalue()) < 400
    noise = np.random.default_rng(0).bytes(100_000)
    file.write_bytes(noise)
    assert 100_000 < zip_bytes(file) < 100_400
