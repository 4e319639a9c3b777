"""Who may import whom (docs/architecture.md), read from the sources."""

import ast
import graphlib
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = {
    *("rvsm_tf", "shaky_letters", "commands", "export", "pipelines"),
    *("testing", "benchmarks", "tests"),
}


def imported(source):
    """Yields every absolute module name that a source imports, wherever it does."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def escapes(source, depth):
    """Whether a relative import leaves the package of a file so deep in it."""
    return any(
        isinstance(node, ast.ImportFrom) and node.level > depth
        for node in ast.walk(ast.parse(source))
    )


def targets(path, folder):
    """Yields the files and packages of a folder that a file in it imports."""
    package = path.relative_to(ROOT).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            bases = [(alias.name.split("."), [None]) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = [*package[: len(package) - node.level + 1]] if node.level else []
            base += node.module.split(".") if node.module else []
            bases = [(base, [alias.name for alias in node.names])]
        else:
            continue
        for base, names in bases:
            for name in names:
                inner = ROOT.joinpath(*base, name or "")
                found = inner if module(inner) else ROOT.joinpath(*base)
                if base[0] == folder and module(found) != path:
                    yield module(found)


def module(path):
    """The file of a module or package, None if there is none."""
    files = path.with_name(f"{path.name}.py"), path / "__init__.py"
    return next((file for file in files if file.is_file()), None)


def sources(folder):
    return sorted((ROOT / folder).rglob("*.py"))


def tops(path):
    return {name.split(".")[0] for name in imported(path.read_text("utf-8"))}


def name(path):
    return str(path.relative_to(ROOT))


METHOD = [p for p in sources("rvsm_tf") if ROOT / "rvsm_tf/litert" not in p.parents]


@pytest.mark.parametrize("path", METHOD, ids=name)
def test_the_method_needs_only_keras_tensorflow_and_numpy(path):
    allowed = {"keras", "tensorflow", "numpy", "rvsm_tf"} | sys.stdlib_module_names
    assert tops(path) <= allowed
    source = path.read_text("utf-8")
    assert not any(n.startswith("tensorflow.lite") for n in imported(source))
    assert not any(
        isinstance(node, ast.Attribute)
        and node.attr == "lite"
        and isinstance(node.value, ast.Name)
        and node.value.id in ("tf", "tensorflow")
        for node in ast.walk(ast.parse(source))
    )


@pytest.mark.parametrize("path", METHOD, ids=name)
def test_the_method_knows_nothing_of_its_export(path):
    assert not any(n.startswith("rvsm_tf.litert") for n in imported(path.read_text()))
    assert not any(
        isinstance(node, ast.ImportFrom)
        and node.level
        and "litert" in (node.module or "", *(alias.name for alias in node.names))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
    )


@pytest.mark.parametrize("path", sources("rvsm_tf/litert"), ids=name)
def test_the_export_needs_what_its_extra_installs(path):
    extra = {"tensorflow", "ai_edge_litert", "flatbuffers", "click"}
    allowed = {"keras", "numpy", "rvsm_tf", *extra} | sys.stdlib_module_names
    assert tops(path) <= allowed


@pytest.mark.parametrize("path", sources("rvsm_tf/litert/base"), ids=name)
def test_what_runs_without_keras_does_not_ask_for_it(path):
    allowed = {"numpy", "ai_edge_litert", "flatbuffers", "click"}
    assert tops(path) <= allowed | sys.stdlib_module_names
    # Nor does it know the package around it: it is found under other names, too.
    assert not escapes(path.read_text("utf-8"), 1)


@pytest.mark.parametrize("path", sources("shaky_letters"), ids=name)
def test_the_data_knows_nothing_of_ours(path):
    assert not tops(path) & (OURS - {"shaky_letters"})


@pytest.mark.parametrize(
    ("folder", "banned"),
    [
        ("commands", OURS - {"commands"}),
        ("export", {"pipelines", "shaky_letters", "testing", "benchmarks", "tests"}),
        ("pipelines", {"testing", "benchmarks", "tests"}),
        ("testing", {"benchmarks", "tests"}),
        ("benchmarks", {"tests"}),
    ],
)
def test_nobody_imports_upstream(folder, banned):
    assert not {name(p): tops(p) & banned for p in sources(folder) if tops(p) & banned}


ROOMS = {
    "collection/photo": set(),
    "collection/recording": {"collection/photo"},
    "collection": {"collection/photo", "collection/recording"},
    "images": {"collection"},
    "devices": set(),
    "figures": set(),
    "run": {"images", "devices"},
    "recipe": {"run", "images"},
    "training": {"recipe", "run", "collection", "images", "devices", "figures"},
    "experiments": {"run", "images"},
    "reproduce": {
        *("experiments", "training", "recipe", "run", "images", "devices", "figures"),
    },
    "sweep": {"experiments", "training", "run", "images", "devices", "figures"},
    ".": {"training", "run", "collection", "images", "devices", "figures"},
}
"""The rooms of pipelines/, and which of them the files of each import. The commands at
its top do not import each other."""


def room(path):
    return str(path.parent.relative_to(ROOT / "pipelines"))


def test_rooms_import_what_the_table_says():
    found = {room(path): set() for path in sources("pipelines")}
    for path in sources("pipelines"):
        for other in targets(path, "pipelines"):
            if room(other) != room(path) or room(path) == ".":
                found[room(path)].add(room(other))
    assert found == ROOMS


def test_imports_run_in_one_direction():
    files = {p: set(targets(p, "pipelines")) for p in sources("pipelines")}
    for graph in (ROOMS, files):
        graphlib.TopologicalSorter(graph).prepare()  # which finds circles


@pytest.mark.parametrize("folder", sorted(OURS))
def test_relative_imports_stay_in_their_folder(folder):
    for path in sources(folder):
        depth = len(path.relative_to(ROOT).parts) - 1
        assert not escapes(path.read_text("utf-8"), depth), name(path)


def test_the_reader_of_imports_sees_them_all():
    source = "import a.b\ndef f():\n    from c import d\n    from . import e\n"
    assert set(imported(source)) == {"a.b", "c", "c.d"}
    assert escapes("from .. import x", 1)
    assert not escapes("from . import x", 1)
    assert sources("rvsm_tf")
    assert sources("shaky_letters")
    supervision = ROOT / "pipelines/training/supervision.py"
    found = {name(p) for p in targets(supervision, "pipelines")}
    assert found == {
        "pipelines/devices/tf_config.py",
        "pipelines/devices/distribution.py",  # in a function
        "pipelines/run/config.py",
        "pipelines/run/folder.py",
        "pipelines/training/training.py",
    }
