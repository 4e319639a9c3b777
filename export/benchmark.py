"""Times .tflite files in turns on this machine's runtime.

python -m export.benchmark dense.tflite sparse.tflite --output DIR
"""

import collections
import contextlib
import pathlib
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import click

from commands.cli import Command, InputError, Number
from commands.files import write_json
from commands.folder import alone

from . import card, runtime, timing
from .size import zip_bytes

THREADS = (1, 2)
CACHES = ("warm", "cold")
Row = dict[str, Any]


def run(
    files: Sequence[pathlib.Path],
    rounds: int = timing.ROUNDS,
    output: pathlib.Path | None = None,
    quiet: bool = False,
) -> list[Row]:
    """Times files with one and two threads, warm and cold.

    Args:
        files: .tflite files, or folders of them; the first one is the reference.
        rounds: in each of which every file has a turn.
        output: folder for benchmark.json and benchmark.png; None writes nothing.
        quiet: show no progress.

    Returns:
        the contents of benchmark.json: for each file, number of threads and state of
        the caches a row with file, bytes, zip_bytes, threads, caches, ms, ms_low,
        ms_high, ratio, ratio_low, ratio_high and rounds. Low and high are quartiles
        over the rounds; ratios are to the reference under the same conditions.

    Raises:
        InputError: something given is not a .tflite file, the runtime does not run it,
            or the folder cannot be written to.
    """
    found = find(files)
    with _writable(output):
        with _progress(len(THREADS) * rounds, quiet) as progress:
            try:
                timings = [
                    timing.in_turns(found, threads, rounds, True, progress)
                    for threads in THREADS
                ]
            except runtime.RuntimeFailure as failure:
                raise InputError(f"the runtime does not run {failure}") from None
        rows = [row for measured in timings for row in _rows(measured)]
        if output:
            write_json(output / "benchmark.json", rows)
            _draw(output / "benchmark.png", rows)
    return rows


def find(files: Sequence[pathlib.Path]) -> list[pathlib.Path]:
    """Returns the .tflite files given, and those in folders given, each once.

    Raises:
        InputError: one of them is no .tflite file, or a folder holds none.
    """
    found = {}
    for given in files:
        inside = [given]
        if given.is_dir():
            inside = sorted(p for p in given.glob("*.tflite") if p.is_file())
            if not inside:
                raise InputError(f"no .tflite file in folder {str(given)!r}")
        for file in inside:
            _check(file)
            found.setdefault(file.resolve(), file)
    return list(found.values())


def _check(path: pathlib.Path) -> None:
    try:
        card.verify(path.read_bytes())
    except OSError as error:
        raise InputError(
            f"cannot read {str(path)!r}: {error.strerror}; give a .tflite file"
        ) from None
    except ValueError as error:
        raise InputError(f"{str(path)!r}: {error}") from None


@contextlib.contextmanager
def _writable(folder: pathlib.Path | None) -> Iterator[None]:
    """Has a folder alone inside the block.

    That it takes files is found out here, before minutes of measuring.
    """
    with contextlib.ExitStack() as stack:
        if folder is not None:
            try:
                stack.enter_context(alone(folder))
                tempfile.TemporaryFile(dir=folder).close()
            except OSError as error:
                raise InputError(
                    f"cannot write into {str(folder)!r}: {error.strerror}; "
                    "name a folder for --output"
                ) from None
        yield


@contextlib.contextmanager
def _progress(rounds: int, quiet: bool) -> Iterator[Callable[[], None]]:
    """Yields what to call after each round: a bar in a terminal, else a line each."""
    if quiet:
        yield lambda: None
    elif sys.stderr.isatty():
        with click.progressbar(
            length=rounds, label="measuring", file=sys.stderr
        ) as bar:
            yield lambda: bar.update(1)
    else:
        numbers = iter(range(1, rounds + 1))
        yield lambda: click.echo(f"round {next(numbers)} of {rounds}", err=True)


