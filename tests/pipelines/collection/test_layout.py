import collections
import os
import re

import numpy as np
import pytest

from commands.cli import InputError
from pipelines.collection import layout, people
from tests.pipelines.collection import folders


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def put(folder, *names, text=None):
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name if text is None else text, "utf-8")


def names(folder, found):
    """Each drawing's path, class, person and task."""
    return [
        (
            item.file.relative_to(folder).as_posix(),
            found.classes[item.label],
            item.subject,
            item.task,
        )
        for item in found.items
    ]


def ignored(folder, found):
    return {i.file.relative_to(folder).as_posix(): i.reason for i in found.ignored}


def refused(folder):
    with pytest.raises(InputError) as error:
        layout.find(folder)
    assert "\n" not in error.value.message
    assert str(folder) in error.value.message
    return error.value.message


EXPECTED = {
    "class folders": ("a folder per class", ("regular", "shaky"), 12, 6, {"letter"}),
    "person folders": ("a folder per class", ("steady", "tremor"), 12, 6, {""}),
    "newhandpd": ("NewHandPD", ("healthy", "patient"), 24, 6, {"spiral", "meander"}),
    "handpd": ("HandPD", ("control", "patient"), 24, 6, {"spiral"}),
    "kaggle": (
        "Kaggle's parkinsons-drawings",
        ("healthy", "parkinson"),
        *(24, 6, {"spiral", "wave"}),
    ),
    "uci": ("UCI's spiral drawings", ("control", "parkinson"), 6, 6, {""}),
    "pahaw": ("PaHaW", ("H", "PD"), 12, 6, {"spiral", "task 2"}),
    "recordings": ("a folder per class", ("regular", "shaky"), 12, 6, {""}),
}


