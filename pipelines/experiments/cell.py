"""One training run among many: its name, its command, and the file it leaves."""

import dataclasses
import hashlib
import json
import os
import pathlib
import re
import subprocess
from typing import Any

from commands import check
from commands.cli import InputError
from commands.files import read_json, replacing

from ..images.datasets import DATASETS
from ..run.config import TrainConfig
from ..run.options import option

_ROOT = pathlib.Path(__file__).parents[2]


def name(config: TrainConfig) -> str:
    """Returns what a run's file and folder are called; no two runs share a name."""
    parts = [pathlib.Path(config.dataset).name]
    for name, value in _given(config).items():
        if name not in ("dataset", "seed"):
            told = name in ("method", "penalty", "optimizer")
            parts.append(f"{value}" if told else f"{name.replace('_', '')}{value}")
    whole = "-".join([*parts, f"seed{config.seed}"])
    plain = re.sub(r"[^\w.+-]+", "_", whole)
    if plain == whole and config.dataset in DATASETS:
        return plain
    # Folders of one name, or patterns of layers, are told apart by the command.
    digest = hashlib.sha256(command(config).encode()).hexdigest()
    return f"{plain}-{digest[:8]}"


def command(config: TrainConfig) -> str:
    """Returns the command that makes a run, as it is typed."""
    words = ["python -m pipelines.train"]
    for name, value in _given(config).items():
        words.append(option(name))
        words += [] if value is True else [str(value)]
    return " ".join(words)


def _given(config: TrainConfig) -> dict[str, Any]:
    """Returns what has to be said of a configuration."""
    by_default = dataclasses.asdict(TrainConfig())
    penalized = config.method != "magnitude"
    always = {"seed", "epochs", *(["penalty"] if penalized else [])}
    if penalized:
        always |= config.shape.keys()
    found = dataclasses.asdict(config)
    return {k: v for k, v in found.items() if k in always or v != by_default[k]}


def file(cells: pathlib.Path, config: TrainConfig) -> pathlib.Path:
    """Returns where a run's figures are."""
    return cells / f"{name(config)}.json"


def read(cells: pathlib.Path, config: TrainConfig) -> dict[str, Any]:
    """Returns a run's figures.

    Raises:
        InputError: the file is damaged.
        FileNotFoundError: it is not there.
    """
    try:
        return read_json(file(cells, config))
    except InputError:
        raise InputError(
            f"{str(file(cells, config))!r} is damaged: delete it, and run this again"
        ) from None


def write(
    cells: pathlib.Path,
    config: TrainConfig,
    commit: str | None,
    machine: str,
    figures: dict[str, Any],
) -> None:
    """Writes a run's figures, with where they come from, a line for each."""
    cells.mkdir(parents=True, exist_ok=True)
    content = check.seal(
        {
            "name": name(config),
            "command": command(config),
            "seed": config.seed,
            "commit": commit,
            "machine": machine,
            **figures,
        }
    )
    lines = [f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in content.items()]
    with replacing(file(cells, config)) as draft:
        draft.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def commit() -> str | None:
    """Returns the commit of the sources, None outside of a repository."""

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", os.fspath(_ROOT), *words],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()

    try:
        # Results that are being written are no change of what made them.
        changed = git("status", "--porcelain", "--", ":!docs")
        return git("rev-parse", "HEAD") + (" and changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return None
