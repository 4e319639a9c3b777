"""Warnings of training that cannot end well, or did not: each once, with a way out."""

import math
from collections.abc import Iterable

import keras
import numpy as np
from keras import ops

from .groups import divide
from .penalties import Group, Penalty
from .splitting import Splitting

# A fit that is so many times as long as the one that a target follows is another one.
_LONGER = 4


class Watch:
    """Looks at a splitting when training begins, and when it ends.

    Args:
        splitting: what is looked at.
    """

    def __init__(self, splitting: Splitting):
        self._splitting = splitting
        self._start = 0  # the splitting's position when training began

    def begin(self, steps: int | None) -> None:
        """Warns of what cannot end well.

        Args:
            steps: that training makes; None if that is not known.

        Warns:
            UserWarning: nothing that is split is trained; the sparse model is all zero
                in a layer from the start; a target takes more steps than there are, or
                follows an earlier fit that was much shorter.
        """
        self._start = int(ops.copy(self._splitting.position))
        if not self._splitting.kernels:
            paths = (w.path for split in self._splitting.splits for w in split.kernels)
            self._splitting.warn_once(
                "frozen",
                f"nothing that is split is trained: {_listed(paths)} are frozen; "
                "unfreeze a layer, or name one that is trained",
            )
        self._warn_of_empty(
            "from the start",
            "ask for a share of zeros, lam=rvsm_tf.TargetSparsity(0.9), or lower λ/β, "
            "or start with larger weights",
        )
        if steps is None:
            return
        end = self._start + steps
        for target, lam in self._splitting.targets():
            if target.steps is None:  # it follows the fit
                followed = int(ops.copy(self._splitting.fit_steps))
                if end > _LONGER * followed:
                    self._splitting.warn_once(
                        f"fit {lam.name}",
                        f"{target!r} follows the first fit, of {followed:,} steps, and "
                        f"this one ends at {end:,}: all zeros are asked for from its "
                        "start. For a new schedule make a new RVSM of the network",
                    )
            elif end < target.steps:
                self._splitting.warn_once(
                    f"target {lam.name}",
                    f"{target!r} takes {target.steps:,} steps, and training ends at "
                    f"{end:,}, where it asks for {float(target.share(end)):.3f}: leave "
                    "out steps, and the target follows the fit",
                )

    def end(self) -> None:
        """Warns of what did not end well.

        Warns:
            UserWarning: no weight was pulled; the sparse model is all zero in a layer;
                a target was not reached.
        """
        if int(ops.copy(self._splitting.position)) == self._start:
            self._splitting.warn_once(
                "optimizer",
                "no weight was pulled, as no optimizer that the model knows of has "
                "made a step: keep each one in an attribute of the network",
            )
            return
        self._warn_of_empty("after training", "lower λ/β, or its share of zeros")
        twins = self._splitting.twins()
        for target, lam in self._splitting.targets():
            some = [(split, w, u) for split, w, u in twins if split.lam is lam]
            total = sum(math.prod(w.shape) for _, w, _ in some)
            zeros = sum(int(ops.sum(u == 0)) for _, _, u in some)
            largest = max(_together(split.penalty, w) for split, w, _ in some)
            if zeros < target.target * total - max(largest, 0.01 * total):
                self._splitting.warn_once(
                    f"target {lam.name}",
                    f"{target!r} was not reached: {zeros / total:.3f} after "
                    f"{int(ops.copy(self._splitting.position)):,} steps; train longer, "
                    "or give it fewer steps (weights of one size go together)",
                )

    def _warn_of_empty(self, when: str, way_out: str) -> None:
        asked = {id(lam) for t, lam in self._splitting.targets() if t.target == 1}
        empty = []
        for split, w, u in self._splitting.twins():
            size = np.abs(ops.convert_to_numpy(ops.cast(w, "float32")))
            largest = float(size.max())
            is_empty = largest > 0 and not bool(ops.any(u != 0))
            if is_empty and id(split.lam) not in asked:
                empty.append(f"{w.path} (largest weight {largest:.2g})")
        if empty:
            self._splitting.warn_once(
                "empty",
                f"the sparse model is all zero {when} in {_listed(empty)}: {way_out}",
            )


def _together(penalty: Penalty, w: keras.Variable) -> int:
    """Returns how many weights become zero together."""
    if not isinstance(penalty, Group):
        return 1
    shape, inside = divide(w.shape, penalty.groups)
    return math.prod(shape[axis] for axis in inside)


def _listed(names: Iterable[str], most: int = 5) -> str:
    """Returns names as a sentence has them, of many the first few."""
    names = list(names)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
