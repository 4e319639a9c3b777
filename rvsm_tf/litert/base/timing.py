"""Latency of .tflite files, measured in turns.

A machine's speed drifts by more than files differ, so files are not measured one
after the other but in rounds, in which each has a turn, and compared within a round.
That happens in a process of its own: the caller's threads do not disturb it, and if
the runtime dies of a file, that is an answer. In the folder above this one

    python -m base.timing THREADS ROUNDS warm|cold FILE…

prints what happens as lines of JSON:

    {"file": i}                       the file of this number is next
    {"failed": "…"}                   the runtime refused it, with these words
    {"warm": […], "cold": […]}        milliseconds of each file in one round

Warm is a model that is run again and again. Cold is one that is run after something
else had the processor: every cache is driven out before each run, so that weights
come from memory, and so does the runtime's own code.
"""

import dataclasses
import gc
import json
import math
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from . import runtime

ROUNDS = 21
WARM_UPS = 3
TURN_MS = 20
"""How long a warm turn takes; the number of runs in it follows."""
FEWEST = 5
"""Runs in a warm turn, however slow the model is."""
COLD_RUNS = 20
"""Runs in a cold turn."""

CACHES = pathlib.Path("/sys/devices/system/cpu/cpu0/cache")
USUAL_CACHE = 32 << 20
LARGEST_FLUSH = 256 << 20


class Spread(NamedTuple):
    """A median over rounds, with the quartiles around it as its spread."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Returns the summary of at least one value."""
        return cls(*(float(np.quantile(values, share)) for share in (0.5, 0.25, 0.75)))


@dataclasses.dataclass(frozen=True)
class Timing:
    """How long one run of a file takes.

    Args:
        file: as it was given.
        threads: the runtime was allowed.
        warm_ms: median milliseconds of each round.
        cold_ms: the same with caches driven out; empty if that was not measured.
    """

    file: pathlib.Path
    threads: int
    warm_ms: list[float]
    cold_ms: list[float]

    @property
    def warm(self) -> Spread:
        """Milliseconds over the rounds."""
        return Spread.of(self.warm_ms)

    @property
    def cold(self) -> Spread | None:
        """Milliseconds over the rounds, None if that was not measured."""
        return Spread.of(self.cold_ms) if self.cold_ms else None


def ratios(
    timings: Iterable[Timing], reference: pathlib.Path, cold: bool = False
) -> list[Spread]:
    """Compares files of one measurement with one of them.

    Args:
        timings: what `in_turns` returned.
        reference: the file to compare with.
        cold: compare the cold runs.

    Returns:
        for each timing, the ratio to the reference within a round, over the rounds.

    Raises:
        ValueError: the reference was not measured.
    """
    measured = [(t.file, t.cold_ms if cold else t.warm_ms) for t in timings]
    base = next((ms for file, ms in measured if file == reference), [])
    if not base:
        raise ValueError(f"{str(reference)!r} is not among the files measured")
    return [
        Spread.of([own / other for own, other in zip(ms, base, strict=True)])
        for _, ms in measured
    ]


def in_turns(
    files: Sequence[pathlib.Path],
    threads: int = 1,
    rounds: int = ROUNDS,
    cold: bool = False,
    progress: Callable[[], None] | None = None,
) -> list[Timing]:
    """Measures files in turns, in a process of its own.

    Args:
        files: .tflite files, at least one.
        threads: the runtime may use.
        rounds: in each of which every file has a turn, another one first each time.
        cold: measure runs with cold caches too.
        progress: called after each round.

    Returns:
        a timing for each file, in the order given.

    Raises:
        ValueError: there is nothing to measure, or with fewer than one thread or round.
        RuntimeFailure: the runtime refuses a file, or dies of it; the message names
            the file.
    """
    if not files or threads < 1 or rounds < 1:
        raise ValueError(
            f"{len(files)} files, {threads} threads, {rounds} rounds: "
            "at least one of each is needed"
        )
    file, done = files[0], []
    for event in _events(files, threads, rounds, cold):
        if "file" in event:
            file = files[event["file"]]
        elif "failed" in event:
            words = " ".join(event["failed"].split())
            raise runtime.RuntimeFailure(f"{str(file)!r}: {words}")
        else:
            done.append(event)
            if progress:
                progress()
    return [
        Timing(
            file,
            threads,
            [event["warm"][i] for event in done],
            [event["cold"][i] for event in done] if cold else [],
        )
        for i, file in enumerate(files)
    ]


