"""Published sets of drawings, known by their folders.

What is where was read in public code that loads them; none of the sets is needed here.

- NewHandPD: `HealthySpiral/sp1-H1.jpg`, `PatientMeander/mea3-P12.jpg`,
  `HealthyCircle/circA-H1.jpg`; unpacked, often a folder within its namesake. The
  `…Signal` folders are what the pen's sensors heard and felt, not where it was.
- HandPD: `Spiral_HandPD/SpiralControl/0068-1.jpg`, `…/SpiralPatients/…`, the same for
  meanders: an exam and an image. **One person has up to four exams** (exams 2 to 5 are
  one man's): `Spiral_HandPD.csv` or `Meander_HandPD.csv`, from the set's page, says so
  in its column ID_PATIENT, which counts each class from 1. The folders are trusted for
  the class, as CLASS_TYPE is used both ways.
- Kaggle's parkinsons-drawings: `spiral/training/healthy/V01HE02.png`, a person, healthy
  or patient, E for a spiral and O for a wave, and an image. The archive holds
  `drawings/`, a copy of all. Persons are on both sides of training and testing.
- UCI's spiral drawings: `hw_dataset/{control,parkinson}/C_0001.txt`, one file a person,
  and `new_dataset/parkinson/H_P000-0001.txt`. `hw_drawings` holds pictures of some;
  `Improved Spiral Test…` the same drawings again, five controls' with samples added,
  so that no comparison of bytes finds them.
- PaHaW: `PaHaW_public/00001/00001__1_1.svc`, a person, a task (1 is the spiral) and a
  repetition. Who is healthy stands in an Excel sheet, `corpus_PaHaW.xlsx`.
"""

import collections
import dataclasses
import pathlib
import re
import statistics

from . import people
from .recording import svc

IMAGES = frozenset({".png", ".jpg", ".jpeg", ".jfif", ".tif", ".tiff", ".bmp"})


@dataclasses.dataclass(frozen=True)
class Place:
    """What a file's place tells: its class, "" where it tells none, person, task."""

    class_name: str
    subject: str | None
    task: str


@dataclasses.dataclass(frozen=True)
class Layout:
    """How the folders and files of a published set are named.

    Attributes:
        name: as people call the set.
        pattern: what the path of each drawing ends in; its groups are `class`, `task`,
            `subject` where the file's name tells one, and `letter` for a task.
        suffixes: kinds of file that are drawings.
        others: patterns of what else the set holds, and what that is.
        note: what its users should know.
    """

    name: str
    pattern: re.Pattern
    suffixes: frozenset[str]
    others: tuple[tuple[re.Pattern, str], ...] = ()
    note: str = ""

    def recognises(self, files: list[pathlib.PurePosixPath]) -> bool:
        """Whether a file lies as in the set, and is named so."""
        matches = map(self.pattern.search, map(str, files))
        return any(match and match["subject"] for match in matches)

    def place(self, file: pathlib.PurePosixPath) -> Place | str:
        """Returns what a file's place tells, or why it is no drawing of the set."""
        for pattern, reason in self.others:
            if pattern.search(str(file)):
                return reason
        match = self.pattern.search(str(file))
        if not match or file.suffix.lower() not in self.suffixes:
            return f"is none of the drawings of {self.name}"
        found = collections.defaultdict(str, match.groupdict(default=""))
        task = found["task"].lower() or _LETTERS.get(found["letter"].upper(), "")
        if task.isdecimal():
            task = "spiral" if task == "1" else f"task {task}"
        return Place(
            found["class"].lower().removesuffix("s"),
            found["subject"].upper() or None,
            task,
        )


def _pattern(text: str) -> re.Pattern:
    return re.compile(text, re.IGNORECASE)


_LETTERS = {"E": "spiral", "O": "wave"}

HANDPD = Layout(
    "HandPD",
    _pattern(
        r"(?:^|/)(?P<task>Spiral|Meander)(?P<class>Control|Patients)/(?:[^/]+/)*"
        r"(?:(?P<subject>\d+)-\d+\.\w+|[^/]+)$"
    ),
    IMAGES,
    (
        (
            _pattern(r"(?:^|/)(Spiral|Meander)_HandPD\.csv$"),
            "says whose the exams are",
        ),
    ),
)

PAHAW = Layout(
    "PaHaW",
    _pattern(rf"(?:^|/){svc.PAHAW}$"),
    frozenset({".svc"}),
)

LAYOUTS = (
    Layout(
        "NewHandPD",
        _pattern(
            r"(?:^|/)(?P<class>Healthy|Patient)(?P<task>Spiral|Meander|Circle)/"
            r"(?:[^/]+/)*(?:[^/]*-(?P<subject>[HP]\d+)\.\w+|[^/]+)$"
        ),
        IMAGES,
        (
            (
                _pattern(r"(?:^|/)(Healthy|Patient)Signal/"),
                "is what the pen's sensors recorded, not its path",
            ),
        ),
    ),
    HANDPD,
    Layout(
        "Kaggle's parkinsons-drawings",
        _pattern(
            r"(?:^|/)(?:(?P<task>spiral|wave)/)?(?:training|testing)/"
            r"(?P<class>healthy|parkinson)/"
            r"(?:(?P<subject>V\d+[HP])(?P<letter>[EO])\d+\.\w+|[^/]+)$"
        ),
        IMAGES,
        note="its training and testing folders share persons: both are taken as one "
        "and divided by person",
    ),
    Layout(
        "UCI's spiral drawings",
        _pattern(
            r"(?:^|/)(?P<class>control|parkinson)/"
            r"(?:(?P<subject>C_\d{4}|P_\d{8}|H_P\d{3}-\d{4})\.txt|[^/]+)$"
        ),
        frozenset({".txt"}),
        (
            (
                _pattern(r"(?:^|/)hw_drawings/"),
                "is a picture of a recording, and recordings are taken themselves",
            ),
            (
                _pattern(r"(?:^|/)Improved Spiral Test"),
                "is a second copy of a drawing in hw_dataset",
            ),
        ),
    ),
    PAHAW,
)


def patients(
    folder: pathlib.Path, files: list[pathlib.PurePosixPath]
) -> dict[str, str]:
    """Returns the number that HandPD's tables give the person of each exam.

    Exams are numbers as text, without leading zeros. Where lines of an exam disagree,
    as those of exam 16 do, most of them decide. Empty if no table is there.
    """
    said: dict[str, list[str]] = collections.defaultdict(list)
    for file in files:
        if file.suffix.lower() != ".csv":
            continue
        header, *lines = people.rows(folder / file) or [[]]
        if not {"_ID_EXAM", "ID_PATIENT"} <= set(header):
            continue
        for line in lines:
            values = dict(zip(header, line))
            if values.get("_ID_EXAM") and values.get("ID_PATIENT"):
                said[people.same(values["_ID_EXAM"])].append(values["ID_PATIENT"])
    return {exam: statistics.mode(numbers) for exam, numbers in said.items()}