@pytest.mark.parametrize("name", folders.MAKERS)
def test_each_layout_is_known(name, tmp_path, rng):
    folders.MAKERS[name](tmp_path / "set", 3, 2, rng)
    found = layout.find(tmp_path / "set")
    words, classes, drawings, persons, tasks = EXPECTED[name]
    assert found.layout == words
    assert found.classes == classes
    assert len(found.items) == drawings
    assert {item.task for item in found.items} == tasks
    # Each person is in one class, and each class has half of the drawings.
    whose = {(item.subject, item.label) for item in found.items}
    assert len(whose) == len({subject for subject, _ in whose}) == persons
    assert None not in {subject for subject, _ in whose}
    counts = collections.Counter(item.label for item in found.items)
    assert counts == {0: drawings // 2, 1: drawings // 2}


@pytest.mark.parametrize("name", folders.MAKERS)
def test_no_file_is_dropped_in_silence(name, tmp_path, rng):
    folders.MAKERS[name](tmp_path, 3, 2, rng)
    found = layout.find(tmp_path)
    every = {path for path in tmp_path.rglob("*") if path.is_file()}
    told = [item.file for item in found.items] + [i.file for i in found.ignored]
    assert len(told) == len(set(told))
    assert set(told) == every
    assert all(i.reason for i in found.ignored)
    assert [i.file for i in found.items] == sorted(i.file for i in found.items)
    assert layout.find(tmp_path) == found


def test_what_lies_among_the_drawings_is_named(tmp_path, rng):
    folders.class_folders(tmp_path, 1, 1, rng)
    put(tmp_path, "regular/README.txt", "shaky/.hidden/a.png", "__MACOSX/regular/a.png")
    put(tmp_path, "loose.png")
    assert ignored(tmp_path, layout.find(tmp_path)) == {
        "README.txt": "is a note, by its name",
        "__MACOSX": "is a hidden folder",
        "loose.png": "lies in no class's folder",
        "regular/README.txt": "is a note, by its name",
        "regular/Thumbs.db": "is of a kind that is not read, '.db'",
        "shaky/.DS_Store": "is hidden",
        "shaky/.hidden": "is a hidden folder",
    }


def test_links_are_named_and_not_followed(tmp_path):
    put(tmp_path, "a/1.png", "b/1.png")
    (tmp_path / "a" / "more").symlink_to(tmp_path / "b")
    (tmp_path / "a" / "gone.png").symlink_to(tmp_path / "nothing")
    found = layout.find(tmp_path)
    assert len(found.items) == 2
    assert ignored(tmp_path, found) == {
        "a/gone.png": "is no ordinary file",
        "a/more": "is a link to a folder",
    }


def test_kaggles_copies_are_taken_once_and_other_files_twice(tmp_path, rng):
    folders.kaggle(tmp_path, 2, 2, rng)
    found = layout.find(tmp_path)
    assert all("drawings" not in item.file.parts for item in found.items)
    assert len(found.ignored) == len(found.items)
    copy = "drawings/spiral/testing/healthy/V01HE01.png"
    assert ignored(tmp_path, found)[copy] == (
        "is a copy of 'spiral/testing/healthy/V01HE01.png'"
    )
    assert "training and testing folders share persons" in found.notes[0]


def test_a_file_of_the_same_name_and_size_may_be_another_drawing(tmp_path):
    place = "testing/healthy/V01HE01.png"
    put(tmp_path, "spiral/testing/parkinson/V01PE01.png")
    put(tmp_path, f"spiral/{place}", text="one")
    put(tmp_path, f"drawings/spiral/{place}", text="two")
    for top in ("spiral", "drawings/spiral"):
        os.utime(tmp_path / top / place, (0, 0))
    assert len(layout.find(tmp_path).items) == 3


def test_one_task_of_a_set_is_enough(tmp_path, rng):
    folders.kaggle(tmp_path / "kaggle", 2, 2, rng)
    found = layout.find(tmp_path / "kaggle" / "spiral")
    assert found.layout == "Kaggle's parkinsons-drawings"
    assert {item.task for item in found.items} == {"spiral"}
    found = layout.find(tmp_path / "kaggle" / "wave" / "testing")
    assert found.layout == "a folder per class"
    assert {item.subject for item in found.items} == {"V01H", "V02H", "V01P", "V02P"}
    folders.handpd(tmp_path / "handpd", 2, 1, rng)
    found = layout.find(tmp_path / "handpd" / "Spiral_HandPD")
    assert found.layout == "HandPD"
    folders.uci(tmp_path / "uci", 2, 1, rng)
    found = layout.find(tmp_path / "uci" / "hw_dataset")
    assert (found.layout, len(found.items)) == ("UCI's spiral drawings", 4)


def test_sets_lie_deeper_too(tmp_path):
    put(
        tmp_path,
        "NewHandPD/HealthySpiral/HealthySpiral/sp1-H1.jpg",
        "NewHandPD/PatientMeander/PatientMeander/mea5-p8.jpg",
        "NewHandPD/PatientCircle/PatientCircle/circA-P12.jpg",
    )
    found = layout.find(tmp_path)
    assert [(i.subject, i.task) for i in found.items] == [
        ("H1", "spiral"),
        ("P12", "circle"),
        ("P8", "meander"),
    ]


def test_handpds_exams_are_a_persons_where_its_table_says_so(tmp_path, rng):
    folders.handpd(tmp_path, 2, 1, rng)
    found = layout.find(tmp_path)
    assert [item.subject for item in found.items] == [
        *("control 1", "control 1", "control 2", "control 2"),
        *("patient 1", "patient 1", "patient 2", "patient 2"),
    ]
    assert not found.notes
    (tmp_path / "Spiral_HandPD.csv").unlink()
    found = layout.find(tmp_path)
    assert [i.subject for i in found.items] == [f"exam {i}" for i in range(1, 9)]
    assert "each exam is taken for a person" in found.notes[0]


def test_handpds_table_may_contradict_itself(tmp_path):
    # Exam 16 as published: its first line names patient 3, the others 2.
    put(tmp_path, *(f"Spiral_HandPD/SpiralPatients/0016-{i}.jpg" for i in (1, 2, 3)))
    put(tmp_path, "Spiral_HandPD/SpiralControl/0068-1.jpg")
    lines = ["_ID_EXAM,IMAGE_NAME,ID_PATIENT,CLASS_TYPE", "16,0016-1.jpg,3,2"]
    lines += ["16,0016-2.jpg,2,2", "16,0016-3.jpg,2,2", "68,0068-1.jpg,1,1"]
    put(tmp_path, "Spiral_HandPD.csv", text="\n".join(lines))
    subjects = [item.subject for item in layout.find(tmp_path).items]
    assert subjects == ["control 1", *["patient 2"] * 3]


def test_ucis_second_copies_and_pictures_are_left(tmp_path, rng):
    folders.uci(tmp_path, 2, 1, rng)
    reasons = ignored(tmp_path, layout.find(tmp_path))
    assert reasons["hw_drawings/Static Spiral Test/P_02100001.png"] == (
        "is a picture of a recording, and recordings are taken themselves"
    )
    assert reasons["Improved Spiral Test/data/control/Healthy (1).txt"] == (
        "is a second copy of a drawing in hw_dataset"
    )


def test_pahaw_without_its_classes_says_what_to_write(tmp_path, rng):
    folders.pahaw(tmp_path, 2, 1, rng)
    (tmp_path / "subjects.csv").unlink()
    line = refused(tmp_path)
    assert "'subject,class'" in line
    assert str(tmp_path / "subjects.csv") in line
    assert "'00001,H'" in line
    # Put into a folder per class, nothing needs to be written.
    put(tmp_path / "new", "HC/00026/00026__1_1.svc", "PD/00001/00001__1_1.svc")
    found = layout.find(tmp_path / "new")
    assert [item.subject for item in found.items] == ["00026", "00001"]


def test_a_persons_class_may_be_in_the_table_alone(tmp_path):
    put(tmp_path, "anna/1.png", "anna/2.png", "bert/1.png", "loose.png")
    put(tmp_path, "subjects.csv", text="class;subject\ntremor;anna\ncontrol;bert\n")
    found = layout.find(tmp_path)
    assert found.layout == "a folder per person"
    assert found.classes == ("control", "tremor")
    assert [(i.label, i.subject) for i in found.items] == [
        *((1, "anna"), (1, "anna"), (0, "bert"))
    ]
    put(tmp_path, "carl/1.png")
    assert "says nothing of 'carl'" in refused(tmp_path)
    put(tmp_path, "subjects.csv", text="class,subject\na,anna\nb,anna\n")
    assert "puts 'anna' in two classes, 'a' and 'b'" in refused(tmp_path)


def test_subjects_csv_goes_before_names(tmp_path):
    put(tmp_path, "a/P1_1.png", "a/P1_2.png", "b/x.png", "b/y.png")
    put(tmp_path, "subjects.csv", text="subject,file\nA,a/*\nB,b\\x.png\n,b/y.png\n")
    found = layout.find(tmp_path)
    assert [item.subject for item in found.items] == ["A", "A", "B", None]
    assert ignored(tmp_path, found) == {"subjects.csv": "says who drew what"}


def test_subjects_csv_may_say_everything(tmp_path):
    put(tmp_path, "1.png", "2.png", "in/3.png", "4.png")
    lines = "\ufefffile\tsubject\tclass\n1.png\tA\tET\nin/*\tB\thealthy\n2.png\t\tET\n"
    put(tmp_path, "subjects.csv", text=lines)
    found = layout.find(tmp_path)
    assert names(tmp_path, found) == [
        ("1.png", "ET", "A", ""),
        ("2.png", "ET", None, ""),
        ("in/3.png", "healthy", "B", ""),
    ]
    assert found.classes == ("healthy", "ET")
    assert ignored(tmp_path, found)["4.png"] == "is not in subjects.csv"


def test_a_path_goes_before_a_pattern(tmp_path):
    put(tmp_path, "a/1.png", "a/2.png", "b/1.png", "b/[1].png")
    lines = "file,subject\na/1.png,A\na/*,B\nb/*,C\nb/[1].png,D\n"
    put(tmp_path, "subjects.csv", text=lines)
    subjects = [item.subject for item in layout.find(tmp_path).items]
    assert subjects == ["A", "B", "C", "D"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "begins with ''"),
        ("name,who\na,b\n", "begins with 'name,who'"),
        ("file,file,subject\na,b,c\n", "begins with 'file,file,subject'"),
        ("file,subject\n", "names nobody"),
        ("file,subject\na/1.png\n", "has the line 'a/1.png'"),
        ("file,subject\n,A\n", "has the line ',A'"),
        ("file,subject\na/9.png,A\n", "lists 'a/9.png', and there is no such drawing"),
        ("file,subject\na/*,A\n", "says nothing of 1 of 2 drawings, 'b/1.png' first"),
        ("file,subject\na/1.png,A\na/1.png,B\n", "says two things of 'a/1.png'"),
        ("file,subject\na/*,A\n*/1.png,B\n", "says two things of 'a/1.png', in 'a/*'"),
        ('file,subject\n"a/1.png,A\n', "is no table"),
    ],
)
def test_a_malformed_table_is_quoted(text, words, tmp_path):
    put(tmp_path, "a/1.png", "b/1.png")
    put(tmp_path, "subjects.csv", text=text)
    assert words in refused(tmp_path)


