"""Faults: programs killed at random moments, and every kind of file damaged."""

from typing import Any

import click

from ..faults import run

TITLE = "Faults"

KILLS, MUTATIONS = 300, 3000


def measure() -> list[dict[str, Any]]:
    """Kills and damages; returns a row for each stage and kind of file."""
    return run(KILLS, MUTATIONS, 0, lambda progress: click.echo(progress, err=True))


def describe(rows: list[dict[str, Any]]) -> str:
    """Returns what the rows say."""
    kills = sum(row["number"] for row in rows if row["fault"] == "kill -9")
    damaged = [row for row in rows if row["fault"] == "damage"]
    refused, same = (sum(r[k] for r in damaged) for k in ("refused", "same_answer"))
    return (
        f"**{kills} kills** (`kill -9`) at random moments: what was killed goes on, "
        "and in the end data, weights and exported files are those of a run that "
        f"nobody killed, bit for bit. **{refused + same:,} damaged files**, cut off, "
        "with a flipped bit, or up to 64 bytes zeroed, exchanged or overwritten: "
        f"{refused:,} were refused in one line, {same:,} gave the answer of the sound "
        "file. Nothing else happened, or there would be no table. More of it, by hand: "
        "`python -m benchmarks.faults --kills 1000 --mutations 20000`."
    )
