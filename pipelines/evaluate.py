"""Measures a finished run on images it was not trained on.

python -m pipelines.evaluate runs/NAME --split test_unseen
"""

import dataclasses
import json
import pathlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from commands.cli import Command, InputError, quietly, told
from commands.files import read_json, write_json
from commands.folder import make

from .run.config import METRICS, ON_ERROR, SPLITS, is_own, read_config

if TYPE_CHECKING:
    import keras
    import numpy as np

    from .images.images import Images

EVALUATION = "evaluation"
"""The folder, in a run's, that the figures are written into."""


def run(
    folder: pathlib.Path,
    split: str = "test",
    dataset: str | None = None,
    on_error: str = ON_ERROR[0],
) -> dict[str, Any]:
    """Measures a run's hardened model.

    Args:
        folder: the run's folder.
        split: which images, of a generated set. Of the drawings that the run trained
            on there is the split test alone; of other ones all are measured, and the
            split is called "all".
        dataset: what `pipelines.train` takes; by default what the run trained on.
        on_error: one of `config.ON_ERROR`, for drawings of one's own.

    Returns:
        dataset, split, name (of its files: the split's, with the dataset's in front
        if the run trained on another), labels (the classes' names), the fields of
        `scores.Scores`, temperature (see `calibration`), and uncalibrated: the
        `scores.Calibration` there would be without it.

    Raises:
        InputError: the folder holds no finished run, or a file is damaged.
    """
    trained_on = read_config(folder)["dataset"]
    dataset = dataset or trained_on
    with quietly():
        from .images import data
        from .images.source import Generated
        from .run import calibration, checkpoint, handover

    model = checkpoint.read_model(folder / "model.keras")
    labels, temperature = handover.read_labels(folder), _temperature(folder)
    if is_own(dataset):
        split, images, same = _own(folder, dataset, trained_on, split, labels, on_error)
    else:
        _check_classes(folder, labels, dataset, Generated.classes)
        images, same = data.load(data.prepare(dataset), split), dataset == trained_on
    probabilities = outputs(model, images)
    if len(labels) != probabilities.shape[1]:
        raise InputError(
            f"the model in {str(folder)!r} gives {probabilities.shape[1]} answers, and "
            f"{len(labels)} classes are named beside it: train it again"
        )
    before = calibration.rescaled(probabilities, 1 / temperature)
    return {
        "dataset": dataset,
        "split": split,
        "name": split if same else f"{pathlib.Path(dataset).resolve().name}-{split}",
        **figures(labels, images.label, images.person, probabilities, before),
        "temperature": temperature,
    }


def figures(
    classes: tuple[str, ...],
    label: "np.ndarray",
    person: "np.ndarray | None",
    probabilities: "np.ndarray",
    before: "np.ndarray",
) -> dict[str, Any]:
    """Returns labels, the fields of `scores.Scores`, and uncalibrated; see `run`.

    Args:
        classes: their names.
        label: the true classes, shape (n,).
        person: who drew each image, shape (n,); None if that is not known.
        probabilities: shape (n, classes).
        before: the same as they were before the temperature.
    """
    with quietly():
        from .figures import scores

    return {
        "labels": list(classes),
        **dataclasses.asdict(scores.scores(label, probabilities, classes, person)),
        "uncalibrated": dataclasses.asdict(scores.calibration(label, before)),
    }


def _own(
    folder: pathlib.Path,
    dataset: str,
    trained_on: str,
    split: str,
    labels: tuple[str, ...],
    on_error: str,
) -> tuple[str, "Images", bool]:
    """Returns drawings that the run was not trained on.

    Returns:
        what to call them, the drawings, and whether the run was trained on others of
        the same folder.
    """
    from .collection import collection
    from .images import division

    if split != "test":
        raise InputError(f"--split {split}: drawings of your own have the split test")
    drawings = collection.read(pathlib.Path(dataset), on_error)
    _check_classes(folder, labels, dataset, drawings.found.classes)
    own = pathlib.Path(trained_on)
    same = own.is_dir() and own.samefile(dataset)
    images = division.unseen(drawings, folder, same)
    if drawings.anonymous:
        click.echo(drawings.anonymous, err=True)
    return ("test" if same else "all"), images, same


def _check_classes(
    folder: pathlib.Path, labels: tuple[str, ...], dataset: str, classes: Sequence[str]
) -> None:
    if tuple(classes) != labels:
        raise InputError(
            f"the run in {str(folder)!r} tells {', '.join(labels)} apart, and "
            f"{dataset!r} has {', '.join(classes)}: give a dataset with the same"
        )


def _temperature(folder: pathlib.Path) -> float:
    """Returns what the logits of a run's model were divided by."""
    file = folder / METRICS
    if not file.is_file():
        raise InputError(
            f"the run in {str(folder)!r} is not finished: it has no {METRICS}; "
            "continue it with --resume"
        )
    return read_json(file).get("temperature", 1.0)  # an earlier version had none


