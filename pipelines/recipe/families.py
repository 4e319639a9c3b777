"""The networks of runs: the paper's for its pictures, another for canonical ones."""

import dataclasses
from collections.abc import Callable

import keras

import rvsm_tf as rvsm
from commands.cli import InputError
from shaky_letters import canonical, raster

from ..run.config import TrainConfig
from ..run.options import option

_PAPER_ALONE = ("structure", "target_size", "target_latency_ratio", "kernel_size")


@dataclasses.dataclass(frozen=True)
class Family:
    """A network, as configurations have it.

    Attributes:
        split: names or patterns of the layers that are split by default.
        build: from a configuration, the standard deviation of the dense kernel's
            initial weights, and the number of classes, to the network.
    """

    split: tuple[str, ...]
    build: Callable[[TrainConfig, float, int], keras.Model]


def of(size: int, config: TrainConfig) -> Family:
    """Returns the family whose networks take pictures of a size.

    Raises:
        InputError: the configuration asks for what they do not have.
    """
    asked = [n for n in _PAPER_ALONE if getattr(config, n) != getattr(TrainConfig, n)]
    if size == canonical.SIZE and asked:
        raise InputError(
            f"{option(asked[0])} {getattr(config, asked[0])} is for the paper's "
            f"network, which takes pictures of {raster.SIZE} pixels; "
            f"{config.dataset!r} has some of {size}: leave it out, take letters, "
            "shapes or drawings, or start --from a run of these"
        )
    return _FAMILIES[size]


def _paper(config: TrainConfig, stddev: float, classes: int) -> keras.Model:
    return rvsm.networks.paper_cnn(
        stddev, config.seed, kernel_size=config.kernel_size, classes=classes
    )


def _tremor(config: TrainConfig, stddev: float, classes: int) -> keras.Model:
    return rvsm.networks.tremor_cnn(config.seed, classes=classes)


PAPER = Family(("dense",), _paper)
"""The paper's network."""

TREMOR = Family(("conv[2-9]", "dense"), _tremor)
"""That of canonical pictures."""

_FAMILIES = {raster.SIZE: PAPER, canonical.SIZE: TREMOR}
