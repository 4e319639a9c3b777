"""Pen recordings: where the pen was, from files of several kinds.

Which kinds there are is the table of `formats`; each has a file that says what is read
of it, and what is guessed. What kind a file is, its text tells, not its name. The order
of the samples is the file's; times are not looked at: in UCI's and PaHaW's files they
jump backwards.
"""

from .content import LONGEST
from .drawing import draw
from .formats import FORMATS, read
from .path import MOST, Path
from .recorded import Recorded, Recording

__all__ = [
    "FORMATS",
    "LONGEST",
    "MOST",
    "Path",
    "Recorded",
    "Recording",
    "draw",
    "read",
]
