"""What a classifier's answers amount to: a dictionary of figures, and tables."""

import dataclasses
import functools
from typing import Any

import numpy as np

from . import scores


def figures(
    classes: tuple[str, ...],
    label: np.ndarray,
    person: np.ndarray | None,
    probabilities: np.ndarray,
    before: np.ndarray,
) -> dict[str, Any]:
    """Returns labels, the fields of `scores.Scores`, and uncalibrated.

    Args:
        classes: their names.
        label: the true classes, shape (n,).
        person: who drew each image, shape (n,); None if that is not known.
        probabilities: shape (n, classes).
        before: the same as they were before the temperature.
    """
    return {
        "labels": list(classes),
        **dataclasses.asdict(scores.scores(label, probabilities, classes, person)),
        "uncalibrated": dataclasses.asdict(scores.calibration(label, before)),
    }


def report(result: dict[str, Any]) -> str:
    """Returns the result as tables."""
    labels = result["labels"]
    right = _percent(result["accuracy"], result["accuracy_interval"])
    by = f" by {result['persons']:,} persons" if result["persons"] else ""
    lines = [f"{result['split']}: {result['images']:,} images{by}, accuracy {right}"]
    width = max(10, *map(len, labels)) + 2
    head = "".join(f"{'→ ' + label:>{width + 2}}" for label in labels)
    lines += ["", f"{'true class':{width}}{head}"]
    for label, row in zip(labels, result["confusion"]):
        counts = "".join(f"{count:{width + 2},}" for count in row)
        lines.append(f"{label:{width}}{counts}")
    rows = []
    for one in result["classes"]:
        for name in ("sensitivity", "specificity"):
            figures = one[name], one[f"{name}_interval"]
            rows.append((f"{name}, {one['label']}", _percent(*figures)))
        figures = one["auc"], one["auc_interval"]
        rows.append((f"area under ROC, {one['label']}", _share(*figures)))
    now, before = result["calibration"], result["uncalibrated"]
    error, brier = (f"{100 * now['error']:.2f} %", f"{now['brier']:.4f}")
    if result["temperature"] != 1:
        t = f"; before temperature {result['temperature']:.4g}:"
        error += f"{t} {100 * before['error']:.2f} %"
        brier += f"{t} {before['brier']:.4f}"
    rows += [("calibration error", error), ("Brier score", brier)]
    width = max(len(name) for name, _ in rows)
    return "\n".join(
        [*lines, "", *(f"{name:<{width}}  {value}" for name, value in rows)]
    )


def _figure(
    value: float | None,
    interval: tuple[float, float] | None,
    digits: int,
    times: int = 1,
    unit: str = "",
) -> str:
    """Returns a figure with its interval, which has a digit less; "-" if unknown."""
    if value is None:
        return "-"
    between = "no interval: one person"
    if interval:
        low, high = (f"{times * end:.{digits - 1}f}" for end in interval)
        between = f"{low} to {high}{unit}"
    return f"{times * value:.{digits}f}{unit} ({between})"


_percent = functools.partial(_figure, digits=2, times=100, unit=" %")
_share = functools.partial(_figure, digits=4)
