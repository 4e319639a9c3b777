"""A run's configuration, and the folder that belongs to it."""

import dataclasses
import pathlib
from typing import Any

from commands.cli import InputError
from commands.files import read_json, read_rows, write_json

CONFIG, HISTORY, METRICS = "config.json", "history.csv", "metrics.json"
CHECKPOINT, BEST = "checkpoint.keras", "best.keras"
FOLDS = "folds.json"
"""In place of metrics.json, where a run is several."""
METHODS = ("rvsm", "loss", "magnitude")
PENALTIES = {
    "l0": "ℓ0",
    "l1": "ℓ1",
    "tl1": "TL1",
    "mcp": "MCP",
    "scad": "SCAD",
    "none": "dense",
}
"""What zeros are bought with, by the library's names, and as pictures have it. Written
down here for commands that answer before Keras is there; a test compares."""
SHAPED = ("tl1", "mcp", "scad")
"""Those that take a shape, a."""
OPTIMIZERS = ("sgd", "adam", "adamw")
PRECISIONS = ("auto", "float32", "mixed_bfloat16", "mixed_float16")
DATASETS = ("letters", "shapes", "drawings")
SPLITS = ("test", "test_unseen", "test_large")
"""Of the generated sets, to measure on; of drawings of one's own the first alone."""
DISTRIBUTIONS = ("mirrored", "multiworker")
"""All devices of this machine together, or several machines."""
STRUCTURES = {"filters": ("conv1", "conv2", "conv3"), "units": ("dense",)}
"""What can be cut out of the paper's network as a whole, and of which layers."""
STRUCTURED_EPOCHS = 60
"""By default, where something is; an epoch of what is left costs a third of others."""
ON_ERROR = ("skip", "stop")
"""What becomes of a file without a drawing: it is named and left out, or refused."""
PATIENCE = 5
"""Epochs without progress after which training on somebody's own drawings ends."""


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """Everything that decides a run's weights; a resumed run must agree on it."""

    method: str = "rvsm"
    penalty: str = "tl1"
    a: float = 0.1
    lam: float = 5e-4
    beta: float = 0.1
    target_sparsity: float | None = None
    structure: str | None = None
    target_size: int | None = None
    target_latency_ratio: float | None = None
    split_layers: str = "dense"
    optimizer: str = "adam"
    learning_rate: float | None = None
    constant_rate: bool = False
    epochs: int = 20
    batch_size: int = 32
    seed: int = 0
    stddev: float | None = None
    keep_norm: bool = False
    kernel_size: int = 3
    dataset: str = "letters"
    precision: str = "auto"
    from_: str | None = None
    folds: int | None = None
    patience: int | None = None

    @classmethod
    def given(cls, options: dict[str, Any]) -> "TrainConfig":
        """Returns the configuration that options make; None was not given."""
        config = cls(**{k: v for k, v in options.items() if v is not None})
        if options.get("epochs") is None and config.structured:
            config = dataclasses.replace(config, epochs=STRUCTURED_EPOCHS)
        if config.patience is None and is_own(config.dataset):
            config = dataclasses.replace(config, patience=PATIENCE)
        return config

    @property
    def patterns(self) -> list[str]:
        """The names or patterns of the layers to split."""
        return [pattern.strip() for pattern in self.split_layers.split(",")]

    @property
    def structured(self) -> bool:
        """Whether whole filters and units are to go, for a size or a speed."""
        return self.target_size is not None or self.target_latency_ratio is not None

    @property
    def structures(self) -> tuple[str, ...]:
        """The names of what is cut as a whole; all if a target alone was given."""
        if self.structure is None:
            return tuple(STRUCTURES) if self.structured else ()
        return tuple(name.strip() for name in self.structure.split(","))

    @property
    def shape(self) -> dict[str, float]:
        """The penalty's own parameter by name; empty if it has none."""
        return {"a": self.a} if self.penalty in SHAPED else {}

    @property
    def idle(self) -> frozenset[str]:
        """The names of the options that nothing reads, the others being what they are.

        Two configurations that differ in such options alone train the same.
        """
        if self.method == "magnitude":
            return frozenset(("penalty", "a", "lam", "beta"))
        if self.penalty == "none":
            return frozenset(("method", "a", "lam", "beta"))
        driven = self.structured or self.target_sparsity is not None
        names = ["lam"] if driven else []
        names += [] if self.shape else ["a"]
        return frozenset(names)

    def check(self) -> None:
        """Makes sure that the options make sense together.

        Raises:
            InputError: they do not.
        """
        for name in self.structures:
            if name not in STRUCTURES:
                raise InputError(
                    f"--structure {name!r}: the paper's network has "
                    f"{' and '.join(STRUCTURES)}"
                )
        if self.structure is not None and not self.structured:
            raise InputError(
                f"--structure {self.structure} needs to know how far to go: give "
                "--target-size, such as 14kB, or --target-latency-ratio, such as 0.1"
            )
        if self.penalty == "none" and self.target_sparsity is not None:
            raise InputError(
                "--penalty none makes no zeros, so --target-sparsity "
                f"{self.target_sparsity} cannot be met: choose l0, l1 or tl1"
            )
        if self.constant_rate and (self.structured or self.target_sparsity is not None):
            raise InputError(
                "--constant-rate goes with a given --lam: what meets a target has "
                "learning rates of its own"
            )
        if self.from_ is not None:
            self._check_from(pathlib.Path(self.from_))
        self._check_own()
        if self.method == "magnitude":
            self._check_magnitude()
        if self.method == "loss" and self.target_sparsity is not None:
            raise InputError(
                "--method loss makes nothing exactly zero: it can meet no target"
            )
        if self.method != "rvsm" and self.structured:
            raise InputError(
                f"--method {self.method} cuts nothing as a whole: leave out "
                "--structure, --target-size and --target-latency-ratio, or take rvsm"
            )
        if not self.structured:
            return
        if self.keep_norm:
            raise InputError("--keep-norm goes with single weights, not with filters")
        if self.kernel_size != TrainConfig.kernel_size:
            raise InputError(
                f"--kernel-size {self.kernel_size}: filters and units are chosen for "
                f"{TrainConfig.kernel_size} × {TrainConfig.kernel_size} alone"
            )
        if self.penalty == "none":
            raise InputError("--penalty none cuts nothing: choose l0, l1 or tl1")
        if self.target_sparsity is not None:
            raise InputError(
                "--target-sparsity counts single weights, the other targets whole "
                "filters and units: give one or the other"
            )
        if self.split_layers != TrainConfig.split_layers:
            raise InputError(
                f"--split-layers {self.split_layers}: what is cut as a whole is chosen "
                "by --structure"
            )

    def _check_from(self, folder: pathlib.Path) -> None:
        """Makes sure that a run has the network that is to be trained."""
        found = read_config(folder)
        if not (folder / METRICS).is_file():
            raise InputError(
                f"--from {str(folder)!r}: the run is not finished: continue it with "
                "--resume"
            )
        cut = ("target_size", "target_latency_ratio")
        if any(found.get(name) is not None for name in cut):
            raise InputError(
                f"--from {str(folder)!r}: filters and units were cut out of its "
                "network: give a run without --target-size and --target-latency-ratio"
            )
        size = found.get("kernel_size", TrainConfig.kernel_size)
        if size != self.kernel_size:
            raise InputError(
                f"--kernel-size {self.kernel_size}: the run to start from has {size}"
            )

    def _check_own(self) -> None:
        """Makes sure that what goes with somebody's own drawings has them."""
        if is_own(self.dataset):
            if self.method == "magnitude":
                raise InputError(
                    "--method magnitude is there to compare with, on the generated "
                    f"sets: choose from {', '.join(DATASETS)}, or take rvsm"
                )
            return
        for name in ("folds", "patience"):
            if getattr(self, name) is not None:
                raise InputError(
                    f"--{name} is for drawings of your own: the set "
                    f"{self.dataset!r} has splits, and none to watch training by"
                )

    def _check_magnitude(self) -> None:
        if self.target_sparsity is None:
            raise InputError(
                "--method magnitude needs to know how far to go: give "
                "--target-sparsity, such as 0.97"
            )
        for name in ("split_layers", "optimizer", "kernel_size", "keep_norm", "from_"):
            if getattr(self, name) != getattr(TrainConfig, name):
                raise InputError(
                    f"--method magnitude does not know {option(name)}: it "
                    "prunes the dense layer of the paper's network, with Adam"
                )


