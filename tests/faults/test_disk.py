"""A full disk, a folder that is read alone: one line, and what stood there stays."""

import contextlib
import os
import resource
import shutil
import subprocess

import pytest
from click.testing import CliRunner

from commands.cli import told
from commands.files import DRAFT
from export import benchmark, convert
from pipelines import evaluate, train
from pipelines.training import launch
from testing import small
from testing.faults import work
from tests.commands.refusal import refused

pytestmark = pytest.mark.slow


@contextlib.contextmanager
def full_disk(limit):
    """A disk that takes no file of more bytes than a limit."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def options(training):
    """What makes the run that `training` made."""
    config = work.config(training.data)
    return [
        *("--dataset", config.dataset, "--penalty", config.penalty),
        *("--target-sparsity", config.target_sparsity, "--epochs", config.epochs),
        *("--batch-size", config.batch_size, "--quiet"),
    ]


# The configuration, TensorBoard's events, the checkpoint do not fit.
@pytest.mark.parametrize("limit", [100, 500, 1_000_000])
def test_training_on_a_full_disk(training, place, tmp_path, limit):
    folder = tmp_path / "run"
    with full_disk(limit):
        line = refused(train.main, *options(training), "--output", folder)
    assert "cannot write" in line
    if folder.exists():
        training.check(folder)
        assert not list(folder.glob(f"{DRAFT}*"))
        # What was begun goes on where there is room.
        place.do(*training.work(folder))
        training.finished(folder)


@pytest.mark.parametrize("limit", [1_000, 1_000_000])
def test_exporting_to_a_full_disk(exporting, tmp_path, limit):
    folder = tmp_path / "export"
    shutil.copytree(exporting.made, folder)
    before = contents(folder)
    with full_disk(limit):
        line = refused(
            *(convert.main, exporting.run, "--output", folder),
            *("--formats", "float32", "--quiet"),
        )
    assert "File too large" in line
    assert contents(folder) == before


def test_timing_onto_a_full_disk(tflite, tmp_path):
    with full_disk(10):
        options = "--rounds", 1, "--output", tmp_path, "--quiet"
        line = refused(benchmark.main, tflite, *options)
    assert "cannot write" in line
    assert list(tmp_path.iterdir()) == []


# Nothing, or some of the splits.
@pytest.mark.parametrize("limit", [100, 300_000])
def test_building_a_dataset_on_a_full_disk(building, tmp_path, limit):
    builder = small.builder(tmp_path, **work.SIZES)
    with full_disk(limit), pytest.raises((OSError, RuntimeError)) as error:
        builder.download_and_prepare()
    assert told(error.value).startswith("cannot write: ")
    assert "File too large" in told(error.value)
    building.check(tmp_path)
    assert not list(tmp_path.rglob("*.tfrecord*"))


@pytest.fixture
def read_only():
    """Makes folders that nobody can write to, not even root; and ends that."""
    with contextlib.ExitStack() as after:

        def make(folder):
            if os.geteuid():
                folder.chmod(0o555)
                after.callback(folder.chmod, 0o755)
                return
            mount = ["mount", "--bind", "-o", "ro", folder, folder]
            if subprocess.run(mount, capture_output=True, check=False).returncode:
                pytest.skip("root may write anywhere here")
            after.callback(subprocess.run, ["umount", folder], check=True)

        yield make


def test_what_is_read_alone_is_answered_and_stays(training, tmp_path, read_only):
    run, begun = tmp_path / "run", tmp_path / "begun"
    shutil.copytree(training.run, run)
    begun.mkdir()
    shutil.copy(run / "config.json", begun)
    before = contents(tmp_path)
    read_only(run)
    read_only(begun)
    for command, *arguments in (
        (train.main, *options(training), "--output", begun, "--resume"),
        (train.main, *options(training), "--output", run / "new"),
        (convert.main, run, "--formats", "float32", "--quiet"),
        (convert.main, run, "--output", run / "new", "--quiet"),
    ):
        line = refused(command, *arguments)
        assert "cannot write" in line
        assert str(tmp_path) in line
    assert contents(tmp_path) == before


def test_a_finished_run_that_is_read_alone_can_be_asked(training, tmp_path, read_only):
    run = tmp_path / "run"
    shutil.copytree(training.run, run)
    read_only(run)
    config = work.config(training.data)
    found = launch.run(config, run, resume=True)
    assert found == launch.run(config, training.run, resume=True)


def test_it_is_measured_too_without_a_picture(training, tmp_path, read_only):
    run = tmp_path / "run"
    shutil.copytree(training.run, run)
    read_only(run)
    result = CliRunner().invoke(evaluate.main, [str(run)])
    assert result.exit_code == 0
    assert "sensitivity, shaky" in result.stdout
    (line,) = result.stderr.splitlines()
    assert line.startswith("No picture is written: ")
    assert str(run) in line
    # Who names a folder is told that it does not do.
    options = [str(run), "--output", str(run / "here")]
    result = CliRunner().invoke(evaluate.main, options)
    assert result.exit_code == 2
    assert "sensitivity, shaky" in result.stdout
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: cannot write")
