"""A run's configuration."""

import dataclasses
import pathlib
from typing import Any

import click

from commands.cli import InputError, Number, Size

from ..images.datasets import DATASETS, is_own
from . import committed
from .folder import CONFIG, METRICS, read_config
from .options import field, option

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
_ZEROS = ", ".join(name for name in PENALTIES if name != "none")
OPTIMIZERS = ("sgd", "adam", "adamw")
_WITH_SQUARES = ("adam", "adamw")  # of the gradients, which they keep the mean of
PRECISIONS = ("auto", "float32", "mixed_bfloat16", "mixed_float16")
STRUCTURES = {"filters": ("conv1", "conv2", "conv3"), "units": ("dense",)}
"""What can be cut out of the paper's network as a whole, and of which layers."""
EPOCHS, HANDS_EPOCHS, STRUCTURED_EPOCHS = 20, 12, 60
"""By default; of the set `hands`, which is six times as large as others; and where
something is cut out as a whole: an epoch of what is left costs a third of others."""
PATIENCE = 5
"""Epochs without progress after which training on somebody's own drawings ends."""
TUNE = ("all", "head")
SALIENCIES = ("magnitude", "fisher")
"""What a weight can count for, by the library's names."""
_NONE = "none"
_OF_HEAD = ("dataset", "from_", "tune", "folds", "seed", "precision")
"""The fields that `tune` head reads."""


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """Everything that decides a run's weights; a resumed run must agree on it.

    Each field is an option of `pipelines.train`, too: what it takes, what it is by
    default and what people are told of it stand here alone.
    """

    method: str = field(
        "rvsm",
        click.Choice(METHODS),
        "To compare with: loss adds the penalty to the loss, magnitude prunes.",
    )
    penalty: str = field(
        "tl1",
        click.Choice(PENALTIES),
        "What zeros are bought with; none trains the dense network.",
    )
    a: float = field(
        0.1,
        Number(1e-30, 1e30),
        f"Shape of {', '.join(SHAPED)}: the size from which on a weight is spared.",
    )
    lam: float = field(5e-4, Number(0), "Weight of the penalty, λ.")
    beta: float = field(
        0.1,
        Number(0, above=True),
        "Weight of the coupling, β; λ/β sets the threshold.",
    )
    target_sparsity: float | None = field(
        None,
        Number(0, 1),
        "Share of zeros to end with, 0 to 1; drives λ.  [default: that of the run that "
        "training starts from, if it had one]",
    )
    saliency: str = field(
        "magnitude",
        click.Choice(SALIENCIES),
        "What decides which weights become zero: their size, or their size times that "
        "of their gradients, as Adam keeps it.  [default: magnitude; fisher of hands "
        "with a share of zeros]",
        implied=True,
    )
    structure: str | None = field(
        None,
        click.STRING,
        "What is cut out as a whole.  [default: both, where one of the next is given]",
        metavar="filters,units",
    )
    target_size: int | None = field(
        None,
        Size(),
        "Bytes of the exported file, such as 14kB; chooses filters and units.",
        metavar="SIZE",
    )
    target_latency_ratio: float | None = field(
        None,
        Number(0, 1, above=True),
        "Latency of the exported file against the dense one; chooses them too.",
    )
    split_layers: str | None = field(
        None,
        click.STRING,
        "Layers to split: names or patterns, with commas.  [default: dense; of hands "
        "all but the first and the last]",
        metavar="NAMES",
    )
    optimizer: str = field("adam", click.Choice(OPTIMIZERS))
    learning_rate: float | None = field(
        None,
        Number(0, above=True),
        "At its peak; by default what suits the optimizer.",
    )
    constant_rate: bool = field(
        False,
        click.BOOL,
        "Keep the learning rate, instead of letting it fall to zero.",
    )
    epochs: int = field(
        EPOCHS,
        Number(1, whole=True),
        f"[default: {EPOCHS}; {HANDS_EPOCHS} of hands; {STRUCTURED_EPOCHS} with a "
        "structure, of which two thirds fine-tune what is left]",
        implied=True,
    )
    batch_size: int = field(32, Number(1, whole=True))
    seed: int = field(0, Number(0, 2**31 - 1, whole=True))
    stddev: float | None = field(
        None,
        Number(0, above=True),
        "Of the dense kernel's initial weights.  [default: what suits the penalty]",
    )
    keep_norm: bool = field(False, click.BOOL, "Scale the kernel back at every step.")
    kernel_size: int = field(3, Number(1, whole=True), "Of the convolutions.")
    dataset: str = field(
        "letters",
        click.STRING,
        "DIR holds drawings of your own, a folder for each class, or is what 'tfds "
        "build shaky_letters' made.",
        metavar="letters|shapes|drawings|hands|DIR",
    )
    precision: str = field(
        "auto",
        click.Choice(PRECISIONS),
        "auto is the fastest that does no harm here; small networks take float32.",
    )
    from_: str | None = field(
        None,
        click.STRING,
        "Start from the weights of a finished run; of hands, the network that comes "
        "with the project; or of none.  [default: hands with drawings of your own]",
        metavar="RUN_DIR|hands|none",
    )
    tune: str = field(
        "all",
        click.Choice(TUNE),
        "What is trained: all layers, or the last two alone, fitted to features of the "
        "network that training starts from.  [default: head with drawings of your own "
        "from hands, unless other options say how to train]",
        implied=True,
    )
    folds: int | None = field(
        None,
        Number(3, whole=True),
        "Train so many times on your own drawings, from 3, to test on every person "
        "once.",
    )
    patience: int | None = field(
        None,
        Number(1, whole=True),
        f"[default: {PATIENCE} with drawings of your own]  Epochs without progress on "
        "the validation split after which training ends.",
    )

    @classmethod
    def given(cls, options: dict[str, Any]) -> "TrainConfig":
        """Returns the configuration that options make; None was not given."""
        config = cls(**{k: v for k, v in options.items() if v is not None})
        if options.get("epochs") is None and config.structured:
            config = dataclasses.replace(config, epochs=STRUCTURED_EPOCHS)
        if options.get("epochs") is None and config.dataset == "hands":
            config = dataclasses.replace(config, epochs=HANDS_EPOCHS)
        if is_own(config.dataset):
            if config.from_ is None:
                config = dataclasses.replace(config, from_=committed.NAME)
            said = any(options.get(name) is not None for name in ("tune", "epochs"))
            if config.from_ == committed.NAME and not (said or config.beyond_head):
                return dataclasses.replace(config, tune="head")
            if config.patience is None and config.tune == "all":
                config = dataclasses.replace(config, patience=PATIENCE)
        begun = config.origin is not None and (config.origin / CONFIG).is_file()
        if begun and not _says_how_many_zeros(config):
            target = read_config(config.origin).get("target_sparsity")
            config = dataclasses.replace(config, target_sparsity=target)
        if options.get("saliency") is None and config.prunes_hands:
            config = dataclasses.replace(config, saliency="fisher")
        return config

    @property
    def prunes_hands(self) -> bool:
        """Whether a share of the weights of `hands`'s network is to become zero."""
        splits = self.method == "rvsm" and self.optimizer in _WITH_SQUARES
        return self.dataset == "hands" and splits and self.target_sparsity is not None

    @property
    def beyond_head(self) -> list[str]:
        """The names of the fields that are set and that `tune` head does not read."""
        return [
            field.name
            for field in dataclasses.fields(self)
            if field.name not in _OF_HEAD and getattr(self, field.name) != field.default
        ]

    @property
    def origin(self) -> pathlib.Path | None:
        """The folder of the run whose weights training starts from, if there is one."""
        if self.from_ in (None, _NONE):
            return None
        if self.from_ == committed.NAME:
            return committed.RUN
        return pathlib.Path(self.from_)

    @property
    def patterns(self) -> list[str] | None:
        """The names or patterns of the layers to split; None if that is not given."""
        if self.split_layers is None:
            return None
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
            return frozenset(("penalty", "a", "lam", "beta", "saliency"))
        if self.penalty == "none":
            return frozenset(("method", "a", "lam", "beta", "saliency"))
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
        if self.lam and not 1e-35 <= self.lam / self.beta <= 1e35:
            raise InputError(
                f"--lam {self.lam} over --beta {self.beta} is no step for 32 bits: "
                "choose them so that it is from 1e-35 to 1e35"
            )
        if self.penalty == "none" and self.target_sparsity is not None:
            raise InputError(
                "--penalty none makes no zeros, so --target-sparsity "
                f"{self.target_sparsity} cannot be met: choose {_ZEROS}"
            )
        if self.constant_rate and (self.structured or self.target_sparsity is not None):
            raise InputError(
                "--constant-rate goes with a given --lam: what meets a target has "
                "learning rates of its own"
            )
        if self.saliency == "fisher" and self.optimizer not in _WITH_SQUARES:
            raise InputError(
                f"--saliency fisher is about squared gradients, which {self.optimizer} "
                f"keeps no mean of: choose {' or '.join(_WITH_SQUARES)}"
            )
        if self.saliency == "fisher" and self.method != "rvsm":
            raise InputError(
                f"--saliency fisher is for the splitting, and --method {self.method} "
                "has none: leave it out"
            )
        if self.tune == "head":
            self._check_head()
        if self.origin is not None:
            self._check_origin(self.origin)
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
            raise InputError(f"--penalty none cuts nothing: choose {_ZEROS}")
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

    def _check_origin(self, folder: pathlib.Path) -> None:
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

    def _check_head(self) -> None:
        """Makes sure that there are drawings to fit to, and a network to fit."""
        if not is_own(self.dataset) or self.origin is None:
            raise InputError(
                "--tune head fits a network to drawings of your own: give --dataset "
                "DIR, and leave out --from none"
            )
        if self.beyond_head:
            raise InputError(
                f"--tune head does not know {option(self.beyond_head[0])}: leave it "
                "out, or give --tune all"
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
                    f"--method magnitude does not know {option(name)}: it prunes "
                    "what is split by default, with Adam"
                )


def _says_how_many_zeros(config: TrainConfig) -> bool:
    """Whether it is not left to the run that training starts from."""
    left = ("method", "lam", "constant_rate", "target_sparsity", "tune")
    as_it_is = all(getattr(config, n) == getattr(TrainConfig, n) for n in left)
    return config.structured or config.penalty == _NONE or not as_it_is
