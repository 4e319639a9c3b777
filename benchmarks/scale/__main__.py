"""The command."""

import pathlib

import click

from commands.cli import quietly

from .. import page
from . import data, devices, faults, steps, tested

SECTIONS = {
    "data": data,
    "devices": devices,
    "steps": steps,
    "faults": faults,
    "tested": tested,
}


@click.command()
@click.option(
    "--only",
    type=click.Choice(list(SECTIONS)),
    multiple=True,
    help="Measure this section; those of the page that is there stay.",
)
@click.option("--output", type=click.Path(path_type=pathlib.Path), metavar="DIR")
def main(only: tuple[str, ...], output: pathlib.Path | None) -> None:
    """Measure what grows with the task, and what does not."""
    with quietly():
        from pipelines.devices.device import words

    machine = words()
    sections = page.read_sections(output, "scale") if output else {}
    for name in only or SECTIONS:
        rows = SECTIONS[name].measure()
        sections[name] = [{"section": name, "machine": machine, **r} for r in rows]
        print(SECTIONS[name].describe(sections[name]))
        if output:
            page.write_sections(
                output,
                "scale",
                "Scale",
                f"python -m benchmarks.scale --output {output}",
                [
                    (section.TITLE, section.describe(sections[key]), sections[key])
                    for key, section in SECTIONS.items()
                    if key in sections
                ],
            )


if __name__ == "__main__":
    main()
