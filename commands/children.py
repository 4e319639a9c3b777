"""Processes of their own: for work that needs TensorFlow for itself, or all cores."""

import concurrent.futures
import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from typing import Any

from .cli import answered

_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG in <linux/prctl.h>


def start(function: Callable, *arguments: Any) -> BaseProcess:
    """Starts a function in a new process, which ends when this one does.

    Its exit code is that of a command: 0, 2 if it has told its user what to mend, 130
    if it was interrupted, 1 if something broke.

    Args:
        function: of a module, so that the new process finds it.
        *arguments: what can be pickled.
    """
    # A forked TensorFlow does not work.
    process = multiprocessing.get_context("spawn").Process(
        target=_run, args=(function, *arguments), daemon=True
    )
    process.start()
    return process


@contextlib.contextmanager
def pool(processes: int) -> Iterator[concurrent.futures.Executor]:
    """Yields processes for many small tasks; what is not begun when it ends is dropped.

    They end when this process does, and leave an interrupt to it.
    """
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(processes, context, _begin) as found:
        try:
            yield found
        finally:
            found.shutdown(cancel_futures=True)


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _run(function: Callable, *arguments: Any) -> None:
    _end_with_parent_at_once()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with answered("\n"):  # behind a progress bar
        function(*arguments)


def _end_with_parent_at_once() -> None:
    """Has Linux end the process with its parent, even if Python's lock is held."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def _end_with_parent() -> None:
    """Ends the process when the one that started it is gone, however it went."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
