"""From a model to a folder of files that were run before they were kept."""

import os
import pathlib
import tempfile
from collections.abc import Iterable, Sequence
from typing import Any

import keras

from . import runtimes, source
from .base.cli import InputError, quietly
from .base.command import GOLDEN, REPORT
from .base.files import DRAFT, move, write_json
from .base.folder import alone
from .base.formats import BEST, FORMATS, known
from .writing import Writing


def convert(
    model: keras.Model | str | os.PathLike,
    images: str | os.PathLike | None,
    output: str | os.PathLike,
    formats: Iterable[str] | None,
    where: Sequence[runtimes.Runtime] | None,
    quiet: bool,
) -> list[dict[str, Any]]:
    """Exports a model; see `rvsm_tf.litert.convert`."""
    if keras.backend.backend() != "tensorflow":
        raise InputError(
            f"Keras's backend is {keras.backend.backend()!r} here: the files are made "
            "by TensorFlow, set KERAS_BACKEND=tensorflow"
        )
    formats = known(FORMATS if formats is None else formats)
    wanted = [name for name in formats if name != BEST] or list(FORMATS)
    output = pathlib.Path(output)
    with alone(output), tempfile.TemporaryDirectory(dir=output, prefix=DRAFT) as made:
        with quietly():
            found = source.read(model, None if images is None else pathlib.Path(images))
        # Files are made here, and moved into place when all is known about them.
        draft = pathlib.Path(made)
        there = runtimes.there(runtimes.ALL if where is None else where)
        writing = Writing(found, draft, there, quiet)
        rows = writing.write(wanted, only_best=BEST in formats)
        kept = {row["file"] for row in rows if row["file"]}
        write_json(draft / GOLDEN, writing.golden_vectors(kept))
        write_json(draft / REPORT, rows)
        # Where there is a report, it is of the files beside it, whenever that may end.
        (output / REPORT).unlink(missing_ok=True)
        for name in FORMATS:
            stale = output / f"{name}.tflite"
            if stale.name not in kept:
                stale.unlink(missing_ok=True)
        for name in (*sorted(kept), GOLDEN, REPORT):
            move(draft / name, output / name)
    return rows
