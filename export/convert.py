"""Writes a hardened model as .tflite files that were run before they were kept.

python -m export.convert runs/NAME
"""

import pathlib
from collections.abc import Iterable
from typing import Any

from commands.cli import quietly

from . import runs
from .command import command, folder_of
from .formats import FORMATS


def run(
    path: pathlib.Path,
    output: pathlib.Path | None = None,
    formats: Iterable[str] = tuple(FORMATS),
    images: pathlib.Path | None = None,
    quiet: bool = False,
) -> list[dict[str, Any]]:
    """Exports a model, and runs the files in all runtimes that a checkout has.

    Args:
        path: a folder that `pipelines.train` wrote, or a hardened .keras file.
        output: where to; by default the folder `export` beside the model.
        formats: which; see `rvsm_tf.litert.convert`.
        images: examples, see `rvsm_tf.litert.source`; by default those beside the
            model.
        quiet: print no progress.

    Returns:
        the rows of report.json.

    Raises:
        ClickException: something given is wrong or damaged.
        OSError: a file cannot be written.
    """
    file = runs.model_file(path)
    # TensorFlow takes seconds to import; wrong arguments are answered before that.
    with quietly():
        from rvsm_tf import litert

        from . import runtimes
    return litert.convert(
        file,
        images,
        output or folder_of(path),
        formats,
        runtimes=runtimes.ALL,
        quiet=quiet,
    )


def table(rows: list[dict[str, Any]]) -> str:
    """Returns the report as a table."""
    # Imports TensorFlow: needed after the export alone, which has it already.
    from rvsm_tf.litert import report

    from . import runtimes

    return report.table(rows, runtimes.ALL)


main = command("RUN_DIR|FILE", run, table)

if __name__ == "__main__":
    main()
