"""The networks that come with the project, which the tablet has, too."""

import pathlib

from commands.cli import InputError

NAME = "hands"
"""What `pipelines.train` calls the sparse one, to start from."""

_FOLDER = pathlib.Path(__file__).parents[2] / "mobile_demo" / "model"

RUN = _FOLDER / "sparse"
"""The sparse one's folder, as that of any run, to start from."""


def file(name: str = "sparse") -> pathlib.Path:
    """Returns the smallest exported file of one of them.

    Args:
        name: "sparse" or "dense".

    Raises:
        InputError: there is none.
    """
    folder = _FOLDER / name
    files = sorted(folder.glob("*.tflite"), key=lambda file: file.stat().st_size)
    if not files:
        raise InputError(
            f"no network in {str(folder)!r}: give a run, or a .tflite file"
        )
    return files[0]
