"""What files did not say and was decided for them, summed up."""

import collections
import pathlib
from collections.abc import Iterable


def told(guesses: Iterable[tuple[pathlib.Path, str]]) -> list[str]:
    """Returns a line for each guess, with the first file that it was made of.

    Args:
        guesses: files, and what was guessed of each.
    """
    files: dict[str, list[pathlib.Path]] = collections.defaultdict(list)
    for file, guess in guesses:
        files[guess].append(file)
    return [
        f"guessed of {str(first)!r}{f' and {len(others)} more' if others else ''}: "
        f"{guess}"
        for guess, (first, *others) in files.items()
    ]
