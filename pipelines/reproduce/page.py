"""The page: tables, figures, and every run, as Markdown and as one HTML file."""

import base64
import pathlib
import re

import markdown

from commands.files import replacing, write_json

from ..experiments.spread import mean, spread
from . import pictures, tables
from .plan import TABLES, TableRow
from .result import Result, baseline, read

NAME = "paper"

_NOTES = {
    "table1": """\
Zeros: share of the dense kernel's weights that are exactly zero. Accuracy: of the
sparse model on the 20,000 images of `test_large`, since 1,000 images tell no tenth of
a percent apart; `test_unseen`: 1,000 in alphabets, with pens and tremors that training
never saw. Mean of the seeds, lowest and highest in brackets, all in percent.""",
    "table3": """\
Share of the dense kernel's weights below 10⁻¹ to 10⁻⁵, in percent, on letters. With
a = 0.01 RVSM leaves a gap: a weight is exactly zero, or above the threshold. With
a = 100 thresholding is continuous, and what is not zero begins at zero. Added to the
loss, the same penalty throws weights to and fro across zero, as far as the learning
rate goes. At a constant rate, which the paper's shares look like, they lie spread over
the decades, and no gap says where to cut; where the rate falls to zero they come to
rest close to zero, yet none on it.""",
    "table4": """\
Share of the weights of each convolution, in percent, whose sign at the end of
training is not what it was at first. The paper finds most changes in the first
convolution. Where it is otherwise here, a likely reason is initialisation: He et al.'s
weights are the larger the fewer inputs a filter has, those of the first convolution (9
inputs) six times as large as the others' (288), and large weights keep their sign.""",
    "past": """\
Letters, the same network, initial weights of the dense kernel, batches and epochs.
*Then a threshold*: after training, the smallest weights are set to zero. Magnitude
pruning has the learning rates of our own runs. L0 regularization with hard-concrete
gates (Louizos et al., 2018) is left out: no implementation for Keras 3 that is still
kept was found. Accuracy on `test_large`; bold: the best mean at a share of zeros.""",
    "choices": """\
The paper names λ, β, the number of epochs and SGD, but no initialisation, learning
rate or size of the convolutions' kernels, and its formula of a normalization is lost.
What each of these does, one changed at a time, on letters:""",
}


def write(
    output: pathlib.Path, rows: list[TableRow], seeds: int, command: str
) -> pathlib.Path:
    """Writes the page from the runs that are finished.

    Args:
        output: folder of the page, with the folder `cells` in it.
        rows: that belong on the page; a table is left out until all are finished.
        seeds: of each row.
        command: that the page was made by.

    Returns:
        the HTML file.
    """
    results = _complete(read(output / "cells", rows, seeds), rows)
    parts = [f"# The paper, reproduced, and past it\n\n{_head(results, command)}"]
    parts.append(f"## Aimed at and reached\n\n{_aims(results)}")
    for name, heading in TABLES.items():
        some = tables.chosen(results, name)
        if some:
            text = [f"## {heading}", _NOTES.get(name, ""), tables.MAKERS[name](some)]
            text += _pictures(output, name, results)
            parts.append("\n\n".join(filter(None, text)))
    parts.append(f"## Every run\n\n{tables.runs(results)}")
    text = "\n\n".join(parts) + "\n"
    with replacing(output / f"{NAME}.md") as draft:
        draft.write_text(text, encoding="utf-8")
    write_json(output / f"{NAME}.json", tables.figures(results))
    html = output / f"{NAME}.html"
    with replacing(html) as draft:
        draft.write_text(_html(text, output), encoding="utf-8")
    return html


def _head(results: list[Result], command: str) -> str:
    cells = [cell for result in results for cell in result.cells]
    machines = sorted({cell["machine"] for cell in cells})
    return (
        f"Made by `{command}` on {' and on '.join(machines)}. The experiment is that "
        "of Xue and Xin (2019, [arXiv 1902.07419](https://arxiv.org/abs/1902.07419)), "
        "on letters and shapes of our own making: theirs are not public, so their "
        "figures stand beside ours as a measure, not as the same measurement. Each "
        "figure comes from runs whose commands are listed at the end; every run's file "
        "names its commit. Several ran side by side, with a thread each: with more "
        "threads sums come out in another order, and weights, in the end, differ."
    )


