"""Which files of a folder are drawings, of which class, and whose.

    DIR/<class>/<anything>/file      a folder per class, of any names
    DIR/…                            a published set, see `known`

Images are PNG, JPEG, TIFF and BMP; recordings CSV, TSV, JSON, InkML, SVG, SVC and TXT.
Whose a file is, `subjects.csv` says (see `people`), or else a folder inside the
class's, or else the file's name; "spiral" and the like are never taken for a person,
nor are "train" and "test". The same name in two classes is taken for the same person:
writers of digits are in all classes, and where it is a mistake, it costs a little
balance, while the opposite mistake lets a person be trained and tested on.

Labels follow the classes' names, but what is healthy, regular or a control is first.
"""

import collections
import dataclasses
import filecmp
import os
import pathlib
import re

from commands.cli import InputError

from . import people
from .known import HANDPD, IMAGES, LAYOUTS, PAHAW, Layout, Place, patients

UNREAD = frozenset({".heic", ".heif", ".avif", ".webp", ".gif", ".jp2", ".pdf"})
"""Pictures that are not read, but named, so that nobody misses them."""

RECORDINGS = frozenset({".csv", ".tsv", ".json", ".svc", ".txt", ".inkml", ".svg"})

_HEALTHY = frozenset(
    {"regular", "healthy", "control", "controls", "normal", "h", "hc", "ctl"}
)

_DIVISIONS = frozenset(
    {"train", "training", "test", "testing", "val", "valid", "validation"}
)

_TASK = re.compile(
    r"(?<![a-z])(spiral|meander|wave|circle|letter|shape)s?(?![a-z])", re.IGNORECASE
)

_NOTES = re.compile(r"(read_?me|licen[cs]e|info|notes?|changelog|citation)", re.I)


@dataclasses.dataclass(frozen=True)
class Item:
    """A file that is taken for a drawing, or for several of one person.

    Attributes:
        file: where it is.
        label: index of its class.
        subject: the person's name; None where nobody knows.
        task: what is drawn, "spiral" say; "" where nobody knows.
    """

    file: pathlib.Path
    label: int
    subject: str | None
    task: str


@dataclasses.dataclass(frozen=True)
class Ignored:
    """A file that is not taken, and why: to be read after the file's name."""

    file: pathlib.Path
    reason: str


@dataclasses.dataclass(frozen=True)
class FolderContents:
    """What a folder holds; in the order of the files' paths.

    Attributes:
        layout: how the folder was read, in plain words.
        classes: their names; a label is an index into them.
        items: the drawings.
        ignored: every other file; of a hidden or linked folder, the folder.
        notes: what was decided and its owner should know; one sentence each.
    """

    layout: str
    classes: tuple[str, ...]
    items: tuple[Item, ...]
    ignored: tuple[Ignored, ...]
    notes: tuple[str, ...]


_Places = dict[pathlib.PurePosixPath, Place]
_Reasons = dict[pathlib.PurePosixPath, str]


def find(
    folder: pathlib.Path, unreadable: frozenset[pathlib.Path] = frozenset()
) -> FolderContents:
    """Looks through a folder.

    Args:
        folder: the folder.
        unreadable: files of it whose names say nothing of who drew the others, as there
            is no drawing in them.

    Raises:
        InputError: there is no such folder; it holds no drawings, or of one class
            alone; a class's folder is empty; `subjects.csv` is malformed, or says
            nothing of a drawing.
    """
    if not folder.exists():
        raise InputError(f"no folder {str(folder)!r}: give one with a folder per class")
    if not folder.is_dir():
        raise InputError(f"{str(folder)!r} is a file: give a folder with one per class")
    files, folders, ignored = _walk(folder)
    table = folder / people.NAME
    listed = people.read(table) if pathlib.PurePosixPath(people.NAME) in files else None
    if listed is not None:
        files.remove(pathlib.PurePosixPath(people.NAME))
        ignored[pathlib.PurePosixPath(people.NAME)] = "says who drew what"
    known = next((layout for layout in LAYOUTS if layout.recognises(files)), None)
    if known is PAHAW and listed is None and _in_classes(files):
        known = None

    notes: list[str] = []
    if listed and listed[0].class_name is not None:
        if listed[0].file is not None:
            name = f"as {people.NAME} lists them"
            places = _listed(table, listed, files, ignored)
        else:
            name = "PaHaW" if known is PAHAW else "a folder per person"
            places = _classed(table, listed, files, ignored, known)
    elif known is PAHAW:
        raise InputError(
            f"{str(folder)!r} is PaHaW, whose classes stand in an Excel sheet: write "
            f"{str(table)!r} with the line 'subject,class' and then one for each "
            "person, such as '00001,H', from its columns ID and Disease"
        )
    else:
        if known:
            name = known.name
            places = _known(known, folder, files, ignored, notes)
        else:
            name = "a folder per class"
            places = _generic(folder, files, folders, ignored, notes, unreadable)
        if listed is not None:
            places = _named(table, listed, places)
    return _found(folder, name, places, ignored, notes)


