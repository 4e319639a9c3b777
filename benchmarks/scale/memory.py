"""The time and the memory of a command with all the processes that it starts."""

import contextlib
import dataclasses
import itertools
import pathlib
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence

_TICK = 0.25  # seconds between two looks
_TICKS = 8  # between two looks at the memory, each of which takes some milliseconds

PROC = pathlib.Path("/proc")


@dataclasses.dataclass(frozen=True)
class Usage:
    """What a command took.

    Attributes:
        seconds: from its start to its end.
        memory: bytes that its processes had at once, at most. A page that several
            processes share counts once: Linux's proportional set size.
        largest: the same of the largest process alone.
    """

    seconds: float
    memory: int
    largest: int


def usage(command: Sequence[str], look: Callable[[float], None]) -> Usage:
    """Runs a command to its end.

    Args:
        command: the program and its arguments.
        look: called with the seconds since the start, four times a second.

    Raises:
        RuntimeError: the command failed; with what it printed last.
    """
    memory = largest = 0
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as printed:
        process = subprocess.Popen(command, stdout=printed, stderr=subprocess.STDOUT)
        for tick in itertools.count():
            look(time.perf_counter() - start)
            if tick % _TICKS == 0:
                sizes = [_size(pid) for pid in _tree(process.pid)]
                memory, largest = max(memory, sum(sizes)), max(largest, *sizes)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_TICK)
                break
        seconds = time.perf_counter() - start
        if process.returncode:
            printed.seek(0)
            raise RuntimeError(f"{command} failed:\n{printed.read()[-4000:]}")
    return Usage(seconds, memory, largest)


def _tree(pid: int) -> Iterator[int]:
    """Yields a process and its descendants."""
    yield pid
    for task in (PROC / str(pid) / "task").glob("*/children"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for child in task.read_text().split():
                yield from _tree(int(child))


def _size(pid: int) -> int:
    """Returns a process's memory in bytes; 0 for one that has just ended."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
        for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
