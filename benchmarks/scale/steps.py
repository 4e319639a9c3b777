"""Training steps with and without the splitting, on Keras's two backends.

Each backend is measured by `benchmarks.gpu` in a process of its own.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
from typing import Any

TITLE = "Training steps"

BACKENDS = ("tensorflow", "jax")

_OPTIONS = ("--largest", "1024", "--steps", "2", "--rounds", "5")
"""What takes a quarter of an hour without a GPU."""


def measure() -> list[dict[str, Any]]:
    """Times the steps; returns a row for each backend, batch and way."""
    return [row for backend in BACKENDS for row in _rows(backend)]


def describe(rows: list[dict[str, Any]]) -> str:
    """Returns what the rows say."""
    return (
        f"`KERAS_BACKEND=… python -m benchmarks.gpu {' '.join(_OPTIONS)}`: the paper's "
        "network in `mixed_bfloat16`, the batch lies on the device, ways in turns. "
        f"With the splitting a step takes {_ratios(rows, 'tensorflow')} times as long "
        f"on TensorFlow, {_ratios(rows, 'jax')} times on JAX. `ratio` is to the step "
        "without splitting of the same batch and compiler; the ceiling is the rate of "
        "a matrix product in the same precision. **No GPU was at hand**; on one, "
        "`python -m benchmarks.gpu` measures the same with batches to 16,384."
    )


def _rows(backend: str) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-m", "benchmarks.gpu", *_OPTIONS, "--output", folder],
            env=os.environ | {"KERAS_BACKEND": backend},
            cwd=pathlib.Path(__file__).parents[2],
            check=True,
        )
        file = pathlib.Path(folder) / f"gpu-{backend}.json"
        return [{"backend": backend, **r} for r in json.loads(file.read_text("utf-8"))]


def _ratios(rows: list[dict[str, Any]], backend: str) -> str:
    """Returns the lowest and the highest ratio among a backend's ways to split."""
    ratios = [
        row["ratio"]
        for row in rows
        if row["backend"] == backend and row["step"].startswith("RVSM")
    ]
    return f"{min(ratios):.2f} to {max(ratios):.2f}"
