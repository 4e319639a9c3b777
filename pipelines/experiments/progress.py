"""How far many runs are, and how long they will take."""

import sys
import time
from types import TracebackType

import click


class Progress:
    """A bar on a terminal; elsewhere a line for each run. To be used in a `with`.

    Args:
        epochs: of all runs together.
        quiet: show nothing.
    """

    def __init__(self, epochs: int, quiet: bool = False):
        terminal = sys.stdout.isatty()
        self._bar = click.progressbar(
            length=epochs, label="epochs", hidden=quiet or not terminal
        )
        self._lines = not quiet and not terminal
        self._epochs, self._ended, self._shown = epochs, 0, 0
        self._first = time.monotonic()

    def __enter__(self) -> "Progress":
        self._bar.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.__exit__(kind, error, trace)

    def end(self, name: str, epochs: int, how: str = "done") -> None:
        """Counts the epochs of a run that has ended."""
        self._ended += epochs
        if self._lines:
            minutes = (time.monotonic() - self._first) / 60
            left = minutes * (self._epochs / self._ended - 1)
            click.echo(f"{name}: {how}; {minutes:.0f} minutes, about {left:.0f} to go")

    def show(self, under_way: int = 0) -> None:
        """Moves the bar.

        Args:
            under_way: epochs done of runs that have not ended.
        """
        self._bar.update(self._ended + under_way - self._shown)
        self._shown = self._ended + under_way
