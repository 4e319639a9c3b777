"""What a user can mend is one line and exit code 2; a defect is a traceback."""

import errno
import os

import click
import pytest
from click.testing import CliRunner

from commands.cli import Command
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
