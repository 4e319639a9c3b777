"""What files did not say and was decided for them, summed up."""

import collections
import pathlib
from collections.abc import Iterable

import click


def tell(guesses: Iterable[tuple[pathlib.Path, str]]) -> None:
    """Writes a line for each guess, with the first file that it was made of.

    Args:
        guesses: files, and what was guessed of each.
    """
    files: dict[str, list[pathlib.Path]] = collections.defaultdict(list)
    for file, guess in guesses:
        files[guess].append(file)
    for guess, (first, *others) in files.items():
        more = f" and {len(others)} more" if others else ""
        click.echo(f"guessed of {str(first)!r}{more}: {guess}", err=True)
