"""The pages' commands are those that were run, and take the options they name."""

import importlib
import pathlib
import re
import shlex

import pytest
from PIL import Image

from docs import tutorial

ROOT = pathlib.Path(__file__).parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))


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