def within(folder: pathlib.Path) -> list[pathlib.Path]:
    """Returns the files in a folder, and in its folders, that may hold drawings.

    Raises:
        InputError: the folder cannot be read.
    """
    files, _, _ = _walk(folder)
    return [folder / file for file in files if _drawing(file) is None]


def _walk(
    folder: pathlib.Path,
) -> tuple[list[pathlib.PurePosixPath], list[str], _Reasons]:
    """Returns the files, the folders right inside, and what is not looked at."""

    def refuse(error: OSError) -> None:
        raise InputError(f"{error.filename!r} cannot be read: {error.strerror}")

    files: list[pathlib.PurePosixPath] = []
    folders: list[str] = []
    ignored: _Reasons = {}
    for place, inside, names in os.walk(folder, onerror=refuse):
        here = pathlib.Path(place)
        above = pathlib.PurePosixPath(here.relative_to(folder).as_posix())
        for name in list(inside):
            if _hidden(name):
                ignored[above / name] = "is a hidden folder"
            elif (here / name).is_symlink():
                ignored[above / name] = "is a link to a folder"
            else:
                continue
            inside.remove(name)
        for name in names:
            if _hidden(name):
                ignored[above / name] = "is hidden"
            elif not (here / name).is_file():
                ignored[above / name] = "is no ordinary file"
            else:
                files.append(above / name)
        if here == folder:
            folders = sorted(inside)
    return sorted(files), folders, ignored


def _hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _drawing(file: pathlib.PurePosixPath) -> str | None:
    """Returns why a file is no drawing by its name; None if it may be one."""
    if file.suffix.lower() not in IMAGES | UNREAD | RECORDINGS:
        return f"is of a kind that is not read, {file.suffix!r}"
    if file.suffix.lower() in RECORDINGS and _NOTES.fullmatch(file.stem):
        return "is a note, by its name"
    return None


def _in_classes(files: list[pathlib.PurePosixPath]) -> bool:
    """Whether PaHaW's files were put into a folder per class."""
    tops = {file.parts[0] for file in files if file.suffix.lower() == ".svc"}
    return len(tops) > 1 and not any(top.isdecimal() for top in tops)


def _listed(
    table: pathlib.Path,
    listed: list[people.SubjectRow],
    files: list[pathlib.PurePosixPath],
    ignored: _Reasons,
) -> _Places:
    rows = people.by_file(table, listed, files)
    ignored.update((f, f"is not in {people.NAME}") for f in files if f not in rows)
    return {
        file: Place(row.class_name or "", row.subject or None, _task(file))
        for file, row in rows.items()
    }


def _classed(
    table: pathlib.Path,
    listed: list[people.SubjectRow],
    files: list[pathlib.PurePosixPath],
    ignored: _Reasons,
    known: Layout | None,
) -> _Places:
    classes: dict[str, str] = {}
    for row in listed:
        person = people.same(row.subject)
        if classes.setdefault(person, row.class_name or "") != row.class_name:
            raise InputError(
                f"{str(table)!r} puts {row.subject!r} in two classes, "
                f"{classes[person]!r} and {row.class_name!r}: keep one"
            )
    places = {}
    for file in files:
        if known is PAHAW:
            place = PAHAW.place(file)
        else:
            reason = _drawing(file) or (
                "lies in no person's folder" if len(file.parts) == 1 else None
            )
            place = reason or Place("", file.parts[0], _task(file))
        if isinstance(place, str):
            ignored[file] = place
            continue
        person = people.same(place.subject or "")
        if person not in classes:
            raise InputError(
                f"{str(table)!r} says nothing of {place.subject!r}, who drew "
                f"{str(file)!r}: add a line 'subject,class' for that person"
            )
        places[file] = dataclasses.replace(place, class_name=classes[person])
    return places


def _known(
    known: Layout,
    folder: pathlib.Path,
    files: list[pathlib.PurePosixPath],
    ignored: _Reasons,
    notes: list[str],
) -> _Places:
    places = {}
    for file in files:
        place = known.place(file)
        if isinstance(place, str):
            ignored[file] = place
        else:
            places[file] = place
    if known.note:
        notes.append(f"{known.name}: {known.note}.")
    if known is HANDPD:
        places = _of_patients(folder, places, files, notes)
    return _once(folder, places, ignored)


def _of_patients(
    folder: pathlib.Path,
    places: _Places,
    files: list[pathlib.PurePosixPath],
    notes: list[str],
) -> _Places:
    """Returns HandPD's places with a person for each exam."""
    persons = patients(folder, files)
    unlisted = 0
    found = {}
    for file, place in places.items():
        exam = people.same(place.subject or "")
        if exam in persons:
            subject = f"{place.class_name} {persons[exam]}"
        else:
            subject = place.subject and f"exam {exam}"
            unlisted += 1
        found[file] = dataclasses.replace(place, subject=subject)
    if unlisted:
        notes.append(
            f"HandPD: for {unlisted} drawings each exam is taken for a person, but "
            "some persons have several: put Spiral_HandPD.csv or Meander_HandPD.csv, "
            f"which tell them, into {str(folder)!r}."
        )
    return found


