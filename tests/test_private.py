"""Private names of others: `rvsm_tf.inside` alone may touch them, read from sources."""

import ast
from pathlib import Path

import keras
import pytest

ROOT = Path(__file__).parents[1]
DOOR = ROOT / "rvsm_tf" / "inside.py"
FOLDERS = ("rvsm_tf", "commands", "export", "pipelines")
SOURCES = sorted(p for f in FOLDERS for p in (ROOT / f).rglob("*.py") if p != DOOR)

PYTHONS = set(dir(type)) | {"__enter__", "__exit__"}
"""Names between double underscores that Python has given a meaning."""

DOCUMENTED = {"os._exit"}
"""With an underscore, and public all the same."""

INSIDES = ("keras.src", "tensorflow.python", "tensorflow.compiler", "jax._src")


def is_private(name):
    return name.startswith("_") and name not in PYTHONS


def own(value):
    """Whether what an attribute is taken of is the class at hand."""
    return isinstance(value, ast.Name) and value.id in ("self", "cls")


def touched(source):
    """Yields every private name of others that a source touches."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            text = ast.unparse(node)
            if not own(node.value) and text not in DOCUMENTED:
                yield text
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in (
            *("getattr", "setattr", "hasattr", "delattr"),
        ):
            names = [a.value for a in node.args if isinstance(a, ast.Constant)]
            if any(isinstance(n, str) and is_private(n) for n in names):
                yield ast.unparse(node)
        elif isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.startswith(INSIDES))
        elif isinstance(node, ast.ImportFrom) and not node.level:
            if node.module.startswith(INSIDES):
                yield node.module
            yield from (
                f"{node.module}.{a.name}" for a in node.names if is_private(a.name)
            )
        elif isinstance(node, ast.Constant) and str(node.value).startswith(INSIDES):
            yield node.value


def underscored(source):
    """Yields the private names that a source's classes give themselves."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef):
            for inner in ast.walk(node):
                if isinstance(inner, ast.FunctionDef) and is_private(inner.name):
                    yield inner.name
                if isinstance(inner, ast.Attribute) and is_private(inner.attr):
                    yield inner.attr


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_the_inside_of_others_is_behind_one_door(path):
    assert list(touched(path.read_text("utf-8"))) == []


@pytest.mark.parametrize(
    ("file", "theirs"),
    [
        ("model", keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])),
        ("trainer", keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])),
        ("splitting", keras.layers.Dense(1)),
        ("loops", keras.callbacks.Callback()),
        ("callbacks", keras.callbacks.Callback()),
        ("holding", keras.constraints.NonNeg()),
    ],
)
def test_names_of_our_own_are_not_keras_own(file, theirs):
    """What a class that derives from Keras's keeps for itself overrides nothing."""
    ours = set(underscored((ROOT / "rvsm_tf" / f"{file}.py").read_text("utf-8")))
    assert ours & (set(dir(theirs)) | set(vars(theirs))) == set()


def test_the_reader_sees_them_all():
    source = """
from keras.src import backend
from os import _exit
import tensorflow.python.eager
class A:
    def f(self, x):
        self._mine = x._theirs + super()._up() + tf.__internal__.x + x.__name__
        return getattr(x, "_got", 1), x.module.startswith("keras.src.")
"""
    assert set(touched(source)) == {
        *("keras.src", "os._exit", "tensorflow.python.eager", "x._theirs"),
        *("super()._up", "tf.__internal__", "getattr(x, '_got', 1)", "keras.src."),
    }
    assert set(underscored(source)) == {"_mine", "_theirs", "_up", "__internal__"}
    assert list(touched(DOOR.read_text("utf-8")))
    assert len(SOURCES) > 90
