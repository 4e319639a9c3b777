"""What writes a model's formats, as the table of `base.formats` says."""

import pathlib
import tempfile
import warnings
from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from rvsm_tf.inside import source

from . import narrowing, rounding, sparse, storing
from .base import flatbuffer
from .base.formats import FORMATS
from .source import Examples, arranged, shapes


class NotApplicable(Exception):
    """A format makes no sense for a model; the message says why."""


class Converter:
    """Writes a model's formats.

    Args:
        model: a plain Keras model in float32, of fixed input size and one output.
        calibration: examples for int8's ranges, None if there are none.

    Attributes:
        notes: by format, what was done otherwise than one would expect, and why.
    """

    def __init__(self, model: keras.Model, calibration: Examples | None):
        self._model, self._calibration = model, calibration
        self.notes: dict[str, str] = {}
        self._written: dict[tuple[str, ...], bytes] = {}

    def write(self, name: str) -> bytes:
        """Returns the model in a format, as a .tflite file.

        Raises:
            NotApplicable: the format makes no sense for this model.
        """
        dense, row = self.dense(name), FORMATS[name]
        return self._packed(name, dense) if row.sparse else dense

    def dense(self, name: str) -> bytes:
        """Returns the file that a format is, or is packed from, stored densely."""
        row = FORMATS[name].dense
        if row.calibrated and self._calibration is None:
            raise NotApplicable(
                f"{row.name} needs examples to take its ranges from: give --images"
            )
        return self._made(row.how)

    def _made(self, how: tuple[str, ...]) -> bytes:
        if how not in self._written:
            *before, last = how
            if before:
                made = _STEPS[last](self._made(tuple(before)), self._calibration)
            else:
                made = self._tensorflow(last)
            self._written[how] = made
        return self._written[how]

    def _tensorflow(self, name: str) -> bytes:
        """Returns what TensorFlow's converter makes of the model, tidied."""
        with tempfile.TemporaryDirectory() as folder:
            saved = _saved_model(self._model, pathlib.Path(folder))
            converter = tf.lite.TFLiteConverter.from_saved_model(saved)
            if name == "float16":
                converter.optimizations = [tf.lite.Optimize.DEFAULT]
                converter.target_spec.supported_types = [tf.float16]
            if name == "int8":
                converter.optimizations = [tf.lite.Optimize.DEFAULT]
                converter.representative_dataset = self._representative
                converter.target_spec.supported_ops = [
                    tf.lite.OpsSet.TFLITE_BUILTINS_INT8
                ]
            with warnings.catch_warnings():
                # The converter calibrates with the runtime it warns of.
                warnings.filterwarnings("ignore", ".*Interpreter is deprecated")
                return flatbuffer.tidy(converter.convert())

    def _representative(self) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
        examples = self._calibration
        assert examples is not None  # int8 needs it
        inputs = examples.inputs
        for i in range(len(examples)):
            yield "serving_default", {k: x[i : i + 1] for k, x in inputs.items()}

    def _packed(self, name: str, dense: bytes) -> bytes:
        """Returns the sparse form of a dense file, where it is smaller."""
        packing = sparse.pack(dense)
        if packing.barred:
            self.notes[name] = (
                f"{packing.barred} of the kernels would be smaller unpacked at load, "
                "which ARM and WebAssembly may compute wrongly behind a 3 × 3 "
                "convolution of stride 2 on 3 channels"
            )
        if set(packing.layouts) <= {"dense"} or len(packing.file) >= len(dense):
            kind = "1 × 16 blocks" if FORMATS[name].calibrated else "kernels"
            why = f"; {self.notes[name]}" if packing.barred else ""
            raise NotApplicable(
                f"no {kind} of zeros make this file smaller than dense{why}"
            )
        return packing.file


def _narrowed(file: bytes, calibration: Examples | None) -> bytes:
    file, count = narrowing.narrowed(file)
    if not count:
        raise NotApplicable(
            f"no dense layer has {narrowing.SMALLEST:,} weights or more"
        )
    return file


def _rounded(file: bytes, calibration: Examples | None) -> bytes:
    assert calibration is not None  # int8 needs it before
    return rounding.coarsest(file, calibration)[0]


def _stored(file: bytes, calibration: Examples | None) -> bytes:
    file, count = storing.stored(file)
    if not count:
        raise NotApplicable(f"no kernel has {storing.SMALLEST:,} weights or more")
    return file


_STEPS = {"narrowed": _narrowed, "rounded": _rounded, "stored": _stored}


def _saved_model(model: keras.Model, folder: pathlib.Path) -> str:
    """Writes a SavedModel whose signature takes one example, and returns its folder.

    Converting the Keras model directly, or its plain `tf.saved_model.save`, loses the
    weights without a word.
    """
    names = list(shapes(model))
    output = source(model.outputs[0]).operation.name

    @tf.function(
        autograph=False,
        input_signature=[
            tf.TensorSpec(shape, tf.float32, name=name)
            for name, shape in shapes(model).items()
        ],
    )
    def serve(*inputs):
        given = arranged(model, dict(zip(names, inputs, strict=True)))
        return {output: model(given, training=False)}

    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serving_default", serve)
    archive.write_out(str(folder), verbose=False)
    return str(folder)