def _aims(results: list[Result]) -> str:
    """Returns what was to be reached, and what was."""
    lines = []
    for name in ("table1", "table2"):
        some = [r for r in tables.chosen(results, name) if r.row.paper]
        if some:
            good = sum(all(tables.reaches(r)) for r in some)
            lines.append(
                f"{TABLES[name]}: {good} of {len(some)} rows with at least the paper's "
                "zeros and at least its accuracy."
            )
    for result in tables.chosen(results, "table3"):
        config = result.row.config
        if (config.method, config.a) == ("rvsm", 0.01):
            lines.append(
                f"Table 3, a = 0.01: {spread(result.sparsity)} % exactly zero, at "
                "least 84.9 were aimed at; the smallest other weight is "
                f"{tables.gap(result)} thresholds, at least 0.1 was aimed at."
            )
    some = tables.chosen(results, "past")
    lines += _past(some) if some else []
    return "\n".join(f"- {line}" for line in lines)


def _past(results: list[Result]) -> list[str]:
    dense = baseline(results)
    lines = []
    for result in results:
        config = result.row.config
        share = config.target_sparsity
        if result is dense or config.method != "rvsm":
            continue
        rest = [
            f"{r.row.label} {mean(r.accuracy):.2f}"
            f"{' (within the spread)' if _overlap(r, result) else ''}"
            for r in results
            if tables.share(r) == share and r is not result
        ]
        lines.append(
            f"{100 * share:g} % zeros: {mean(result.accuracy):.2f} %, "
            f"{tables.difference(result, dense)} points against dense, mean of "
            f"{len(result.cells)} seeds; {', '.join(rest)}."
        )
    return lines


def _overlap(one: Result, other: Result) -> bool:
    """Whether the accuracies of two methods' seeds reach into each other."""
    return max(min(one.accuracy), min(other.accuracy)) <= min(
        max(one.accuracy), max(other.accuracy)
    )


def _complete(results: list[Result], rows: list[TableRow]) -> list[Result]:
    """Returns the results of the tables that have all their rows."""
    missing = {r.table for r in rows} - {r.row.table for r in results}
    found = [r.row for r in results]
    missing |= {row.table for row in rows if row not in found}
    return [r for r in results if r.row.table not in missing]


def _pictures(output: pathlib.Path, name: str, results: list[Result]) -> list[str]:
    """Draws what belongs to a table; returns the lines that show it."""

    def shown(title, draw, *arguments):
        path = output / f"{NAME}-{title.replace(' ', '-')}.png"
        draw(path, *arguments)
        return f"![{title}]({path.name})"

    some = tables.chosen(results, name)
    if name in ("table1", "table2"):
        dataset = some[0].row.config.dataset
        return [
            shown(f"samples of {dataset}", pictures.samples, dataset),
            shown(f"convergence on {dataset}", pictures.convergence, some),
            *(
                [
                    shown(
                        "penalties and thresholds",
                        pictures.penalties,
                        [r.row for r in some if r.row.paper],
                    )
                ]
                if name == "table1"
                else []
            ),
        ]
    if name == "table3":
        dense = [r for r in tables.chosen(results, "table1") if not r.row.paper]
        both = dense + [r for r in some if tables.in_paper(r)]
        return [shown("histograms of the weights", pictures.histograms, both)]
    if name == "past":
        return [shown("wrong answers by zeros", pictures.past, some)]
    return []


_STYLE = """\
body { font: 1.05rem/1.5 system-ui, sans-serif; max-width: 62rem; margin: 0 auto;
  padding: 1rem; color: #1f2933; background: #fff; }
h1, h2 { line-height: 1.25; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid #d0d7de; }
.wide { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: .92rem;
  font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .7rem; text-align: left; border-bottom: 1px solid #e4e7eb; }
th { border-bottom: 2px solid #9aa5b1; vertical-align: bottom; }
td:first-child { min-width: 9rem; }
td code { font-size: .85em; }
td small { display: block; white-space: nowrap; color: #52606d; }
img { max-width: 100%; height: auto; }
a { color: #0b6e99; }
"""


def _html(text: str, folder: pathlib.Path) -> str:
    """Returns the Markdown page as one HTML file, with its pictures inside."""
    body = markdown.markdown(text, extensions=["tables"])
    body = body.replace("<table>", '<div class="wide"><table>')
    body = body.replace("</table>", "</table></div>")
    # Lowest and highest below the mean: a table then fits a tablet.
    body = re.sub(r"(\([\d.+-]+ to [\d.+-]+\))", r"<small>\1</small>", body)

    def inside(match: re.Match) -> str:
        content = base64.b64encode((folder / match[1]).read_bytes()).decode()
        return f'src="data:image/png;base64,{content}"'

    body = re.sub(r'src="([^":]+\.png)"', inside, body)
    title = re.search(r"^# (.+)", text)[1]
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>\n{_STYLE}</style>\n{body}\n</html>\n"
    )