def option(name: str) -> str:
    """Returns the option that a field of `TrainConfig` is given by."""
    return f"--{name.rstrip('_').replace('_', '-')}"


def is_own(dataset: str) -> bool:
    """Whether a dataset is somebody's own drawings; the others are generated."""
    folder = pathlib.Path(dataset)
    generated = dataset in DATASETS or (folder / "dataset_info.json").is_file()
    return not generated and folder.is_dir()


def check_distribution(distribute: str | None, config: TrainConfig) -> None:
    """Makes sure that what is to be trained can be spread over several devices.

    Raises:
        InputError: it cannot.
    """
    if distribute is None:
        return
    if config.structured:
        raise InputError(
            f"--distribute {distribute}: what a size or a speed leaves of the network "
            "is too small to be spread: train it on one device"
        )
    if config.method == "magnitude":
        raise InputError(
            f"--distribute {distribute}: --method magnitude trains on one device"
        )
    if distribute == "multiworker" and is_own(config.dataset):
        raise InputError(
            "--distribute multiworker: a folder of drawings is little work: train on "
            "one machine"
        )


def check_dataset(dataset: str) -> None:
    """Makes sure that a dataset is one of ours, or a folder.

    Raises:
        InputError: it is neither.
    """
    if dataset not in DATASETS and not pathlib.Path(dataset).is_dir():
        raise InputError(
            f"no dataset {dataset!r}: choose from {', '.join(DATASETS)}, or give a "
            "folder: of drawings, with a folder for each class, or one that 'tfds "
            "build shaky_letters' made"
        )


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


def epochs_done(folder: pathlib.Path) -> int:
    """Returns how many epochs the run in a folder has behind it; 0 without a run.

    Raises:
        InputError: the run's history is damaged.
    """
    try:
        return len(read_rows(folder / HISTORY))
    except FileNotFoundError:  # it has just finished, and tidied up
        return 0


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
