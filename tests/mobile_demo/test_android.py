"""The Android package: its bytes, its manifest, and what it answers the page."""

import hashlib
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ANDROID = ROOT / "mobile_demo" / "android"

# Prints what Site answers to URLs; its files are those of a folder, the first argument.
ASK = """
package org.rvsm_tf.demo;

import java.nio.file.Files;
import java.nio.file.Paths;

class Ask {
    public static void main(String[] given) throws Exception {
        Site site = new Site(path -> Files.newInputStream(Paths.get(given[0], path)));
        for (int i = 1; i < given.length; i++) {
            Site.Answer it = site.answer(given[i]);
            String said = it == null ? "nobody" : String.join(
                    "|",
                    it.status + " " + it.reason,
                    it.type,
                    it.body.readAllBytes().length + " bytes");
            System.out.println(said + "|" + Site.owns(given[i]));
        }
    }
}
"""


def run(*command, **options):
    """Runs a program; returns the process, its output as text."""
    return subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


def build(*arguments, root=ROOT, **options):
    return run(root / "mobile_demo" / "android" / "build", *arguments, **options)


def refused(*arguments, **options):
    """Runs a build that must refuse; returns the one line it says."""
    process = build(*arguments, **options)
    assert process.returncode == 2, process.stderr
    assert process.stdout == ""
    (line,) = process.stderr.splitlines()
    return line


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def tools():
    """The build's tools and cache."""
    process = build("--fetch")
    if process.returncode == 2:
        pytest.skip(process.stderr.strip())
    assert process.returncode == 0, process.stderr


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    """A web build in miniature."""
    folder = tmp_path_factory.mktemp("web") / "dist"
    for name, content in {
        "index.html": b"<!doctype html><title>Demo</title>",
        "assets/main-1a2B_.js": b"export {};",
        "assets/style.css": b"body { margin: 0 }",
        "assets/.hidden": b".",
        "wasm/runtime.wasm": b"\0asm\1\0\0\0" * 1000,
        "a model.tflite": bytes(range(256)),
        "manifest.webmanifest": b"{}",
        "icon.svg": b"<svg/>",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def apk(tools, dist, tmp_path_factory):
    path = tmp_path_factory.mktemp("apk") / "new" / "demo.apk"
    process = build(dist, path)
    assert process.returncode == 0, process.stderr
    assert process.stdout == process.stderr == ""
    assert os.listdir(path.parent) == ["demo.apk"]
    return path


@pytest.fixture
def elsewhere(tmp_path):
    """A copy of the sources, without a cache."""
    root = tmp_path / "elsewhere"
    for name in ("mobile_demo/android", "rvsm_tf/__init__.py"):
        (root / name).parent.mkdir(parents=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, root / name)
    return root


def test_the_same_bytes_everywhere(apk, dist, elsewhere, tmp_path):
    (elsewhere / ".cache").symlink_to(ROOT / ".cache")
    # Copied without its times, by a user with other habits.
    twin = shutil.copytree(dist, tmp_path / "twin", copy_function=shutil.copyfile)
    for path in twin.rglob("*"):
        path.chmod(0o700)
    habits = {"TZ": "Asia/Tokyo", "LC_ALL": "C", "TMPDIR": str(tmp_path)}
    process = build(
        "twin",
        "demo.apk",
        root=elsewhere,
        cwd=tmp_path,
        env=os.environ | habits,
        umask=0o077,
    )
    assert process.returncode == 0, process.stderr
    assert digest(tmp_path / "demo.apk") == digest(apk)


def test_the_web_app_is_inside_unchanged(apk, dist):
    with zipfile.ZipFile(apk) as package:
        assert package.testzip() is None
        inside = {
            name.removeprefix("assets/web/"): package.read(name)
            for name in package.namelist()
            if name.startswith("assets/")
        }
        # Android 11 and up install nothing else.
        table = package.getinfo("resources.arsc")
        assert table.compress_type == zipfile.ZIP_STORED
    files = [path for path in dist.rglob("*") if path.is_file()]
    assert inside == {str(p.relative_to(dist)): p.read_bytes() for p in files}


def test_it_is_signed_and_aligned(apk):
    process = run("apksigner", "verify", "--verbose", "--Werr", apk)
    assert process.returncode == 0, process.stdout + process.stderr
    for scheme in ("v2", "v3"):
        assert f"Verified using {scheme} scheme" in process.stdout
        assert f"{scheme}): true" in process.stdout
    assert run("zipalign", "-c", "-p", "4", apk).returncode == 0


def test_it_asks_for_no_permission(apk):
    badging = run("aapt2", "dump", "badging", apk).stdout
    assert "package: name='org.rvsm_tf.demo' versionCode='1'" in badging
    assert "sdkVersion:'24'" in badging
    assert "targetSdkVersion:'34'" in badging
    assert "application-label:'Tremor in handwriting'" in badging
    assert "launchable-activity: name='org.rvsm_tf.demo.MainActivity'" in badging
    assert "permission" not in badging
    tree = run("aapt2", "dump", "xmltree", "--file", "AndroidManifest.xml", apk).stdout
    assert "permission" not in tree
    for attribute in ("allowBackup", "usesCleartextTraffic"):
        (line,) = (line for line in tree.splitlines() if attribute in line)
        assert line.endswith("=false")


def test_a_build_that_fails_leaves_the_old_package_alone(tools, dist, tmp_path):
    old = tmp_path / "out" / "demo.apk"
    old.parent.mkdir()
    old.write_text("good")
    signer = tmp_path / "bin" / "apksigner"
    signer.parent.mkdir()
    signer.write_text("#!/bin/sh\nexit 1\n")
    signer.chmod(0o755)
    path = f"{signer.parent}{os.pathsep}{os.environ['PATH']}"
    assert build(dist, old, env=os.environ | {"PATH": path}).returncode
    assert old.read_text() == "good"
    assert os.listdir(old.parent) == ["demo.apk"]


@pytest.mark.parametrize("arguments", [(), ("one",), ("one", "two", "three")])
def test_it_takes_two_arguments(arguments):
    line = refused(*arguments)
    assert f"'{' '.join(arguments)}'" in line
    assert "DIST OUTPUT.apk" in line


def test_what_is_no_web_build_is_quoted(tmp_path):
    missing = tmp_path / "missing"
    assert f"'{missing}' is no folder" in refused(missing, tmp_path / "demo.apk")
    assert f"'{tmp_path}' has no index.html" in refused(tmp_path, tmp_path / "demo.apk")
    assert os.listdir(tmp_path) == []


def test_what_cannot_be_written_is_quoted(dist, tmp_path):
    file = tmp_path / "file"
    file.touch()
    assert f"'{tmp_path}' is a folder" in refused(dist, tmp_path)
    assert f"'{file}/demo.apk' cannot be written" in refused(dist, file / "demo.apk")


def test_a_missing_tool_is_named_with_what_installs_it(dist, tmp_path):
    # A machine that has little more than bash.
    for name in ("bash", "dirname", "mkdir", "mktemp", "realpath", "rm"):
        (tmp_path / name).symlink_to(shutil.which(name))
    line = refused(dist, tmp_path / "demo.apk", env={"PATH": str(tmp_path)})
    assert "'aapt2' is not installed" in line
    assert "mobile_demo/install" in line
    assert not (tmp_path / "demo.apk").exists()


def test_without_a_network_it_says_so(tools, elsewhere):
    away = {"http_proxy": "http://127.0.0.1:9", "no_proxy": ""}
    line = refused("--fetch", root=elsewhere, env=os.environ | away)
    assert "'dalvik-exchange_10.0.0+r36-1_all.deb' cannot be fetched" in line


@pytest.fixture(scope="module")
def ask(dist, tmp_path_factory):
    """Asks Site, which runs without Android, for URLs."""
    if not shutil.which("javac"):
        pytest.skip("'javac' is not installed; mobile_demo/install installs it")
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(dist, folder / "files" / "web")
    (folder / "files" / "secret").write_text("secret")
    (folder / "Ask.java").write_text(ASK)
    site = ANDROID / "java" / "org" / "rvsm_tf" / "demo" / "Site.java"
    process = run("javac", "-d", folder, folder / "Ask.java", site)
    assert process.returncode == 0, process.stderr

    def ask(*urls):
        command = ("java", "-cp", folder, "org.rvsm_tf.demo.Ask", folder / "files")
        process = run(*command, *urls)
        assert process.returncode == 0, process.stderr
        return process.stdout.splitlines()

    return ask


ORIGIN = "https://appassets.androidplatform.net"


def test_the_page_gets_its_files_with_their_types(ask):
    answers = ask(
        ORIGIN,
        f"{ORIGIN}/",
        f"{ORIGIN}/index.html?a=b#c",
        f"{ORIGIN}/assets/main-1a2B_.js",
        f"{ORIGIN}/assets/style.css",
        f"{ORIGIN}/wasm/runtime.wasm",
        f"{ORIGIN}/a%20model.tflite",
        f"{ORIGIN}/manifest.webmanifest",
        f"{ORIGIN}/icon.svg",
    )
    page = "200 OK|text/html|34 bytes|true"
    assert answers[:3] == [page] * 3
    types = [answer.split("|")[1] for answer in answers[3:]]
    assert types == [
        "text/javascript",
        "text/css",
        "application/wasm",
        "application/octet-stream",
        "application/manifest+json",
        "image/svg+xml",
    ]
    assert all(answer.startswith("200 OK|") for answer in answers)


def test_what_is_not_there_is_not_found(ask):
    urls = [f"{ORIGIN}/{name}" for name in ("favicon.ico", "Index.html", "a/b")]
    assert ask(*urls) == ["404 Not Found|text/plain|0 bytes|true"] * 3


@pytest.mark.parametrize("way", ["..", "%2e%2e", "assets/..%2f..", "..%5c", "a/../.."])
def test_nothing_outside_the_web_app_is_reached(ask, way):
    assert ask(f"{ORIGIN}/{way}/secret") == ["403 Forbidden|text/plain|0 bytes|true"]


def test_others_are_answered_with_nothing(ask):
    urls = [
        "https://example.com/",
        "http://appassets.androidplatform.net/",
        f"{ORIGIN}:8443/",
        f"{ORIGIN}.example.com/",
        "https://appassets.androidplatform.net@example.com/",
        "https://user@appassets.androidplatform.net/",
        "file:///android_asset/web/index.html",
        "content://media/1",
        "javascript:alert(1)",
        "about:blank",
        "https://not a url/",
        "",
    ]
    assert ask(*urls) == ["403 Forbidden|text/plain|0 bytes|false"] * len(urls)


def test_what_the_page_made_itself_needs_no_answer(ask):
    urls = [f"blob:{ORIGIN}/1-2", "data:text/plain,a"]
    assert ask(*urls) == ["nobody|false"] * 2
