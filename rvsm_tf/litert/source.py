"""What is exported: a hardened Keras model, and what is known about it.

Beside a .keras file may lie:

- images.npz: `calibration`, inputs that int8's ranges are taken from; `test` and
  `test_label`, inputs to check the files on. Values as the network takes them. A
  model with several inputs has `calibration/NAME` and `test/NAME` for each.
- about.json: `labels`, `preprocessing` and `training`, for the card in the file.
- reference.keras: the dense network that a compacted one was cut from, to compare
  latencies with; without it that is the model itself, as it is.
"""

import dataclasses
import os
import pathlib
from typing import Any

import keras
import numpy as np

from rvsm_tf import RVSM
from rvsm_tf.copying import Part, rebuild, renewed
from rvsm_tf.inside import inner_layers

from . import models
from .base import archive
from .base.cli import InputError
from .base.files import read_json

IMAGES, ABOUT, REFERENCE = "images.npz", "about.json", "reference.keras"

FEWEST = 16
"""Examples that int8's ranges are taken from, at least."""

LARGEST = 4 << 30
"""Bytes that examples may take in memory; zeros by the gigabyte zip to nothing."""

_RANDOM = 64  # examples to check files on when there are no real ones


@dataclasses.dataclass(frozen=True)
class Examples:
    """Inputs of a model.

    Attributes:
        inputs: float32, by the inputs' names, each of shape (n, …).
        label: the right answers, shape (n,); None if not known.
    """

    inputs: dict[str, np.ndarray]
    label: np.ndarray | None = None

    def __len__(self) -> int:
        return len(next(iter(self.inputs.values())))


@dataclasses.dataclass(frozen=True)
class Source:
    """A model to export.

    Attributes:
        model: a plain Keras model of one output, in float32.
        calibration: None if there are no real examples.
        test: real examples, or random ones between 0 and 1.
        about: contents of about.json, empty if there is none.
        reference: the model that latencies are compared with.
    """

    model: keras.Model
    calibration: Examples | None
    test: Examples
    about: dict[str, Any]
    reference: keras.Model


def shapes(model: keras.Model) -> dict[str, tuple[int, ...]]:
    """Returns the shape of one example, a batch of 1, by input."""
    return {tensor.name: (1, *tensor.shape[1:]) for tensor in model.inputs}


def arranged(model: keras.Model, inputs: dict[str, Any]) -> Any:
    """Returns inputs that are known by name in the structure that the model takes."""
    if isinstance(model, keras.Sequential):
        return inputs[model.inputs[0].name]
    return keras.tree.map_structure(lambda tensor: inputs[tensor.name], model.input)


def predict(model: keras.Model, examples: Examples) -> np.ndarray:
    """Returns what Keras answers, float32, shape (n, …)."""
    return model.predict(arranged(model, examples.inputs), verbose=0)


def read(
    model: keras.Model | str | os.PathLike, images: pathlib.Path | None = None
) -> Source:
    """Reads a .keras file, or takes a model as it is.

    Args:
        model: the file or the model.
        images: examples; by default images.npz beside the file, if it is there.

    Raises:
        InputError: something is missing, damaged, or cannot be exported.
    """
    if isinstance(model, keras.Model):
        given = _exportable(model, model.name)
        return Source(given, *_examples(given, images), about={}, reference=given)
    file = pathlib.Path(model)
    given = _exportable(load(file), str(file))
    if images is None and file.with_name(IMAGES).exists():
        images = file.with_name(IMAGES)
    about, reference = file.with_name(ABOUT), file.with_name(REFERENCE)
    return Source(
        given,
        *_examples(given, images),
        about=read_json(about) if about.exists() else {},
        reference=_in_float32(load(reference)) if reference.exists() else given,
    )