def _once(folder: pathlib.Path, places: _Places, ignored: _Reasons) -> _Places:
    """Returns the places without copies: of the same name, place and bytes."""
    kept: dict[tuple, list[pathlib.PurePosixPath]] = collections.defaultdict(list)
    # The copy that lies deeper is the one to go.
    for file in sorted(places, key=lambda file: (len(file.parts), file)):
        alike = kept[places[file], file.name]
        for other in alike:
            if filecmp.cmp(folder / file, folder / other, shallow=False):
                ignored[file] = f"is a copy of {str(other)!r}"
                break
        else:
            alike.append(file)
    return {file: place for file, place in places.items() if file not in ignored}


def _generic(
    folder: pathlib.Path,
    files: list[pathlib.PurePosixPath],
    folders: list[str],
    ignored: _Reasons,
    notes: list[str],
    unreadable: frozenset[pathlib.Path],
) -> _Places:
    divided = bool(folders) and all(name.lower() in _DIVISIONS for name in folders)
    if divided:
        notes.append(
            f"The folders {', '.join(map(repr, folders))} are put together: this "
            "program divides by person."
        )
    taken, places = [], {}
    for file in files:
        reason = _drawing(file)
        if len(file.parts) < 2 + divided:
            reason = reason or "lies in no class's folder"
        if reason:
            ignored[file] = reason
        else:
            taken.append(file)
    read = [file for file in taken if folder / file not in unreadable]
    named = dict(zip(read, people.in_names([file.stem for file in read])))
    for file in taken:
        class_name, *inside = file.parts[divided:-1]
        persons = [part for part in inside if not _about_the_drawing(part)]
        person = persons[0] if persons else named.get(file)
        places[file] = Place(class_name, person, _task(file))
    unknown = any(place.subject is None for place in places.values())
    odd = people.odd_one([file.stem for file in read]) if unknown else None
    if odd is not None:
        notes.append(
            f"File names such as {read[odd[0]].name!r} would tell who drew what, but "
            f"{read[odd[1]].name!r} tells nobody, so none does: rename it, or write a "
            f"{people.NAME}."
        )
    empty = set(folders) - {place.class_name for place in places.values()}
    if places and empty and not divided:
        raise InputError(
            f"{str(folder / min(empty))!r} holds no drawing: each folder in "
            f"{str(folder)!r} is a class, so fill it or move it elsewhere"
        )
    return places


def _about_the_drawing(part: str) -> bool:
    return part.lower() in _DIVISIONS or bool(_TASK.fullmatch(part))


def _task(file: pathlib.PurePosixPath) -> str:
    match = _TASK.search(str(file))
    return match[1].lower() if match else ""


def _named(
    table: pathlib.Path, listed: list[people.SubjectRow], places: _Places
) -> _Places:
    """Returns the places with the persons of `subjects.csv`, and no others."""
    rows = people.by_file(table, listed, sorted(places))
    left = [file for file in places if file not in rows]
    if left:
        raise InputError(
            f"{str(table)!r} says nothing of {len(left)} of {len(places)} drawings, "
            f"{str(left[0])!r} first: add a line for each, or a pattern; with no "
            "subject where nobody knows who drew it"
        )
    return {
        file: dataclasses.replace(place, subject=rows[file].subject or None)
        for file, place in places.items()
    }


def _found(
    folder: pathlib.Path,
    name: str,
    places: _Places,
    ignored: _Reasons,
    notes: list[str],
) -> FolderContents:
    if not places:
        raise InputError(
            f"{str(folder)!r} holds no drawings where they should be: images or pen "
            "recordings, in a folder for each class"
        )
    classes = sorted(
        {place.class_name for place in places.values()},
        key=lambda name: (name.lower() not in _HEALTHY, name.lower(), name),
    )
    if len(classes) == 1:
        inside = folder / classes[0]
        deeper = inside.is_dir() and sum(path.is_dir() for path in inside.iterdir()) > 1
        hint = f", such as {str(inside)!r} if its folders are classes" if deeper else ""
        raise InputError(
            f"{str(folder)!r} holds drawings of {classes[0]!r} alone, read as {name}: "
            f"give a folder with two classes or more{hint}"
        )
    labels = {class_name: label for label, class_name in enumerate(classes)}
    items = tuple(
        Item(folder / file, labels[place.class_name], place.subject, place.task)
        for file, place in sorted(places.items())
    )
    seen = collections.defaultdict(set)
    for item in items:
        seen[item.subject].add(item.label)
    shared = [who for who, where in seen.items() if who and len(where) > 1]
    if shared:
        notes.append(
            f"{len(shared)} persons are in several classes, {shared[0]!r} first: the "
            "same name is taken for the same person."
        )
    return FolderContents(
        name,
        tuple(classes),
        items,
        tuple(Ignored(folder / file, why) for file, why in sorted(ignored.items())),
        tuple(notes),
    )
