"""How a command answers what its user can mend."""

import os
import subprocess
import sys

from click.testing import CliRunner


def refused(command, *arguments):
    """Runs a command that must refuse its input; returns the one line it says."""
    result = CliRunner().invoke(command, [str(a) for a in arguments])
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    return lines[0]


def refused_alone(module, *arguments):
    """The same in a process of its own, where TensorFlow could print its notes."""
    # As in a new terminal: whoever imports jax sets this, for every process it starts.
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    process = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 2
    assert process.stdout == ""
    lines = process.stderr.splitlines()
    assert len(lines) == 1, process.stderr
    return lines[0]
