"""A run's configuration, and the folder that belongs to it."""

import dataclasses
import pathlib
from typing import Any

from commands.cli import InputError
from commands.files import read_json, write_json

CONFIG = "config.json"
PENALTIES = ("l0", "l1", "tl1", "none")
OPTIMIZERS = ("sgd", "adam", "adamw")
PRECISIONS = ("auto", "float32", "mixed_bfloat16", "mixed_float16")


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """Everything that decides a run's weights; a resumed run must agree on it."""

    penalty: str = "tl1"
    a: float = 0.1
    lam: float = 5e-4
    beta: float = 0.1
    target_sparsity: float | None = None
    split_layers: str = "dense"
    optimizer: str = "adam"
    learning_rate: float | None = None
    epochs: int = 30
    batch_size: int = 32
    seed: int = 0
    dataset: str = "letters"
    precision: str = "auto"

    @property
    def patterns(self) -> list[str]:
        """The names or patterns of the layers to split."""
        return [pattern.strip() for pattern in self.split_layers.split(",")]


def check_output(output: pathlib.Path, config: TrainConfig, resume: bool) -> None:
    """Makes sure that a folder can take a run, or resume the one in it.

    Raises:
        InputError: the folder holds something else, or a run with another
            configuration.
    """
    wanted = dataclasses.asdict(config)
    if output.exists() and not output.is_dir():
        raise InputError(f"output {str(output)!r} is a file: name a folder")
    if resume and (output / CONFIG).exists():
        found = read_config(output)
        for name, value in wanted.items():
            if found.get(name) != value:
                option = name.replace("_", "-")
                raise InputError(
                    f"the run in {str(output)!r} has --{option} {found.get(name)}, "
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


def read_config(folder: pathlib.Path) -> dict[str, Any]:
    """Returns the configuration of the run in a folder.

    Raises:
        InputError: there is no run in the folder, or its configuration is damaged.
    """
    file = folder / CONFIG
    if not file.is_file():
        raise InputError(
            f"no run in {str(folder)!r}: give a folder that pipelines.train wrote"
        )
    return read_json(file)
