"""What is public is documented: a first line, the arguments, an example that runs."""

import dataclasses
import doctest
import importlib
import inspect
import pkgutil
import re

import keras
import numpy as np
import pytest

import rvsm_tf as rvsm
from rvsm_tf.penalties import penalty

PUBLIC = {
    **{f"rvsm_tf.{name}": getattr(rvsm, name) for name in rvsm.__all__},
    **{
        f"rvsm_tf.penalties.{name}": getattr(rvsm.penalties, name)
        for name in rvsm.penalties.__all__
    },
    "rvsm_tf.compaction.plan": rvsm.compaction.plan,
    "rvsm_tf.networks.paper_cnn": rvsm.networks.paper_cnn,
    "rvsm_tf.penalties.penalty.Shaped": penalty.Shaped,
}
CALLED = {name: x for name, x in PUBLIC.items() if not inspect.ismodule(x)}


def modules():
    yield rvsm
    for found in pkgutil.walk_packages(rvsm.__path__, "rvsm_tf."):
        if not found.name.endswith(".__main__"):  # a command
            yield importlib.import_module(found.name)


def examples():
    """Every docstring of the package that has an example, private ones too."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = {}
    for module in modules():
        for test in finder.find(module, globs={}):
            if test.examples:
                found[test.name] = test
    return [found[name] for name in sorted(found)]


def documented(text):
    """The names that a docstring's Args section explains."""
    section = re.search(r"^Args:\n((?: .*\n|\n)*)", text + "\n", re.MULTILINE)
    names = re.findall(r"^    \*{0,2}(\w+):", section[1] if section else "", re.M)
    return set(names)


def parameters(x):
    """The names that a caller may give; of a penalty, the fields of its dataclass."""
    if dataclasses.is_dataclass(x):
        return {field.name for field in dataclasses.fields(x)}
    kinds = inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL
    signature = inspect.signature(x).parameters.values()
    return {p.name for p in signature if p.kind not in kinds}


@pytest.mark.parametrize("name", PUBLIC)
def test_what_is_public_has_a_first_line_that_stands_alone(name):
    first = inspect.getdoc(PUBLIC[name]).splitlines()[0]
    assert len(first) > 15
    assert first[-1] == "."
    assert not re.search(r"^(Returns )?the same\b|see there|as above", first, re.I)


@pytest.mark.parametrize("name", CALLED)
def test_its_arguments_are_explained(name):
    assert parameters(CALLED[name]) <= documented(inspect.getdoc(CALLED[name]))


@pytest.mark.parametrize("name", CALLED)
def test_it_has_an_example(name):
    assert doctest.DocTestParser().get_examples(inspect.getdoc(CALLED[name]))


@pytest.mark.parametrize("example", examples(), ids=lambda test: test.name)
def test_the_examples_answer_what_they_say(example, monkeypatch):
    # A penalty that one registers is gone again afterwards.
    monkeypatch.setattr(penalty, "_REGISTERED", dict(penalty._REGISTERED))
    example.globs = {"__name__": "__main__", "keras": keras, "np": np, "rvsm": rvsm}
    said = []
    doctest.DocTestRunner().run(example, out=said.append)
    assert not said, "".join(said)


def test_the_readers_see_what_there_is():
    text = (
        "F.\n\nArgs:\n    a: it.\n        b: no.\n    **c: it.\n\nRaises:\n    d: no.\n"
    )
    assert documented(text) == {"a", "c"}
    assert parameters(lambda a, *b, c=1, **d: 0) == {"a", "c"}
    assert parameters(rvsm.TL1) == {"a"}
