"""One model's way into files, and what is known about each of them."""

import dataclasses
import pathlib
from collections.abc import Sequence
from typing import Any

import click
import numpy as np

from . import zeros
from .base import card, golden, runtime, timing
from .base.cli import InputError, quietly
from .base.formats import FORMATS
from .base.size import zip_bytes
from .converter import Converter, NotApplicable
from .runtimes import Runtime
from .source import Source, predict, shapes
from .verify import is_telling, verify

INSIDE, BESIDE = 4, 60
"""Golden vectors in each file, and further ones in golden.json."""

# What is known of a file that was kept, and of no other.
_MEASURED = (
    *("bytes", "zip_bytes", "latency_ms", "latency_ratio", "max_abs_diff"),
    *("label_agreement", "test_accuracy", "runs_on", "memory_bytes", "zeros"),
)

_OUTPUTS = 16  # values of each output that a golden vector holds, at most


class Writing:
    """One model's way into files.

    Args:
        source: the model and its examples.
        folder: where files are written and run.
        where: the runtimes.
        quiet: print no progress.
    """

    def __init__(
        self,
        source: Source,
        folder: pathlib.Path,
        where: Sequence[Runtime],
        quiet: bool,
    ):
        self._source, self._folder, self._quiet = source, folder, quiet
        self._converter = Converter(source.model, source.calibration)
        self._where = where
        self._expected = predict(source.model, source.test)
        self._vectors = _vectors(source)
        self._inputs = [golden.decode(v, shapes(source.model)) for v in self._vectors]
        self._answers: dict[str, Any] = {}
        self._scale = float(abs(self._expected).max())
        self._doubt = (
            None
            if is_telling(self._expected)
            else "the model answers all examples nearly alike, so that wrong answers "
            "may go unnoticed: give examples that differ, --images FILE"
        )

    def write(self, formats: list[str], only_best: bool) -> list[dict[str, Any]]:
        """Writes the formats that pass; returns the report."""
        rows = [self._row(name) for name in formats]
        passed = [row for row in rows if row["file"]]
        if not passed:
            reasons = "; ".join(f"{row['format']}: {row['refused']}" for row in rows)
            raise InputError(f"no format could be written: {reasons}")
        self._time(passed)
        smallest = min(passed, key=lambda row: row["bytes"])
        fastest = min(passed, key=lambda row: row["latency_ms"])
        smallest["best"].append("smallest")
        fastest["best"].append("fastest")
        if only_best:
            for row in passed:
                if not row["best"]:
                    row["file"], row["refused"] = None, "neither smallest nor fastest"
        return rows

    def golden_vectors(self, files: set[str]) -> dict[str, Any]:
        """Returns what golden.json holds."""
        # With very few examples, the same ones again.
        first = INSIDE if len(self._vectors) > INSIDE else 0
        beside = {
            name: {
                "outputs": self._answers[name]["outputs"][first:],
                "tolerance": self._answers[name]["tolerance"],
            }
            for name in sorted(files)
        }
        return {"inputs": self._vectors[first:], "files": beside}

    def _row(self, name: str) -> dict[str, Any]:
        """Writes a format and runs it; returns its row of the report."""
        row: dict[str, Any] = {
            "file": None,
            "format": name,
            "refused": None,
            "note": None,
            "best": [],
            "tolerance": FORMATS[name].tolerance * self._scale,
            "keras_test_accuracy": self._accuracy(self._expected),
            **dict.fromkeys(_MEASURED),
        }
        self._say(f"writing and running {name}")
        path = self._folder / f"{name}.tflite"
        try:
            with quietly():
                file = self._converter.write(name)
            path.write_bytes(file)
            self._answer_golden(path, name)
        except (NotApplicable, runtime.RuntimeFailure) as reason:
            path.unlink(missing_ok=True)
            return row | {"refused": str(reason)}
        path.write_bytes(self._with_card(file, name))
        verdict = verify(path, self._source.test, self._expected, name, self._where)
        row |= {
            "max_abs_diff": verdict.max_abs_diff,
            "refused": verdict.refused,
            "note": self._converter.notes.get(name) or self._doubt,
        }
        if verdict.refused is not None:
            path.unlink()
            return row
        answers = verdict.outputs["delegate on"]
        kept = zeros.kept(self._source.model, self._converter.dense(name))
        return row | {
            "file": path.name,
            "runs_on": list(verdict.outputs),
            "bytes": path.stat().st_size,
            "zip_bytes": zip_bytes(path),
            "label_agreement": float(
                (answers.argmax(-1) == self._expected.argmax(-1)).mean()
            ),
            "test_accuracy": self._accuracy(answers),
            "memory_bytes": verdict.memory,
            "zeros": [dataclasses.asdict(k) for k in kept],
        }

    def _accuracy(self, outputs: Any) -> float | None:
        label = self._source.test.label
        if label is None:
            return None
        return float((outputs.argmax(-1) == label).mean())

    def _answer_golden(self, path: pathlib.Path, name: str) -> None:
        """Notes what a file answers to the golden vectors."""
        batch = {
            key: np.concatenate([x[key] for x in self._inputs])
            for key in self._inputs[0]
        }
        outputs, _ = runtime.run(path, "on", batch)
        flat = outputs.reshape(len(outputs), -1)[:, :_OUTPUTS]
        self._answers[path.name] = {
            "outputs": [[round(float(x), 6) for x in row] for row in flat],
            "tolerance": round(FORMATS[name].self_test * self._scale, 7),
        }

    def _with_card(self, file: bytes, name: str) -> bytes:
        """Returns the file with what it says about itself inside.

        It has as many golden vectors, up to `INSIDE`, as there is room for.
        """
        answers = self._answers[f"{name}.tflite"]
        about = self._source.about
        contents = {
            "version": card.VERSION,
            "format": name,
            **{key: about[key] for key in card.ABOUT if key in about},
        }
        for count in range(min(INSIDE, len(self._vectors)), 0, -1):
            golden = {
                "inputs": self._vectors[:count],
                "outputs": answers["outputs"][:count],
                "tolerance": answers["tolerance"],
            }
            try:
                return card.embed(file, {**contents, "golden": golden})
            except ValueError as error:
                reason = error
        raise InputError(f"{reason}: shorten about.json")

    def _time(self, rows: list[dict[str, Any]]) -> None:
        """Times the files in turns, and the dense float32 reference with them."""
        self._say("timing the files in turns")
        dense = self._folder / "dense.tflite"
        converter, reference = self._converter, self._source.reference
        if reference is not self._source.model:
            converter = Converter(reference, None)
        with quietly():
            dense.write_bytes(converter.write("float32"))
        files = [dense, *(self._folder / row["file"] for row in rows)]
        timings = timing.in_turns(files)
        ratios = timing.ratios(timings, dense)
        for row, one, ratio in zip(rows, timings[1:], ratios[1:], strict=True):
            row["latency_ms"] = round(one.warm.median, 4)
            row["latency_ratio"] = round(ratio.median, 3)

    def _say(self, what: str) -> None:
        if not self._quiet:
            click.echo(what, err=True)


def _vectors(source: Source) -> list[str | int]:
    """Returns the golden vectors: pictures of ink if the model takes those."""
    inputs = source.test.inputs
    ink = next(iter(inputs.values()))
    if len(inputs) > 1 or not np.isin(ink, (0, 1)).all():
        return list(range(BESIDE + INSIDE))
    label = source.test.label
    if label is None:
        label = np.zeros(len(ink), int)
    chosen = _alternating(label, np.arange(len(ink)))[: BESIDE + INSIDE]
    texts = [golden.encode(picture) for picture in ink[chosen]]
    # The shortest come first: those go into the files.
    shortest = _alternating(label[chosen], np.array([len(text) for text in texts]))
    return [texts[i] for i in shortest]


def _alternating(label: np.ndarray, rank: np.ndarray) -> np.ndarray:
    """Returns an order by rank that takes one of each class after the other."""
    place = np.empty(len(label), int)
    for which in np.unique(label):
        members = np.flatnonzero(label == which)
        place[members[np.argsort(rank[members], kind="stable")]] = range(len(members))
    return np.lexsort((label, place))
