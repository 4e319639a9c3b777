"""Command lines that answer wrong input with one line and exit code 2."""

import errno
import math
import sys
from typing import Any

import click

# What an operating system says when a folder or disk does not take a file.
_REFUSALS = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOTDIR,
    errno.EISDIR,
}


class InputError(click.ClickException):
    """Something given is wrong; the message says what, and what would be right."""

    exit_code = 2


class Command(click.Command):
    """A command that reports what its user can mend in one line, without traceback.

    Anything else that goes wrong is a defect and keeps its traceback.
    """

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Runs the command."""
        kwargs["standalone_mode"] = False
        try:
            sys.exit(super().main(*args, **kwargs) or 0)
        except click.ClickException as error:
            message = error.format_message()
        except click.Abort:
            sys.exit(130)
        except OSError as error:
            if error.errno not in _REFUSALS:
                raise
            message = f"cannot write: {error}"
        click.echo(f"Error: {' '.join(message.split())}", err=True)
        sys.exit(2)


class Number(click.ParamType):
    """A finite number within bounds; a bound may itself be excluded.

    Args:
        low: smallest number; `above=True` excludes it.
        high: largest number.
        whole: only whole numbers.
    """

    name = "number"

    def __init__(
        self,
        low: float,
        high: float = math.inf,
        *,
        above: bool = False,
        whole: bool = False,
    ):
        self._low, self._high, self._above, self._whole = low, high, above, whole

    def convert(self, value: Any, param: Any, ctx: Any) -> float | int:
        """Returns the number, or fails with what would have been one."""
        try:
            number = int(value) if self._whole else float(value)
        except ValueError:
            number = math.nan
        low_enough = number > self._low if self._above else number >= self._low
        if not (low_enough and number <= self._high and math.isfinite(number)):
            kind = "whole number" if self._whole else "finite number"
            bound = f"above {self._low}" if self._above else f"from {self._low}"
            upper = "" if self._high == math.inf else f" to {self._high}"
            self.fail(f"{value!r} is not a {kind} {bound}{upper}", param, ctx)
        return number
