"""The options that a configuration is given by: a field each."""

import dataclasses
from typing import Any

import click


def field(
    default: Any,
    type: click.ParamType,
    help: str | None = None,
    metavar: str | None = None,
    implied: bool = False,
) -> Any:
    """Returns a dataclass's field that is an option.

    Args:
        default: the field's, and the option's.
        type: of the option; a bool is a flag.
        help: for people.
        metavar: what stands for the value there.
        implied: whether other options decide what is taken where this one is not given;
            help says so.
    """
    settings: dict[str, Any] = {"help": help}
    if type is click.BOOL:
        settings |= {"is_flag": True}
    else:
        settings |= {"type": type, "metavar": metavar}
        settings |= {"default": None if implied else default}
    return dataclasses.field(default=default, metadata=settings)


def option(name: str) -> str:
    """Returns the option that a field is given by."""
    return f"--{name.rstrip('_').replace('_', '-')}"


def options(config: type) -> dict[str, click.Option]:
    """Returns the options of a configuration, by the fields' names."""
    return {
        each.name: click.Option([option(each.name), each.name], **each.metadata)
        for each in dataclasses.fields(config)
    }