def classify(model: "keras.Model", images: "Images") -> "np.ndarray":
    """Returns the model's answer to each image, a class's number, shape (n,)."""
    return outputs(model, images).argmax(-1)


def outputs(model: "keras.Model", images: "Images") -> "np.ndarray":
    """Returns what a model gives for each image, shape (n, …)."""
    from .devices import device
    from .images import data

    model.jit_compile = device.detect().jit_compile
    return model.predict(data.batches(images), verbose=0)


def report(result: dict[str, Any]) -> str:
    """Returns the result as tables."""
    labels = result["labels"]
    right = _percent(result["accuracy"], result["accuracy_interval"])
    by = f" by {result['persons']:,} persons" if result["persons"] else ""
    lines = [f"{result['split']}: {result['images']:,} images{by}, accuracy {right}"]
    width = max(10, *map(len, labels)) + 2
    head = "".join(f"{'→ ' + label:>{width + 2}}" for label in labels)
    lines += ["", f"{'true class':{width}}{head}"]
    for label, row in zip(labels, result["confusion"]):
        counts = "".join(f"{count:{width + 2},}" for count in row)
        lines.append(f"{label:{width}}{counts}")
    rows = []
    for one in result["classes"]:
        for name in ("sensitivity", "specificity"):
            figures = one[name], one[f"{name}_interval"]
            rows.append((f"{name}, {one['label']}", _percent(*figures)))
        figures = one["auc"], one["auc_interval"]
        rows.append((f"area under ROC, {one['label']}", _share(*figures)))
    now, before = result["calibration"], result["uncalibrated"]
    error, brier = (f"{100 * now['error']:.2f} %", f"{now['brier']:.4f}")
    if result["temperature"] != 1:
        t = f"; before temperature {result['temperature']:.4g}:"
        error += f"{t} {100 * before['error']:.2f} %"
        brier += f"{t} {before['brier']:.4f}"
    rows += [("calibration error", error), ("Brier score", brier)]
    width = max(len(name) for name, _ in rows)
    return "\n".join(
        [*lines, "", *(f"{name:<{width}}  {value}" for name, value in rows)]
    )


def _percent(value: float | None, interval: tuple[float, float] | None) -> str:
    if value is None:
        return "-"
    between = " (no interval: one person)"
    if interval:
        between = f" ({100 * interval[0]:.1f} to {100 * interval[1]:.1f} %)"
    return f"{100 * value:.2f} %{between}"


def _share(value: float | None, interval: tuple[float, float] | None) -> str:
    if value is None:
        return "-"
    between = " (no interval: one person)"
    if interval:
        between = f" ({interval[0]:.3f} to {interval[1]:.3f})"
    return f"{value:.4f}{between}"


def write(folder: pathlib.Path, result: dict[str, Any]) -> None:
    """Writes the result as NAME.json and a picture, NAME.png, into a folder.

    Raises:
        OSError: they cannot be written.
    """
    with quietly():
        from .figures import diagrams

    make(folder)
    write_json(folder / f"{result['name']}.json", result)
    diagrams.draw(folder / f"{result['name']}.png", result)


@click.command(cls=Command, context_settings={"show_default": True})
@click.argument("run_dir", type=click.Path(path_type=pathlib.Path))
@click.option("--split", type=click.Choice(SPLITS), default="test")
@click.option(
    "--dataset",
    metavar="letters|shapes|drawings|DIR",
    help="[default: what the run was trained on]",
)
@click.option(
    "--output",
    type=click.Path(path_type=pathlib.Path),
    metavar="DIR",
    help=f"Folder for figures and picture.  [default: {EVALUATION} in the run's]",
)
@click.option(
    "--on-error",
    type=click.Choice(ON_ERROR),
    default=ON_ERROR[0],
    help="Name files of your own that hold no drawing and leave them out, or stop.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def main(
    run_dir: pathlib.Path,
    split: str,
    dataset: str | None,
    output: pathlib.Path | None,
    on_error: str,
    as_json: bool,
) -> None:
    """Measure a finished run on images it was not trained on."""
    result = run(run_dir, split, dataset, on_error)
    click.echo(json.dumps(result, indent=2) if as_json else report(result))
    folder = output or run_dir / EVALUATION
    try:
        write(folder, result)
    except OSError as error:
        # A finished run may lie where nobody writes; who names a folder expects it.
        if output or told(error) is None:
            raise
        click.echo(f"No picture is written: {error}", err=True)
        return
    if not as_json:
        click.echo(f"\nin {folder}: {result['name']}.json, {result['name']}.png")


if __name__ == "__main__":
    main()
