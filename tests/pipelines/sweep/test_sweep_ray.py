"""Sweeps on Ray itself: nodes and drivers that die, and what is left of their work."""

import collections
import contextlib
import os
import pathlib
import signal
import subprocess
import sys

import pyarrow.parquet as pq
import pytest
from ray.cluster_utils import Cluster

from pipelines.experiments import cell
from pipelines.sweep.grid import read
from tests.commands.refusal import refused_alone
from tests.processes import alive, until

pytestmark = pytest.mark.slow


class Sweep:
    """`python -m pipelines.sweep` in a process of its own, on a few short trainings.

    Args:
        folder: for all files.
        letters: the dataset.
        grid: TOML.
    """

    def __init__(self, folder, letters, grid):
        self.folder, self._process = folder, None
        self._grid = folder / "grid.toml"
        common = f'dataset = "{letters}"\nepochs = 1\npenalty = "l0"\n'
        self._grid.write_text(common + grid)
        self.points = read(self._grid)
        self.names = {cell.name(point) for point in self.points}

    def start(self, *options):
        """Starts it; what it prints goes to files."""
        words = ["--grid", self._grid, "--output", self.folder / "out", *options]
        with (
            open(self.folder / "stdout", "w") as out,
            open(self.folder / "stderr", "w") as err,
        ):
            self._process = subprocess.Popen(
                [sys.executable, "-m", "pipelines.sweep", *map(str, words)],
                stdout=out,
                stderr=err,
            )

    def wait(self):
        """Returns its exit code, and the lines that it printed and complained with."""
        code = self._process.wait(timeout=600)
        files = (self.folder / name for name in ("stdout", "stderr"))
        return code, *(file.read_text().splitlines() for file in files)

    def kill(self, how=signal.SIGKILL):
        """Ends it, and waits until nothing is being trained."""
        training = self.training(self._process.pid)
        self._process.send_signal(how)
        code = self._process.wait(timeout=600)
        until(lambda: not any(map(alive, training)))
        return code

    def training(self, pid=None):
        """Returns processes with the points that they are at: Ray's titles tell."""
        found = {}
        for child in descendants(pid or self._process.pid):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                title = pathlib.Path(f"/proc/{child}/cmdline").read_text()
                name = title.rstrip("\0 ").removeprefix("ray::")
                if name in self.names:
                    found[child] = name
        return found

    def finished(self):
        """Returns the points with figures, and when their files were written."""
        files = (self.folder / "out" / "cells").glob("[!.]*.json")
        return {file.stem: file.stat().st_mtime_ns for file in files}

    def close(self):
        """Ends it if it still runs."""
        if self._process and self._process.poll() is None:
            self.kill()


@pytest.fixture(autouse=True)
def _as_urgent_as_others(monkeypatch):
    """Ray's processes are nice by default, and get nothing beside other tests."""
    monkeypatch.setenv("RAY_worker_niceness", "0")


@pytest.fixture
def sweep(letters, tmp_path):
    """Makes a sweep from a grid; none is left running."""
    with contextlib.ExitStack() as stack:

        def make(grid):
            return stack.enter_context(
                contextlib.closing(Sweep(tmp_path, letters, grid))
            )

        yield make


def descendants(pid):
    """Returns the processes that a process has started, and those that these have."""
    try:
        listed = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    children = [int(child) for child in listed.split()]
    return [*children, *(pid for child in children for pid in descendants(child))]


def starts(logs):
    """Returns how often each task was started, from what Ray's workers wrote down."""
    lines = [x for log in logs.glob("worker-*.out") for x in log.read_text().split()]
    return collections.Counter(
        x.removeprefix(":task_name:") for x in lines if x.startswith(":task_name:")
    )


@pytest.fixture
def cluster():
    """Two nodes with a core each."""
    head = {"num_cpus": 1, "include_dashboard": False}
    found = Cluster(initialize_head=True, head_node_args=head)
    try:
        found.other = found.add_node(num_cpus=1)
        yield found
    finally:
        found.shutdown()


