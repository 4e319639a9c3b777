"""Damage to every kind of file that the programs read.

Each mutation has to be answered as a command would answer it: in one line that says
what is wrong, or as with the sound file; and no file may be new or changed then.

Drawings are no part of this: photos and recordings carry no check value, and a digit or
a pixel that is another one is another drawing.
"""

import contextlib
import dataclasses
import io
import json
import pathlib
import random
import shutil
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from commands.cli import InputError, told
from commands.files import read_rows, write_json, write_rows
from export import convert, runs, selftest
from export.command import GOLDEN
from pipelines import evaluate, predict
from pipelines.experiments import cell
from pipelines.images import data, division
from pipelines.recipe import design
from pipelines.recipe.recipe import Recipe
from pipelines.run.classifier import Classifier
from pipelines.run.config import TrainConfig
from pipelines.run.folder import CHECKPOINT, CONFIG, HISTORY, read_history
from pipelines.run.model import read_model
from pipelines.training import launch
from rvsm_tf.litert import source

from .. import small
from . import work

REFUSED, SAME = "refused", "same answer"

DRAWING = {
    **{"format": "rvsm_tf drawing", "version": 1, "width": 640, "height": 640},
    "strokes": [{"x": [100, 200, 400], "y": [100, 150, 500], "t": [0, 0.5, 1]}],
}


@dataclasses.dataclass(frozen=True)
class FileKind:
    """A kind of file.

    Attributes:
        name: what people call it.
        file: the one that is damaged, in a folder with all that belongs to it.
        read: what a program does with that folder; returns its answer.
        share: of the mutations.
    """

    name: str
    file: pathlib.Path
    read: Callable[[pathlib.Path], Any]
    share: int = 1


def truncated(content: bytes, rng: random.Random) -> bytes:
    """Cuts a file off."""
    return content[: rng.randrange(len(content))]


def flipped(content: bytes, rng: random.Random) -> bytes:
    """Flips a bit."""
    place = _place(content, rng)
    return _with(content, place, bytes([content[place] ^ 1 << rng.randrange(8)]))


def zeroed(content: bytes, rng: random.Random) -> bytes:
    """Makes a run of bytes zero."""
    return _with(content, _place(content, rng), bytes(rng.randint(1, 64)))


def swapped(content: bytes, rng: random.Random) -> bytes:
    """Exchanges two blocks."""
    a, b = sorted((_place(content, rng), _place(content, rng)))
    size = min(rng.randint(1, 64), b - a)
    first, second = content[a : a + size], content[b : b + size]
    return _with(_with(content, a, second), b, first)[: len(content)]


def duplicated(content: bytes, rng: random.Random) -> bytes:
    """Writes a block over another place."""
    place, size = _place(content, rng), rng.randint(1, 64)
    return _with(content, _place(content, rng), content[place : place + size])


WAYS = (truncated, flipped, flipped, flipped, zeroed, swapped, duplicated)
"""What may happen to a file; a flipped bit is the hardest to notice."""


def _place(content: bytes, rng: random.Random) -> int:
    """Draws a place: every third in the last bytes, where archives have their list."""
    first = max(0, len(content) - 600) if rng.random() < 1 / 3 else 0
    return rng.randrange(first, len(content))


def _with(content: bytes, place: int, new: bytes) -> bytes:
    """Returns a content with other bytes at a place, no longer than it was."""
    return (content[:place] + new + content[place + len(new) :])[: len(content)]


def kinds(folder: pathlib.Path) -> list[FileKind]:
    """Makes a file of every kind, and says who reads it.

    Args:
        folder: an empty one.
    """
    builder = small.builder(folder / "data", **work.SIZES)
    builder.download_and_prepare()
    made = pathlib.Path(builder.data_path)
    config = dataclasses.replace(work.config(made), epochs=2)
    run, begun, model = (folder / name for name in ("run", "begun", "model"))
    launch.run(config, run, quiet=True)
    _begin(config, run, begun)
    convert.run(run, formats=("float32-sparse",), quiet=True)
    _network(model)
    design.write(model, design.Design(dict(design.FULL), 4, 13_900, 0.0712))
    rows = [
        {"file": f"{i}.png", "split": "test", "sha256": f"{i:064}"} for i in range(9)
    ]
    write_rows(model / division.FILE, rows)
    cell.write(model, config, None, "a machine", {"sparsity": 0.5, "history": [1.5]})

    def load(folder: pathlib.Path) -> tuple:
        images = data.load(data.prepare(str(folder)), "test")
        return images.image, images.label

    def finished(folder: pathlib.Path) -> dict:
        return launch.run(config, folder, resume=True, quiet=True)

    def history(folder: pathlib.Path) -> list:
        return read_history(folder, config.epochs)

    (shard,) = made.glob("*-test.tfrecord*")
    export = run / "export"
    return [
        FileKind("model.keras", run / "model.keras", _evaluated, 3),
        FileKind("checkpoint.keras", begun / CHECKPOINT, finished, 2),
        FileKind("TFRecord", shard, load, 3),
        FileKind("dataset_info.json", made / "dataset_info.json", load, 2),
        FileKind("features.json", made / "features.json", load, 2),
        FileKind("config.json", run / CONFIG, finished, 2),
        FileKind("metrics.json", run / "metrics.json", finished, 2),
        FileKind("history.csv", run / HISTORY, history, 2),
        FileKind("design.json", model / design.FILE, design.read, 2),
        FileKind(".keras to export", model / runs.MODEL, _examples, 2),
        FileKind("images.npz", model / source.IMAGES, _examples, 2),
        FileKind("about.json", model / source.ABOUT, _examples, 1),
        FileKind(".tflite", export / "float32-sparse.tflite", _predicted, 3),
        FileKind("golden.json", export / GOLDEN, _tested, 1),
        FileKind(
            "drawings.csv",
            model / division.FILE,
            lambda folder: read_rows(folder / division.FILE, str),
        ),
        FileKind(
            "figures of a run",
            cell.file(model, config),
            lambda folder: cell.read(folder, config),
            2,
        ),
    ]


