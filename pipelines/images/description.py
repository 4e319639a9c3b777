"""What a dataset's folder says of itself, checked before TensorFlow Datasets reads it.

TFDS believes what it reads: it imports the Python modules that features.json names, and
reads the files that dataset_info.json points to, wherever they are.
"""

import json
import pathlib
from typing import Any

import tensorflow_datasets as tfds
from google.protobuf import json_format
from tensorflow_datasets.core.proto import dataset_info_pb2, feature_pb2

from commands.cli import InputError
from shaky_letters.shaky_letters_dataset_builder import Builder

_KINDS = (
    *(tfds.features.ClassLabel, tfds.features.FeaturesDict),
    *(tfds.features.Image, tfds.features.Tensor),
)
_CLASSES = {f"{kind.__module__}.{kind.__qualname__}" for kind in _KINDS}
_CONTENTS = {"class_label", "features_dict", "image", "tensor"}
_FORMAT = "tfrecord"
_FILES = "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}"  # TFDS's own names of them


def check(folder: pathlib.Path) -> None:
    """Makes sure that a folder holds a dataset of ours, and files of its own.

    Args:
        folder: of a dataset, with dataset_info.json in it.

    Raises:
        InputError: it holds another dataset, or refers to what is not part of it.
        json_format.ParseError, OSError, ValueError: it is damaged.
    """
    info = dataset_info_pb2.DatasetInfo()
    json_format.ParseDict(_content(folder / "dataset_info.json"), info)
    wanted = (Builder.name, str(Builder.VERSION))
    found = (info.name, info.version)
    if found != wanted:
        raise InputError(
            f"{str(folder)!r} holds {' '.join(found)[:80]!r}, this program reads "
            f"{' '.join(wanted)}: run 'tfds build shaky_letters' again"
        )
    for split in info.splits:
        names = split.filepath_template, info.file_format
        if names != (_FILES, _FORMAT) or not split.name.isidentifier():
            raise InputError(
                f"dataset_info.json in {str(folder)!r} names {info.file_format[:80]!r} "
                f"files {split.filepath_template[:80]!r} of {split.name[:80]!r}, not "
                f"{_FORMAT!r} files {_FILES!r}: run 'tfds build shaky_letters' again"
            )
    features = feature_pb2.Feature()
    json_format.ParseDict(_content(folder / "features.json"), features)
    _check_feature(features, folder)


def _content(file: pathlib.Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text("utf-8"))
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not isinstance(content, dict):
        raise ValueError(f"a {type(content).__name__}")
    return content


def _check_feature(feature: feature_pb2.Feature, folder: pathlib.Path) -> None:
    """Makes sure that a feature, with those inside it, is one that ours consist of."""
    name, content = feature.python_class_name, feature.WhichOneof("content")
    if name not in _CLASSES or content not in _CONTENTS:
        raise InputError(
            f"features.json in {str(folder)!r} names {name[:80]!r}, which no dataset "
            "of ours has: run 'tfds build shaky_letters' again"
        )
    if content != "features_dict":
        return
    for key, inner in feature.features_dict.features.items():
        if not key.isidentifier():  # part of the name of a file with labels
            raise ValueError(f"a feature called {key!r}")
        _check_feature(inner, folder)
