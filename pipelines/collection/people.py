"""Who drew what: `subjects.csv`, a folder per person, file names.

`subjects.csv` lies in the collection's folder and has a header, in any order:

    file,subject            who drew a file; its class is its folder's name
    file,subject,class      who drew a file, and its class: folders mean nothing
    subject,class           the class of each person, whose files are known by name
                            (PaHaW) or lie in a folder of that person's name

A `file` is a path from the collection's folder, or a pattern such as `*/P01_*.png`. An
empty `subject` is a person nobody knows: each such file is then a person of its own.
"""

import csv
import dataclasses
import fnmatch
import pathlib
import re

from commands.cli import InputError

NAME = "subjects.csv"

LONGEST = 16 << 20
"""Bytes of a table."""

_COLUMNS = (
    {"file", "subject"},
    {"file", "subject", "class"},
    {"subject", "class"},
)

_RIGHT = (
    "its first line should be 'file,subject', 'file,subject,class' or 'subject,class'"
)

# Names that are of one kind of set alone.
_SPECIFIC = (
    re.compile(r"(?:sp|mea|circ)\w*-(?P<subject>[HP]\d+)", re.IGNORECASE),
    re.compile(r"(?P<subject>V\d+[HP])[EO]\d+", re.IGNORECASE),
)

# A word for a person, a number, and something else behind it.
_USUAL = re.compile(
    r"(?P<word>p|pat|patient|sub|subj|subject|person|participant|proband|writer|user|id"
    r"|hc|pd|et|ctrl|control)[ _-]?(?P<number>\d+)[ _-]+\w.*",
    re.IGNORECASE,
)


@dataclasses.dataclass(frozen=True)
class SubjectRow:
    """A line of `subjects.csv`; what it does not say is None.

    Attributes:
        file: path or pattern.
        subject: the person, empty where nobody knows.
        class_name: the class.
    """

    file: str | None
    subject: str
    class_name: str | None


def read(table: pathlib.Path) -> list[SubjectRow]:
    """Returns the lines of a `subjects.csv`.

    Separated by commas, semicolons or tabs, whichever the header has.

    Raises:
        InputError: it is malformed.
    """
    lines = rows(table)
    if lines is None:
        raise InputError(f"{str(table)!r} is no table of text: {_RIGHT}")
    header = set(lines[0]) if lines else set()
    if header not in _COLUMNS or len(header) < len(lines[0]):
        quoted = ",".join(lines[0])[:80] if lines else ""
        raise InputError(f"{str(table)!r} begins with {quoted!r}: {_RIGHT}")
    if len(lines) == 1:
        raise InputError(f"{str(table)!r} names nobody: add a line for each file")
    found = []
    for line in lines[1:]:
        values = dict(zip(lines[0], line))
        needed = header - {"subject"} if "file" in header else header
        if len(line) != len(lines[0]) or not all(values[name] for name in needed):
            raise InputError(
                f"{str(table)!r} has the line {','.join(line)[:80]!r}: it should hold "
                f"{','.join(lines[0])}"
            )
        file = values.get("file")
        found.append(
            SubjectRow(
                None if file is None else file.replace("\\", "/").removeprefix("./"),
                values["subject"],
                values.get("class"),
            )
        )
    return found


def rows(table: pathlib.Path) -> list[list[str]] | None:
    """Returns a table's lines, stripped, without empty ones; None if it is no table."""
    with open(table, "rb") as file:
        content = file.read(LONGEST + 1)
    try:
        if len(content) > LONGEST:
            return None
        lines = content.decode("utf-8-sig").splitlines()
        delimiter = max(",;\t", key=lines[0].count) if lines else ","
        read = csv.reader(lines, delimiter=delimiter, strict=True)
        found = [[cell.strip() for cell in line] for line in read]
    except (ValueError, csv.Error):
        return None
    return [line for line in found if any(line)]


def by_file(
    table: pathlib.Path, listed: list[SubjectRow], files: list[pathlib.PurePosixPath]
) -> dict[pathlib.PurePosixPath, SubjectRow]:
    """Returns the line of each file that has one.

    A path goes before a pattern.

    Raises:
        InputError: a line fits no file, or two that differ fit the same.
    """
    known = {str(file): file for file in files}
    found: dict[pathlib.PurePosixPath, tuple[bool, SubjectRow]] = {}
    for row in listed:
        exact = row.file in known
        fitting = [row.file] if exact else fnmatch.filter(known, row.file)
        if not fitting:
            raise InputError(
                f"{str(table)!r} lists {row.file!r}, and there is no such drawing in "
                f"{str(table.parent)!r}: give paths from that folder, or patterns"
            )
        for name in fitting:
            before = found.get(known[name])
            if before is None or (exact and not before[0]):
                found[known[name]] = exact, row
            elif before[0] == exact and _said(before[1]) != _said(row):
                raise InputError(
                    f"{str(table)!r} says two things of {name!r}, in "
                    f"{before[1].file!r} and {row.file!r}: keep one"
                )
    return {file: row for file, (_, row) in found.items()}


def _said(row: SubjectRow) -> tuple[str, str | None]:
    return row.subject, row.class_name


def in_names(stems: list[str]) -> list[str | None]:
    """Returns the persons that file names tell, None where unsure.

    Names as in NewHandPD (`sp1-H12`: H12) and Kaggle's parkinsons-drawings (`V03PE05`:
    V03P) are known by themselves. Any others have to begin with a word for a person and
    a number, with something behind it: `P012_spiral_1` is P12, `subj03-2` SUBJ3. One
    name among all that does not fit, and that rule tells nothing: numbers may then
    count pictures.
    """
    specific = [_specific(stem) for stem in stems]
    usual = [_USUAL.fullmatch(stem) for stem in stems]
    if not all(known or match for known, match in zip(specific, usual)):
        return specific
    return [
        known or f"{match['word'].upper()}{int(match['number'])}"
        for known, match in zip(specific, usual)
    ]


def odd_one(stems: list[str]) -> tuple[int, int] | None:
    """Returns where a name tells a person and where one tells nobody, the first each.

    None if all tell, or less than half.
    """
    told = [bool(_specific(stem) or _USUAL.fullmatch(stem)) for stem in stems]
    if all(told) or sum(told) < len(told) / 2:
        return None
    return told.index(True), told.index(False)


def _specific(stem: str) -> str | None:
    matches = (pattern.fullmatch(stem) for pattern in _SPECIFIC)
    return next((match["subject"].upper() for match in matches if match), None)


def same(name: str) -> str:
    """Returns a person's name as it is compared: a number without leading zeros."""
    return name.lstrip("0") or "0" if name.isdecimal() else name
