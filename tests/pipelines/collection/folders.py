"""Makes small collections in every layout, with drawings of the generator.

Each maker is called as maker(folder, persons, images_each, rng): it fills `folder`,
which it makes if need be, with `persons` persons of each of two classes, who leave
`images_each` drawings each; of each task, where the set has several. The first class is
regular, the second shaky. Images are dark ink on white paper, 100 by 100.
"""

import csv
import json

import cv2
import numpy as np

from shaky_letters.config import ShakyLettersConfig
from shaky_letters.examples import example

_LETTERS = ShakyLettersConfig(name="letters")


def drawn(label, rng):
    """One drawing by the generator, see `example`, of 0, regular, or 1, shaky."""
    return example(
        _LETTERS, _LETTERS.splits()["train"], 2 * int(rng.integers(1 << 40)) + label
    )


def image(file, label, rng):
    """Writes a drawing as an image, of the kind that the file's name says."""
    file.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(file), 255 - drawn(label, rng)["image"])


def class_folders(folder, persons, images_each, rng):
    """regular/P01_letter_1.png, and shaky/; the second class's persons go on counting.

    A note and what an operating system leaves lie among them.
    """
    for label, name in enumerate(("regular", "shaky")):
        for person in range(1, persons + 1):
            for number in range(1, images_each + 1):
                who = f"P{label * persons + person:02d}"
                image(folder / name / f"{who}_letter_{number}.png", label, rng)
    (folder / "README.txt").write_text("Drawn by the generator.\n", "utf-8")
    (folder / "regular" / "Thumbs.db").write_bytes(b"\0")
    (folder / "shaky" / ".DS_Store").write_bytes(b"\0")


def person_folders(folder, persons, images_each, rng):
    """steady/anna-1/1.png, and tremor/: a folder per person in each class's."""
    for label, name in enumerate(("steady", "tremor")):
        for person in range(1, persons + 1):
            for number in range(1, images_each + 1):
                place = folder / name / f"{'anna' if label else 'bert'}-{person}"
                image(place / f"{number}.png", label, rng)


def newhandpd(folder, persons, images_each, rng):
    """HealthySpiral/sp1-H1.jpg, PatientMeander/mea2-P3.jpg, and a sensor's signal."""
    for label, name in enumerate(("Healthy", "Patient")):
        for task, short in (("Spiral", "sp"), ("Meander", "mea")):
            for person in range(1, persons + 1):
                for number in range(1, images_each + 1):
                    file = f"{short}{number}-{name[0]}{person}.jpg"
                    image(folder / f"{name}{task}" / file, label, rng)
    (folder / "HealthySignal").mkdir()
    (folder / "HealthySignal" / "sigSp1-H1.txt").write_text("0 1 2\n", "utf-8")


def handpd(folder, persons, images_each, rng):
    """Spiral_HandPD/SpiralControl/0068-1.jpg, …, and Spiral_HandPD.csv.

    Each person has two exams, and leaves `images_each` images at each.
    """
    lines = []
    exam = 0
    for label, name in enumerate(("Control", "Patients")):
        for person in range(1, persons + 1):
            for _ in range(2):
                exam += 1
                for number in range(1, images_each + 1):
                    file = f"{exam:04d}-{number}.jpg"
                    place = folder / "Spiral_HandPD" / f"Spiral{name}"
                    image(place / file, label, rng)
                    lines.append((exam, file, person, 2 - label))
    _table(
        folder / "Spiral_HandPD.csv",
        ("_ID_EXAM", "IMAGE_NAME", "ID_PATIENT", "CLASS_TYPE"),
        lines,
    )


def kaggle(folder, persons, images_each, rng):
    """spiral/training/healthy/V01HE01.png, …/testing/…, wave/…, and a copy of all."""
    for task, letter in (("spiral", "E"), ("wave", "O")):
        for label, name in enumerate(("healthy", "parkinson")):
            for person in range(1, persons + 1):
                for number in range(1, images_each + 1):
                    half = "testing" if number == 1 else "training"
                    file = f"V{person:02d}{name[0].upper()}{letter}{number:02d}.png"
                    place = f"{task}/{half}/{name}"
                    image(folder / place / file, label, rng)
                    copy = folder / "drawings" / place / file
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    copy.write_bytes((folder / place / file).read_bytes())


