"""Files that are whole or not there: written beside, then moved into place."""

import contextlib
import csv
import json
import os
import pathlib
from collections.abc import Iterator
from typing import Any

from .cli import InputError


@contextlib.contextmanager
def replacing(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yields a path to write to; on success the file is moved to where it belongs.

    Whatever stood there stays as it is until then, and for good if the block fails or
    the process dies.
    """
    draft = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield draft
        with open(draft, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def write_json(path: pathlib.Path, value: Any) -> None:
    """Writes a value as indented JSON."""
    with replacing(path) as draft:
        draft.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def write_rows(path: pathlib.Path, rows: list[dict[str, Any]]) -> None:
    """Writes rows as CSV, with all keys as the header; what a row lacks stays empty."""
    keys = dict.fromkeys(key for row in rows for key in row)
    with (
        replacing(path) as draft,
        open(draft, "w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, keys)
        writer.writeheader()
        writer.writerows(rows)


def read_json(path: pathlib.Path) -> dict[str, Any]:
    """Returns the object in a JSON file.

    Raises:
        InputError: the file holds something else.
    """
    try:
        value = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise _damaged(path)
    return value


def read_rows(path: pathlib.Path) -> list[dict[str, float]]:
    """Returns the rows of a CSV file of numbers; none if there is no such file.

    Raises:
        InputError: the file holds something else.
    """
    if not path.exists():
        return []
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file)
            return [{k: float(v) for k, v in row.items() if v != ""} for row in rows]
    except (ValueError, TypeError, csv.Error):
        raise _damaged(path) from None


def _damaged(path: pathlib.Path) -> InputError:
    return InputError(f"{str(path)!r} is damaged: train again into a new folder")
