"""What a sweep compares: points that differ in nothing but the seed."""

import dataclasses
from typing import Any

from ..experiments.spread import mean
from ..run.config import TrainConfig


@dataclasses.dataclass(frozen=True)
class Setting:
    """A configuration, and what came out of it.

    Attributes:
        config: with seed 0.
        cells: the figures of its points, see `cell`.
    """

    config: TrainConfig
    cells: list[dict[str, Any]]

    def figures(self, name: str) -> list[float]:
        """Returns a figure of each of its points."""
        return [found[name] for found in self.cells]

    @property
    def zeros(self) -> float:
        """Mean share in the split kernels, in percent, to two decimals."""
        return mean(self.figures("sparsity"))

    @property
    def accuracy(self) -> float:
        """Mean accuracy on test_large, in percent, to two decimals."""
        return mean(self.figures("test_large_accuracy"))

    def option(self, name: str) -> str:
        """Returns an option's value for people; nothing where it is not read."""
        value = getattr(self.config, name)
        if value is None or name in self.config.idle:
            return ""
        return f"{value:g}" if isinstance(value, float) else str(value)


def settings(results: list[tuple[TrainConfig, dict[str, Any]]]) -> list[Setting]:
    """Returns finished points by what they have in common.

    Args:
        results: points with their figures.
    """
    found: dict[TrainConfig, list[dict[str, Any]]] = {}
    for config, cell in results:
        found.setdefault(dataclasses.replace(config, seed=0), []).append(cell)
    return [Setting(config, cells) for config, cells in found.items()]


def varied(some: list[Setting]) -> list[str]:
    """Returns the options that settings differ in, among those that read them."""
    found = []
    for field in dataclasses.fields(TrainConfig):
        readers = (s.config for s in some if field.name not in s.config.idle)
        if len({getattr(config, field.name) for config in readers}) > 1:
            found.append(field.name)
    return found
