import json
import zlib

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from rvsm_tf.litert.base import card, flatbuffer
from tests.rvsm_tf.litert.parts import plain

CONTENTS = {
    "version": card.VERSION,
    "labels": ["regular", "zittrig: größer als λ"],
    "golden": {"inputs": [0, "eNo="], "outputs": [[0.25, -1e-06]], "tolerance": 1e-05},
    "training": {"epochs": 20, "dense_accuracy": None},
}


@pytest.fixture(scope="module")
def file():
    kernel = tf.constant(np.random.default_rng(0).normal(size=(4, 3)), tf.float32)

    @tf.function(input_signature=[tf.TensorSpec((1, 4), tf.float32, name="x")])
    def serve(x):
        return {"y": tf.nn.softmax(tf.matmul(x, kernel))}

    concrete = [serve.get_concrete_function()]
    converter = tf.lite.TFLiteConverter.from_concrete_functions(concrete, tf.Module())
    return converter.convert()


def outputs(file):
    runner = Interpreter(model_content=file).get_signature_runner()
    inputs = np.random.default_rng(1).normal(size=(20, 1, 4)).astype("float32")
    return np.stack([runner(x=x)["y"].copy() for x in inputs])


def test_a_card_comes_back(file):
    assert card.read(card.embed(file, CONTENTS)) == CONTENTS


def test_a_card_leaves_the_answers_as_they_were(file):
    np.testing.assert_array_equal(outputs(card.embed(file, CONTENTS)), outputs(file))


@pytest.mark.parametrize("prepare", [bytes, flatbuffer.tidy], ids=["as it is", "tidy"])
def test_a_card_leaves_the_rest_of_the_file_as_it_was(file, prepare):
    file = prepare(file)
    before = plain(flatbuffer.read(file))
    after = plain(flatbuffer.read(card.embed(file, CONTENTS)))
    entry = {"name": b"rvsm_tf", "buffer": len(before["buffers"])}
    assert after.pop("metadata") == [*(before.pop("metadata") or []), entry]
    assert after["buffers"].pop()["data"] is not None
    assert after == before


def test_a_second_card_takes_the_place_of_the_first(file):
    once = card.embed(file, {"version": 1})
    twice = card.embed(card.embed(file, CONTENTS), {"version": 1})
    assert card.read(twice) == {"version": 1}
    assert len(twice) == len(once)


def test_text_is_written_as_it_is_and_without_blanks(file):
    text = flatbuffer.metadata(card.embed(file, {"a": ["λ", 1]}), card.NAME)
    assert text.startswith('{"a":["λ",1],"crc32":"'.encode())
    assert len(text) == len('{"a":["λ",1],"crc32":"12345678"}'.encode())


def test_numbers_that_are_not_finite_become_null(file):
    read = card.read(card.embed(file, {"a": [float("nan"), float("-inf"), 0.5]}))
    assert read == {"a": [None, None, 0.5]}


def test_a_card_may_have_3000_bytes(file):
    contents = {"a": "λ" * 1496}
    assert card.read(card.embed(file, contents)) == contents
    with pytest.raises(ValueError, match=r"^a card of 3001 bytes: 3000 are allowed$"):
        card.embed(file, {"a": "λ" * 1496 + "x"})


@pytest.mark.parametrize("prepare", [bytes, flatbuffer.tidy], ids=["as it is", "tidy"])
def test_a_file_without_a_card_is_refused(file, prepare):
    message = "^the file has no card: it was not written by export.convert$"
    with pytest.raises(ValueError, match=message):
        card.read(prepare(file))


def flipped(file, place, bit):
    return file[:place] + bytes([file[place] ^ 1 << bit]) + file[place + 1 :]


def test_the_check_value_is_of_the_whole_file(file):
    made = card.embed(file, CONTENTS)
    digits = made.index(b'"crc32":"') + 9
    blank = made[:digits] + b"0" * 8 + made[digits + 8 :]
    assert int(made[digits : digits + 8], 16) == zlib.crc32(blank)


def test_a_flipped_bit_anywhere_is_noticed(file):
    made = card.embed(file, CONTENTS)
    card.verify(made)
    digits = made.index(b'"crc32"')
    places = [*range(digits - 1, digits + 20), *range(0, len(made), 7)]
    for place in places:
        for bit in range(8):
            with pytest.raises(ValueError, match=r"damaged|not a \.tflite file"):
                card.verify(flipped(made, place, bit))


def test_what_is_cut_off_is_noticed(file):
    made = card.embed(file, CONTENTS)
    end = made.index(b'"crc32":') + 20
    for length in range(end, len(made)):
        with pytest.raises(ValueError, match="damaged"):
            card.verify(made[:length])


def test_a_file_of_an_earlier_version_or_of_others_passes(file):
    card.verify(file)
    earlier = json.dumps(CONTENTS, separators=(",", ":")).encode()
    card.verify(flatbuffer.with_metadata(file, card.NAME, earlier))


@pytest.mark.parametrize("file", [b"", b"<!doctype html><title>404</title>"])
def test_what_is_no_tflite_file_is_refused(file):
    with pytest.raises(ValueError, match=r"^this is not a \.tflite file$"):
        card.read(file)
