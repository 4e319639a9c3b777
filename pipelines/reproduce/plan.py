"""What is trained for which table, and what the paper says about it."""

import dataclasses

from ..run.config import TrainConfig

EPOCHS = TrainConfig.epochs
"""The paper has 10 to 20."""


@dataclasses.dataclass(frozen=True)
class TableRow:
    """A line of a table: one configuration, trained with several seeds.

    Attributes:
        table: that it belongs to.
        label: what the reader knows it by.
        config: with seed 0.
        paper: sparsity and accuracy there, in percent; None if it has no such line.
        share: of the smallest weights set to zero after training, for a method that
            makes no zeros itself.
        more_seeds: how many more than were asked for.
    """

    table: str
    label: str
    config: TrainConfig
    paper: tuple[float, float] | None = None
    share: float | None = None
    more_seeds: int = 0

    def runs(self, seeds: int) -> list[TrainConfig]:
        """Returns the configurations of its runs."""
        count = seeds + self.more_seeds
        return [dataclasses.replace(self.config, seed=seed) for seed in range(count)]


SHARES = (0.95, 0.97, 0.99, 0.995)
"""Zeros that methods are compared at."""

TABLES = {
    "table1": "Table 1: letters",
    "table2": "Table 2: shapes",
    "table3": "Table 3: scales of the weights",
    "table4": "Table 4: changes of sign",
    "past": "Past the paper: more zeros, and other ways to them",
    "choices": "What the paper leaves open",
}
"""Names, as `--only` takes them, and headings."""

_PENALTIES = {
    "ℓ0": ({"penalty": "l0"}, (86.1, 99.4), (90.2, 99.9)),
    "TL1, a = 0.01": ({"penalty": "tl1", "a": 0.01}, (87.6, 99.0), (83.5, 99.1)),
    "TL1, a = 0.1": ({"penalty": "tl1", "a": 0.1}, (85.8, 99.7), (87.6, 99.8)),
    "TL1, a = 1": ({"penalty": "tl1", "a": 1.0}, (78.1, 99.3), (74.9, 99.9)),
    "TL1, a = 100": ({"penalty": "tl1", "a": 100.0}, (82.0, 99.3), (75.0, 99.9)),
    "ℓ1": ({"penalty": "l1"}, (76.5, 99.0), (74.6, 99.6)),
}
"""By label what says it to `TrainConfig`, and the paper's zeros and accuracy in
percent, on letters and on shapes."""

TABLE3 = {
    ("rvsm", 0.01): ((99.7, 96.0, 91.3, 88.6, 84.9), 99.5),
    ("loss", 0.01): ((99.9, 99.9, 45.9, 5.44, None), 96.7),
    ("rvsm", 100.0): ((99.9, 97.5, 92.7, 88.5, 80.3), 99.3),
    ("loss", 100.0): ((99.9, 99.7, 48.1, 6.68, None), 99.0),
}
"""By method and a: percent of the weights below five decades of scale (the last one of
direct SGD is not legible), and accuracy."""

# The better one of 1e-4 and 1e-5 at most of the shares, seed 0, 8 epochs.
_LOSS_LAM = {"l1": 1e-4, "tl1": 1e-5}


def rows(quick: bool = False) -> list[TableRow]:
    """Returns the lines of all tables.

    Args:
        quick: one epoch each of a part of them, to see that everything runs.
    """
    epochs = 1 if quick else EPOCHS
    found = [*_penalties(epochs), *_scales(epochs), *_past(epochs), *_choices(epochs)]
    if quick:
        return [dataclasses.replace(r, more_seeds=0) for r in found if _typical(r)]
    return found


def _typical(row: TableRow) -> bool:
    """Whether a row is one of the few of its kind that a quick look takes."""
    config = row.config
    share = row.share or config.target_sparsity
    like_another = config.penalty == "l1" or config.a == 1.0
    variant = config.optimizer == "sgd" and not config.constant_rate
    return (
        (config.dataset == "letters" or config.penalty in ("none", "l0"))
        and share in (None, SHARES[-1])
        and (row.table != "choices" or config == TrainConfig(epochs=config.epochs))
        and not (config.method == "rvsm" and like_another)
        and not (config.method == "loss" and variant)
    )


def dense(dataset: str, epochs: int) -> TrainConfig:
    """Returns the configuration of the dense network, which others are held against."""
    return TrainConfig(penalty="none", dataset=dataset, epochs=epochs)


def _penalties(epochs: int) -> list[TableRow]:
    found = []
    for i, dataset in enumerate(("letters", "shapes")):
        table = f"table{i + 1}"
        found.append(TableRow(table, "dense", dense(dataset, epochs)))
        for label, (given, *paper) in _PENALTIES.items():
            config = TrainConfig(dataset=dataset, epochs=epochs, **given)
            found.append(TableRow(table, label, config, paper[i]))
            found.append(TableRow("table4", f"{dataset}, {label}", config))
    return found


def _scales(epochs: int) -> list[TableRow]:
    found = []
    for a in (0.01, 100.0):
        split = TrainConfig(penalty="tl1", a=a, epochs=epochs)
        loss = dataclasses.replace(split, method="loss", optimizer="sgd")
        plain = dataclasses.replace(loss, constant_rate=True)
        found += [
            TableRow("table3", f"RVSM, a = {a:g}", split),
            TableRow("table3", f"penalty in the loss, SGD, a = {a:g}", plain),
        ]
        if a == 0.01:
            found.append(TableRow("table3", f"{found[-1].label}, rate to zero", loss))
    return found


def _past(epochs: int) -> list[TableRow]:
    found = [TableRow("past", "dense", dense("letters", epochs), more_seeds=2)]
    # Initial weights as large as a target has them.
    loss = {
        penalty: TrainConfig("loss", penalty, lam=lam, stddev=0.03, epochs=epochs)
        for penalty, lam in _LOSS_LAM.items()
    }
    for share in SHARES:
        more = 2 if share >= 0.99 else 0
        split = TrainConfig(penalty="l0", target_sparsity=share, epochs=epochs)
        pruned = TrainConfig(method="magnitude", target_sparsity=share, epochs=epochs)
        found += [
            TableRow("past", "RVSM, --target-sparsity", split, more_seeds=more),
            TableRow("past", "magnitude pruning (tfmot)", pruned, more_seeds=more),
            TableRow(
                "past", "TL1 in the loss, then a threshold", loss["tl1"], None, share, 2
            ),
            TableRow("past", "ℓ1 decay, then a threshold", loss["l1"], None, share, 2),
        ]
    return found


def _choices(epochs: int) -> list[TableRow]:
    base = TrainConfig(epochs=epochs)
    others = {
        "as we chose": {},
        "initial weights twice as large": {"stddev": 0.27},
        "learning rate a third": {"learning_rate": 3e-4},
        "SGD with momentum, κ = ηβ as in the paper": {"optimizer": "sgd"},
        "the kernel's norm kept": {"keep_norm": True},
        "kernels of 5 × 5": {"kernel_size": 5},
    }
    return [
        TableRow("choices", label, dataclasses.replace(base, **given))
        for label, given in others.items()
    ]
