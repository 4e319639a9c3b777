"""What a user can mend is one line and exit code 2; a defect is a traceback."""

import errno
import os
import pathlib
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from rvsm_tf.litert.base.cli import Command, InputError, Size, quietly
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


def test_what_the_library_warns_of_is_one_line(tmp_path):
    """In a process of its own: pytest catches warnings where it runs."""
    root = pathlib.Path(__file__).parents[4]
    program = tmp_path / "program.py"
    program.write_text(
        "import click, warnings\n"
        "from commands.cli import Command\n"
        "@click.command(cls=Command)\n"
        "def main():\n"
        f"    ours = {str(root / 'rvsm_tf' / 'compaction' / 'planning.py')!r}\n"
        "    warnings.warn_explicit('ours', UserWarning, ours, 9)\n"
        "    warnings.warn_explicit('theirs', UserWarning, '/x/keras/y.py', 9)\n"
        "main()\n"
    )
    result = subprocess.run(
        [sys.executable, program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    first, second, *_ = result.stderr.splitlines()
    assert first == "Warning: ours"
    assert second == "/x/keras/y.py:9: UserWarning: theirs"


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
