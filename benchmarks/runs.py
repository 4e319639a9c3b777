"""Training runs that figures are taken from, and the files they end in."""

import json
import pathlib
from typing import TYPE_CHECKING, Any

from export import convert
from export.command import REPORT
from pipelines.run.config import TrainConfig
from pipelines.training import launch

if TYPE_CHECKING:
    from pipelines.images.images import Images


def finished(config: TrainConfig, folder: pathlib.Path) -> dict[str, Any]:
    """Returns the metrics of a run; trains it, or goes on, where it is not finished."""
    return launch.run(config, folder, resume=(folder / "config.json").exists())


FORMATS = ("float16", "int8", "int4", "float32-sparse", "int8-sparse")
"""Those that can be a model's smallest file; float16 where int8 is refused."""


def shipped(folder: pathlib.Path) -> pathlib.Path:
    """Exports a model; returns the smallest file that passed."""
    report = folder / "export" / REPORT
    if not report.exists():
        convert.run(folder, formats=FORMATS, quiet=True)
    rows = [row for row in json.loads(report.read_text("utf-8")) if row["file"]]
    return folder / "export" / min(rows, key=lambda row: row["bytes"])["file"]


def accuracy(file: pathlib.Path, images: "Images", name: str = "image") -> float:
    """Returns the share of images that a file, its input of that name, gets right."""
    from export import runtime

    right = 0
    for part in range(0, len(images), 2000):
        batch = images.image[part : part + 2000].astype("float32") / 255
        answers, _ = runtime.run(file, "on", {name: batch})
        right += int((answers.argmax(-1) == images.label[part : part + 2000]).sum())
    return right / len(images)
