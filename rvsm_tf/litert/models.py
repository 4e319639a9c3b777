"""Keras models from files that anybody may have written.

A `.keras` file is a zip archive, and its config.json names what Keras is to build.
Keras refuses code that is stored there (`safe_mode`), but builds, and may call, nearly
anything in its own namespace, which can fetch and write files. Here a file is read only
if it is what `model.save` writes, and names nothing but parts of networks.
"""

import json
import pathlib
import sys
import textwrap
import zipfile
from collections.abc import Iterator
from typing import Any

import keras

from rvsm_tf.inside import is_internal

from .base import archive
from .base.cli import InputError

MEMBERS = ("config.json", "metadata.json", "model.weights.h5")
"""What a model's archive has; a layer that reads files of its own has more."""

CODE = {"Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"}
"""Layers that are code, or call it."""

_VALUES = {
    *("__keras_tensor__", "__tensor__", "__numpy__"),
    *("__bytes__", "__ellipsis__", "__slice__"),
}
_FUNCTIONS = {
    *("builtins", "keras.activations", "keras.constraints", "keras.initializers"),
    *("keras.losses", "keras.metrics", "keras.regularizers"),
}
_CLASSES = {
    *("keras", "keras.dtype_policies", "keras.layers", "keras.models"),
    *("keras.optimizers", "keras.optimizers.schedules", "keras.quantizers"),
    *("keras.random", *_FUNCTIONS),
}
_LOOK_UP = {"get", "serialize", "deserialize"}  # build others in turn


class Damaged(Exception):
    """A file is no `.keras` archive, or not whole."""


def load(file: pathlib.Path, compile: bool = True) -> keras.Model:
    """Returns the model in a `.keras` file; none of its bytes are run as code.

    Args:
        file: the file.
        compile: whether the model is to be ready for training, if it was.

    Raises:
        Damaged: it is no `.keras` file, or not whole.
        InputError: it holds what no network needs, or Keras cannot build it.
    """
    _check(file)
    try:
        return keras.saving.load_model(file, compile=compile, safe_mode=True)
    except Exception as error:  # there is no telling what a file makes Keras stumble on
        reason = textwrap.shorten(str(error) or type(error).__name__, 200)
        raise InputError(f"Keras cannot load {str(file)!r}: {reason}") from error


def _check(file: pathlib.Path) -> None:
    """Makes sure that a `.keras` file is whole, and names parts of networks alone.

    Raises:
        Damaged: it is no `.keras` file, or not whole.
        InputError: it holds what no network needs.
    """
    if file.suffix != ".keras":
        raise Damaged  # Keras would read it as another format
    try:
        with zipfile.ZipFile(file) as members:
            _check_members(members, file)
            config = json.loads(members.read("config.json"))
        whole = archive.is_whole(file)
    except archive.DAMAGE:
        whole = False
    if not whole or not isinstance(config, dict):
        raise Damaged
    for part in _named(config):
        _check_name(part, file)


def _check_members(members: zipfile.ZipFile, file: pathlib.Path) -> None:
    """Makes sure that an archive holds a model alone, and is as large as it says."""
    rest = members.namelist()
    if not set(MEMBERS) <= set(rest):
        raise Damaged
    for member in MEMBERS:
        rest.remove(member)
    if rest:
        raise InputError(
            f"{str(file)!r} holds {rest[0][:80]!r} besides a model, which is "
            f"{', '.join(MEMBERS)} and nothing else"
        )
    # Keras stores members as they are; a few bytes cannot become gigabytes then.
    found = members.infolist()
    stored = all(member.compress_type == zipfile.ZIP_STORED for member in found)
    if not stored or sum(m.file_size for m in found) > file.stat().st_size:
        raise InputError(
            f"{str(file)!r} was packed by another program: save the model with "
            "model.save, which does not compress"
        )


def _named(config: Any) -> Iterator[dict[str, Any]]:
    """Yields the parts of a configuration that name what is to be built."""
    parts = [config]
    while parts:
        part = parts.pop()
        if isinstance(part, dict):
            if "class_name" in part:
                yield part
            parts += part.values()
        elif isinstance(part, list):
            parts += part


def _check_name(part: dict[str, Any], file: pathlib.Path) -> None:
    name, module = part["class_name"], part.get("module")
    known = _CLASSES
    if name == "function":
        name, known = part.get("config"), _FUNCTIONS
    if name in ("__lambda__", *CODE):
        raise InputError(
            f"{str(file)!r} has a layer of code ({name.strip('_')}), which is not run: "
            "build it from Keras's other layers or keras.ops, and save it again"
        )
    if not _is_part_of_a_network(name, module, part, known):
        full = str(name) if module is None else f"{module}.{name}"
        raise InputError(
            f"{str(file)!r} names {full[:80]!r}, which is no part of a network: "
            "a model of Keras's own layers can be read"
        )


def _is_part_of_a_network(
    name: Any, module: Any, part: dict[str, Any], known: set[str]
) -> bool:
    if not isinstance(name, str) or not isinstance(module, str | None):
        return False
    if name in _VALUES:
        return True
    # What this program, or one that uses it, has registered it wants to read.
    key = name if known is _FUNCTIONS else part.get("registered_name")
    if isinstance(key, str) and keras.saving.get_registered_object(key) is not None:
        return True
    if known is _FUNCTIONS:
        return module in known and name not in _LOOK_UP
    # Keras itself takes nothing but layers and their like from its inside.
    if module is None or is_internal(module):
        return not name.startswith("__")
    return module in known and isinstance(
        getattr(sys.modules.get(module), name, None), type
    )
