"""Who goes where: drawings in splits that have no person in common."""

import dataclasses
import os
import pathlib

import click
import numpy as np
import tensorflow as tf

from commands.cli import InputError
from commands.files import read_rows, write_rows

from ..collection import split
from ..collection.collection import Collection
from . import augmentation
from .images import Images

FILE = "drawings.csv"
"""In a run's folder: which drawing was in which split."""


@dataclasses.dataclass(frozen=True)
class Division:
    """Drawings in splits, to train on.

    Attributes:
        collection: the drawings of a folder.
        split: who goes where.
        validation: the split that training is watched by.
        measured: the splits that a trained network is measured on.
    """

    collection: Collection
    split: split.PersonSplit
    validation: str = "validation"
    measured: tuple[str, ...] = ("test",)

    @property
    def classes(self) -> tuple[str, ...]:
        """Their names, by label."""
        return self.collection.found.classes

    @property
    def parts(self) -> list[str]:
        """The split that each drawing is in."""
        parts = [""] * len(self.collection.entries)
        for name, chosen in dataclasses.asdict(self.split).items():
            for i in chosen:
                parts[i] = name
        return parts

    def load(self, split: str) -> Images:
        """Returns a split: train, validation or test."""
        return _images(self.collection, getattr(self.split, split))

    def shown(self, images: Images) -> int:
        """Returns how many images a training epoch shows."""
        return augmentation.shown(len(images))

    def training_batches(
        self, images: Images, batch_size: int, seed: int, epochs: range
    ) -> tf.data.Dataset:
        """Returns the batches of several epochs, each drawing distorted anew."""
        return augmentation.training_batches(images, batch_size, seed, epochs)

    def begin(self, output: pathlib.Path) -> None:
        """Writes into a run's folder which drawing is in which split.

        Raises:
            InputError: the run in it began with others.
        """
        rows = self._rows()
        if not (output / FILE).exists():
            write_rows(output / FILE, rows)
        elif read_rows(output / FILE, str) != _as_read(rows):
            raise InputError(
                f"the drawings in {str(self.collection.folder)!r} are not those that "
                f"the run in {str(output)!r} began with: train into a new folder"
            )

    def _rows(self) -> list[dict[str, str]]:
        collection = self.collection
        used = [
            {
                "file": self._name(entry.item.file),
                "part": str(entry.drawn.part),
                "class": self.classes[entry.item.label],
                "person": entry.item.subject or "",
                "split": part,
                "sha256": entry.digest,
                "left out": "",
            }
            for entry, part in zip(collection.entries, self.parts, strict=True)
        ]
        return used + [
            {"file": self._name(left.file), "left out": left.reason}
            for left in (*collection.skipped, *collection.found.ignored)
        ]

    def _name(self, file: pathlib.Path) -> str:
        """Returns a path as text; what Unicode does not have is a question mark."""
        name = os.path.relpath(file, self.collection.folder)
        return os.fsencode(name).decode("utf-8", "replace")


def unseen(collection: Collection, output: pathlib.Path, own: bool) -> Images:
    """Returns drawings that a run was not trained on.

    Args:
        collection: a folder's.
        output: the run's folder.
        own: whether the run was trained on this very folder. Then they are those of the
            split test; of another one all but copies of what the run has seen.

    Raises:
        InputError: there are none, or the run's list of its drawings is damaged.
    """
    rows = read_rows(output / FILE, str)
    split = {row["sha256"]: row["split"] for row in rows if "sha256" in row}
    chosen = []
    for i, entry in enumerate(collection.entries):
        where = split.get(entry.digest, "new")
        if where == "test" or (where == "new" and not own):
            chosen.append(i)
        elif not own:
            click.echo(f"left out: {str(entry.item.file)!r} was trained on", err=True)
    if not chosen:
        raise InputError(
            f"{str(collection.folder)!r} holds no drawing that the run in "
            f"{str(output)!r} can be measured on: all were trained on, or changed since"
        )
    return _images(collection, np.array(chosen))


def _images(collection: Collection, chosen: np.ndarray) -> Images:
    """Returns some of the drawings; indices, at least one."""
    _, persons = np.unique(collection.groups, return_inverse=True)
    some = [collection.entries[i] for i in chosen]
    return Images(
        np.stack([entry.drawn.picture for entry in some]),
        collection.labels[chosen],
        persons[chosen],
        tuple(entry.drawn.path for entry in some),
    )


def _as_read(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{k: v for k, v in row.items() if v != ""} for row in rows]
