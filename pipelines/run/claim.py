"""The claim of a run on a folder: it is free, or has the same run in it."""

import dataclasses
import pathlib

from commands.cli import InputError
from commands.files import write_json

from .config import TrainConfig
from .folder import CONFIG, read_config
from .options import option


def check_output(output: pathlib.Path, config: TrainConfig, resume: bool) -> None:
    """Makes sure that a folder can take a run, or resume the one in it.

    Raises:
        InputError: the folder holds something else, or a run with another
            configuration.
    """
    wanted = dataclasses.asdict(config)
    if resume and (output / CONFIG).exists():
        found = read_config(output)
        for name, value in wanted.items():
            # What an earlier version did not know, it left as it now is by default.
            was = found.get(name, getattr(TrainConfig, name))
            if was != value:
                raise InputError(
                    f"the run in {str(output)!r} has {option(name)} {was}, "
                    f"not {value}: resume it with its own options"
                )
        return
    if output.is_dir() and any(output.iterdir()):
        raise InputError(
            f"output {str(output)!r} is not empty: name a new folder, or continue the "
            "run in it with --resume"
        )
    if resume:
        raise InputError(f"no run to resume in {str(output)!r}")


def claim(output: pathlib.Path, config: TrainConfig) -> None:
    """Makes a folder the home of a run: records the run's configuration in it."""
    output.mkdir(parents=True, exist_ok=True)
    write_json(output / CONFIG, dataclasses.asdict(config))