def test_a_table_of_bytes_is_no_table(tmp_path):
    put(tmp_path, "a/1.png", "b/1.png")
    (tmp_path / "subjects.csv").write_bytes(b"file,subject\n\xff\xfe,a\n")
    assert "is no table of text" in refused(tmp_path)


@pytest.mark.parametrize(
    "table",
    [
        "file,subject\na/1.png,A\nb/*,B\n",
        "file;subject;class\na/1.png;A;x\nb/1.png;;y\n",
        "subject,class\na,healthy\nb,ET\n",
    ],
)
def test_a_damaged_table_is_read_or_refused(table, tmp_path):
    put(tmp_path, "a/1.png", "b/1.png")
    rng = np.random.default_rng(0)
    read = 0
    for turn in range(200):
        damaged = bytearray(table.encode())
        if turn % 4:
            damaged[rng.integers(len(damaged))] ^= 1 << rng.integers(8)
        else:
            damaged = damaged[: rng.integers(len(damaged))]
        (tmp_path / "subjects.csv").write_bytes(damaged)
        try:
            read += bool(layout.find(tmp_path).items)
        except InputError:
            continue
    assert 0 < read < 200


@pytest.mark.parametrize(
    ("stems", "persons"),
    [
        (["P012_spiral_1", "p12_wave_2", "P7-1"], ["P12", "P12", "P7"]),
        (["subj03-2", "subj-03 3"], ["SUBJ3", "SUBJ3"]),
        (["sp1-H12", "mea4-p3", "circA-P1"], ["H12", "P3", "P1"]),
        (["V03HE2", "V55PO11"], ["V03H", "V55P"]),
        # A number may count pictures: nothing behind it, or no word for a person.
        (["P1", "P2"], [None, None]),
        (["scan_1", "scan_2"], [None, None]),
        (["img1_2", "spiral2_1", "s1_2", "0068-1"], [None] * 4),
        # One that does not fit, and the rule tells nothing; what is certain stays.
        (["P1_1", "other"], [None, None]),
        (["V03HE2", "other"], ["V03H", None]),
    ],
)
def test_persons_in_file_names(stems, persons):
    assert people.in_names(stems) == persons


