"""Zip archives, which .keras and .npz files are."""

import lzma
import os
import pathlib
import struct
import zipfile
import zlib
from typing import BinaryIO

DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(EOFError, OSError, RuntimeError, ValueError, OverflowError),
)
"""What Python's reader answers damage with."""

_END, _END_BYTES = b"PK\5\6", 22
"""The mark of the record at an archive's end, and how long that is."""


def is_whole(path: pathlib.Path) -> bool:
    """Whether every member is there, and is as its checksum says.

    Keras and NumPy would read a flipped bit as another weight, and not miss a member
    that the archive's directory has lost.
    """
    with open(path, "rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                listed = len(archive.infolist())
                return listed == _members(file) and archive.testzip() is None
        except DAMAGE:
            return False


def unpacked(path: pathlib.Path) -> int:
    """Returns how many bytes an archive says it unpacks to; 0 if it cannot be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            return sum(member.file_size for member in archive.infolist())
    except DAMAGE:
        return 0


def _members(file: BinaryIO) -> int:
    """Returns how many members the record at the end of an archive counts."""
    longest = _END_BYTES + (1 << 16)  # a comment may follow it
    file.seek(max(0, file.seek(0, os.SEEK_END) - longest))
    content = file.read()
    end = content.rindex(_END)
    return int.from_bytes(content[end + 10 : end + 12], "little")
