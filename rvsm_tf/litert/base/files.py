"""Files that are whole or not there: written beside, then moved into place."""

import contextlib
import csv
import itertools
import json
import os
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

from . import check
from .cli import InputError

DRAFT = ".rvsm_tf-draft-"
"""How the names of what is not whole yet begin."""


@contextlib.contextmanager
def replacing(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yields a path to write to; on success the file is moved to where it belongs.

    Whatever stood there stays as it is until then, and for good if the block fails or
    the process dies.
    """
    draft = path.with_name(f"{DRAFT}{os.getpid()}-{path.name}")
    try:
        yield draft
        move(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def move(draft: pathlib.Path, path: pathlib.Path) -> None:
    """Moves a file that is whole to where it belongs, once the disk has all of it."""
    with open(draft, "rb+") as file:
        os.fsync(file.fileno())
    os.replace(draft, path)


def write_json(path: pathlib.Path, value: Any) -> None:
    """Writes a value as indented JSON; an object gets a check value."""
    value = check.seal(value) if isinstance(value, dict) else value
    with replacing(path) as draft:
        draft.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def write_rows(path: pathlib.Path, rows: list[dict[str, Any]]) -> None:
    """Writes rows as CSV, with all keys as the header; what a row lacks stays empty.

    Each row's check value is that of the file up to there.
    """
    header = list(dict.fromkeys(key for row in rows for key in row))
    lines = [[str(row.get(name, "")) for name in header] for row in rows]
    with (
        replacing(path) as draft,
        open(draft, "w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, [*header, check.NAME])
        writer.writeheader()
        for row, value in zip(rows, _running(header, lines)):
            writer.writerow({**row, check.NAME: value})


def read_json(path: pathlib.Path) -> dict[str, Any]:
    """Returns the object in a JSON file, without its check value.

    Raises:
        InputError: the file holds something else, or is damaged.
    """
    try:
        value = json.loads(path.read_text("utf-8"))
        if not isinstance(value, dict):
            raise ValueError(f"{type(value)}")
        return check.unseal(value)
    except (ValueError, RecursionError):
        raise _damaged(path) from None


def read_rows(
    path: pathlib.Path, of: Callable[[str], Any] = float
) -> list[dict[str, Any]]:
    """Returns the rows of a CSV file; none if there is no such file.

    Args:
        path: the file.
        of: what becomes of a text in it; by default all are numbers.

    Raises:
        InputError: the file holds something else, or is damaged.
    """
    if not path.exists():
        return []
    try:
        with open(path, newline="", encoding="utf-8") as file:
            header, *lines = csv.reader(file, strict=True)
        if any(len(line) != len(header) for line in lines):
            raise ValueError("rows of several lengths")
        if any(check.claimed(header[-1], line[-1]) for line in lines):
            found = [line.pop() for line in lines]
            if header.pop() != check.NAME or found != _running(header, lines):
                raise ValueError("rows that were not written like this")
        elif of is not float:  # earlier versions wrote numbers alone
            raise ValueError("texts without check values")
        return [
            {key: of(text) for key, text in zip(header, line) if text != ""}
            for line in lines
        ]
    except (ValueError, csv.Error):
        raise _damaged(path) from None


def _running(header: list[str], lines: list[list[str]]) -> list[str]:
    """Returns the check values of a table's lines, each of all up to there."""
    texts = (",".join(line).encode() for line in (header, *lines))
    values = itertools.accumulate(
        texts, lambda before, text: check.value(text, before), initial="0"
    )
    return list(values)[2:]


def _damaged(path: pathlib.Path) -> InputError:
    return InputError(
        f"{str(path)!r} is damaged, or was changed by hand: train again into a new "
        "folder"
    )
