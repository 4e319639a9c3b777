"""What `--dataset` takes: the name of a generated set, or a folder."""

import pathlib

from commands.cli import InputError

DATASETS = ("letters", "shapes", "drawings", "hands")
SPLITS = ("test", "test_unseen", "test_large")
"""Of the generated sets, to measure on; of drawings of one's own the first alone."""


def is_own(dataset: str) -> bool:
    """Whether a dataset is somebody's own drawings; the others are generated."""
    folder = pathlib.Path(dataset)
    generated = dataset in DATASETS or (folder / "dataset_info.json").is_file()
    return not generated and folder.is_dir()


def check_dataset(dataset: str) -> None:
    """Makes sure that a dataset is one of ours, or a folder.

    Raises:
        InputError: it is neither.
    """
    if dataset not in DATASETS and not pathlib.Path(dataset).is_dir():
        raise InputError(
            f"no dataset {dataset!r}: choose from {', '.join(DATASETS)}, or give a "
            "folder: of drawings, with a folder for each class, or one that 'tfds "
            "build shaky_letters' made"
        )
