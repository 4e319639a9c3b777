"""Measures a finished run on images it was not trained on.

python -m pipelines.evaluate runs/NAME --split test_unseen
"""

import pathlib
from typing import TYPE_CHECKING, Any

import click

from commands.cli import Command, quietly

from .config import read_config

if TYPE_CHECKING:
    import keras

    from .data import Images

SPLITS = ("test", "test_unseen", "test_large")
CLASSES = ("regular", "shaky")


def run(folder: pathlib.Path, split: str, dataset: str | None = None) -> dict[str, Any]:
    """Measures a run's hardened model.

    Args:
        folder: the run's folder.
        split: which images.
        dataset: what `pipelines.train` takes; by default what the run trained on.

    Returns:
        split, images, accuracy, and confusion: a row for each true class, a column
        for each answer.

    Raises:
        InputError: the folder holds no finished run, or a file is damaged.
    """
    config = read_config(folder)
    with quietly():
        from . import checkpoint, data

    model = checkpoint.read_model(folder / "model.keras")
    images = data.load(data.prepare(dataset or config["dataset"]), split)
    answers = classify(model, images)
    confusion = [
        [int(((images.label == true) & (answers == answer)).sum()) for answer in (0, 1)]
        for true in (0, 1)
    ]
    return {
        "split": split,
        "images": len(images),
        "accuracy": float((answers == images.label).mean()),
        "confusion": confusion,
    }


def classify(model: "keras.Model", images: "Images") -> Any:
    """Returns the model's answer to each image: 0 regular, 1 shaky, shape (n,)."""
    return outputs(model, images).argmax(-1)


def outputs(model: "keras.Model", images: "Images") -> Any:
    """Returns what a model gives for each image, shape (n, …)."""
    from . import data, device

    model.jit_compile = device.detect().jit_compile
    return model.predict(data.batches(images), verbose=0)


def report(result: dict[str, Any]) -> str:
    """Returns the result as a table."""
    accuracy = f"{100 * result['accuracy']:.2f} %"
    lines = [
        f"{result['split']}: {result['images']:,} images, accuracy {accuracy}",
        "",
        f"{'true class':12}" + "".join(f"{'→ ' + c:>12}" for c in CLASSES),
    ]
    for name, row in zip(CLASSES, result["confusion"]):
        lines.append(f"{name:12}" + "".join(f"{count:12,}" for count in row))
    return "\n".join(lines)


@click.command(cls=Command, context_settings={"show_default": True})
@click.argument("run_dir", type=click.Path(path_type=pathlib.Path))
@click.option("--split", type=click.Choice(SPLITS), default="test")
@click.option(
    "--dataset",
    metavar="letters|shapes|drawings|DIR",
    help="[default: what the run was trained on]",
)
def main(run_dir: pathlib.Path, split: str, dataset: str | None) -> None:
    """Measure a finished run on images it was not trained on."""
    click.echo(report(run(run_dir, split, dataset)))


if __name__ == "__main__":
    main()
