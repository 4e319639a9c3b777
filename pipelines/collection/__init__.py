"""Somebody's own drawings: a folder of scans, photos and pen recordings."""

import click

ON_ERROR = ("skip", "stop")
"""What becomes of a file without a drawing: it is named and left out, or refused."""

ON_ERROR_OPTION = click.option(
    "--on-error",
    type=click.Choice(ON_ERROR),
    default=ON_ERROR[0],
    show_default=True,
    help="Name files that hold no drawing and go on, or stop.",
)
"""The option of the commands that take files."""
