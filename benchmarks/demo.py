"""How fast the tablet's app answers, in Chromium on a processor made six times slower.

python -m benchmarks.demo --output docs/results

Needs what `make test-web` needs.
"""

import json
import pathlib
import statistics
import subprocess
import sys

import click

from commands.cli import Command, Number

from . import page

_ROOT = pathlib.Path(__file__).parents[1]
_WEB = _ROOT / "mobile_demo" / "web"

_MEASURES = {
    "from pen-up to the answer": "pen_up_to_answer_ms",
    "from pen-up to the frame with the answer": "pen_up_to_frame_with_answer_ms",
    "from pen-up to the tremor": "pen_up_to_tremor_ms",
    "work in a frame while drawing, mean of a letter": "work_in_a_frame_ms",
    "from frame to frame while drawing": "frame_while_drawing_ms",
}


@click.command(cls=Command, context_settings={"show_default": True})
@click.option("--rounds", type=Number(1, whole=True), default=3, help="Runs.")
@click.option("--output", type=click.Path(path_type=pathlib.Path), metavar="DIR")
def main(rounds: int, output: pathlib.Path | None) -> None:
    """Print milliseconds of the tablet's app in a slowed browser."""
    _run(sys.executable, "-m", "mobile_demo.web.tests.make_vectors", folder=_ROOT)
    _run("npm", "run", "build")
    measured = []
    for _ in range(rounds):
        _run("npx", "playwright", "test", "speed")
        measured.append(json.loads((_WEB / "build" / "speed.json").read_text("utf-8")))
    rows = []
    for words, key in _MEASURES.items():
        medians = [run[key]["median"] for run in measured]
        row = {
            "measure": words,
            "ms": round(statistics.median(medians), 1),
            "ms_lowest": round(min(medians), 1),
            "ms_highest": round(max(medians), 1),
            "ms_worst": round(max(run[key]["worst"] for run in measured), 1),
        }
        rows.append(row)
        print(f"{words:48}{row['ms']:8.1f} ms, worst {row['ms_worst']:.1f}")
    for name in ("sparse", "dense"):
        found = [run["answer_ms"][name] for run in measured]
        row = {
            "measure": f"the {name} network alone, at full speed",
            "ms": round(statistics.median(found), 2),
            "ms_lowest": round(min(found), 2),
            "ms_highest": round(max(found), 2),
            "ms_worst": None,
        }
        rows.append(row)
        print(f"{row['measure']:48}{row['ms']:8.2f} ms")
    if output:
        first = measured[0]
        page.write(
            output,
            "demo",
            "The tablet's app",
            f"python -m benchmarks.demo --rounds {rounds} --output {output}",
            f"In Chromium, slowed {first['slower']} times by itself but for the last "
            f"two lines. {first['drawings']} letters a run, drawn with pen events, "
            "their last second at the pace of the recording. Milliseconds: median of "
            "the runs' medians, lowest and highest of them, and the worst of all. "
            "Frames come at the screen's 60 a second: 16.7 says that none was late.",
            rows,
        )


def _run(*command: str, folder: pathlib.Path = _WEB) -> None:
    """Runs a command in a folder, the app's; shows what it printed if it fails."""
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(done.stdout, done.stderr, file=sys.stderr)
        raise click.ClickException(f"failed: {' '.join(command)}")


if __name__ == "__main__":
    main()
