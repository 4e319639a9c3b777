"""The lock files: they fit setup.cfg, and nothing gets in without its hash."""

import configparser
import json
import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCKS = sorted((ROOT / "requirements").glob("*.lock"))
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
MACHINES = ("x86_64", "aarch64")

HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def entries(lock):
    """Yields what a lock file pins: the requirement, and what stands behind it."""
    text = re.sub(r"^ *#.*\n", "", lock.read_text("utf-8"), flags=re.MULTILINE)
    for line in text.replace("\\\n", " ").splitlines():
        requirement, *options = line.split(" --")
        yield Requirement(requirement), [f"--{option.strip()}" for option in options]


def target(python, machine="x86_64"):
    """What markers ask about a machine."""
    return {
        "python_version": python,
        "python_full_version": f"{python}.4",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": machine,
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }


def pinned(lock, python, machine="x86_64"):
    """The versions that a machine gets, by name."""
    found = {}
    for entry, _ in entries(ROOT / "requirements" / lock):
        if entry.marker is None or entry.marker.evaluate(target(python, machine)):
            name = canonicalize_name(entry.name)
            assert name not in found, f"{name} is pinned twice"
            (pin,) = entry.specifier
            found[name] = pin.version
    return found


def wanted(text):
    """The requirements in lines of text; comments are none."""
    return [
        Requirement(line) for line in text.splitlines() if line and line[0] not in "# "
    ]


def project():
    """What setup.cfg asks for, and the caps; what brings CUDA is not locked."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", "utf-8")
    found = wanted(config["options"]["install_requires"])
    found += wanted((ROOT / "requirements/bounds.in").read_text("utf-8"))
    for extra, text in config["options.extras_require"].items():
        found += wanted(text) if extra not in ("gpu", "torch") else []
    return [r for r in found if r.name != config["metadata"]["name"]]


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("lock", ["project", "tools"])
def test_every_requirement_is_locked_within_its_range(lock, python, machine):
    tools = (ROOT / "requirements/tools.in").read_text("utf-8")
    requirements = project() if lock == "project" else wanted(tools)
    versions = pinned(f"{lock}.lock", python, machine)
    assert len(requirements) >= 5
    for requirement in requirements:
        marker = requirement.marker
        if marker and not marker.evaluate(target(python, machine)):
            continue
        name = canonicalize_name(requirement.name)
        assert name in versions, f"{requirement} is not locked: run 'make lock'"
        assert requirement.specifier.contains(versions[name], prereleases=True), (
            f"{requirement}, but {versions[name]} is locked: run 'make lock'"
        )


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_entry_is_one_version_with_hashes(lock):
    found = list(entries(lock))
    assert len(found) >= 5
    for entry, options in found:
        assert entry.url is None
        (pin,) = entry.specifier
        assert pin.operator == "=="
        assert "*" not in pin.version
        assert options, f"{entry} has no hash"
        assert all(HASH.fullmatch(option) for option in options), entry
    # Where it was downloaded is the business of whoever installs.
    assert "://" not in lock.read_text("utf-8")


@pytest.mark.parametrize(
    ("lock", "pythons"), [("tools.lock", PYTHONS), ("arm.lock", ("3.13",))]
)
def test_what_several_files_lock_is_one_version(lock, pythons):
    for python in pythons:
        here, there = pinned(lock, python), pinned("project.lock", python)
        shared = here.keys() & there.keys()
        assert shared
        assert {n: here[n] for n in shared} == {n: there[n] for n in shared}


def test_the_arm_machine_gets_what_the_project_asks_for():
    versions = pinned("arm.lock", "3.13", "aarch64")
    assert {"numpy", "ai-edge-litert"} <= versions.keys()
    assert versions.items() <= pinned("project.lock", "3.13", "aarch64").items()


def test_every_package_of_the_web_app_has_its_hash():
    lock = json.loads((ROOT / "mobile_demo/web/package-lock.json").read_text("utf-8"))[
        "packages"
    ]
    assert lock.keys() > {"node_modules/vite", "node_modules/@litertjs/core"}
    for name, package in lock.items():
        assert not name or package["integrity"].startswith("sha512-"), name
        assert "://" not in package.get("resolved", ""), name
