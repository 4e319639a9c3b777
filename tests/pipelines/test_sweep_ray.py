"""Sweeps on Ray itself: nodes and drivers that die, and what is left of their work."""

import collections
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import pyarrow.parquet as pq
import pytest
from ray.cluster_utils import Cluster

from commands.files import read_json
from pipelines import cell
from pipelines.sweep import grid
from tests.commands.refusal import refused_alone


class Driver:
    """`python -m pipelines.sweep` in a process of its own."""

    def __init__(self, folder, *options):
        self.out, self.err = folder / "stdout", folder / "stderr"
        words = ["--grid", folder / "grid.toml", "--output", folder / "out", *options]
        with open(self.out, "w") as out, open(self.err, "w") as err:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "pipelines.sweep", *map(str, words)],
                stdout=out,
                stderr=err,
            )
        self.pid = self._process.pid

    def kill(self, how):
        """Ends it; returns its exit code once all that it started is gone too."""
        started = descendants(self.pid)
        self._process.send_signal(how)
        code = self.wait()
        until(lambda: not any(map(alive, started)))
        return code

    def wait(self):
        return self._process.wait(timeout=300)

    def told(self):
        """Returns how each point ended, from the lines on standard output."""
        ended = re.findall(r"^(\S+): (done|failed);", self.out.read_text(), re.M)
        return dict(ended)


def write_grid(folder, letters, text):
    """Writes a grid of short trainings; returns its points."""
    file = folder / "grid.toml"
    file.write_text(f'dataset = "{letters}"\nepochs = 1\npenalty = "l0"\n{text}')
    return grid.read(file)


def descendants(pid):
    """Returns the processes that a process has started, and those that these have."""
    try:
        listed = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except FileNotFoundError:
        return []
    children = [int(child) for child in listed.split()]
    return [*children, *(pid for child in children for pid in descendants(child))]


def alive(pid):
    """Whether a process runs; one that ended and was not waited for does not."""
    try:
        status = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def until(condition, seconds=300):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def in_training(pids, names):
    """Returns the points that processes are busy with: Ray has them in their titles."""
    found = set()
    for pid in pids:
        try:
            title = pathlib.Path(f"/proc/{pid}/cmdline").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        name = title.rstrip("\0 ").removeprefix("ray::")
        found |= {name} & names
    return found


def starts(logs):
    """Returns how often each task was started, from what Ray's workers wrote down."""
    lines = [x for log in logs.glob("worker-*.out") for x in log.read_text().split()]
    return collections.Counter(
        x.removeprefix(":task_name:") for x in lines if x.startswith(":task_name:")
    )


def finished(folder):
    """Returns the points with figures, and when their files were written."""
    files = (folder / "out" / "cells").glob("[!.]*.json")
    return {file.stem: file.stat().st_mtime_ns for file in files}


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


def test_a_node_dies_half_way_and_nothing_is_lost_or_trained_twice(
    cluster, letters, tmp_path
):
    points = write_grid(tmp_path, letters, "seed = [0, 1, 2, 3]\n")
    names = {cell.name(point) for point in points}
    driver = Driver(tmp_path, "--ray", cluster.address)
    (raylet,) = (p.process.pid for p in cluster.other.all_processes["raylet"])
    lost = {}

    def halfway():
        """Whether the other node is at a point while another is finished; holds it."""
        for pid in descendants(raylet) if finished(tmp_path) else ():
            if in_training([pid], names):
                os.kill(pid, signal.SIGSTOP)
                # It may have finished in between.
                for name in in_training([pid], names):
                    lost[name] = pid
                    return True
                os.kill(pid, signal.SIGCONT)
        return False

    until(halfway)
    before = finished(tmp_path)
    cluster.remove_node(cluster.other, allow_graceful=False)
    for pid in lost.values():
        os.kill(pid, signal.SIGKILL)
    assert driver.wait() == 0
    assert driver.err.read_text() == ""

    after = finished(tmp_path)
    assert after.keys() == names
    assert before.items() <= after.items()
    # Each point was trained once, but for the one that its node took along.
    logs = pathlib.Path(cluster.head_node.get_logs_dir_path())
    assert starts(logs) == {name: 1 + (name in lost) for name in names}
    table = pq.read_table(tmp_path / "out" / "results.parquet")
    assert sorted(table["name"].to_pylist()) == sorted(names)
    assert sorted(table["seed"].to_pylist()) == [0, 1, 2, 3]
    # The commit is the sources' that were sent; nodes need no repository.
    commits = {read_json(f)["commit"] for f in (tmp_path / "out/cells").iterdir()}
    assert commits == {cell.commit()}


def test_a_killed_sweep_goes_on_and_what_fails_does_not_stop_the_others(
    letters, tmp_path
):
    points = write_grid(
        tmp_path, letters, "[[grid]]\nseed = [0, 1]\n[[grid]]\nbatch-size = 161\n"
    )
    *good, bad = map(cell.name, points)
    cores = ["--cpus", os.cpu_count()]  # one point at a time
    driver = Driver(tmp_path, *cores)
    until(lambda: finished(tmp_path))
    assert driver.kill(signal.SIGKILL) == -signal.SIGKILL
    before = finished(tmp_path)
    assert len(before) < len(good)

    driver = Driver(tmp_path, *cores)
    assert driver.wait() == 2
    ended = driver.told()
    assert ended.pop(bad) == "failed"
    assert ended == dict.fromkeys(set(good) - before.keys(), "done")
    after = finished(tmp_path)
    assert after.keys() == set(good)
    assert before.items() <= after.items()
    failed, last = driver.err.read_text().splitlines()
    assert "161 is more than the 160 images" in failed
    assert cell.command(points[-1]) in failed
    assert last.startswith("Error: 1 of 3 points failed")
    assert pq.read_table(tmp_path / "out" / "results.parquet").num_rows == 2


def test_an_interrupt_ends_it_quietly(letters, tmp_path):
    (point,) = write_grid(tmp_path, letters, "")
    driver = Driver(tmp_path)
    until(lambda: in_training(descendants(driver.pid), {cell.name(point)}))
    assert driver.kill(signal.SIGINT) == 130
    assert driver.err.read_text().strip() == ""
    assert finished(tmp_path) == {}


@pytest.mark.parametrize("address", ["127.0.0.1:1", "here", "ray://127.0.0.1:1"])
def test_an_address_where_nothing_answers_is_refused(address, letters, tmp_path):
    write_grid(tmp_path, letters, "")
    line = refused_alone(
        *("pipelines.sweep", "--grid", tmp_path / "grid.toml"),
        *("--output", tmp_path / "out", "--ray", address),
    )
    assert repr(address) in line
    assert "HOST:PORT" in line


def test_more_cores_than_there_are_are_refused(letters, tmp_path):
    write_grid(tmp_path, letters, "")
    line = refused_alone(
        *("pipelines.sweep", "--grid", tmp_path / "grid.toml"),
        *("--output", tmp_path / "out", "--cpus", 100_000),
    )
    assert "--cpus 100000" in line
