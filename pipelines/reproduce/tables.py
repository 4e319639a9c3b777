"""The results as Markdown tables, and as rows of figures."""

import statistics
from typing import Any

from commands.markdown import table

from ..experiments.spread import mean, spread
from ..recipe.recipe import threshold
from .plan import TABLE3
from .result import Result, baseline


def chosen(results: list[Result], name: str) -> list[Result]:
    """Returns the results that belong to a table."""
    return [result for result in results if result.row.table == name]


def penalties(results: list[Result]) -> str:
    """Returns table 1 or 2: zeros and accuracy by penalty, beside the paper's."""
    rows = []
    for result in results:
        paper = result.row.paper or ("", "")
        others = (
            spread([found[f"{split}_accuracy"] for found in result.cells])
            for split in ("test", "test_unseen")
        )
        cells = [result.row.label, f"{paper[0]}", spread(result.sparsity)]
        cells += [f"{paper[1]}", spread(result.accuracy), *others]
        rows.append([*cells, _compared(result) if result.row.paper else ""])
    header = [
        *("", "zeros, paper", "zeros, here", "accuracy, paper", "accuracy, here"),
        *("on test", "on test_unseen", "≥ paper's"),
    ]
    return table(header, rows)


def reaches(result: Result) -> tuple[bool, bool]:
    """Returns whether zeros, and whether accuracy, are at least the paper's."""
    zeros, accuracy = result.row.paper
    return mean(result.sparsity) >= zeros, mean(result.accuracy) >= accuracy


def _compared(result: Result) -> str:
    names = ("zeros", "accuracy")
    missed = [name for name, ok in zip(names, reaches(result)) if not ok]
    return "both" if not missed else f"not {' and '.join(missed)}"


def scales(results: list[Result]) -> str:
    """Returns table 3: shares of weights below five decades, and the gap."""
    rows = []
    for result in results:
        config, cells = result.row.config, result.cells
        shares = [spread(list(some)) for some in zip(*(c["scales"] for c in cells))]
        smallest = gap(result) if config.method == "rvsm" else ""
        last = (spread(result.sparsity), smallest, spread(result.accuracy))
        rows.append([result.row.label, *shares, *last])
        if not in_paper(result):
            continue
        decades, accuracy = TABLE3[config.method, config.a]
        paper = ["" if share is None else f"{share}" for share in decades]
        rows.append(["*the same in the paper*", *paper, "", "", f"{accuracy}"])
    header = ("", *(f"below 10⁻{'¹²³⁴⁵'[i]}" for i in range(5)), "exactly zero")
    return table((*header, "smallest other ÷ threshold", "accuracy"), rows)


def in_paper(result: Result) -> bool:
    """Whether the paper's table 3 has such a line."""
    config = result.row.config
    return config.method == "rvsm" or config.constant_rate


def gap(result: Result) -> str:
    """Returns the smallest weight that is not zero, in thresholds, of all runs."""
    sizes = [c["smallest"] for c in result.cells if c["smallest"] is not None]
    return f"{min(sizes) / threshold(result.row.config):.2g}" if sizes else "-"


def signs(results: list[Result]) -> str:
    """Returns table 4: changes of sign from the initial weights to the last."""
    rows = []
    for result in results:
        found = [c["sign_changes"] for c in result.cells]
        layers = [spread([f[name] for f in found]) for name in found[0]]
        rows.append([result.row.label, *layers])
    return table(("", "convolution 1", "convolution 2", "convolution 3"), rows)


def past(results: list[Result]) -> str:
    """Returns methods by share of zeros, the best of each share in bold."""
    dense = baseline(results)
    rows = []
    for result in results:
        others = [r for r in results if r is not dense]
        level = [r for r in others if share(r) == share(result)]
        best = level and max(mean(r.accuracy) for r in level)
        shown = spread(result.accuracy)
        rows.append(
            [
                f"{100 * share(result):g} %" if result is not dense else "0 %",
                result.row.label,
                f"**{shown}**" if mean(result.accuracy) == best else shown,
                difference(result, dense) if result is not dense else "",
                str(len(result.cells)),
            ]
        )
    return table(("zeros", "method", "accuracy", "against dense", "seeds"), rows)


def difference(result: Result, dense: Result) -> str:
    """Returns how far a mean is from the dense network's of the same seeds."""
    same = dense.accuracy[: len(result.cells)]
    points = statistics.mean(result.accuracy) - statistics.mean(same)
    return f"{100 * points:+.2f}"


def share(result: Result) -> float:
    """Returns the share of zeros that a row aims at."""
    return result.row.share or result.row.config.target_sparsity or 0.0


def choices(results: list[Result]) -> str:
    """Returns what each choice that the paper leaves open does."""
    rows = [[r.row.label, spread(r.sparsity), spread(r.accuracy)] for r in results]
    return table(("TL1, a = 0.1", "zeros", "accuracy"), rows)


MAKERS = {
    "table1": penalties,
    "table2": penalties,
    "table3": scales,
    "table4": signs,
    "past": past,
    "choices": choices,
}
"""By name of a table what writes it."""


def runs(results: list[Result]) -> str:
    """Returns a line for every run, with its command and its file."""
    found = {cell["name"]: cell for result in results for cell in result.cells}
    rows = [
        [
            f"[`{cell['command']}`](cells/{name}.json)",
            f"{100 * cell['sparsity']:.2f}",
            f"{100 * cell['test_large_accuracy']:.2f}",
        ]
        for name, cell in sorted(found.items())
    ]
    return table(("command, and its file", "zeros", "accuracy"), rows)


def figures(results: list[Result]) -> list[dict[str, Any]]:
    """Returns a row for each run in each table, accuracies on test_large."""
    dense = {
        (r.row.config.dataset, seed): accuracy
        for r in results
        if r.row.config.penalty == "none"
        for seed, accuracy in enumerate(r.accuracy)
    }
    rows = []
    for result in results:
        config = result.row.config
        penalized = config.penalty != "none" and config.method != "magnitude"
        given = config.target_sparsity is None and penalized
        for seed, cell in enumerate(result.cells):
            rows.append(
                {
                    "table": result.row.table,
                    "dataset": config.dataset,
                    "method": "dense" if config.penalty == "none" else config.method,
                    "label": result.row.label,
                    "penalty": config.penalty if penalized else None,
                    "a": config.shape.get("a") if penalized else None,
                    "lam": config.lam if given else None,
                    "beta": config.beta if given and config.method == "rvsm" else None,
                    "seed": seed,
                    "sparsity": round(result.sparsity[seed], 5),
                    "test_accuracy": round(result.accuracy[seed], 5),
                    "dense_accuracy": dense.get((config.dataset, seed)),
                    "command": cell["command"],
                }
            )
    return rows