def _begin(config: TrainConfig, run: pathlib.Path, begun: pathlib.Path) -> None:
    """Makes an unfinished run: all epochs are done, nothing is measured."""
    begun.mkdir()
    for name in (CONFIG, HISTORY):
        shutil.copy(run / name, begun)
    images = work.SIZES["train"]
    model = read_model(run / "model.keras")
    Recipe(config, None, images, False).held(model)
    model.optimizer.build(model.trainable_variables)
    model.optimizer.iterations.assign(images // config.batch_size)
    model.save(begun / CHECKPOINT)


def _network(folder: pathlib.Path) -> None:
    """Makes what somebody may have who exports a network of their own."""
    folder.mkdir()
    layers = keras.layers
    net = [keras.Input((64,)), layers.Dense(32, "relu"), layers.Dense(2, "softmax")]
    keras.Sequential(net).save(folder / runs.MODEL)
    calibration, test = np.random.default_rng(0).random((2, 20, 64), "float32")
    np.savez(
        folder / source.IMAGES,
        calibration=calibration,
        test=test,
        test_label=np.arange(20) % 2,
    )
    about = {"labels": ["regular", "shaky"], "training": {"penalty": "l0", "epochs": 2}}
    write_json(folder / source.ABOUT, about)


def _evaluated(folder: pathlib.Path) -> dict:
    return evaluate.run(folder, "test")


def _examples(folder: pathlib.Path) -> tuple:
    found = source.read(runs.model_file(folder))
    examples = found.calibration.inputs, found.test.inputs, found.test.label
    return found.model.get_weights(), examples, found.about


def _predicted(folder: pathlib.Path) -> np.ndarray:
    drawing = folder / "drawing.json"
    drawing.write_text(json.dumps(DRAWING), "utf-8")
    try:
        classifier = Classifier(folder / "float32-sparse.tflite")
        (answer,) = predict.answers(classifier, [drawing])
        return answer.probabilities
    finally:
        drawing.unlink()


def _tested(folder: pathlib.Path) -> str:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = selftest.main(str(folder))
    if code == InputError.exit_code:
        raise InputError(said.getvalue().rstrip("\n"))
    return said.getvalue()


class Damage:
    """Damages files, and looks at what the programs answer.

    Args:
        kinds: see `kinds`.
        scratch: a folder for damaged copies.
    """

    def __init__(self, kinds: list[FileKind], scratch: pathlib.Path):
        self._kinds, self._scratch = kinds, scratch
        self._answers = {kind.name: self._answer(kind, None) for kind in kinds}

    def mutate(self, seed: str) -> tuple[str, str]:
        """Damages a file in a way that the seed alone decides.

        Returns:
            the kind's name, and "refused" or "same answer".

        Raises:
            AssertionError: anything else came of it.
        """
        rng = random.Random(seed)
        (kind,) = rng.choices(self._kinds, [kind.share for kind in self._kinds])
        way, sound = rng.choice(WAYS), kind.file.read_bytes()
        damaged = sound
        while damaged == sound:
            damaged = way(sound, rng)
        where = f"{kind.name}, {way.__name__}, seed {seed}"
        try:
            answer = self._answer(kind, damaged)
        except Exception as error:
            if _is_one_line(error):
                return kind.name, REFUSED
            raise AssertionError(where) from error
        np.testing.assert_equal(answer, self._answers[kind.name], where)
        return kind.name, SAME

    def _answer(self, kind: FileKind, damaged: bytes | None) -> Any:
        """Returns what a program answers, in a copy of the folder."""
        folder = self._scratch / kind.file.parent.name
        shutil.copytree(kind.file.parent, folder)
        try:
            if damaged is not None:
                (folder / kind.file.name).write_bytes(damaged)
            before = _contents(folder)
            try:
                return kind.read(folder)
            except Exception:
                assert _contents(folder) == before
                raise
        finally:
            shutil.rmtree(folder)


def _is_one_line(error: Exception) -> bool:
    """Whether a command answers an exception in one line, not with a traceback."""
    return told(error) is not None and "\n" not in getattr(error, "message", "")


def _contents(folder: pathlib.Path) -> dict[pathlib.Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
