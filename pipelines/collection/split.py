"""Who goes where: splits in which nobody is on two sides.

A part of a split is made of persons, not of images: scikit-learn's StratifiedGroupKFold
deals persons out, one card for each person and class, so that each part gets its share
of the persons of each class, however many images they left.
"""

import collections
import dataclasses
from collections.abc import Hashable, Sequence

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from commands.cli import InputError
from commands.markdown import table

from .layout import Item

_FEWEST = 3
"""Persons of each class: one for each part of a split."""

_MOST = 5
"""Parts that persons are dealt into for a single split: one for the test, one for
validation, the others for training."""


@dataclasses.dataclass(frozen=True)
class PersonSplit:
    """Which drawings train, validate and test; indices, each int64 in rising order."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def groups(items: Sequence[Item], digests: Sequence[Hashable]) -> np.ndarray:
    """Returns a name for each file's group; one group is never divided.

    Files of the same person are a group, and so are files of the same bytes: one
    person's drawing under two names would otherwise be on two sides. A file whose
    person nobody knows is a group of its own.

    Args:
        items: files.
        digests: a value of each file's bytes, such as its SHA-256.

    Returns:
        str, shape (n,). The name of a group hangs on its members alone, not on the
        order of the files or on those of others.
    """
    above: dict[str, str] = {}

    def top(name: str) -> str:
        while above.setdefault(name, name) != name:
            name = above[name]
        return name

    names = [
        (f"bytes {digest}", f"person {item.subject}" if item.subject else None)
        for item, digest in zip(items, digests, strict=True)
    ]
    for one, two in names:
        if two is not None:
            low, high = sorted((top(one), top(two)))
            above[high] = low
    return np.array([top(one) for one, _ in names], str)


def split(
    labels: Sequence[int], groups: Sequence[str], classes: Sequence[str], seed: int
) -> PersonSplit:
    """Divides drawings: of the persons, about 60 % train, 20 % validate, 20 % test.

    Of the persons of each class, too. With three or four persons of a class each of
    three or four parts is one of them: a third or a quarter validates and tests.

    Args:
        labels: class of each drawing.
        groups: of each drawing, see `groups`.
        classes: their names, for what is said.
        seed: of the draw; the order of the drawings does not matter.

    Raises:
        InputError: there are fewer than three persons of a class, or few, of whom some
            are in other classes, too.
    """
    fewest = min(_persons(labels, groups, classes).values())
    parts = max(_FEWEST, min(_MOST, fewest))
    return folds(labels, groups, classes, parts, seed)[0]


def folds(
    labels: Sequence[int],
    groups: Sequence[str],
    classes: Sequence[str],
    folds: int,
    seed: int,
) -> list[PersonSplit]:
    """Divides drawings into as many splits; each person is tested on in exactly one.

    What one split tests on, the split before validates with.

    Args:
        labels: class of each drawing.
        groups: of each drawing, see `groups`.
        classes: their names, for what is said.
        folds: at least 3.
        seed: of the draw; the order of the drawings does not matter.

    Raises:
        InputError: there are fewer persons of a class than folds, or just as many, of
            whom some are in other classes, too.
    """
    if folds < _FEWEST:
        raise InputError(
            f"{folds} folds are too few: from {_FEWEST} on, others are left to train "
            "and validate"
        )
    labels, groups = np.asarray(labels), np.asarray(groups, str)
    persons = _persons(labels, groups, classes)
    enough = min(persons.values()) >= folds
    cards = sorted(set(zip(groups.tolist(), labels.tolist())))
    who, which = (np.array(column) for column in zip(*cards))
    parts: list[set[str]] = []
    if enough:
        dealer = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
        dealt = dealer.split(np.zeros(len(cards)), which, who)
        parts = [set(who[index].tolist()) for _, index in dealt]
    inside = [np.isin(groups, list(part)) for part in parts]
    if not enough or any(len(set(labels[here])) < len(classes) for here in inside):
        counts = ", ".join(f"{count} of {name!r}" for name, count in persons.items())
        more = ", and more as some are in several classes" if enough else ""
        raise InputError(
            f"too few persons to divide into {folds} parts with each class in each: "
            f"there are {counts}, and {folds} of each are needed{more}"
        )
    return [
        PersonSplit(
            np.flatnonzero(~(inside[i] | inside[(i + 1) % folds])),
            np.flatnonzero(inside[(i + 1) % folds]),
            np.flatnonzero(inside[i]),
        )
        for i in range(folds)
    ]


def report(
    splits: Sequence[PersonSplit],
    labels: Sequence[int],
    groups: Sequence[str],
    classes: Sequence[str],
) -> str:
    """Returns what went where, in Markdown.

    Args:
        splits: one, or all folds.
        labels: class of each drawing.
        groups: of each drawing.
        classes: their names.
    """
    labels, groups = np.asarray(labels), np.asarray(groups, str)
    if len(splits) == 1:
        parts = dataclasses.asdict(splits[0])
    else:
        parts = {f"fold {i}": fold.test for i, fold in enumerate(splits, 1)}
    header = ["", *(f"{name}: {what}" for name in classes for what in _COUNTED)]
    rows = [
        [name, *_counts(part, labels, groups, classes)] for name, part in parts.items()
    ]
    every = _counts(np.arange(len(labels)), labels, groups, classes)
    lines = [table(header, [*rows, ["all", *every]])]
    if len(splits) > 1:
        lines.append(
            "Each fold is tested on once, with the next one to validate and the others "
            "to train."
        )
    return "\n\n".join(lines)


_COUNTED = ("images", "persons")


def _counts(
    part: np.ndarray, labels: np.ndarray, groups: np.ndarray, classes: Sequence[str]
) -> list[str]:
    found = []
    for label in range(len(classes)):
        here = part[labels[part] == label]
        found += [str(len(here)), str(len(set(groups[here].tolist())))]
    return found


def _persons(
    labels: Sequence[int], groups: Sequence[str], classes: Sequence[str]
) -> dict[str, int]:
    """Returns how many persons there are of each class."""
    pairs = set(zip(np.asarray(groups, str).tolist(), np.asarray(labels).tolist()))
    counts = collections.Counter(label for _, label in pairs)
    return {name: counts[label] for label, name in enumerate(classes)}
