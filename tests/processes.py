"""Waiting for other processes."""

import pathlib
import time


def alive(pid):
    """Whether a process runs; one that ended and was not waited for does not."""
    try:
        status = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def until(condition, seconds=600):
    """Returns when a condition holds; fails where it does not in that time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
