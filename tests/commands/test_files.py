"""Files are whole, or not there."""

import os

import pytest

from commands.files import read_rows, replacing, write_rows


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    file = tmp_path / "file.txt"
    file.write_text("good")

    def fail():
        with replacing(file) as draft:
            draft.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert file.read_text() == "good"
    assert os.listdir(tmp_path) == ["file.txt"]
    with replacing(file) as draft:
        draft.write_text("better")
        assert file.read_text() == "good"
    assert file.read_text() == "better"


def test_a_row_may_lack_what_the_first_one_has(tmp_path):
    rows = [{"epoch": 1.0, "gap": 0.5}, {"epoch": 2.0}]
    write_rows(tmp_path / "history.csv", rows)
    assert (tmp_path / "history.csv").read_text().splitlines()[2] == "2.0,"
    assert read_rows(tmp_path / "history.csv") == rows
