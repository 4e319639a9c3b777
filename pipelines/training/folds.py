"""Trains as many times as there are folds, so that every person is tested on once."""

import pathlib
import statistics
from typing import Any

import click
import keras
import numpy as np
import tensorflow as tf

from commands.files import read_json, write_json

from ..figures import diagrams, evaluation
from ..images.division import Division
from ..run import calibration
from ..run.answers import outputs
from ..run.claim import claim
from ..run.config import TrainConfig
from ..run.folder import FOLDS, METRICS
from ..run.model import read_model
from .training import Training

PICTURE = "folds.png"


def run(
    config: TrainConfig,
    divisions: list[Division],
    output: pathlib.Path,
    quiet: bool,
    distribute: str | None,
    training: type[Training] = Training,
) -> dict[str, Any]:
    """Trains the folds that are missing, each into a folder of its own.

    Args:
        config: what to train.
        divisions: the drawings, as each fold has them.
        output: a folder for theirs: fold-1, fold-2, ….
        quiet: print nothing.
        distribute: one of `devices.DISTRIBUTIONS`, or None for one device.
        training: what trains.

    Returns:
        the contents of folds.json: what `pipelines.evaluate` writes, of all folds'
        answers as if one network had given them, with the geometric mean of the
        temperatures; sparsity, a mean; runs, each fold's metrics.

    Raises:
        InputError: the drawings have changed since the run began.
    """
    claim(output, config)
    # It would warn that the networks of several folds are traced one after the other.
    tf.get_logger().setLevel("ERROR")
    runs, tested, answers, before = [], [], [], []
    for number, division in enumerate(divisions, 1):
        folder = output / f"fold-{number}"
        folder.mkdir(exist_ok=True)
        division.begin(folder)
        if not (folder / METRICS).exists():
            if not quiet:
                click.echo(f"fold {number} of {len(divisions)}")
            training(config, folder, quiet, distribute, division).run()
            keras.backend.clear_session()
        runs.append(read_json(folder / METRICS))
        tested.append(division.load("test"))
        model = read_model(folder / "model.keras")
        answers.append(outputs(model, tested[-1]))
        t = runs[-1]["temperature"]
        before.append(calibration.rescaled(answers[-1], 1 / t))
    labels, persons = (
        np.concatenate([getattr(images, name) for images in tested])
        for name in ("label", "person")
    )
    said, uncalibrated = np.concatenate(answers), np.concatenate(before)
    result = {
        "dataset": config.dataset,
        "split": f"{len(divisions)} folds",
        **evaluation.figures(divisions[0].classes, labels, persons, said, uncalibrated),
        "temperature": statistics.geometric_mean(r["temperature"] for r in runs),
        "sparsity": statistics.mean(r["sparsity"] for r in runs),
        "runs": runs,
    }
    diagrams.draw(output / PICTURE, result)
    write_json(output / FOLDS, result)
    return result
