"""Nothing that is read is run: what the sources may not use, read from them."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = (
    *("rvsm_tf", "shaky_letters", "commands", "export", "pipelines", "testing"),
    "benchmarks",
)
SOURCES = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]

# They run what they read, or can be made to.
MODULES = {
    *("pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "shelve"),
    *("marshal", "yaml", "xml", "runpy", "code", "imp"),
}
FUNCTIONS = {"eval", "exec", "__import__"}
METHODS = {
    *("import_module", "system", "popen", "enable_unsafe_deserialization"),
    *("load_weights", "load_model", "builder_from_directory"),
    *("extract", "extractall", "unpack_archive"),
}
KEYWORDS = {"shell", "allow_pickle", "safe_mode"}
"""Arguments that are given, if at all, with the value that runs nothing."""

EXCEPTIONS = {
    "rvsm_tf/litert/models.py": {"load_model"},  # which looks at the file first
    "pipelines/images/data.py": {"builder_from_directory"},  # the same
    "pipelines/collection/recording/markup.py": {"xml"},  # which refuses entities
}


def found(source):
    """Yields what a source uses of all that."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from {alias.name.split(".")[0] for alias in node.names} & MODULES
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from {node.module.split(".")[0]} & MODULES
            yield from {alias.name for alias in node.names} & METHODS
        elif isinstance(node, ast.Attribute):
            yield from {node.attr} & METHODS
        elif isinstance(node, ast.Name):
            yield from {node.id} & FUNCTIONS
        elif isinstance(node, ast.Call):
            given = {word.arg: word.value for word in node.keywords}
            for name in given.keys() & KEYWORDS:
                safe = name == "safe_mode"
                if ast.dump(given[name]) != ast.dump(ast.Constant(safe)):
                    yield f"{name}={ast.unparse(given[name])}"
            call = ast.unparse(node.func)
            if call.endswith("np.load") and "allow_pickle" not in given:
                yield "np.load without allow_pickle=False"
            if call.endswith("saving.load_model") and "safe_mode" not in given:
                yield "load_model without safe_mode=True"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_that_is_read_is_run(path):
    allowed = EXCEPTIONS.get(str(path.relative_to(ROOT)), set())
    assert set(found(path.read_text("utf-8"))) <= allowed


def test_the_exceptions_are_not_out_of_date():
    for name, allowed in EXCEPTIONS.items():
        assert set(found((ROOT / name).read_text("utf-8"))) == allowed


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "import xml.etree.ElementTree",
        "from dill import loads",
        "from importlib import import_module",
        "importlib.import_module(name)",
        "keras.models.load_model(file)",
        "eval(text)",
        "__import__(name)",
        "np.load(file)",
        "np.load(file, allow_pickle=True)",
        "keras.saving.load_model(file, safe_mode=unsafe)",
        "subprocess.run(line, shell=True)",
        "zipfile.ZipFile(file).extractall()",
        "os.system(line)",
    ],
)
def test_the_reader_of_sources_sees_them(source):
    assert list(found(source))


def test_and_nothing_else():
    assert not list(
        found(
            "import json\nre.compile(text)\nnet.compile(loss)\nmodels.load(file)\n"
            "np.load(file, allow_pickle=False)\nmodel.eval()\n"
            "subprocess.run(line, shell=False)\n"
        )
    )
