"""Hardened models as .tflite files that were run before they were kept.

Needs the extra `litert`: pip install 'rvsm_tf[litert]'. `convert` is the function, and

    python -m rvsm_tf.litert MODEL.keras --images FILE.npz --output DIR

the command. Nothing else of `rvsm_tf` imports this.
"""

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from . import extra

if TYPE_CHECKING:
    import keras

    from .runtimes import Runtime

__all__ = ["convert"]


def convert(
    model: "keras.Model | str | os.PathLike",
    images: str | os.PathLike | None,
    output: str | os.PathLike,
    formats: Iterable[str] | None = None,
    *,
    runtimes: "Sequence[Runtime] | None" = None,
    quiet: bool = False,
) -> list[dict[str, Any]]:
    """Exports a hardened model: writes .tflite files, and keeps those that pass.

        sparse = model.harden()
        rows = rvsm_tf.litert.convert(sparse, "images.npz", "export")
        smallest = min((r for r in rows if r["file"]), key=lambda r: r["bytes"])

    Each file is run in every runtime that is there, in a process of its own, and
    compared with Keras. What crashes, answers NaN or strays is not kept.

    Args:
        model: a plain Keras model with inputs of a fixed size and one output, or the
            .keras file of one. images.npz, about.json and reference.keras beside the
            file are read if they are there: see `rvsm_tf.litert.source`.
        images: an .npz file with the arrays `calibration` (from 16 examples on),
            `test` and, if the right answers are known, `test_label`; values as the
            model takes them. A model with several inputs has `calibration/NAME` and
            `test/NAME` for each. Without examples, None, no int8 is written, and files
            are checked on random values.
        output: a folder, made if need be: for the files, report.json and golden.json,
            the inputs with known answers that
            `python -m rvsm_tf.litert.base.selftest DIR` runs.
        formats: keys of `rvsm_tf.litert.base.formats.FORMATS`, by default all. "best"
            among them keeps the smallest and the fastest only.
        runtimes: where files are run, as far as they are there; by default
            `rvsm_tf.litert.runtimes.ALL`.
        quiet: print no progress.

    Returns:
        the rows of report.json, one for each format: `file` (None if it was not kept),
        `format`, `refused` (why not), `bytes`, `zip_bytes`, `latency_ms`,
        `latency_ratio` (to the dense float32 file), `max_abs_diff` (from Keras),
        `label_agreement`, `test_accuracy`, `runs_on` and more.

    Raises:
        ImportError: the extra `litert` is not installed.
        click.ClickException: something given is wrong or damaged, or no format passed;
            the message is one line.
        OSError: a file cannot be written.
    """
    extra.check()
    from . import conversion

    return conversion.convert(model, images, output, formats, runtimes, quiet)
