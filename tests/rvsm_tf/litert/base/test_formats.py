"""The table of formats: what the page says of them, and what its rows keep to."""

import pathlib
import re

from rvsm_tf.litert.base.formats import FORMATS
from rvsm_tf.litert.narrowing import SMALLEST

PAGE = (pathlib.Path(__file__).parents[4] / "docs" / "export.md").read_text("utf-8")


def test_the_page_has_the_table():
    head = "| format | what is in it | written if |\n| --- | --- | --- |\n"
    (rows,) = re.findall(re.escape(head) + r"((?:\|.*\n)+)", PAGE)
    assert rows.splitlines() == [
        f"| `{row.name}` | {row.holds} | {row.when} |" for row in FORMATS.values()
    ]


def test_an_integer_format_is_calibrated_and_may_stray_and_a_float_format_not():
    for name, row in FORMATS.items():
        assert row.name == name
        weights = name.startswith("int")
        integer = weights and not name.startswith("int8w")
        assert row.calibrated == integer
        assert (row.stray > 0) == weights
        assert row.self_test < row.tolerance or not integer


def test_what_is_packed_is_packed_from_a_format_that_is_written_before():
    names = list(FORMATS)
    for row in FORMATS.values():
        assert row.sparse == row.name.endswith("-sparse")
        assert row.dense.name == row.name.removesuffix("-sparse")
        assert names.index(row.dense.name) <= names.index(row.name)


def test_the_smallest_kernel_in_four_bits_is_the_one_that_is_named():
    assert f"{SMALLEST:,} weights or more" in FORMATS["int4"].when
