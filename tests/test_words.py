"""A class name means one thing in the house, read from the sources."""

import ast
import collections
from pathlib import Path

ROOT = Path(__file__).parents[1]
ELSEWHERE = {"tests", "build", "data", "runs", "node_modules"}


def classes(source):
    """The names of all classes that a source defines, wherever it does."""
    tree = ast.walk(ast.parse(source))
    return [node.name for node in tree if isinstance(node, ast.ClassDef)]


def test_a_class_name_occurs_once():
    where = collections.defaultdict(list)
    for path in sorted(ROOT.glob("[!.]*/**/*.py")):
        file = path.relative_to(ROOT)
        if not ELSEWHERE & set(file.parts[:-1]):
            for name in classes(path.read_text("utf-8")):
                where[name].append(str(file))
    assert len(where) > 100
    twice = {name: paths for name, paths in where.items() if len(paths) > 1}
    assert not twice


def test_the_reader_of_classes_sees_them_all():
    assert classes("class A:\n  class B: pass\ndef f():\n  class C(A): pass\n") == [
        *("A", "B", "C")
    ]
