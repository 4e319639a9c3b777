"""Says of drawings which class they are of, and shows the ink that it saw.

python -m pipelines.predict scan.png recording.csv
python -m pipelines.predict runs/NAME scan.png folder/of/drawings
"""

import csv
import dataclasses
import io
import itertools
import json
import pathlib
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from commands.cli import Command, InputError, quietly
from commands.folder import make

from .collection import ON_ERROR, ON_ERROR_OPTION, guessed, layout, png, reading
from .collection.drawn import Contents, Drawn
from .run.folder import CONFIG

if TYPE_CHECKING:
    import numpy as np

    from .run.classifier import Classifier

_AT_ONCE = 64  # files that are read before the network is asked


@dataclasses.dataclass(frozen=True)
class Prediction:
    """What is said of a drawing.

    Attributes:
        file: that it is in.
        drawn: what the network saw; None where there was no drawing.
        probabilities: of the classes; None then.
        error: why there was none, to be read after the file's name.
        guesses: what the file does not say and was decided, a sentence each.
    """

    file: pathlib.Path
    drawn: Drawn | None = None
    probabilities: "np.ndarray | None" = None
    error: str | None = None
    guesses: tuple[str, ...] = ()


def answers(
    classifier: "Classifier", files: Sequence[pathlib.Path], on_error: str = ON_ERROR[0]
) -> Iterator[Prediction]:
    """Yields an answer for each drawing, and for what is none, in the files' order.

    Args:
        classifier: the network.
        files: photos, scans and pen recordings.
        on_error: one of `collection.ON_ERROR`.

    Raises:
        InputError: a file holds no drawing, and that shall stop the program.
    """
    import numpy as np

    coming = zip(files, reading.read_all(files, classifier.size), strict=True)
    while batch := list(itertools.islice(coming, _AT_ONCE)):
        read = [contents for _, (_, contents) in batch]
        found = [
            drawn
            for contents in read
            if isinstance(contents, Contents)
            for drawn in contents.drawings
        ]
        pictures = [drawn.picture for drawn in found]
        said = iter(classifier(np.stack(pictures)) if pictures else ())
        for (file, _), contents in zip(batch, read, strict=True):
            if isinstance(contents, Contents):
                for drawn in contents.drawings:
                    yield Prediction(file, drawn, next(said), guesses=contents.guesses)
                for reason in contents.left_out:
                    yield Prediction(file, error=reason)
            elif on_error == "stop":
                raise InputError(f"{str(file)!r} {contents}")
            else:
                yield Prediction(file, error=str(contents))


def row(answer: Prediction, labels: tuple[str, ...]) -> dict[str, Any]:
    """Returns an answer for machines: the same keys for all, null where unknown."""
    said = answer.probabilities
    known = said is not None
    return {
        "file": str(answer.file),
        "part": answer.drawn.part if known else None,
        "class": labels[said.argmax()] if known else None,
        "probabilities": {
            label: round(float(said[i]), 6) if known else None
            for i, label in enumerate(labels)
        },
        "error": answer.error,
    }


def record(given: dict[str, Any], head: bool) -> str:
    """Returns a row as CSV, a column for each probability.

    Args:
        given: what `row` returned.
        head: whether the columns' names come first.
    """
    flat = dict(given)
    each = flat.pop("probabilities")
    flat |= {f"probability of {k}": p for k, p in each.items()}
    out = io.StringIO()
    writer = csv.DictWriter(out, list(flat), lineterminator="\n")
    if head:
        writer.writeheader()
    writer.writerow(flat)
    return out.getvalue()


def text(answer: Prediction, labels: tuple[str, ...]) -> str:
    """Returns an answer for people, with the ink that the network saw."""
    from .figures import terminal

    said = answer.probabilities
    label = labels[said.argmax()]
    # Of two classes the second is the one to be found.
    told = labels[1] if len(labels) == 2 else label
    share = 100 * said[labels.index(told)]
    part = f", drawing {answer.drawn.part + 1}" if answer.drawn.part else ""
    ink = terminal.drawn(answer.drawn.picture)
    return f"{answer.file}{part}: {label}, probability of {told} {share:.1f} %\n{ink}"


