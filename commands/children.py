"""Processes of their own for work that needs TensorFlow for itself."""

import multiprocessing
import os
import threading
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from typing import Any

from .cli import answered


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


def _run(function: Callable, *arguments: Any) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with answered("\n"):  # behind a progress bar
        function(*arguments)


def _end_with_parent() -> None:
    """Ends the process when the one that started it is gone, however it went."""
    multiprocessing.parent_process().join()
    os._exit(1)
