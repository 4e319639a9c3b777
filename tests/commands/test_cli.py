"""What a user can mend is one line and exit code 2; a defect is a traceback."""

import errno
import os

import click
import pytest
from click.testing import CliRunner

from commands.cli import Command, InputError, Size, quietly
from tests.commands.refusal import refused


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_what_the_system_refuses_to_write_is_one_line(code):
    @click.command(cls=Command)
    def command():
        raise OSError(code, os.strerror(code), "runs/model.keras")

    line = refused(command)
    assert os.strerror(code) in line
    assert "runs/model.keras" in line


def test_a_defect_keeps_its_traceback():
    @click.command(cls=Command)
    def command():
        raise KeyError("a defect")

    assert isinstance(CliRunner().invoke(command).exception, KeyError)


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (KeyError("a defect"), "a note"),
        (InputError("wrong"), ""),
        (KeyboardInterrupt(), ""),
    ],
)
def test_notes_of_libraries_are_shown_with_a_defect_alone(error, shown, capfd):
    @quietly()
    def broken():
        os.write(2, b"a note")
        raise error

    with pytest.raises(type(error)):
        broken()
    assert capfd.readouterr().err == shown


@pytest.mark.parametrize(
    ("text", "size"),
    [
        *(("14000", 14000), ("14kB", 14000), ("14 KB", 14000), ("1.5MB", 1_500_000)),
        *(("2KiB", 2048), ("1MiB", 1048576), ("7b", 7)),
    ],
)
def test_sizes(text, size):
    assert Size().convert(text, None, None) == size


@pytest.mark.parametrize("text", ["", "kB", "-3kB", "3 apples", "0", "1e3", "nan"])
def test_what_is_no_size_is_quoted(text):
    with pytest.raises(click.BadParameter, match="is not a size such as") as error:
        Size().convert(text, None, None)
    assert repr(text) in str(error.value)
