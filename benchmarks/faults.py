"""Kills programs at random moments and damages their files, over and over.

python -m benchmarks.faults --kills 1000 --mutations 20000
"""

import collections
import json
import pathlib
import random
import tempfile
import time
from typing import Any

import click

from commands.cli import Command, Number, quietly


def run(kills: int, mutations: int, seed: int, show: Any) -> list[dict[str, Any]]:
    """Kills and damages; the first thing that goes wrong is an AssertionError.

    Args:
        kills: how many, a third of them in each stage.
        mutations: how many.
        seed: of everything that is drawn at random.
        show: called with the progress, in words.

    Returns:
        a row for each stage and kind of file: fault, of, number, and of mutations how
        many were refused and how many did no harm.
    """
    with quietly():
        from testing.faults import kills as killing
        from testing.faults import mutations as damaging

    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        if kills:
            rows += _kills(killing, folder, kills, seed, show)
        if mutations:
            rows += _mutations(damaging, folder, mutations, seed, show)
    return rows


def _kills(
    killing: Any, folder: pathlib.Path, kills: int, seed: int, show: Any
) -> list[dict[str, Any]]:
    place = killing.Workplace(folder / "kills")
    building = killing.Building(place)
    training = killing.Trained(place, building.made)
    stages = building, training, killing.Exporting(place, training.run)
    rows = []
    for stage in stages:
        wanted, done = -(-kills // len(stages)), 0
        for _ in killing.run(stage, place, wanted, random.Random(seed)):
            done += 1
            show(f"{stage.name}: {done} of {wanted} kills")
        counts = {"number": done, "refused": None, "same_answer": None}
        rows.append({"fault": "kill -9", "of": stage.name, **counts})
    return rows


def _mutations(
    damaging: Any, folder: pathlib.Path, mutations: int, seed: int, show: Any
) -> list[dict[str, Any]]:
    (folder / "files").mkdir()
    made = damaging.kinds(folder / "files")
    damage = damaging.Damage(made, folder / "damaged")
    found = collections.Counter()
    for number in range(mutations):
        found[damage.mutate(f"{seed}-{number}")] += 1
        if number % 100 == 99:
            show(f"{number + 1} of {mutations} mutations")
    rows = []
    for kind in made:
        refused = found[kind.name, damaging.REFUSED]
        same = found[kind.name, damaging.SAME]
        counts = {"number": refused + same, "refused": refused, "same_answer": same}
        rows.append({"fault": "damage", "of": kind.name, **counts})
    return rows


@click.command(cls=Command, context_settings={"show_default": True})
@click.option("--kills", type=Number(0, whole=True), default=1000)
@click.option("--mutations", type=Number(0, whole=True), default=20_000)
@click.option("--seed", type=Number(0, whole=True), default=0)
def main(kills: int, mutations: int, seed: int) -> None:
    """Kill the programs at random moments, and damage their files."""
    start = time.monotonic()

    def show(progress: str) -> None:
        minutes = (time.monotonic() - start) / 60
        click.echo(f"{minutes:6.1f} min  {progress}", err=True)

    rows = run(kills, mutations, seed, show)
    click.echo(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
