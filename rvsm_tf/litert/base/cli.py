"""Command lines that answer wrong input with one line and exit code 2."""

import contextlib
import errno
import math
import os
import pathlib
import re
import sys
import tempfile
import warnings
from collections.abc import Iterator
from typing import Any

import click

_LIBRARY = pathlib.Path(__file__).resolve().parents[2]  # rvsm_tf

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


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Holds back what C++ libraries write to standard error inside the block.

    TensorFlow prints notes while it is imported, whatever its log level. They are
    shown after all if something in the block breaks; wrong input breaks nothing, nor
    does Ctrl-C.
    """
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        stderr = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        except (click.ClickException, KeyboardInterrupt):
            raise
        except BaseException:
            held.seek(0)
            os.write(stderr, held.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


class InputError(click.ClickException):
    """Something given is wrong; the message says what, and what would be right."""

    exit_code = 2


def told(error: Exception) -> str | None:
    """Returns the line that tells users what they can mend; None for a defect."""
    if isinstance(error, click.ClickException):
        return " ".join(error.format_message().split())
    if isinstance(error, FileExistsError):
        return f"{str(error.filename)!r} is a file: name a folder"
    if isinstance(error, OSError) and error.errno in _REFUSALS:
        return f"cannot write: {error}"
    # TensorFlow raises no OSError, but quotes the system: "path; File too large".
    message = " ".join(str(error).split())
    if any(f"; {os.strerror(code)}" in message for code in _REFUSALS):
        return f"cannot write: {message}"
    return None


@contextlib.contextmanager
def answered(before: str = "") -> Iterator[None]:
    """Ends the program in one line where the block meets what its user can mend.

    Anything else that goes wrong is a defect and keeps its traceback.

    Args:
        before: printed in front of the line.
    """
    try:
        yield
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except Exception as error:
        if told(error) is None:
            raise
        click.echo(f"{before}Error: {told(error)}", err=True)
        sys.exit(2)


@contextlib.contextmanager
def warned() -> Iterator[None]:
    """Prints the library's warnings inside the block as a line, without their place."""
    before = warnings.formatwarning

    def line(message, category, filename, *args, **kwargs):
        if pathlib.Path(filename).is_relative_to(_LIBRARY):
            return f"Warning: {message}\n"
        return before(message, category, filename, *args, **kwargs)

    warnings.formatwarning = line
    try:
        yield
    finally:
        warnings.formatwarning = before


class Command(click.Command):
    """A command that reports what its user can mend in one line, see `answered`."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Runs the command."""
        kwargs["standalone_mode"] = False
        with answered(), warned():
            sys.exit(super().main(*args, **kwargs) or 0)


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


class Size(click.ParamType):
    """A number of bytes: 14000, 14kB or 1.5MB; kB are 1,000 bytes, KiB 1,024."""

    name = "size"

    _UNITS = {"": 1, "b": 1, "kb": 1000, "kib": 1024, "mb": 10**6, "mib": 1 << 20}

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        """Returns the bytes, or fails with what would have been a size."""
        match = re.fullmatch(r"(\d+(?:\.\d+)?) ?([a-z]*)", str(value).strip().lower())
        unit = self._UNITS.get(match[2]) if match else None
        size = int(float(match[1]) * unit) if match and unit else 0
        if not size:
            self.fail(
                f"{value!r} is not a size such as 14000, 14kB or 1.5MB", param, ctx
            )
        return size
