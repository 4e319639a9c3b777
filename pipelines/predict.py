"""Says of drawings that the tablet saved whether they are shaky.

python -m pipelines.predict runs/NAME drawing.json
"""

import pathlib
from typing import TYPE_CHECKING

import click

from commands.cli import Command, InputError, quietly

from .evaluate import CLASSES

if TYPE_CHECKING:
    import numpy as np


def run(model: pathlib.Path, drawings: list[pathlib.Path]) -> "np.ndarray":
    """Classifies drawings.

    Args:
        model: a run's folder, or a .tflite file.
        drawings: files, see `drawing`.

    Returns:
        probabilities, float32, shape (n, 2): of regular and of shaky.

    Raises:
        InputError: a file is missing, damaged or of another kind.
    """
    with quietly():
        import numpy as np

        from . import drawing

    images = np.stack([drawing.picture(file) for file in drawings])
    images = (images / 255).astype("float32")
    if model.suffix == ".tflite":
        return _in_litert(model, images)
    with quietly():
        from . import checkpoint

    return checkpoint.read_model(model / "model.keras").predict(images, verbose=0)


def _in_litert(file: pathlib.Path, images: "np.ndarray") -> "np.ndarray":
    if not file.is_file():
        raise InputError(
            f"no {str(file)!r}: give a run's folder, or a file that export.convert "
            "wrote"
        )
    with quietly():
        from export import card, runtime

    try:
        card.verify(file.read_bytes())
        answers, _ = runtime.run(file, "on", {"image": images})
    except (ValueError, runtime.RuntimeFailure) as failure:
        raise InputError(f"{str(file)!r} does not run: {failure}") from None
    return answers


@click.command(cls=Command)
@click.argument(
    "model", metavar="RUN_DIR|TFLITE", type=click.Path(path_type=pathlib.Path)
)
@click.argument(
    "drawings",
    metavar="DRAWING.json…",
    nargs=-1,
    required=True,
    type=click.Path(path_type=pathlib.Path),
)
def main(model: pathlib.Path, drawings: tuple[pathlib.Path, ...]) -> None:
    """Say of drawings that the tablet saved whether they are shaky."""
    for file, answer in zip(drawings, run(model, list(drawings)), strict=True):
        label = CLASSES[answer.argmax()]
        click.echo(f"{file}: {label}, probability of shaky {100 * answer[1]:.1f} %")


if __name__ == "__main__":
    main()