def test_the_order_of_names_decides_nothing(tmp_path):
    put(tmp_path, "Zebra/1.png", "ape/1.png", "control/1.png", "Bee/1.png")
    assert layout.find(tmp_path).classes == ("control", "ape", "Bee", "Zebra")


def test_tasks_and_divisions_are_no_persons(tmp_path):
    put(tmp_path, "a/spiral/train/1.png", "a/wave/anna/V01HE02.png", "b/my_circle.png")
    assert names(tmp_path, layout.find(tmp_path)) == [
        ("a/spiral/train/1.png", "a", None, "spiral"),
        ("a/wave/anna/V01HE02.png", "a", "anna", "wave"),
        ("b/my_circle.png", "b", None, "circle"),
    ]


def test_train_and_test_are_no_classes(tmp_path):
    put(tmp_path, "train/a/anna/1.png", "train/b/2.png", "test/a/3.png", "test/4.png")
    found = layout.find(tmp_path)
    assert found.classes == ("a", "b")
    assert "'test', 'train' are put together" in found.notes[0]
    assert ignored(tmp_path, found) == {"test/4.png": "lies in no class's folder"}


def test_a_person_in_two_classes_is_one_and_said(tmp_path):
    put(tmp_path, "0/w1/a.png", "1/w1/a.png", "1/w2/a.png")
    found = layout.find(tmp_path)
    assert [item.subject for item in found.items] == ["w1", "w1", "w2"]
    assert "1 persons are in several classes, 'w1' first" in found.notes[0]


def test_what_is_no_collection_is_refused(tmp_path):
    assert re.match(r"no folder '.*none'", refused(tmp_path / "none"))
    put(tmp_path, "file")
    assert "is a file" in refused(tmp_path / "file")
    (tmp_path / "empty").mkdir()
    assert "holds no drawings" in refused(tmp_path / "empty")
    put(tmp_path / "flat", "1.png", "2.png")
    assert "in a folder for each class" in refused(tmp_path / "flat")
    put(tmp_path / "one", "a/1.png")
    assert "holds drawings of 'a' alone" in refused(tmp_path / "one")
    put(tmp_path / "deep", "set/a/1.png", "set/b/1.png")
    assert "if its folders are classes" in refused(tmp_path / "deep")
    put(tmp_path / "hollow", "a/1.png", "b/1.png", "c/notes.docx")
    assert f"{str(tmp_path / 'hollow' / 'c')!r} holds no drawing" in refused(
        tmp_path / "hollow"
    )


def test_an_unreadable_folder_is_refused(tmp_path, monkeypatch):
    put(tmp_path, "a/1.png", "b/1.png")
    scan = layout.os.scandir

    def guarded(path):
        if str(path).endswith("b"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(layout.os, "scandir", guarded)
    assert "cannot be read: Permission denied" in refused(tmp_path)
