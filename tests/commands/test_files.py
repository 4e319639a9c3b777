"""Files are whole, or not there."""

import os

import pytest

from commands.files import replacing


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
