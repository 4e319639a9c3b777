"""What a run leaves for export, which knows nothing of runs and datasets.

`rvsm_tf.litert.source` says what is expected: images.npz with examples as the network
takes them, about.json with what the exported files shall say about themselves, and
reference.keras, the network that a compacted one was cut from.
"""

import pathlib
from typing import Any

import keras
import numpy as np

from commands.cli import InputError
from commands.files import read_json, replacing, write_json
from rvsm_tf.litert.source import ABOUT, FEWEST
from shaky_letters import canonical, raster
from shaky_letters.examples import CLASSES
from shaky_letters.pen import Hands

from ..images.images import SIZES, Images
from .config import TrainConfig

_CALIBRATION = 500  # training images; int8's ranges change no more beyond that


def write(
    folder: pathlib.Path,
    config: TrainConfig,
    classes: tuple[str, ...],
    metrics: dict[str, Any],
    train: Images,
    test: Images,
) -> None:
    """Writes images.npz and about.json into a run's folder."""
    with (
        replacing(folder / "images.npz") as draft,
        open(draft, "wb") as file,
    ):
        np.savez_compressed(
            file,
            calibration=_calibration(train.image) // 255,
            test=test.image // 255,
            test_label=test.label,
        )
    write_json(folder / ABOUT, about(config, classes, metrics, train.size))


def write_reference(folder: pathlib.Path, dense: keras.Model) -> None:
    """Writes the dense network that latencies are compared with into a run's folder."""
    with replacing(folder / "reference.keras") as draft:
        dense.save(draft)


def _calibration(image: np.ndarray) -> np.ndarray:
    """Returns images to take int8's ranges from; very few are taken more than once."""
    return np.resize(image, (max(len(image), FEWEST), *image.shape[1:]))[:_CALIBRATION]


def read_labels(folder: pathlib.Path) -> tuple[str, ...]:
    """Returns the classes that a finished run tells apart, by label.

    Raises:
        InputError: the file that says so is damaged.
    """
    file = folder / ABOUT
    if not file.is_file():  # as runs of an earlier version have none
        return CLASSES
    labels = read_json(file).get("labels")
    if not (isinstance(labels, list) and all(isinstance(x, str) for x in labels)):
        raise InputError(f"{str(file)!r} is damaged: train again into a new folder")
    return tuple(labels)


def read_size(folder: pathlib.Path) -> int:
    """Returns the size of the pictures that a finished run's network takes.

    Raises:
        InputError: the file that says so is damaged.
    """
    file = folder / ABOUT
    if not file.is_file():  # as runs of an earlier version have none
        return raster.SIZE
    told = read_json(file).get("preprocessing", {})
    size = told.get("width", raster.SIZE) if isinstance(told, dict) else None
    if size not in SIZES:
        raise InputError(f"{str(file)!r} is damaged: train again into a new folder")
    return size


def about(
    config: TrainConfig, classes: tuple[str, ...], metrics: dict[str, Any], size: int
) -> dict[str, Any]:
    """Returns the labels, the way from ink to input, and how training went."""
    canonically = size == canonical.SIZE
    pen = (canonical.PEN, canonical.PEN) if canonically else Hands().width
    kept = ("sparsity", "test_accuracy", "test_large_accuracy", "epochs", "seed")
    return {
        "labels": list(classes),
        "preprocessing": {
            "width": size,
            "height": size,
            "ink": 1.0,
            "background": 0.0,
            "threshold": 0.5,
            "line_width": list(pen),
        },
        "training": {
            "dataset": config.dataset,
            **_method(config),
            # Each figure in every file: a digit more is a byte more.
            **{k: _short(metrics[k]) for k in kept if metrics[k] is not None},
        },
    }


def _method(config: TrainConfig) -> dict[str, Any]:
    if config.tune == "head":
        return {"method": "head"}
    if config.method == "magnitude":
        return {"method": config.method}
    return {
        **({"method": config.method} if config.method != "rvsm" else {}),
        "penalty": config.penalty,
        **config.shape,
    }


def _short(figure: Any) -> Any:
    return round(figure, 5) if isinstance(figure, float) else figure
