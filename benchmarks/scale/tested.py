"""What a number cannot say: behaviour that tests hold, run and counted here."""

import pathlib
import re
import subprocess
import sys
import time
from typing import Any

TITLE = "What tests hold"

_ROOT = pathlib.Path(__file__).parents[2]

CLAIMS = {
    "two devices and two workers end as one device does; a worker that is killed goes "
    "on": ("tests/pipelines/devices/test_distribution.py",),
    "on JAX, without TensorFlow, RVSM gives the same weights": (
        "tests/rvsm_tf/test_jax.py",
    ),
    "data from Apache Beam's processes has the bytes of one process": (
        "tests/shaky_letters/test_xl.py",
    ),
    "a sweep on two Ray nodes of which one is killed: nothing lost, nothing twice": (
        "tests/pipelines/sweep/test_sweep_ray.py",
    ),
    "kills, full disks, read-only folders, two runs on one folder, damaged files": (
        "tests/faults",
    ),
    "files of strangers run no code, and reach no other file": (
        "tests/commands/test_models.py",
        "tests/commands/test_archive.py",
        "tests/pipelines/images/test_description.py",
        "tests/test_execution.py",
    ),
    "what is installed is locked, with hashes": ("tests/test_lock.py",),
}


def measure() -> list[dict[str, Any]]:
    """Runs the tests; returns a row for each claim.

    Raises:
        RuntimeError: a test failed.
    """
    return [_row(claim, paths) for claim, paths in CLAIMS.items()]


def describe(rows: list[dict[str, Any]]) -> str:
    """Returns what the rows say."""
    passed = sum(row["passed"] for row in rows)
    return (
        f"{passed} tests, run for this page; each row by `python -m pytest` and its "
        "files. The cluster of a sweep is two nodes of Ray on one machine; nobody lent "
        "several."
    )


def _row(claim: str, paths: tuple[str, ...]) -> dict[str, Any]:
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *paths],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"{' '.join(paths)} failed:\n{done.stdout[-4000:]}")
    last = done.stdout.splitlines()[-1]
    counts = {what: int(n) for n, what in re.findall(r"(\d+) (passed|skipped)", last)}
    return {
        "claim": claim,
        "tests": " ".join(paths),
        "passed": counts["passed"],
        "skipped": counts.get("skipped", 0),
        "seconds": round(seconds),
    }
