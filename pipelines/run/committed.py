"""The network that comes with the project, which the tablet has, too."""

import pathlib

from commands.cli import InputError

FOLDER = pathlib.Path(__file__).parents[2] / "mobile_demo" / "model" / "sparse"


def file() -> pathlib.Path:
    """Returns the smallest exported file of it.

    Raises:
        InputError: there is none.
    """
    files = sorted(FOLDER.glob("*.tflite"), key=lambda file: file.stat().st_size)
    if not files:
        raise InputError(
            f"no network in {str(FOLDER)!r}: give a run, or a .tflite file"
        )
    return files[0]
