"""A page of results: Markdown to read, JSON with the same figures."""

import json
import pathlib
from collections.abc import Callable
from typing import Any

import click

from commands.files import replacing, write_json
from commands.markdown import table


def output_option(files: str) -> Callable[[Any], Any]:
    """Returns the option that names the folder of a page.

    Args:
        files: that are written there, in words.
    """
    return click.option(
        "--output",
        type=click.Path(path_type=pathlib.Path),
        required=True,
        metavar="DIR",
        help=f"Folder for {files}.",
    )


def write(
    folder: pathlib.Path,
    name: str,
    title: str,
    command: str,
    text: str,
    rows: list[dict[str, Any]],
    machine: str | None = None,
    tabled: bool = True,
) -> None:
    """Writes NAME.md and NAME.json.

    Args:
        folder: where to.
        name: of the page.
        title: its heading.
        command: what made it, as typed.
        text: a paragraph or table of its own, Markdown.
        rows: the figures; all have the same keys, which become the table's columns.
        machine: in words; by default as TensorFlow sees it.
        tabled: whether the page ends with a table of all rows.
    """
    if machine is None:
        from pipelines.devices.device import words

        machine = words()
    heading = [
        f"# {title}",
        "",
        f"Made by `{command}` on {machine}.",
    ]
    end = ["", _rows(rows)] if tabled else []
    _save(folder, name, [*heading, "", text, *end], rows)


def write_sections(
    folder: pathlib.Path,
    name: str,
    title: str,
    command: str,
    sections: list[tuple[str, str, list[dict[str, Any]]]],
) -> None:
    """Writes NAME.md and NAME.json, whose parts may come from different machines.

    Args:
        folder: where to.
        name: of the page.
        title: its heading.
        command: what made it, as typed.
        sections: heading, text and rows of each. All its rows have the same keys, the
            first of them `section`, a key of its own, and `machine`.
    """
    lines = [f"# {title}", "", f"Made by `{command}`."]
    for heading, text, rows in sections:
        columns = [
            {k: v for k, v in row.items() if k not in ("section", "machine")}
            for row in rows
        ]
        lines += ["", f"## {heading}", "", f"On {rows[0]['machine']}.", "", text, ""]
        lines += [_rows(columns)]
    _save(folder, name, lines, [row for _, _, rows in sections for row in rows])


def read_sections(folder: pathlib.Path, name: str) -> dict[str, list[dict[str, Any]]]:
    """Returns the rows that `write_sections` wrote, by their section; none at first."""
    sections: dict[str, list[dict[str, Any]]] = {}
    for row in read_rows(folder, name):
        sections.setdefault(row["section"], []).append(row)
    return sections


def read_rows(folder: pathlib.Path, name: str) -> list[dict[str, Any]]:
    """Returns the rows of a page that stands in a folder; none at first."""
    file = folder / f"{name}.json"
    return json.loads(file.read_text("utf-8")) if file.exists() else []


def _rows(rows: list[dict[str, Any]]) -> str:
    return table(
        [key.replace("_", " ") for key in rows[0]],
        [["" if v is None else str(v) for v in row.values()] for row in rows],
    )


def _save(
    folder: pathlib.Path, name: str, lines: list[str], rows: list[dict[str, Any]]
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / f"{name}.md") as draft:
        draft.write_text("\n".join(lines) + "\n", encoding="utf-8")
    write_json(folder / f"{name}.json", rows)
