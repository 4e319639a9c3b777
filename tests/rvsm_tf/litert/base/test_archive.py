"""What is missing or wrong in a zip archive is noticed."""

import pathlib
import random
import zipfile

import pytest

from rvsm_tf.litert.base.archive import is_whole

MEMBERS = {name: name.encode() * 9 for name in ("config.json", "weights.h5", "a.npy")}


@pytest.fixture(params=[zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def file(request, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", request.param) as archive:
        for name, content in MEMBERS.items():
            archive.writestr(name, content)
    return tmp_path / "a.zip"


def contents(file):
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_flipped_bit_anywhere_is_noticed_or_harmless(file):
    whole = file.read_bytes()
    assert is_whole(file)
    refused = 0
    for place in range(len(whole)):
        for bit in range(8):
            damaged = bytearray(whole)
            damaged[place] ^= 1 << bit
            file.write_bytes(damaged)
            if is_whole(file):
                assert contents(file) == MEMBERS
            else:
                refused += 1
    assert refused > 0.5 * 8 * len(whole)


def test_what_is_cut_off_or_garbled_is_noticed(file):
    whole = file.read_bytes()
    rng = random.Random(0)
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        assert not is_whole(file)
    for _ in range(500):
        place, length = rng.randrange(len(whole)), rng.randrange(1, 40)
        noise = rng.randbytes(length)
        file.write_bytes(whole[:place] + noise + whole[place + length :])
        if is_whole(file):
            assert contents(file) == MEMBERS


def test_a_comment_does_no_harm(file):
    with zipfile.ZipFile(file, "a") as archive:
        archive.comment = b"made by hand"
    assert is_whole(file)


def test_a_file_that_is_not_there_is_no_damaged_one():
    with pytest.raises(FileNotFoundError):
        is_whole(pathlib.Path("nowhere.zip"))
