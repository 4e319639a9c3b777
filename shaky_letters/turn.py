"""Processes that work in a folder one after the other."""

import contextlib
import os
import sys
from collections.abc import Iterator

try:
    import fcntl
except ImportError:  # Windows: nobody waits there
    fcntl = None


@contextlib.contextmanager
def turn(folder: os.PathLike) -> Iterator[None]:
    """Waits until no other process is in this block for the folder.

    What the system locks is the folder itself, until its process ends, however that
    may be. Folders that are none of this system's, such as gs://…, know no locks.
    """
    if fcntl is None or not os.path.isdir(folder):
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"waiting for another process in {folder}", file=sys.stderr)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
