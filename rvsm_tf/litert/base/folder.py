"""A folder that one run at a time writes to."""

import contextlib
import os
import pathlib
import shutil
from collections.abc import Iterator

from .cli import InputError
from .files import DRAFT


@contextlib.contextmanager
def alone(folder: pathlib.Path) -> Iterator[None]:
    """Keeps other runs out of a folder inside the block.

    The folder is made if need be, and is gone again if nothing was written into it.
    What the system locks is the folder itself: no file says so, and a run that is
    killed, however it is, holds nothing back. Drafts that such a run left are removed.

    Raises:
        InputError: another run is writing to the folder, or it is a file.
        OSError: it cannot be made.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"output {str(folder)!r} is a file: name a folder")
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    make(folder)
    lock = _lock(folder)
    try:
        if lock is not None:
            for left in folder.glob(f"{DRAFT}*"):
                shutil.rmtree(left) if left.is_dir() else left.unlink()
        yield
    finally:
        for path in made:
            with contextlib.suppress(OSError):  # not empty
                path.rmdir()
        if lock is not None:
            os.close(lock)


def make(folder: pathlib.Path) -> None:
    """Makes a folder, and those above it, if need be.

    Raises:
        InputError: no folder can be there, as in /proc.
        OSError: it cannot be made for another reason.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileNotFoundError:
        raise InputError(
            f"the folder {str(folder)!r} cannot be made: name another one"
        ) from None


def _lock(folder: pathlib.Path) -> int | None:
    """Returns what holds the lock until it is closed; None where there are no locks.

    Raises:
        InputError: another run holds it.
    """
    try:
        import fcntl
    except ImportError:  # Windows: nothing keeps a second run out there
        return None
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The run before may have taken an empty folder away in between.
        if os.path.samestat(os.fstat(handle), folder.stat()):
            return handle
        taken = True
    except OSError as error:  # network folders may know no locks
        taken = isinstance(error, BlockingIOError | FileNotFoundError)
    os.close(handle)
    if not taken:
        return None
    raise InputError(
        f"another run is writing to {str(folder)!r}: wait for it, or name another "
        "folder"
    )
