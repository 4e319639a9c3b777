"""Where a run's folder has its model."""

import pathlib

from commands.cli import InputError

MODEL = "model.keras"


def model_file(path: pathlib.Path) -> pathlib.Path:
    """Returns the .keras file in a run's folder, or the file itself.

    Raises:
        InputError: there is none.
    """
    file = path / MODEL if path.is_dir() else path
    if not file.is_file():
        what = f"no {MODEL} in {str(path)!r}" if path.is_dir() else f"no {str(path)!r}"
        inside = min(path.glob(f"*/{MODEL}"), default=None)
        such = f", such as {str(inside.parent)!r}" if inside else ""
        raise InputError(
            f"{what}: give a folder that pipelines.train wrote, or a .keras file{such}"
        )
    return file
