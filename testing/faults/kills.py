"""Kills at random moments, and what has to hold after each of them.

After a kill every file that has its final name is whole, and loads; nothing is left
half-written once somebody has gone on; and what comes out at last is what would have
come out without kills.
"""

import json
import multiprocessing
import os
import pathlib
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

from commands.files import DRAFT, read_json, read_rows
from export import card, runtime
from pipelines.images import data
from pipelines.run.model import read_model

from . import work

_LONGEST = 600.0  # seconds that anything here may take


class Workplace:
    """Where work is done by processes that may be killed.

    Args:
        folder: an empty one.
    """

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self._scratch = folder / "scratch"
        self._scratch.mkdir(parents=True)
        self._fork = multiprocessing.get_context("forkserver")
        self._fork.set_forkserver_preload([work.__name__])

    def do(self, done: Callable, *arguments: pathlib.Path) -> float:
        """Has work done; returns how many seconds it took."""
        start = time.monotonic()
        assert self.do_until(_LONGEST, done, *arguments)
        return time.monotonic() - start

    def do_until(
        self, seconds: float, done: Callable, *arguments: pathlib.Path
    ) -> bool:
        """Has work done, and kills it after some time; returns whether it ended."""
        process = self._fork.Process(
            target=work.call, args=(done, arguments, self._scratch)
        )
        process.start()
        process.join(seconds)
        process.kill()
        process.join()
        ended = process.exitcode != -signal.SIGKILL
        if ended:
            printed = (self._scratch / "printed").read_text("utf-8", "replace")
            assert process.exitcode == 0, printed
        return ended


class Building:
    """Building a dataset."""

    name = "building a dataset"

    def __init__(self, place: Workplace):
        self.made = self._in(place.folder / "sound-data")
        place.do(work.build, place.folder / "sound-data")
        # The first time the fork server is started, too; the second one tells.
        self.seconds = place.do(work.build, place.folder / "again")

    @staticmethod
    def _in(folder: pathlib.Path) -> pathlib.Path:
        return folder / "shaky_letters" / "few_letters" / "1.0.0"

    def work(self, folder: pathlib.Path) -> tuple:
        """Returns what is to be done."""
        return work.build, folder

    def check(self, folder: pathlib.Path) -> None:
        """The dataset is there and whole, or it is not there."""
        if self._in(folder).exists():
            assert _bytes(self._in(folder)) == _bytes(self.made)

    def finished(self, folder: pathlib.Path) -> None:
        """The dataset is the one that nobody killed, and nothing else is there."""
        data.load(data.prepare(str(self._in(folder))), "train")
        assert _bytes(self._in(folder)) == _bytes(self.made)
        assert os.listdir(self._in(folder).parent) == ["1.0.0"]


class Trained:
    """Splitting, hardening, fine-tuning and measuring."""

    name = "training and hardening"

    def __init__(self, place: Workplace, made: pathlib.Path):
        self.data = made
        self.run = place.folder / "sound-run"
        self.seconds = place.do(work.fit, made, self.run)
        self._weights = _weights(self.run)

    def work(self, folder: pathlib.Path) -> tuple:
        """Returns what is to be done."""
        return work.fit, self.data, folder

    def check(self, folder: pathlib.Path) -> None:
        """Every file is whole, and loads; there is a checkpoint or a result."""
        for file in _whole(folder):
            if file.suffix == ".json":
                read_json(file)
            elif file.suffix == ".csv":
                read_rows(file)
            elif file.suffix == ".keras":
                read_model(file)
            elif file.suffix == ".png":
                with Image.open(file) as image:
                    image.load()
            elif file.suffix == ".npz":
                with np.load(file, allow_pickle=False) as arrays:
                    assert len(arrays["test"]) == len(arrays["test_label"])
        if (folder / "metrics.json").exists():
            assert (folder / "model.keras").exists()

    def finished(self, folder: pathlib.Path) -> None:
        """Weights are bit-equal, and nothing is left of the kills."""
        for a, b in zip(self._weights, _weights(folder), strict=True):
            np.testing.assert_array_equal(a, b)
        left, sound = (
            {path.name for path in run.iterdir()} for run in (folder, self.run)
        )
        assert left == sound
        timed = {"train_seconds", "images_per_second"}
        figures = [read_json(run / "metrics.json") for run in (folder, self.run)]
        for name in figures[1].keys() - timed:
            assert figures[0][name] == figures[1][name]


class Exporting:
    """Writing .tflite files."""

    name = "export"

    def __init__(self, place: Workplace, run: pathlib.Path):
        self.run = run
        self.made = place.folder / "sound-export"
        self.seconds = place.do(work.write, run, self.made)

    def work(self, folder: pathlib.Path) -> tuple:
        """Returns what is to be done."""
        return work.write, self.run, folder

    def check(self, folder: pathlib.Path) -> None:
        """Every file is whole, and loads; a report is of the files beside it."""
        for file in _whole(folder):
            if file.suffix == ".tflite":
                card.verify(file.read_bytes())
                runtime.interpreter(file)
        if (folder / "report.json").exists():
            self._report(folder)

    def _report(self, folder: pathlib.Path) -> None:
        rows = json.loads((folder / "report.json").read_text("utf-8"))
        golden = read_json(folder / "golden.json")
        files = {row["file"]: row["bytes"] for row in rows if row["file"]}
        assert golden["files"].keys() == files.keys()
        found = {file.name: file.stat().st_size for file in folder.glob("*.tflite")}
        assert found == files

    def finished(self, folder: pathlib.Path) -> None:
        """Files are equal, byte for byte; reports but for the time."""
        self._report(folder)
        files, sound = _bytes(folder), _bytes(self.made)
        assert files.keys() == sound.keys()
        for name in files.keys() - {"report.json"}:
            assert files[name] == sound[name], name


def run(stage, place: Workplace, kills: int, rng: random.Random) -> Iterator[float]:
    """Kills a stage again and again; yields the seconds that each time it was given.

    What was killed goes on, and is killed again, until it ends before its moment
    comes; then it starts afresh.

    Args:
        stage: one of the classes above, made.
        place: where it was made.
        kills: how many.
        rng: draws the moments, evenly over as long as the whole takes; where that was
            measured on a busy machine, over as long as it took since.
    """
    done = attempt = 0
    seconds = stage.seconds
    folder = place.folder / f"killed-{type(stage).__name__}-0"
    while True:
        moment = rng.uniform(0, seconds) if done < kills else _LONGEST
        afresh = not folder.exists()
        ended = place.do_until(moment, *stage.work(folder))
        stage.check(folder)
        if ended:
            if afresh:
                seconds = min(seconds, moment)
            stage.finished(folder)
            shutil.rmtree(folder)
            if done == kills:
                return
            attempt += 1
            folder = folder.with_name(f"killed-{type(stage).__name__}-{attempt}")
        else:
            done += 1
            yield moment


def _whole(folder: pathlib.Path) -> list[pathlib.Path]:
    """Returns the files in a folder that have their final names."""
    if not folder.exists():
        return []
    return [p for p in folder.iterdir() if p.is_file() and not p.match(f"{DRAFT}*")]


def _bytes(folder: pathlib.Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def _weights(run: pathlib.Path) -> list[np.ndarray]:
    return read_model(run / "model.keras").get_weights()
