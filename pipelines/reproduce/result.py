"""A line of a table with the figures of its runs."""

import dataclasses
import pathlib
from typing import Any

from ..experiments import cell
from .plan import TableRow


@dataclasses.dataclass(frozen=True)
class Result:
    """What came out of a row's runs.

    Attributes:
        row: the row.
        cells: the figures of its runs, in the order of the seeds, see `measure`.
    """

    row: TableRow
    cells: list[dict[str, Any]]

    @property
    def sparsity(self) -> list[float]:
        """Share of exact zeros in the dense kernel, of each run."""
        return [self.row.share or found["sparsity"] for found in self.cells]

    @property
    def accuracy(self) -> list[float]:
        """Accuracy on the 20,000 images of test_large, of each run."""
        if self.row.share:
            return [found["cut"][str(self.row.share)] for found in self.cells]
        return [found["test_large_accuracy"] for found in self.cells]


def read(cells: pathlib.Path, rows: list[TableRow], seeds: int) -> list[Result]:
    """Returns the results of those rows all of whose runs are finished."""
    found = []
    for row in rows:
        runs = row.runs(seeds)
        if all(cell.file(cells, config).exists() for config in runs):
            found.append(Result(row, [cell.read(cells, config) for config in runs]))
    return found


def baseline(results: list[Result]) -> Result:
    """Returns the dense network's result, which the others are held against."""
    return next(r for r in results if r.row.config.penalty == "none")
