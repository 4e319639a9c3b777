"""Writes the canonical picture of drawings: what the network that tells tremor sees.

python -m pipelines.picture scan.png recording.csv --output pictures
"""

import pathlib

import click

from commands.cli import Command, InputError, quietly
from commands.folder import make

from .collection import ON_ERROR_OPTION
from .collection.drawn import Contents


@click.command(cls=Command)
@click.argument(
    "files",
    metavar="FILE…",
    nargs=-1,
    required=True,
    type=click.Path(path_type=pathlib.Path),
)
@click.option(
    "--output",
    type=click.Path(path_type=pathlib.Path),
    metavar="DIR",
    required=True,
    help="Folder for the pictures, PNG files of 128 × 128 pixels, ink white.",
)
@ON_ERROR_OPTION
def main(files: tuple[pathlib.Path, ...], output: pathlib.Path, on_error: str) -> None:
    """Write the canonical picture of photos, scans and pen recordings.

    Recordings are InkML, SVG of lines, JSON, tables, .svc and UCI's .txt; what had to
    be guessed of one is told.
    """
    with quietly():
        from shaky_letters import canonical

        from .collection import guessed, png, reading

    make(output)
    number = 0
    guesses: list[tuple[pathlib.Path, str]] = []
    found = reading.read_all(files, canonical.SIZE)
    for file, (_, contents) in zip(files, found, strict=True):
        if not isinstance(contents, Contents):
            if on_error == "stop" or len(files) == 1:
                raise InputError(f"{str(file)!r} {contents}")
            click.echo(f"left out: {str(file)!r} {contents}", err=True)
            continue
        for drawn in contents.drawings:
            number += 1
            png.write(output, number, file, drawn)
        for reason in contents.left_out:
            click.echo(f"left out: {str(file)!r} {reason}", err=True)
        guesses += [(file, guess) for guess in contents.guesses]
    guessed.tell(guesses)
    if not number:
        raise InputError("none of the files holds a drawing")
    what = "picture" if number == 1 else "pictures"
    click.echo(f"{number} {what} in {output}")


if __name__ == "__main__":
    main()