def test_a_node_dies_half_way_and_nothing_is_lost_or_trained_twice(cluster, sweep):
    run = sweep("seed = [0, 1, 2, 3]\n")
    run.start("--ray", cluster.address)
    (raylet,) = (p.process.pid for p in cluster.other.all_processes["raylet"])
    lost = {}

    def halfway():
        """Whether the other node is at a point while another is finished; holds it."""
        for pid in run.training(raylet) if run.finished() else ():
            os.kill(pid, signal.SIGSTOP)
            # It may have finished in between.
            if name := run.training(raylet).get(pid):
                lost[pid] = name
                return True
            os.kill(pid, signal.SIGCONT)
        return False

    until(halfway)
    before = run.finished()
    cluster.remove_node(cluster.other, allow_graceful=False)
    for pid in lost:
        os.kill(pid, signal.SIGKILL)
    code, out, err = run.wait()
    assert code == 0
    assert err == []
    *each, last = out
    assert {line.split(";")[0] for line in each} == {f"{n}: done" for n in run.names}
    assert len(each) == len(run.names)
    assert last.startswith("results: ")

    after = run.finished()
    assert after.keys() == run.names
    assert before.items() <= after.items()
    # Each point was trained once, but for the one that its node took along.
    logs = pathlib.Path(cluster.head_node.get_logs_dir_path())
    assert starts(logs) == {n: 1 + (n in lost.values()) for n in run.names}
    rows = pq.read_table(run.folder / "out" / "results.parquet").to_pylist()
    assert {row["name"] for row in rows} == run.names
    assert [row["seed"] for row in rows] == [0, 1, 2, 3]
    # That of the sources that were sent; nodes need no repository.
    assert {row["commit"] for row in rows} == {cell.commit()}


def test_a_killed_sweep_goes_on_and_what_fails_does_not_stop_the_others(sweep):
    run = sweep("[[grid]]\nseed = [0, 1]\n[[grid]]\nbatch-size = 161\n")
    *good, bad = map(cell.name, run.points)
    cores = ["--cpus", os.cpu_count()]  # one point at a time
    run.start(*cores)
    until(run.finished)
    assert run.kill() == -signal.SIGKILL
    before = run.finished()
    assert len(before) < len(good)

    run.start(*cores)
    code, out, err = run.wait()
    assert code == 2
    ended = {line.split(";")[0] for line in out}
    assert ended == {f"{bad}: failed", *(f"{n}: done" for n in {*good} - {*before})}
    after = run.finished()
    assert after.keys() == set(good)
    assert before.items() <= after.items()
    failed, last = err
    assert "161 is more than the 160 images" in failed
    assert cell.command(run.points[-1]) in failed
    assert last.startswith("Error: 1 of 3 points failed")
    assert pq.read_table(run.folder / "out" / "results.parquet").num_rows == 2


def test_an_interrupt_ends_it_quietly(sweep):
    run = sweep("")
    run.start()
    until(run.training)
    assert run.kill(signal.SIGINT) == 130
    _, out, err = run.wait()
    assert "".join(out + err).strip() == ""
    assert run.finished() == {}


@pytest.mark.parametrize("address", ["127.0.0.1:1", "here", "ray://127.0.0.1:1"])
def test_an_address_where_nothing_answers_is_refused(address, tmp_path):
    (tmp_path / "grid.toml").write_text("lam = 1e-4\n")
    line = refused_alone(
        *("pipelines.sweep", "--grid", tmp_path / "grid.toml"),
        *("--output", tmp_path / "out", "--ray", address),
    )
    assert repr(address) in line
    assert "HOST:PORT" in line


def test_more_cores_than_there_are_are_refused(tmp_path):
    (tmp_path / "grid.toml").write_text("lam = 1e-4\n")
    line = refused_alone(
        *("pipelines.sweep", "--grid", tmp_path / "grid.toml"),
        *("--output", tmp_path / "out", "--cpus", 100_000),
    )
    assert "--cpus 100000" in line
