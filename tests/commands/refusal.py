"""How a command answers what its user can mend."""

from click.testing import CliRunner


def refused(command, *arguments):
    """Runs a command that must refuse its input; returns the one line it says."""
    result = CliRunner().invoke(command, [str(a) for a in arguments])
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    return lines[0]