def uci(folder, persons, images_each, rng):
    """hw_dataset/control/C_0001.txt and parkinson/P_02100001.txt.

    A file a person, with a static and a dynamic spiral and a test of stability,
    whatever `images_each`; some pictures, and a folder of copies with samples added.
    """
    for label, (name, pattern) in enumerate(
        (("control", "C_{:04d}.txt"), ("parkinson", "P_0210{:04d}.txt"))
    ):
        for person in range(1, persons + 1):
            place = folder / "hw_dataset" / name
            place.mkdir(parents=True, exist_ok=True)
            text = uci_text(drawn(label, rng), 0) + uci_text(drawn(label, rng), 1)
            text += "".join(f"200;200;0;0;900;{9000 + i};2\n" for i in range(5))
            (place / pattern.format(person)).write_text(text, "utf-8")
            copy = folder / "Improved Spiral Test" / "data" / name
            copy.mkdir(parents=True, exist_ok=True)
            more = text + "200;200;0;0;900;9005;2\n"
            (copy / f"Healthy ({person}).txt").write_text(more, "utf-8")
    picture = folder / "hw_drawings" / "Static Spiral Test" / "P_02100001.png"
    image(picture, 1, rng)


def pahaw(folder, persons, images_each, rng):
    """PaHaW_public/00001/00001__1_1.svc, …, and the subjects.csv that it needs."""
    lines = []
    for label, name in enumerate(("H", "PD")):
        for person in range(1, persons + 1):
            number = label * persons + person
            place = folder / "PaHaW_public" / f"{number:05d}"
            place.mkdir(parents=True)
            for task in range(1, images_each + 1):
                file = place / f"{number:05d}__{task}_1.svc"
                file.write_text(svc_text(drawn(label, rng)), "utf-8")
            lines.append((f"{number}", name))
    _table(folder / "subjects.csv", ("subject", "class"), lines)


def recordings(folder, persons, images_each, rng):
    """regular/writer1_1.csv, and shaky/: x, y, t, pressure; every other as JSON."""
    for label, name in enumerate(("regular", "shaky")):
        (folder / name).mkdir(parents=True)
        for person in range(1, persons + 1):
            for number in range(1, images_each + 1):
                pen = drawn(label, rng)["strokes"]
                who = label * persons + person
                file = folder / name / f"writer{who}_{number}.csv"
                if number % 2:
                    _table(file, ("x", "y", "t", "pressure"), csv_rows(pen))
                else:
                    x, y, t, pressure = zip(*csv_rows(pen))
                    content = {"x": x, "y": y, "t": t, "pressure": pressure}
                    file.with_suffix(".json").write_text(json.dumps(content), "utf-8")


MAKERS = {
    "class folders": class_folders,
    "person folders": person_folders,
    "newhandpd": newhandpd,
    "handpd": handpd,
    "kaggle": kaggle,
    "uci": uci,
    "pahaw": pahaw,
    "recordings": recordings,
}


def csv_rows(pen):
    """x, y, t and pressure of a recording, Python's numbers."""
    pressure = np.where(pen["pen_down"], 0.5, 0.0)
    columns = (pen["x"], pen["y"], pen["t"], pressure)
    return list(zip(*(column.tolist() for column in columns)))


def svc_text(made):
    """A drawing as PaHaW's .svc: 64 units a pixel."""
    pen = made["strokes"]
    lines = [
        f"{round(64 * y)} {round(64 * x)} {round(1000 * t)} {int(down)} 1190 720 "
        f"{1000 * int(down)}"
        for x, y, t, down in zip(pen["x"], pen["y"], pen["t"], pen["pen_down"])
    ]
    return "\n".join([str(len(lines)), *lines]) + "\n"


def uci_text(made, test):
    """A drawing as UCI's .txt: 4 units a pixel."""
    pen = made["strokes"]
    return "".join(
        f"{round(4 * x)};{round(4 * y)};0;{600 * int(down)};900;{round(1000 * t)};"
        f"{test}\n"
        for x, y, t, down in zip(pen["x"], pen["y"], pen["t"], pen["pen_down"])
    )


def _table(file, header, lines):
    with open(file, "w", newline="", encoding="utf-8") as text:
        csv.writer(text).writerows([header, *lines])