def _events(
    files: Sequence[pathlib.Path], threads: int, rounds: int, cold: bool
) -> Iterator[dict[str, Any]]:
    """Yields what the process says, and at last how it failed, if it did."""
    mode = "cold" if cold else "warm"
    paths = [str(file.resolve()) for file in files]
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as stderr,
        subprocess.Popen(
            [*_COMMAND, str(threads), str(rounds), mode, *paths],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            cwd=runtime.FOLDER,
        ) as process,
    ):
        try:
            yield from map(json.loads, process.stdout or ())
            process.wait()
        finally:
            process.kill()
        if process.returncode:
            stderr.seek(0)
            words = runtime.last_words(process.returncode, stderr.read())
            yield {"failed": words}


_COMMAND = [sys.executable, "-m", "base.timing"]


# What follows runs in the process of its own.


def turns(count: int, number: int) -> list[int]:
    """Returns whose turn it is in a round: each in a row, another one first."""
    return [(i + number) % count for i in range(count)]


def cache_bytes(folder: pathlib.Path = CACHES) -> int:
    """Returns the size of the largest cache, a usual one if the system does not say."""
    units = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
    sizes = [path.read_text("utf-8").strip() for path in folder.glob("index*/size")]
    known = [int(s[:-1]) * units[s[-1]] for s in sizes if s[-1:] in units]
    return max(known, default=USUAL_CACHE)


class Flush:
    """Drives everything out of the caches when called.

    Writes through several times the size of the largest cache, which keeps part of
    what it holds when just as much comes by, in as many threads as the runtime uses:
    cores have caches of their own.
    """

    def __init__(self, threads: int, size: int | None = None):
        size = min(8 * cache_bytes(), LARGEST_FLUSH) if size is None else size
        self.buffer = np.zeros(size // 8, np.int64)
        # This thread runs models, so it must do a share itself.
        self._own, *self._others = np.array_split(self.buffer, threads)
        self._pool = ThreadPoolExecutor(threads)

    def __call__(self) -> None:
        """Adds one to every number of the buffer: filling might bypass the caches."""
        others = [self._pool.submit(_add_one, part) for part in self._others]
        _add_one(self._own)
        for other in others:
            other.result()


def _add_one(part: np.ndarray) -> None:
    part += 1


def _load(file: str, threads: int) -> Callable[[], None]:
    """Returns what runs a file once, on random inputs."""
    interpreter = runtime.interpreter(pathlib.Path(file), threads=threads)
    rng = np.random.default_rng(0)
    for detail in interpreter.get_input_details():
        shape, kind = tuple(detail["shape"]), detail["dtype"]
        is_float = kind == np.float32
        values = rng.random(shape, "float32") if is_float else np.zeros(shape, kind)
        interpreter.set_tensor(detail["index"], values)
    return interpreter.invoke


def _median_ms(
    invoke: Callable[[], None], count: int, before: Callable[[], None] | None = None
) -> float:
    times = []
    for _ in range(count):
        if before:
            before()
        start = time.perf_counter_ns()
        invoke()
        times.append(time.perf_counter_ns() - start)
    return statistics.median(times) / 1e6


def _runs(invoke: Callable[[], None]) -> int:
    """Returns how many runs make a turn, from a first few."""
    for _ in range(WARM_UPS):
        invoke()
    return max(FEWEST, math.ceil(TURN_MS / _median_ms(invoke, FEWEST)))


def measure(
    invokes: Sequence[Callable[[], None]],
    counts: Sequence[int],
    rounds: int,
    flush: Callable[[], None] | None,
) -> Iterator[dict[str, Any]]:
    """Yields the events of the rounds, as they are printed.

    Args:
        invokes: what runs each file once.
        counts: how many runs make a warm turn of each.
        rounds: how many.
        flush: drives out the caches; None leaves out the cold turns.
    """
    for number in range(rounds):
        warm, cold = [0.0] * len(invokes), [0.0] * len(invokes)
        for i in turns(len(invokes), number):
            yield {"file": i}
            for _ in range(WARM_UPS):
                invokes[i]()
            warm[i] = _median_ms(invokes[i], counts[i])
            if flush:
                cold[i] = _median_ms(invokes[i], COLD_RUNS, flush)
        yield {"warm": warm, "cold": cold if flush else []}


def _say(event: dict[str, Any]) -> None:
    print(json.dumps(event), flush=True)


def _main(threads: str, rounds: str, mode: str, *files: str) -> None:
    invokes, counts = [], []
    for i, file in enumerate(files):
        _say({"file": i})
        try:
            invokes.append(_load(file, int(threads)))
            counts.append(_runs(invokes[-1]))
        except (ValueError, RuntimeError) as error:
            _say({"failed": str(error)})
            return
    flush = Flush(int(threads)) if mode == "cold" else None
    gc.disable()
    for event in measure(invokes, counts, int(rounds), flush):
        _say(event)


if __name__ == "__main__":
    _main(*sys.argv[1:])
