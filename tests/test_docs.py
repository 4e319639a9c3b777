"""The pages' commands take the options they name, and their Python runs."""

import importlib
import os
import pathlib
import re
import shlex
import subprocess
import sys

import keras
import numpy as np
import pytest
from PIL import Image

import rvsm_tf as rvsm
from docs import tutorial
from rvsm_tf.compaction import kind
from rvsm_tf.penalties import penalty

ROOT = pathlib.Path(__file__).parents[1]
PAGES = (
    *(ROOT / "README.md", ROOT / "CONTRIBUTING.md"),
    *sorted((ROOT / "docs").glob("*.md")),
)


def code(page):
    """Yields a page's blocks of Python; of a change, what it makes of the program.

    Each has its place in the page's lines, which a traceback then tells.
    """
    text = page.read_text("utf-8")
    for block in re.finditer(r"```(python|diff)\n(.*?)```", text, re.DOTALL):
        kind, body = block.groups()
        if kind == "diff":
            body = re.sub(r"^(-.*|[+ ])", "", body, flags=re.MULTILINE)
        yield "\n" * text[: block.start(2)].count("\n") + body


class Batches(keras.utils.PyDataset):
    def __init__(self, batches):
        super().__init__()
        self._batches = batches

    def __len__(self):
        return len(self._batches)

    def __getitem__(self, i):
        return self._batches[i]


def given():
    """Returns a model and data by the names that the README has for a reader's own."""
    x, y = np.random.default_rng(0).normal(size=(320, 8)), np.arange(320) % 2
    x[:, 0] += y
    batches = list(zip(np.split(x, 20), np.split(y, 20)))
    hidden, out = keras.layers.Dense(16, "relu"), keras.layers.Dense(2, "softmax")
    return {
        "model": keras.Sequential([keras.Input((8,)), hidden, out]),
        "train": Batches(batches[:15]),
        "val": Batches(batches[15:]),
    }


def run(page, **names):
    """Returns the names that the page's blocks define, run one after the other."""
    for block in code(page):
        exec(compile(block, str(page), "exec"), names)
    return names


@pytest.fixture
def _registry(monkeypatch):
    """Penalties and layer kinds that a page registers are gone again afterwards."""
    monkeypatch.setattr(penalty, "_REGISTERED", dict(penalty._REGISTERED))
    monkeypatch.setattr(kind, "_KINDS", dict(kind._KINDS))


# The blocks of this one train many networks.
LONG = "library.md"


@pytest.mark.usefixtures("_registry")
@pytest.mark.parametrize(
    "page",
    [
        pytest.param(
            page, id=page.name, marks=[pytest.mark.slow] if page.name == LONG else []
        )
        for page in PAGES
        if any(code(page))
    ],
)
def test_every_block_of_python_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    keras.utils.set_random_seed(0)
    names = run(page, **given() if page.name == "README.md" else {})
    if page.name == "README.md":
        assert rvsm.summarize(names["model"].harden()).sparsity > 0.75
    if page.name == "library.md":
        _is_a_prox(names["LHalf"]())
        before, after = names["sparse"].count_params(), names["small"].count_params()
        assert after < before / 2
        reread = keras.models.load_model("tablet.keras")
        assert np.allclose(
            *(m.predict(names["images"]) for m in (reread, names["small"])), atol=1e-4
        )


def _is_a_prox(one):
    """Compares u = prox(w) with all u of a fine grid."""
    w, step = np.linspace(-2, 2, 41, dtype="float32"), 0.3
    u = np.linspace(-2, 2, 4001)

    def objective(u, w):
        return step * np.sqrt(np.abs(u)) + (w - u) ** 2 / 2

    best = objective(u, w[:, None]).min(axis=1)
    found = np.asarray(keras.ops.convert_to_numpy(one.prox(w, step)), "float64")
    assert np.all(objective(found, w) <= best + 1e-6)
    assert np.sum(found == 0) == np.sum(np.abs(w) <= one.threshold(step)) > 0


