"""A page of results: Markdown to read, JSON with the same figures."""

import pathlib
from typing import Any

from commands.files import replacing, write_json
from commands.markdown import table


def write(
    folder: pathlib.Path,
    name: str,
    title: str,
    command: str,
    text: str,
    rows: list[dict[str, Any]],
    machine: str | None = None,
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
    """
    if machine is None:
        from pipelines.device import words  # not at the top: JAX needs no TensorFlow

        machine = words()
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        f"# {title}",
        "",
        f"Made by `{command}` on {machine}.",
        "",
        text,
        "",
        table(
            [key.replace("_", " ") for key in rows[0]],
            [["" if v is None else str(v) for v in row.values()] for row in rows],
        ),
    ]
    with replacing(folder / f"{name}.md") as draft:
        draft.write_text("\n".join(lines) + "\n", encoding="utf-8")
    write_json(folder / f"{name}.json", rows)
