"""Which channels of a model stay, and which constants those that go leave behind.

A walk through the graph tells which channels go together and which are constant; walks
back from the outputs, as long as something new turns up, which are alive.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from ..graph import Call, Graph, width
from .kind import Kind


class Channels(NamedTuple):
    """The channels of one call, those of all inputs one after the other.

    Attributes:
        kept: by input channel whether it stays.
        kept_out: by output channel whether it stays.
        constants: of the input channels, NaN for those that vary.
    """

    kept: np.ndarray
    kept_out: np.ndarray
    constants: np.ndarray


@dataclasses.dataclass(frozen=True)
class _Use:
    """What is known of one call after the walk forward.

    Attributes:
        read: by input channel the group that it belongs to.
        written: by output channel the same.
        constants: of the input channels.
        reads: which inputs its outputs need, inputs × outputs; None for what is in
            their groups alone.
    """

    read: np.ndarray
    written: np.ndarray
    constants: np.ndarray
    reads: np.ndarray | None


class _Groups:
    """Channels, and which of them stay or go together."""

    def __init__(self):
        self._parent: list[int] = []
        self._stay: list[np.ndarray] = []

    def new(self, size: int) -> np.ndarray:
        """Returns so many channels, each of them a group by itself."""
        made = np.arange(len(self._parent), len(self._parent) + size)
        self._parent.extend(made.tolist())
        return made

    def join(self, some: np.ndarray, others: np.ndarray) -> None:
        """Makes two channels go together, one by one."""
        for a, b in zip(some, others):
            self._parent[self._root(b)] = self._root(a)

    def keep(self, channels: np.ndarray) -> None:
        """Notes channels that may not be cut, nor any that is joined to them."""
        self._stay.append(channels)

    def roots(self) -> np.ndarray:
        """Returns by channel one that stands for its group."""
        return np.array([self._root(i) for i in range(len(self._parent))], int)

    def kept(self) -> np.ndarray:
        """Returns by channel whether it stands for a group that must stay."""
        fixed = np.zeros(len(self._parent), bool)
        fixed[self.roots()[_all(self._stay)]] = True
        return fixed

    def _root(self, channel):
        while self._parent[channel] != channel:
            channel = self._parent[channel]
        return channel


def channels(graph: Graph, kinds: Sequence[Kind]) -> list[Channels]:
    """Returns what becomes of the channels of each call.

    Args:
        graph: of the model.
        kinds: of its calls.
    """
    uses, fixed = _forward(graph, kinds)
    alive = _backward(uses, fixed)
    return [
        Channels(alive[use.read], alive[use.written], use.constants) for use in uses
    ]


def _forward(graph: Graph, kinds: Sequence[Kind]) -> tuple[list[_Use], np.ndarray]:
    """Returns what is known of each call, and by group whether it is fixed."""
    groups = _Groups()
    of: dict[int, np.ndarray] = {}  # by tensor the groups of its channels
    constants: dict[int, np.ndarray] = {}
    for tensor in graph.inputs:
        of[tensor] = groups.new(width(graph.shapes[tensor]))
        constants[tensor] = np.full(len(of[tensor]), np.nan)
        groups.keep(of[tensor])
    uses = []
    for call, kind in zip(graph.calls, kinds):
        read = _all(of[tensor] for tensor in call.inputs)
        known = _all((constants[tensor] for tensor in call.inputs), float)
        joins = _joins(call, kind)
        if joins.shape[1]:
            written = read[joins[:, 0]]
            for column in joins.T[1:]:
                groups.join(written, read[column])
        else:
            written = groups.new(call.channels_out)
        made = kind.constants(call, known)
        ends = np.cumsum([width(shape) for shape in call.output_shapes])[:-1]
        of.update(zip(call.outputs, np.split(written, ends)))
        constants.update(zip(call.outputs, np.split(made, ends)))
        for channels_of, mask in zip((read, written), kind.keeps(call)):
            groups.keep(channels_of[np.broadcast_to(mask, channels_of.shape)])
        uses.append(_Use(read, written, known, kind.reads(call, known)))
    for tensor in graph.outputs:
        groups.keep(of[tensor])
    roots = groups.roots()
    found = [
        dataclasses.replace(use, read=roots[use.read], written=roots[use.written])
        for use in uses
    ]
    return found, groups.kept()


def _joins(call: Call, kind: Kind) -> np.ndarray:
    """Returns what a kind joins, of which it must have a row for each output."""
    joins = kind.joins(call)
    if len(joins) != call.channels_out or (joins >= call.channels_in).any():
        raise ValueError(
            f"{type(kind).__name__}.joins gives {call.layer.name!r}, which has "
            f"{call.channels_in} input and {call.channels_out} output channels, "
            f"{len(joins)} rows of numbers up to {joins.max(initial=0)}: one row for "
            "each output is needed, of numbers of inputs"
        )
    return joins


def _backward(uses: Sequence[_Use], fixed: np.ndarray) -> np.ndarray:
    """Returns by group whether it stays: it must, or something that stays reads it."""
    alive = fixed.copy()
    readers = [(use, use.reads) for use in reversed(uses) if use.reads is not None]
    while True:
        before = alive.sum()
        for use, reads in readers:
            alive[use.read[reads[:, alive[use.written]].any(1)]] = True
        if alive.sum() == before:
            break
    # A layer needs an output. What such a one reads need not stay: either it is
    # constant and reads nothing that varies, or nobody minds its value.
    for use in uses:
        if use.written.size and not alive[use.written].any():
            alive[use.written[0]] = True
    return alive


def _all(arrays: Iterable[np.ndarray], kind: type = int) -> np.ndarray:
    return np.concatenate([np.zeros(0, kind), *arrays])
