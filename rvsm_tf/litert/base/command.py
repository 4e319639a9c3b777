"""The command line of an export, which the repository's programs have too."""

import pathlib
from collections.abc import Callable
from typing import Any

import click

from . import formats
from .cli import Command

REPORT, GOLDEN = "report.json", "golden.json"
"""What stands beside the exported files."""

Rows = list[dict[str, Any]]


def command(
    given: str, run: Callable[..., Rows], table: Callable[[Rows], str]
) -> Command:
    """Returns the command that exports a model.

    Args:
        given: what the argument is called.
        run: takes the argument and the options, by name, and returns the report.
        table: makes of the report what is printed.
    """

    @click.command(cls=Command, context_settings={"show_default": True})
    @click.argument("model", metavar=given, type=click.Path(path_type=pathlib.Path))
    @click.option(
        "--output",
        type=click.Path(path_type=pathlib.Path),
        metavar="DIR",
        help="[default: the folder export beside the model]",
    )
    @click.option(
        "--formats",
        default=",".join(formats.FORMATS),
        metavar="NAMES",
        callback=lambda ctx, param, value: _names(value),
        help="With commas; best keeps the smallest and the fastest only.",
    )
    @click.option(
        "--images",
        type=click.Path(path_type=pathlib.Path),
        metavar="FILE",
        help="Examples to calibrate and check with, .npz.  "
        "[default: images.npz beside it]",
    )
    @click.option("--quiet", is_flag=True, help="Print nothing but errors.")
    def main(
        model: pathlib.Path, output: pathlib.Path | None, quiet: bool, **options: Any
    ) -> None:
        """Write a hardened model as .tflite files, each run before it is kept."""
        output = output or folder_of(model)
        rows = run(model, output=output, quiet=quiet, **options)
        if not quiet:
            click.echo(table(rows))
            click.echo(f"\nin {output}: {REPORT}, {GOLDEN} and the files above")

    return main


def folder_of(path: pathlib.Path) -> pathlib.Path:
    """Returns where the export of a run's folder or a .keras file goes by default."""
    return (path if path.is_dir() else path.parent) / "export"


def _names(text: str) -> tuple[str, ...]:
    return formats.known(name.strip() for name in text.split(","))
