"""What a sweep leaves: a Parquet file, a page with tables, and a picture."""

import dataclasses
import pathlib
import typing
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from commands.files import replacing
from commands.markdown import table

from ..experiments import cell
from ..experiments.spread import spread
from ..run.config import TrainConfig
from . import pareto
from .setting import Setting, settings, varied

_FIGURES = {
    **dict.fromkeys(
        [f"test{kind}_accuracy" for kind in ("", "_unseen", "_large")], pa.float64()
    ),
    "sparsity": pa.float64(),
    "network_sparsity": pa.float64(),
    "nonzero_weights": pa.int64(),
    "dense_accuracy": pa.float64(),
    "train_seconds": pa.float64(),
    "images_per_second": pa.float64(),
    "device": pa.string(),
    "machine": pa.string(),
    "commit": pa.string(),
    "command": pa.string(),
}
"""Columns from a point's file, with what stands in them."""

_TYPES = {str: pa.string(), float: pa.float64(), int: pa.int64(), bool: pa.bool_()}

_NOTE = """\
Zeros: share of the split kernels' weights that are exactly zero. Accuracy: of the
sparse model on the 20,000 images of `test_large`; `test_unseen`: in alphabets, with
pens and tremors that training never saw. Mean of the seeds, lowest and highest in
brackets, all in percent. Front: no other setting has more zeros and is as
accurate, or is more accurate with as many; numbers as in the picture."""


def write(
    output: pathlib.Path, points: list[TrainConfig], options: str
) -> list[pathlib.Path]:
    """Writes the results of those points that are finished.

    Args:
        output: the sweep's folder, with the folder `cells` in it.
        points: the sweep's.
        options: of the command that made it, as typed.

    Returns:
        the files; none if nothing is finished.
    """
    cells = output / "cells"
    results = [(p, cell.read(cells, p)) for p in points if cell.file(cells, p).exists()]
    if not results:
        return []
    found = settings(results)
    files = [output / name for name in ("results.parquet", "sweep.md", "pareto.png")]
    with replacing(files[0]) as draft:
        pq.write_table(parquet(results), draft)
    pareto.draw(files[2], found)
    text = [
        "# Sweep",
        f"Made by `python -m pipelines.sweep {options}`: {len(results)} of "
        f"{len(points)} points, {len(found)} settings.",
        _NOTE,
        compared(found),
        "![accuracy over zeros](pareto.png)",
        "## Points",
        _points(results),
    ]
    with replacing(files[1]) as draft:
        draft.write_text("\n\n".join(text) + "\n", encoding="utf-8")
    return files


def parquet(results: list[tuple[TrainConfig, dict[str, Any]]]) -> pa.Table:
    """Returns a row for each point: its name, every option, and its figures.

    `precision` is what was asked for, `trained_in` what that came to.
    """
    hints = typing.get_type_hints(TrainConfig)
    schema = {"name": pa.string()}
    for name, hint in hints.items():
        schema[name] = _TYPES[(*typing.get_args(hint), hint)[0]]
    schema |= {"trained_in": pa.string(), **_FIGURES}
    rows = [
        {
            "name": found["name"],
            **dataclasses.asdict(config),
            "trained_in": found["precision"],
            **{name: found[name] for name in _FIGURES},
        }
        for config, found in results
    ]
    return pa.Table.from_pylist(rows, pa.schema(list(schema.items())))


def compared(some: list[Setting]) -> str:
    """Returns a line for each setting, from few zeros to many."""
    options, best = varied(some), pareto.best(some)
    rows = []
    for setting in sorted(some, key=lambda s: s.zeros):
        splits = ("test_large", "test", "test_unseen")
        rows.append(
            [
                *(setting.option(name) for name in options),
                spread(setting.figures("sparsity")),
                *(spread(setting.figures(f"{split}_accuracy")) for split in splits),
                str(len(setting.cells)),
                str(best.index(setting) + 1) if setting in best else "",
            ]
        )
    header = [name.replace("_", " ") for name in options]
    header += ["zeros", "accuracy", "on test", "on test_unseen", "seeds", "front"]
    return table(header, rows)


def _points(results: list[tuple[TrainConfig, dict[str, Any]]]) -> str:
    """Returns a line for each point, with its command and its file."""
    rows = [
        [
            f"[`{found['command']}`](cells/{found['name']}.json)",
            f"{100 * found['sparsity']:.2f}",
            f"{100 * found['test_large_accuracy']:.2f}",
        ]
        for _, found in results
    ]
    return table(("command, and its file", "zeros", "accuracy"), rows)
