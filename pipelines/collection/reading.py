"""A file to drawings: a photo, a scan, or a pen recording."""

import functools
import hashlib
import os
import pathlib
from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from commands import children

from . import layout, recording
from .drawn import BEFORE, Contents, Drawn
from .photo import ink, picture
from .photo.unusable import Unusable

_EACH = 8  # files for which a process is worth its start


def read_all(
    files: Sequence[pathlib.Path], size: int
) -> Iterator[tuple[str, Contents | Unusable]]:
    """Reads files in their order, on all cores.

    Args:
        files: photos, scans and pen recordings.
        size: of the pictures: `raster.SIZE` for the paper's, `canonical.SIZE`.

    Yields:
        of each the SHA-256 of its bytes, in hexadecimal digits, and what is in it, or
        why there is no drawing.
    """
    attempt = functools.partial(_attempt, size=size)
    jobs = min(os.cpu_count() or 1, -(-len(files) // _EACH))
    if jobs <= 1:
        yield from map(attempt, files)
        return
    # Processes, not threads: what image libraries print can be held back there.
    with children.pool(jobs) as pool:
        yield from pool.map(attempt, files)


def _attempt(file: pathlib.Path, size: int) -> tuple[str, Contents | Unusable]:
    try:
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        return digest, read(file, size)
    except OSError as error:
        return "", Unusable(f"cannot be read: {error.strerror or error}")
    except Unusable as reason:
        return digest, reason


def read(file: pathlib.Path, size: int) -> Contents:
    """Reads the drawings in a photo, a scan or a pen recording; see `read_all`.

    Raises:
        Unusable: there is no drawing in it.
        OSError: it cannot be read.
    """
    if not _is_recording(file):
        pixels = picture.read(file)
        return Contents((Drawn(ink.picture(pixels, size), _thumbnail(pixels)),))
    found = recording.read(file)
    drawings = (
        Drawn(recording.draw(made.path, size), path=made.path, part=made.part)
        for made in found.drawings
    )
    left_out = (f"in part: {phrase}" for phrase in found.left_out)
    return Contents(tuple(drawings), tuple(left_out), found.guesses)


def _is_recording(file: pathlib.Path) -> bool:
    if file.suffix.lower() not in layout.RECORDINGS:
        return False
    with open(file, "rb") as opened:
        start = opened.read(max(map(len, picture.STARTS)))
    return not start.startswith(picture.STARTS)


def _thumbnail(pixels: np.ndarray) -> np.ndarray:
    """Returns an RGB picture with no side above `BEFORE`."""
    height, width = pixels.shape[:2]
    scale = min(1.0, BEFORE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