def _divided(
    paths: tuple[pathlib.Path, ...],
) -> tuple[pathlib.Path | None, tuple[pathlib.Path, ...]]:
    """Returns the model, None if there is none, and the drawings.

    What comes first is the model, unless it looks like a drawing, or holds some.
    """
    first, *others = paths
    named = first.is_file() or (first.suffix and not first.exists())
    is_drawing = named and first.suffix != ".tflite"
    if first.is_dir() and not any(
        (first / n).exists() for n in (CONFIG, "model.keras")
    ):
        is_drawing = bool(layout.within(first))
    return (None, paths) if is_drawing else (first, tuple(others))


def _files(paths: tuple[pathlib.Path, ...]) -> list[pathlib.Path]:
    """Returns the drawings' files, those in folders too.

    Raises:
        InputError: a folder has none.
    """
    files = []
    for path in paths:
        found = layout.within(path) if path.is_dir() else [path]
        if not found:
            raise InputError(
                f"{str(path)!r} has no photo, scan or pen recording in it: give "
                "another folder, or files"
            )
        files += found
    return files


@click.command(cls=Command)
@click.argument(
    "paths",
    metavar="[RUN_DIR|TFLITE] FILE|DIR…",
    nargs=-1,
    required=True,
    type=click.Path(path_type=pathlib.Path),
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@click.option("--csv", "as_csv", is_flag=True, help="Print a table as CSV.")
@click.option(
    "--ink",
    type=click.Path(path_type=pathlib.Path),
    metavar="DIR",
    help="Write what the network sees of each drawing there, as PNG files.",
)
@ON_ERROR_OPTION
def main(
    paths: tuple[pathlib.Path, ...],
    as_json: bool,
    as_csv: bool,
    ink: pathlib.Path | None,
    on_error: str,
) -> None:
    """Say of photos, scans and pen recordings which class they are of.

    Recordings are InkML, SVG of lines, JSON, tables, .svc and UCI's .txt; what had to
    be guessed of one is told. Of a folder all are looked at that are in it, and in its
    folders. Without a run or a .tflite file, the network that comes with the project
    answers.
    """
    if as_json and as_csv:
        raise InputError("--json and --csv: choose one")
    model, given = _divided(paths)
    if not given:
        raise InputError(
            f"no drawing to look at: give photos, scans or pen recordings after "
            f"{str(model)!r}"
        )
    files = _files(given)
    missing = [file for file in files if not file.is_file()]
    if missing and (on_error == "stop" or len(missing) == len(files)):
        raise InputError(
            f"{str(missing[0])!r} is not there: give photos, scans or pen recordings"
        )
    with quietly():
        from .run import committed
        from .run.classifier import Classifier

        classifier = Classifier(model or committed.file())
    if ink:
        make(ink)
    rows, usable, last = [], 0, None
    guesses: list[tuple[pathlib.Path, str]] = []
    # Among answers on the same screen a bar would be in the way.
    shown = sys.stderr.isatty() and (as_json or (as_csv and not sys.stdout.isatty()))
    with click.progressbar(
        length=len(files),
        label="drawings",
        file=sys.stderr,
        hidden=not shown,
        show_pos=True,
        show_eta=False,  # answers come by the dozen
    ) as progress:
        for number, answer in enumerate(answers(classifier, files, on_error), 1):
            if as_json:
                rows.append(row(answer, classifier.labels))
            if answer.file is not last:
                guesses += [(answer.file, guess) for guess in answer.guesses]
            progress.update(int(answer.file is not last))
            last = answer.file
            if answer.error is not None and len(files) == 1 and not usable:
                raise InputError(f"{str(answer.file)!r} {answer.error}")
            if as_csv:
                line = record(row(answer, classifier.labels), head=number == 1)
                click.echo(line, nl=False, color=True)  # file names as they are
            if answer.error is not None:
                before = "\n" if shown else ""  # behind the bar
                told = f"{before}left out: {str(answer.file)!r} {answer.error}"
                click.echo(told, err=True)
                continue
            usable += 1
            if ink:
                png.write(ink, number, answer.file, answer.drawn)
            if not (as_json or as_csv):
                click.echo(text(answer, classifier.labels))
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    guessed.tell(guesses)
    if not usable:
        raise InputError("none of the files holds a drawing")


if __name__ == "__main__":
    main()
