"""Writes a hardened model as .tflite files that were run before they were kept.

python -m export.convert runs/NAME
"""

import pathlib
import tempfile
from typing import Any

import click

from commands.cli import Command, InputError, quietly
from commands.files import DRAFT, move, write_json
from commands.folder import alone

FORMATS = ("float32", "float16", "int8", "int4", "float32-sparse", "int8-sparse")
REPORT, GOLDEN = "report.json", "golden.json"


def run(
    path: pathlib.Path,
    output: pathlib.Path | None = None,
    formats: tuple[str, ...] = FORMATS,
    images: pathlib.Path | None = None,
    quiet: bool = False,
) -> list[dict[str, Any]]:
    """Exports a model.

    Args:
        path: a folder that `pipelines.train` wrote, or a hardened .keras file.
        output: where to; by default the folder `export` beside the model.
        formats: which; "best" keeps only the smallest and the fastest of those that
            pass, of all if it is named alone.
        images: examples, see `export.source`; by default those beside the model.
        quiet: print no progress.

    Returns:
        the rows of report.json.

    Raises:
        InputError: something given is wrong or damaged.
        OSError: a file cannot be written.
    """
    if not path.exists():
        raise InputError(
            f"no {str(path)!r}: give a folder that pipelines.train wrote, or a .keras "
            "file"
        )
    wanted = [f for f in formats if f != "best"] or list(FORMATS)
    output = output or folder_of(path)
    with alone(output), tempfile.TemporaryDirectory(dir=output, prefix=DRAFT) as made:
        # TensorFlow takes seconds to import; wrong arguments are answered before that.
        with quietly():
            from . import source
            from .writing import Writing

            model = source.read(path, images)
        # Files are made here, and moved into place when all is known about them.
        draft = pathlib.Path(made)
        writing = Writing(model, draft, quiet)
        rows = writing.write(wanted, only_best="best" in formats)
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


def folder_of(path: pathlib.Path) -> pathlib.Path:
    """Returns where the export of a run's folder or a .keras file goes by default."""
    return (path if path.is_dir() else path.parent) / "export"


def table(rows: list[dict[str, Any]]) -> str:
    """Returns the report as a table."""
    # Imports TensorFlow: needed after the export alone, which has it already.
    from rvsm_tf.tables import aligned

    from . import runtimes

    head = ("file", "bytes", "zipped", "ms", "ratio", "max diff", "labels", "accuracy")
    lines = [(*head, "zeros kept", "memory")]
    for row in rows:
        if not row["file"]:
            continue
        found = [z for z in row["zeros"] if z["kept"] is not None]
        zeros, kept = (sum(z[k] for z in found) for k in ("zeros", "kept"))
        lines.append(
            (
                row["file"],
                f"{row['bytes']:,}",
                f"{row['zip_bytes']:,}",
                f"{row['latency_ms']:.3f}",
                f"{row['latency_ratio']:.2f}",
                f"{row['max_abs_diff']:.1e}",
                f"{100 * row['label_agreement']:.2f} %",
                "-"
                if row["test_accuracy"] is None
                else f"{100 * row['test_accuracy']:.2f} %",
                f"{100 * kept / zeros:.2f} %" if zeros else "-",
                f"{row['memory_bytes'] / 2**20:.1f} MiB",
            )
        )
    text = [aligned(lines)]
    text += [
        f"not written: {row['format']}: {row['refused']}"
        for row in rows
        if row["refused"]
    ]
    text += [f"note: {row['file']}: {row['note']}" for row in rows if row["note"]]
    ran = next(row["runs_on"] for row in rows if row["file"])
    text.append(f"each was run in: {', '.join(ran)}")
    lacking = runtimes.lacking()
    if lacking:
        text.append(f"not run in: {lacking}")
    for what in ("smallest", "fastest"):
        (name,) = (row["file"] for row in rows if what in row["best"])
        text.append(f"{what}: {name}")
    accuracy = rows[0]["keras_test_accuracy"]
    if accuracy is not None:
        text.append(f"accuracy of the Keras model: {100 * accuracy:.2f} %")
    return "\n".join(text)


def _formats(ctx: Any, param: Any, value: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in value.split(","))
    for name in names:
        if name not in (*FORMATS, "best"):
            raise InputError(
                f"no format {name!r}: choose from {', '.join((*FORMATS, 'best'))}"
            )
    return names


@click.command(cls=Command, context_settings={"show_default": True})
@click.argument(
    "model", metavar="RUN_DIR|FILE", type=click.Path(path_type=pathlib.Path)
)
@click.option(
    "--output",
    type=click.Path(path_type=pathlib.Path),
    metavar="DIR",
    help="[default: the folder export beside the model]",
)
@click.option(
    "--formats",
    default=",".join(FORMATS),
    metavar="NAMES",
    callback=_formats,
    help="With commas; best keeps the smallest and the fastest only.",
)
@click.option(
    "--images",
    type=click.Path(path_type=pathlib.Path),
    metavar="FILE",
    help="Examples to calibrate and check with, .npz.  [default: images.npz beside it]",
)
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def main(
    model: pathlib.Path,
    output: pathlib.Path | None,
    formats: tuple[str, ...],
    images: pathlib.Path | None,
    quiet: bool,
) -> None:
    """Write a hardened model as .tflite files, each run before it is kept."""
    rows = run(model, output, formats, images, quiet)
    if not quiet:
        click.echo(table(rows))
        folder = output or folder_of(model)
        click.echo(f"\nin {folder}: {REPORT}, {GOLDEN} and the files above")


if __name__ == "__main__":
    main()
