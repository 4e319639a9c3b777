"""The page of several sections, and the memory of a family of processes."""

import sys

import pytest

from benchmarks import page
from benchmarks.scale.memory import usage

MB = 1 << 20


def python(source):
    return [sys.executable, "-c", source]


def test_memory_is_that_of_the_children_too(tmp_path):
    ready, go = tmp_path / "ready", tmp_path / "go"
    child = f"""
import pathlib, time
held = b"x" * {200 * MB}
pathlib.Path({str(ready)!r}).touch()
while not pathlib.Path({str(go)!r}).exists():
    time.sleep(0.05)
"""
    parent = (
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    )
    looked, filled = [], []

    def look(seconds):
        looked.append(seconds)
        filled.extend([seconds] if ready.exists() else [])
        if len(filled) > 20:
            go.touch()  # the memory has been looked at twice since

    used = usage(python(parent), look)
    assert 200 * MB < used.largest <= used.memory < 300 * MB
    assert looked == sorted(looked)
    assert looked[-1] <= used.seconds


def test_a_command_that_fails_says_why():
    with pytest.raises(RuntimeError, match="no such thing"):
        usage(python("raise OSError('no such thing')"), lambda seconds: None)


def test_a_section_keeps_its_rows_while_another_is_measured(tmp_path):
    one = [{"section": "one", "machine": "a", "speed": s} for s in (1, 2)]
    two = [{"section": "two", "machine": "b", "size": None}]
    assert page.read_sections(tmp_path, "all") == {}
    sections = [("One", "Fast.", one), ("Two", "Small.", two)]
    page.write_sections(tmp_path, "all", "All", "python -m x", sections)
    assert page.read_sections(tmp_path, "all") == {"one": one, "two": two}
    text = (tmp_path / "all.md").read_text("utf-8")
    assert text.index("On a.") < text.index("## Two") < text.index("On b.")
    assert "| speed |\n| --- |\n| 1 |\n| 2 |\n" in text
