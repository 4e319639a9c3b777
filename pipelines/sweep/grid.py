"""The points of a sweep: from a TOML file to configurations.

    epochs = 20                 # one value: the same for all points
    seed = [0, 1, 2]            # a list: each value with each of the other lists'

    [[grid]]                    # what only some points read has a table of its own
    penalty = "tl1"
    a = [0.1, 1.0]

    [[grid]]
    penalty = "l0"
    target-sparsity = [0.97, 0.99]

Keys are the options of `pipelines.train`, without the dashes in front.
"""

import dataclasses
import itertools
import pathlib
import sys
from collections.abc import Iterator
from typing import Any

import click

from commands.cli import InputError

from ..experiments import cell
from ..images.datasets import DATASETS, check_dataset, is_own
from ..run import committed
from ..run.config import TrainConfig
from ..run.options import option, options

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_OPTIONS = options(TrainConfig)
_KEYS = {option(name).removeprefix("--"): name for name in _OPTIONS}


def read(file: pathlib.Path) -> list[TrainConfig]:
    """Returns the points of a grid, in the order of the file.

    Args:
        file: TOML. Without a table `[[grid]]` its keys are the grid; with one or more,
            they are what these have in common, unless one says otherwise.

    Raises:
        InputError: the file holds something else, an option does not take its value,
            some do not go together, or two points would train the same.
    """
    try:
        with open(file, "rb") as opened:
            common = tomllib.load(opened)
        tables = common.pop("grid", [{}])
        if not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables):
            raise InputError("grid: its tables begin with [[grid]], in double brackets")
        points = []
        for table in tables:
            axes = {**_axes(common), **_axes(table)}
            if not axes:
                raise InputError("an empty grid: say, for instance, lam = [1e-4, 5e-4]")
            points += _points(axes)
        _check_distinct(points)
    except InputError as error:
        raise InputError(f"{str(file)!r}: {error.message}") from None
    except ValueError as error:
        raise InputError(f"{str(file)!r} is not TOML: {error}") from None
    return points


def _axes(table: dict[str, Any]) -> dict[str, list[Any]]:
    """Returns the values of each option, as `TrainConfig` takes them."""
    axes = {}
    for key, given in table.items():
        name = _KEYS.get(key.replace("_", "-"))
        if name is None:
            raise InputError(f"no option {key!r}: choose from {', '.join(_KEYS)}")
        if name in axes:
            raise InputError(f"{key!r} is given twice, with - and with _")
        values = given if isinstance(given, list) else [given]
        if not values:
            raise InputError(f"{key} = []: give at least one value")
        axes[name] = [_converted(name, key, value) for value in values]
    return axes


def _converted(name: str, key: str, value: Any) -> Any:
    """Returns a value as the command line would take it."""
    parameter = _OPTIONS[name]
    if parameter.is_flag:
        if not isinstance(value, bool):
            raise InputError(f"{key}: {value!r} is neither true nor false")
        return value
    if not isinstance(value, (str, int, float)) or isinstance(value, bool):
        raise InputError(f"{key}: {value!r} is neither a number nor a string")
    try:
        converted = parameter.type.convert(str(value), parameter, None)
    except click.BadParameter as error:
        raise InputError(f"{key}: {error.message}") from None
    if name == "dataset":
        check_dataset(converted)
        if is_own(converted):
            raise InputError(
                f"{key}: {converted!r} holds drawings of your own, without the split "
                f"test_large that a sweep compares on: choose from "
                f"{', '.join(DATASETS)}, or give a folder that 'tfds build "
                "shaky_letters' made"
            )
    if name == "from_" and TrainConfig(from_=converted).origin in (None, committed.RUN):
        return converted
    if name == "from_" or (name == "dataset" and converted not in DATASETS):
        # Trainings run in folders of their own.
        return str(pathlib.Path(converted).absolute())
    return converted


def _points(axes: dict[str, list[Any]]) -> Iterator[TrainConfig]:
    """Yields every combination of the values."""
    for values in itertools.product(*axes.values()):
        config = TrainConfig.given(dict(zip(axes, values)))
        try:
            config.check()
        except InputError as error:
            raise InputError(f"{cell.command(config)}: {error.message}") from None
        yield config


def _check_distinct(points: list[TrainConfig]) -> None:
    """Makes sure that no two points train the same."""
    seen: dict[TrainConfig, TrainConfig] = {}
    for point in points:
        read = {name: getattr(TrainConfig, name) for name in point.idle}
        other = seen.setdefault(dataclasses.replace(point, **read), point)
        if other is point:
            continue
        if other == point:
            raise InputError(f"the same point twice: {cell.command(point)}")
        names = [n for n in _OPTIONS if getattr(other, n) != getattr(point, n)]
        raise InputError(
            f"nothing reads {' or '.join(map(option, names))} in "
            f"{cell.command(point)}, which would train the same as "
            f"{cell.command(other)}: give it a [[grid]] without"
        )
