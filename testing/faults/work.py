"""The work that is killed, each a function that runs in a process of its own.

Importing this module takes seconds; a fork server does it once, and forks TensorFlow
before it has computed anything, which is when it can be forked.
"""

import os
import pathlib
import tempfile
import traceback
from collections.abc import Callable

# Imported here for the fork server.
import pipelines.figures.plots
import pipelines.training.training  # noqa: F401
import rvsm_tf.litert.conversion  # noqa: F401
from export import convert
from pipelines.images import data
from pipelines.run.config import TrainConfig
from pipelines.training import launch

from .. import small

SIZES = {"train": 96, "test": 20, "test_unseen": 20, "test_large": 20}
FORMATS = ("float32", "float32-sparse")


def config(made: pathlib.Path) -> TrainConfig:
    """Returns a run's: two epochs of splitting, hardening, two of fine-tuning."""
    return TrainConfig(
        dataset=str(made), penalty="l0", target_sparsity=0.9, epochs=4, batch_size=32
    )


def build(folder: pathlib.Path) -> None:
    """Builds a small dataset, and reads it."""
    builder = small.builder(folder, **SIZES)
    builder.download_and_prepare()
    assert len(data.load(builder, "train")) == SIZES["train"]


def fit(made: pathlib.Path, folder: pathlib.Path) -> None:
    """Trains and hardens, or goes on with it."""
    launch.run(config(made), folder, resume=(folder / "config.json").exists())


def write(run: pathlib.Path, folder: pathlib.Path) -> None:
    """Exports a run."""
    convert.run(run, folder, FORMATS)


def call(work: Callable, arguments: tuple, scratch: pathlib.Path) -> None:
    """Does some work; what it prints goes into a file.

    Args:
        work: one of the functions above.
        arguments: its.
        scratch: folder for the printed, and for temporary files.
    """
    printed = os.open(scratch / "printed", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for descriptor in (1, 2):
        os.dup2(printed, descriptor)
    tempfile.tempdir = os.environ["TMPDIR"] = str(scratch)
    try:
        work(*arguments)
    except Exception:
        traceback.print_exc()
        raise