def load(file: pathlib.Path) -> keras.Model:
    """Returns the plain Keras model in a .keras file.

    Raises:
        InputError: it is missing, damaged, or was not hardened.
    """
    if not file.is_file():
        raise InputError(f"no {str(file)!r}: give a .keras file")
    try:
        model = models.load(file, compile=False)
    except models.Damaged:
        raise InputError(
            f"{str(file)!r} is not a Keras model, or damaged: give a .keras file that "
            "model.save wrote"
        ) from None
    if isinstance(model, RVSM):
        raise InputError(
            f"{str(file)!r} was not hardened: it holds an RVSM model in training; save "
            "model.harden() instead"
        )
    return model


def _exportable(model: keras.Model, name: str) -> keras.Model:
    """Returns a model in float32 that has known inputs of a fixed size, and one output.

    Raises:
        InputError: it is none.
    """
    if isinstance(model, RVSM):
        raise InputError(f"{name!r} is in training: give model.harden() instead")
    inputs = getattr(model, "inputs", None)
    if not inputs or len(model.outputs) != 1:
        raise InputError(
            f"{name!r} is not a model with known inputs and one output: export a "
            "Sequential or functional classifier"
        )
    for tensor in inputs:
        if None in tensor.shape[1:]:
            raise InputError(
                f"input {tensor.name!r} of {name!r} has shape {tensor.shape}: a "
                "fixed size is needed, such as keras.Input((100, 100, 1))"
            )
    return _in_float32(model)


def _in_float32(model: keras.Model) -> keras.Model:
    """Returns the model with every layer computing in float32."""

    def replace(layer: keras.Operation) -> list[Part]:
        plain = isinstance(layer, keras.layers.Layer)  # operations have no type
        changes = {"dtype": "float32"} if plain else {}
        return [(renewed(layer, **changes), layer)]

    if all(layer.compute_dtype == "float32" for layer in [model, *inner_layers(model)]):
        return model
    return rebuild(model, replace)


def _examples(
    model: keras.Model, images: pathlib.Path | None
) -> tuple[Examples | None, Examples]:
    """Returns the examples to calibrate with, if there are any, and to check on."""
    if images is None:
        rng = np.random.default_rng(0)
        return None, Examples(
            {
                name: rng.random((_RANDOM, *shape[1:]), "float32")
                for name, shape in shapes(model).items()
            }
        )
    if not images.is_file():
        raise InputError(f"no {str(images)!r}: give the .npz file with the examples")
    refusal = InputError(
        f"{str(images)!r} is not an .npz file, or damaged: write it with "
        "numpy.savez_compressed"
    )
    if archive.unpacked(images) > LARGEST:
        raise InputError(
            f"{str(images)!r} unpacks to more than {LARGEST:,} bytes: give fewer "
            "examples"
        )
    if not archive.is_whole(images):
        raise refusal
    try:
        with np.load(images, allow_pickle=False) as file:
            arrays = dict(file)
    except (ValueError, MemoryError):
        raise refusal from None
    calibration = _part(model, images, arrays, "calibration")
    test = _part(model, images, arrays, "test")
    if len(calibration) < FEWEST:
        raise InputError(
            f"{str(images)!r} has {len(calibration)} examples to calibrate with: at "
            f"least {FEWEST} are needed"
        )
    if not len(test):
        raise InputError(f"{str(images)!r} has no examples to test on")
    return calibration, test


def _part(
    model: keras.Model, file: pathlib.Path, arrays: dict[str, np.ndarray], part: str
) -> Examples:
    inputs = {}
    for name, shape in shapes(model).items():
        key = part if len(model.inputs) == 1 else f"{part}/{name}"
        if key not in arrays:
            raise InputError(
                f"{str(file)!r} has no array {key!r}: it has {', '.join(arrays)}"
            )
        if arrays[key].shape[1:] != shape[1:]:
            raise InputError(
                f"{key!r} in {str(file)!r} has examples of shape "
                f"{arrays[key].shape[1:]}, the model takes {shape[1:]}"
            )
        inputs[name] = arrays[key].astype("float32")
    counts = {len(x) for x in inputs.values()}
    label = arrays.get(f"{part}_label")
    if label is not None:
        counts.add(len(label))
    if len(counts) > 1:
        raise InputError(f"the arrays of {part!r} in {str(file)!r} differ in length")
    return Examples(inputs, label)
