"""Files are whole, or not there; what was written is what is read."""

import csv
import json
import os
import zlib

import pytest

from rvsm_tf.litert.base.cli import InputError
from rvsm_tf.litert.base.files import (
    read_json,
    read_rows,
    replacing,
    write_json,
    write_rows,
)

CONTENT = {"name": "λ", "share": 0.1, "rows": [1, 2.5, None], "seed": 12345678}
ROWS = [{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.25}]


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
    line = (tmp_path / "history.csv").read_text().splitlines()[2]
    assert line.rpartition(",")[0] == "2.0,"
    assert read_rows(tmp_path / "history.csv") == rows


def test_an_object_comes_back_without_its_check_value(tmp_path):
    write_json(tmp_path / "a.json", CONTENT)
    assert read_json(tmp_path / "a.json") == CONTENT
    written = json.loads((tmp_path / "a.json").read_text("utf-8"))
    found = written.pop("crc32")
    assert written == CONTENT
    by_hand = zlib.crc32(json.dumps(CONTENT, sort_keys=True).encode())
    assert int(found, 16) == by_hand


def test_an_object_may_be_indented_and_sorted_otherwise(tmp_path):
    file = tmp_path / "a.json"
    write_json(file, CONTENT)
    written = json.loads(file.read_text("utf-8"))
    for layout in ({"sort_keys": True}, {"separators": (",", ":")}):
        file.write_text(json.dumps(written, **layout), "utf-8")
        assert read_json(file) == CONTENT


@pytest.mark.parametrize(
    "content", [CONTENT, {}, {"date": "20251125"}, {"build": "deadbeef"}]
)
def test_an_object_without_a_check_value_is_read(tmp_path, content):
    (tmp_path / "a.json").write_text(json.dumps(content))
    assert read_json(tmp_path / "a.json") == content


def test_a_list_is_written_as_it_is(tmp_path):
    write_json(tmp_path / "rows.json", [CONTENT])
    assert json.loads((tmp_path / "rows.json").read_text("utf-8")) == [CONTENT]


def test_rows_without_check_values_are_read(tmp_path):
    file = tmp_path / "history.csv"
    file.write_text("epoch,loss\r\n1,0.5\r\n2,0.25\r\n")
    assert read_rows(file) == ROWS
    assert read_rows(tmp_path / "none.csv") == []


def test_rows_are_a_table_for_others_too(tmp_path):
    write_rows(tmp_path / "history.csv", ROWS)
    with open(tmp_path / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["loss"] for row in rows] == ["0.5", "0.25"]
    assert all(row.keys() == {"epoch", "loss", "crc32"} for row in rows)


def flips(whole):
    """Every file that differs in one bit."""
    for place in range(len(whole)):
        for bit in range(8):
            flipped = bytearray(whole)
            flipped[place] ^= 1 << bit
            yield bytes(flipped)


@pytest.mark.parametrize(
    ("write", "read", "content"),
    [(write_json, read_json, CONTENT), (write_rows, read_rows, ROWS)],
    ids=["json", "csv"],
)
def test_no_flipped_bit_and_no_cut_gives_a_wrong_answer(write, read, content, tmp_path):
    file = tmp_path / "file"
    write(file, content)
    whole = file.read_bytes()
    refused = 0
    for damaged in (*flips(whole), *(whole[:n] for n in range(len(whole)))):
        file.write_bytes(damaged)
        try:
            found = read(file)
        except InputError:
            refused += 1
        else:
            # Fewer whole rows are fewer epochs, which the readers count.
            assert found == content[: len(found)] if read is read_rows else content
    assert refused > 0.9 * 9 * len(whole)


def test_rows_in_another_order_are_noticed(tmp_path):
    file = tmp_path / "history.csv"
    write_rows(file, ROWS)
    header, first, second = file.read_text().splitlines()
    for lines in ([header, second, first], [header, first, first], [header, second]):
        file.write_text("\n".join(lines))
        with pytest.raises(InputError, match="damaged"):
            read_rows(file)
