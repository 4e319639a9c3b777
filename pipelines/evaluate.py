"""Measures a finished run on images it was not trained on.

python -m pipelines.evaluate runs/NAME --split test_unseen
"""

import json
import pathlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from commands.cli import Command, InputError, quietly, told
from commands.files import read_json, write_json
from commands.folder import make

from .collection import ON_ERROR
from .images.datasets import SPLITS, is_own
from .run.folder import METRICS, read_config

if TYPE_CHECKING:
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
        on_error: one of `collection.ON_ERROR`, for drawings of one's own.

    Returns:
        dataset, split, name (of its files: the split's, with the dataset's in front
        if the run trained on another), labels (the classes' names), the fields of
        `scores.Scores`, temperature (see `calibration`), and uncalibrated: the
        `scores.Calibration` there would be without it; of the set `hands` also curves,
        see `figures.curves`.

    Raises:
        InputError: the folder holds no finished run, or a file is damaged.
    """
    trained_on = read_config(folder)["dataset"]
    dataset = dataset or trained_on
    with quietly():
        from .figures import curves, evaluation
        from .images import data
        from .images.source import Generated
        from .run import answers, calibration, handover
        from .run.model import read_model

    model = read_model(folder / "model.keras")
    labels, temperature = handover.read_labels(folder), _temperature(folder)
    size = model.input_shape[1]
    if is_own(dataset):
        own = _own(folder, dataset, trained_on, split, labels, on_error, size)
        split, images, same = own
    else:
        _check_classes(folder, labels, dataset, Generated.classes)
        images, same = data.load(data.prepare(dataset), split), dataset == trained_on
        if images.size != size:
            raise InputError(
                f"the network in {str(folder)!r} takes pictures of {size} pixels, and "
                f"{dataset!r} has some of {images.size}: give what it was trained on, "
                "or drawings of your own"
            )
    probabilities = answers.outputs(model, images)
    if len(labels) != probabilities.shape[1]:
        raise InputError(
            f"the model in {str(folder)!r} gives {probabilities.shape[1]} answers, and "
            f"{len(labels)} classes are named beside it: train it again"
        )
    before = calibration.rescaled(probabilities, 1 / temperature)
    known = labels, images.label, images.person
    by = {}
    if images.known:
        shaky = probabilities.argmax(1) == 1
        by = {"curves": curves.curves(images.known, images.label, shaky)}
    return {
        "dataset": dataset,
        "split": split,
        "name": split if same else f"{pathlib.Path(dataset).resolve().name}-{split}",
        **evaluation.figures(*known, probabilities, before),
        "temperature": temperature,
        **by,
    }


def _own(
    folder: pathlib.Path,
    dataset: str,
    trained_on: str,
    split: str,
    labels: tuple[str, ...],
    on_error: str,
    size: int,
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
    drawings = collection.read(pathlib.Path(dataset), on_error, size)
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


def write(folder: pathlib.Path, result: dict[str, Any]) -> None:
    """Writes the result as NAME.json and a picture, NAME.png, into a folder.

    Of the set `hands` there is a second picture, NAME-curves.png.

    Raises:
        OSError: they cannot be written.
    """
    with quietly():
        from .figures import curves, diagrams

    make(folder)
    write_json(folder / f"{result['name']}.json", result)
    diagrams.draw(folder / f"{result['name']}.png", result)
    if "curves" in result:
        curves.draw(folder / f"{result['name']}-curves.png", result["curves"])


@click.command(cls=Command, context_settings={"show_default": True})
@click.argument("run_dir", type=click.Path(path_type=pathlib.Path))
@click.option("--split", type=click.Choice(SPLITS), default="test")
@click.option(
    "--dataset",
    metavar="letters|shapes|drawings|hands|DIR",
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
    from .figures import curves, evaluation

    report = evaluation.report(result)
    if "curves" in result:
        report += "\n" + curves.text(result["curves"])
    click.echo(json.dumps(result, indent=2) if as_json else report)
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
        files = [f"{result['name']}.json", f"{result['name']}.png"]
        files += [f"{result['name']}-curves.png"] if "curves" in result else []
        click.echo(f"\nin {folder}: {', '.join(files)}")


if __name__ == "__main__":
    main()