def test_the_reader_of_blocks_sees_them_all(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("a\n```python\nx = 1\n```\n```diff\n-x = 0\n+y = 2\n z = x\n```\n")
    assert [block.split() for block in code(page)] == [
        ["x", "=", "1"],
        ["y", "=", "2", "z", "=", "x"],
    ]
    assert run(page)["z"] == 1
    page.write_text("```python\n1 / 0\n```\n")
    with pytest.raises(ZeroDivisionError):
        run(page)


def test_the_reference_shows_what_is_public_and_needs_no_network(tmp_path):
    """`make docs`, as its recipe has it, into another folder and without a warning."""
    makefile = (ROOT / "Makefile").read_text("utf-8").replace("\\\n", " ")
    arguments = re.search(r"PDOC_ALLOW_EXEC=1 \$\(BIN\)/pdoc (.*)", makefile)[1]
    words = [sys.executable, "-m", "pdoc", *shlex.split(arguments)]
    words[words.index("build/docs")] = str(tmp_path)
    told = subprocess.run(
        words,
        cwd=ROOT,
        env={**os.environ, "PDOC_ALLOW_EXEC": "1"},
        check=True,
        capture_output=True,
        text=True,
    )
    assert "Warn:" not in told.stderr
    front = (tmp_path / "index.html").read_text("utf-8")
    assert "./rvsm_tf.html" in front
    for module in (rvsm, rvsm.penalties):
        page = tmp_path / f"{module.__name__.replace('.', '/')}.html"
        shown = set(re.findall(r'<section id="(\w+)"', page.read_text("utf-8")))
        pages = {path.stem for path in (tmp_path / "rvsm_tf").glob("*.html")}
        assert set(module.__all__) <= shown | pages
    for page in tmp_path.rglob("*.html"):
        text = page.read_text("utf-8")
        assert not re.search(r'src="(https?:)?//|url\(.?https?:|@import', text)
        assert not re.search(r'<link[^>]*href="(https?:)?//', text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text("utf-8")):
        file, _, heading = link.partition("#")
        target = page.parent / file if file else page
        assert target.exists(), link
        if heading:
            text = target.read_text("utf-8")
            titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
            assert heading in {
                re.sub(r"[^\w\- ]", "", title).lower().replace(" ", "-")
                for title in titles
            }, link


def test_the_pages_are_reached_from_the_readme_and_lead_back():
    """In a step or two; a page that nobody is led to is not read."""
    found, new = set(), [ROOT / "README.md"]
    while new:
        page = new.pop()
        found.add(page)
        links = re.findall(r"\]\(([^):#]+\.md)", page.read_text("utf-8"))
        new += {(page.parent / link).resolve() for link in links} - found
    assert set(PAGES) <= found


def commands(page):
    """The lines of a page's shell blocks that start a program of ours."""
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [line.split("  #")[0] for line in lines if line.startswith("python -m ")]


def test_the_tutorial_runs_the_commands_of_its_page():
    begin, *rest = commands(ROOT / "docs" / "scans.md")
    assert begin.startswith("python -m docs.tutorial ")
    assert rest == tutorial.COMMANDS.strip().splitlines()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_takes_its_options(page):
    for line in commands(page):
        _, _, module, *arguments = shlex.split(line)
        try:
            program = importlib.import_module(f"{module}.__main__")
        except ModuleNotFoundError:
            program = importlib.import_module(module)
        program.main.make_context(module, arguments)


@pytest.mark.slow
def test_the_scans_are_of_persons_who_do_not_share_a_class(tmp_path):
    tutorial.draw(tmp_path)
    files = sorted((tmp_path / "scans").glob("*/*.jpg"))
    assert len(files) == 2 * tutorial.PERSONS * tutorial.EACH
    persons = {}
    for file in files:
        persons.setdefault(file.name.split("_")[0], set()).add(file.parent.name)
    assert len(persons) == 2 * tutorial.PERSONS
    assert all(len(classes) == 1 for classes in persons.values())
    with Image.open(tmp_path / "new" / "scan.jpg") as photo:
        assert photo.format == "JPEG"