def _names(files: Sequence[pathlib.Path]) -> list[str]:
    """Returns what files are called in tables: with the folder if need be."""
    count = collections.Counter(file.name for file in files)
    return [file.name if count[file.name] == 1 else str(file) for file in files]


def _rows(timings: Sequence[timing.Timing]) -> list[Row]:
    files = [measured.file for measured in timings]
    rows = []
    for caches in CACHES:
        ratios = timing.ratios(timings, files[0], cold=caches == "cold")
        for name, measured, ratio in zip(_names(files), timings, ratios):
            ms = measured.cold if caches == "cold" else measured.warm
            rows.append(
                {
                    "file": name,
                    "bytes": measured.file.stat().st_size,
                    "zip_bytes": zip_bytes(measured.file),
                    "threads": measured.threads,
                    "caches": caches,
                    "ms": round(ms.median, 5),
                    "ms_low": round(ms.low, 5),
                    "ms_high": round(ms.high, 5),
                    "ratio": round(ratio.median, 4),
                    "ratio_low": round(ratio.low, 4),
                    "ratio_high": round(ratio.high, 4),
                    "rounds": len(measured.warm_ms),
                }
            )
    return rows


def _by_file(rows: Sequence[Row]) -> dict[str, list[Row]]:
    files = collections.defaultdict(list)
    for row in rows:
        files[row["file"]].append(row)
    return files


def report(rows: Sequence[Row]) -> str:
    """Returns the rows of `run` as a table with a line for each file."""
    files = _by_file(rows)
    width = max(len(name) for name in files)
    conditions = [
        f"{row['threads']} thread{'s' * (row['threads'] > 1)}, {row['caches']}"
        for row in files[rows[0]["file"]]
    ]
    lines = [
        f"Median of {rows[0]['rounds']} rounds, in turns; ratio: to "
        f"{rows[0]['file']}, the first file, within a round.",
        "Warm: run again and again. Cold: caches are driven out before each run.",
        "",
        " " * (width + 24) + "".join(f"{c:>18}" for c in conditions),
        f"{'file':{width}}{'bytes':>11}{'zipped bytes':>13}"
        + f"{'ms':>11}{'ratio':>7}" * len(conditions),
    ]
    for name, own in files.items():
        lines.append(
            f"{name:{width}}{own[0]['bytes']:11,}{own[0]['zip_bytes']:13,}"
            + "".join(f"{row['ms']:11.4f}{row['ratio']:7.3f}" for row in own)
        )
    return "\n".join(lines)


def _draw(path: pathlib.Path, rows: Sequence[Row]) -> None:
    # Matplotlib takes a second to import; wrong arguments are answered before that.
    from . import scatter

    points = []
    for name, own in _by_file(rows).items():
        ms = timing.Spread(own[0]["ms"], own[0]["ms_low"], own[0]["ms_high"])
        points.append(scatter.Point(name.removesuffix(".tflite"), own[0]["bytes"], ms))
    scatter.draw(path, points)


@click.command(cls=Command, context_settings={"show_default": True})
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(path_type=pathlib.Path),
)
@click.option(
    "--rounds",
    type=Number(1, whole=True),
    default=timing.ROUNDS,
    help="In each of which every file has a turn.",
)
@click.option(
    "--output",
    type=click.Path(path_type=pathlib.Path),
    metavar="DIR",
    help="Folder for benchmark.json and benchmark.png.",
)
@click.option("--quiet", is_flag=True, help="Show no progress.")
def main(
    files: tuple[pathlib.Path, ...],
    rounds: int,
    output: pathlib.Path | None,
    quiet: bool,
) -> None:
    """Time .tflite files in turns, with one and two threads, warm and cold caches.

    FILE is a .tflite file or a folder of them. The first one is the reference: the
    ratios in the table are to it.
    """
    click.echo(report(run(files, rounds, output, quiet)))


if __name__ == "__main__":
    main()
