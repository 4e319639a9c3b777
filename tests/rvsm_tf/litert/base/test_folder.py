"""One run at a time writes to a folder."""

import os
import pathlib
import signal
import subprocess
import sys

import pytest

from rvsm_tf.litert.base.cli import InputError
from rvsm_tf.litert.base.files import DRAFT
from rvsm_tf.litert.base.folder import alone

HOLDER = """
import pathlib, sys, time
from commands.folder import alone
with alone(pathlib.Path(sys.argv[1])):
    print("here", flush=True)
    time.sleep(600)
"""


def holder(folder):
    """Starts a process that is in a folder until it is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, folder], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "here\n"
    return process


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()


def test_a_second_run_is_refused_until_the_first_one_is_gone(tmp_path):
    folder = tmp_path / "run"
    first = holder(folder)
    try:
        with pytest.raises(InputError, match=r"another run is writing to .*run'"):
            alone(folder).__enter__()
        with alone(tmp_path / "other"):
            pass
    finally:
        kill(first)
    with alone(folder):
        assert os.listdir(folder) == []


def test_what_a_killed_run_left_half_written_is_removed(tmp_path):
    kill(holder(tmp_path))
    (tmp_path / f"{DRAFT}7-model.keras").write_text("half")
    (tmp_path / f"{DRAFT}x").mkdir()
    (tmp_path / f"{DRAFT}x" / "int8.tflite").write_text("half")
    (tmp_path / "model.keras").write_text("whole")
    with alone(tmp_path):
        assert os.listdir(tmp_path) == ["model.keras"]


def test_a_folder_that_stayed_empty_is_gone_again(tmp_path):
    with alone(tmp_path / "a" / "b"):
        pass
    assert os.listdir(tmp_path) == []

    def fail():
        with alone(tmp_path / "a" / "b"):
            (tmp_path / "a" / "file").write_text("content")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert os.listdir(tmp_path / "a") == ["file"]


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
def test_where_no_folder_can_be_is_said():
    with pytest.raises(InputError, match="'/proc/run' cannot be made: name another"):
        alone(pathlib.Path("/proc/run")).__enter__()


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("content")
    with pytest.raises(InputError, match="file' is a file: name a folder"):
        alone(tmp_path / "file").__enter__()
    assert (tmp_path / "file").read_text() == "content"
