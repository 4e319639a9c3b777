"""All drawings of a folder, read."""

import dataclasses
import functools
import pathlib
import sys

import click
import numpy as np

from commands.cli import InputError

from . import guessed, layout, reading, split
from .drawn import Drawn
from .photo.unusable import Unusable


@dataclasses.dataclass(frozen=True)
class Entry:
    """One drawing of a folder.

    Attributes:
        item: where it is, and whose.
        drawn: what it looks like.
        digest: SHA-256 of its file, in hexadecimal digits.
    """

    item: layout.Item
    drawn: Drawn
    digest: str


@dataclasses.dataclass(frozen=True)
class Collection:
    """The drawings of a folder, read.

    Attributes:
        folder: they are in.
        found: what the folder is.
        entries: in the order of the files' names.
        skipped: files, or parts of them, that were taken for drawings and are none.
    """

    folder: pathlib.Path
    found: layout.FolderContents
    entries: tuple[Entry, ...]
    skipped: tuple[layout.Ignored, ...]

    @functools.cached_property
    def labels(self) -> np.ndarray:
        """The class of each drawing, int64, shape (n,)."""
        return np.array([entry.item.label for entry in self.entries])

    @functools.cached_property
    def groups(self) -> np.ndarray:
        """A name for who made each drawing, str, shape (n,)."""
        items = [entry.item for entry in self.entries]
        return split.groups(items, [entry.digest for entry in self.entries])

    def divided(self, seed: int) -> split.PersonSplit:
        """Returns splits that have no person in common.

        Raises:
            InputError: there are too few persons.
        """
        return split.split(self.labels, self.groups, self.found.classes, seed)

    def folds(self, folds: int, seed: int) -> list[split.PersonSplit]:
        """Returns splits of which each tests on persons of its own.

        Raises:
            InputError: there are too few persons.
        """
        return split.folds(self.labels, self.groups, self.found.classes, folds, seed)

    def report(self, splits: list[split.PersonSplit]) -> str:
        """Returns, in words and a table, what the folder is and what went where."""
        first = f"{self.folder}: {self.found.layout}, {len(self.entries):,} drawings"
        for left, what in ((self.skipped, "left out"), (self.found.ignored, "other")):
            if left:
                first += f", {len(left):,} {what}"
        classes = self.found.classes
        where = split.report(splits, self.labels, self.groups, classes)
        notes = [*self.found.notes, *self._doubtful()]
        if self.anonymous:
            where += f"\n\n{self.anonymous}"
        return "\n".join([first, *notes, "", where, ""])

    @property
    def anonymous(self) -> str:
        """A sentence if it is not known of some drawings whose they are, or ""."""
        unknown = sum(entry.item.subject is None for entry in self.entries)
        if not unknown:
            return ""
        return (
            f"Whose they are is unknown for {unknown:,} of {len(self.entries):,} "
            "drawings: the files of these count as persons, and if one person drew "
            "several, scores are too good. A subjects.csv tells."
        )

    def _doubtful(self) -> list[str]:
        """Returns a sentence if the same file lies in several classes."""
        first: dict[str, Entry] = {}
        for entry in self.entries:
            other = first.setdefault(entry.digest, entry)
            if other.item.label != entry.item.label:
                files = [
                    str(e.item.file.relative_to(self.folder)) for e in (other, entry)
                ]
                return [
                    f"{files[0]!r} and {files[1]!r} are the same file in two classes: "
                    "one of them is wrong."
                ]
        return []


def read(
    folder: pathlib.Path, on_error: str, size: int, quiet: bool = True
) -> Collection:
    """Reads all drawings of a folder, several files at a time.

    Args:
        folder: see `layout`.
        on_error: one of `collection.ON_ERROR`.
        size: of the pictures, see `reading`.
        quiet: show no progress; what is left out or guessed is told all the same.

    Raises:
        InputError: the folder holds no drawings of several classes, or, if they shall
            stop the program, files without a drawing.
    """
    found = layout.find(folder)
    entries = []
    skipped = []
    guesses = []
    with click.progressbar(
        reading.read_all([item.file for item in found.items], size),
        length=len(found.items),
        label=f"reading {folder}",
        file=sys.stderr,
        hidden=quiet or not sys.stderr.isatty(),
    ) as progress:
        for item, (digest, outcome) in zip(found.items, progress, strict=True):
            if isinstance(outcome, Unusable):
                refusal = f"{str(item.file)!r} {outcome}"
                if on_error == "stop":
                    raise InputError(
                        f"{refusal}: mend it or take it away, or have such files left "
                        "out with --on-error skip"
                    )
                click.echo(f"left out: {refusal}", err=True)
                skipped.append(layout.Ignored(item.file, str(outcome)))
            else:
                entries += [Entry(item, drawn, digest) for drawn in outcome.drawings]
                skipped += [
                    layout.Ignored(item.file, reason) for reason in outcome.left_out
                ]
                guesses += [(item.file, guess) for guess in outcome.guesses]
    unreadable = {left.file for left in skipped} - {e.item.file for e in entries}
    if unreadable:
        # A file that is left out has no say in who drew the others.
        found = layout.find(folder, frozenset(unreadable))
        items = {item.file: item for item in found.items}
        entries = [dataclasses.replace(e, item=items[e.item.file]) for e in entries]
    present = {entry.item.label for entry in entries}
    for label, name in enumerate(found.classes):
        if label not in present:
            raise InputError(f"class {name!r} in {str(folder)!r} has no usable drawing")
    guessed.tell(guesses)
    return Collection(folder, found, tuple(entries), tuple(skipped))
