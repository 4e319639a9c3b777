"""The readers in docs/reading.md, run as they stand there."""

import ast
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from rvsm_tf.litert.base import card, flatbuffer, golden

PAGE = (Path(__file__).parents[4] / "docs" / "reading.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(python|js|java)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)

INK = {
    "one value": np.ones((1, 1)),
    "less than a byte": np.array([[1, 0, 1], [0, 0, 1]]),
    "a letter": np.random.default_rng(0).random((1, 37, 29, 1)) < 0.1,
    "whole bytes": np.eye(16),
}
VECTORS = {
    **{name: (golden.encode(ink), ink.size) for name, ink in INK.items()},
    "s = 0": (0, 10),
    "s = 3": (3, 1001),
    "s = 123456": (123456, 70_001),
    "s = 4000000007": (4_000_000_007, 13),
}

DAMAGE = {"at the start": 0, "in the middle": 500, "at the end": -1}
"""Where a bit of a file is flipped."""

# System.out would speak the machine's own encoding.
JAVA_MAIN = """
  public static void main(String[] jobs) throws Exception {
    PrintStream out = new PrintStream(System.out, true, "UTF-8");
    for (int i = 0; i < jobs.length; i += 3) {
      try {
        if (jobs[i].equals("card")) {
          out.println(readCard(Files.readAllBytes(Paths.get(jobs[i + 1]))));
        } else if (jobs[i].equals("whole")) {
          out.println(isWhole(Files.readAllBytes(Paths.get(jobs[i + 1]))));
        } else {
          Object vector = jobs[i + 1];
          if (jobs[i].equals("number")) vector = Long.valueOf(jobs[i + 1]);
          StringJoiner bits = new StringJoiner(",", "[", "]");
          for (float value : decode(vector, Integer.parseInt(jobs[i + 2])))
            bits.add("" + Float.floatToRawIntBits(value));
          out.println(bits);
        }
      } catch (IllegalArgumentException error) {
        out.println("refused: " + error.getMessage());
      }
    }
  }
"""
JS_MAIN = """
import { readFileSync } from "node:fs";
const jobs = process.argv.slice(2);
for (let i = 0; i < jobs.length; i += 3) {
  const [kind, what, size] = jobs.slice(i, i + 3);
  try {
    if (kind === "card") console.log(JSON.stringify(readCard(readFileSync(what))));
    else if (kind === "whole") console.log(JSON.stringify(isWhole(readFileSync(what))));
    else {
      const vector = kind === "number" ? Number(what) : what;
      const values = await decode(vector, Number(size));
      console.log(JSON.stringify(Array.from(new Int32Array(values.buffer))));
    }
  } catch (error) {
    console.log(`refused: ${error.message}`);
  }
}
"""


def code(language):
    return [block for name, block in BLOCKS if name == language]


def in_python(jobs, folder):
    page = {}
    for block in code("python"):
        exec(block, page)
    for kind, what, size in jobs:
        try:
            if kind == "card":
                yield json.dumps(page["read_card"](Path(what).read_bytes()))
            elif kind == "whole":
                yield json.dumps(page["is_whole"](Path(what).read_bytes()))
            else:
                vector = int(what) if kind == "number" else what
                values = page["decode"](vector, int(size))
                yield json.dumps(np.frombuffer(values, np.int32).tolist())
        except ValueError as error:
            yield f"refused: {error}"


def in_javascript(jobs, folder):
    return launch("node", folder / "page.mjs", "\n".join([*code("js"), JS_MAIN]), jobs)


def in_java(jobs, folder):
    imports, *methods = code("java")
    imports += "import java.io.PrintStream;\nimport java.nio.file.*;\n"
    body = "\n".join([*methods, JAVA_MAIN])
    source = f"{imports}\nfinal class Page {{\n{body}\n}}\n"
    return launch("java", folder / "Page.java", source, jobs)


def launch(command, path, source, jobs):
    # Java runs a source file only where its compiler is.
    for tool in {"java": ("java", "javac")}.get(command, (command,)):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed")
    path.write_text(source, "utf-8")
    arguments = [word for job in jobs for word in job]
    process = subprocess.run(
        [command, str(path), *arguments], capture_output=True, check=False
    )
    assert process.returncode == 0, process.stderr.decode()
    return process.stdout.decode("utf-8").splitlines()


def model():
    """A .tflite file with the converter's own metadata in it."""

    @tf.function(input_signature=[tf.TensorSpec((1, 3), tf.float32, name="x")])
    def serve(x):
        return {"y": tf.matmul(x, tf.constant([[1.0], [-2.0], [0.5]]))}

    concrete = [serve.get_concrete_function()]
    return tf.lite.TFLiteConverter.from_concrete_functions(
        concrete, tf.Module()
    ).convert()


@pytest.fixture(scope="module")
def files():
    plain = model()
    contents = {
        "version": 1,
        "labels": ["regelmäßig", "λ 震え 🖋"],
        "training": {"sparsity": 0.9005, "epochs": None},
        "golden": {"inputs": [VECTORS["a letter"][0], 7], "tolerance": 1e-05},
    }
    other = flatbuffer.with_metadata(plain, "rvsm_tf2", b'{"not": "this"}')
    several = flatbuffer.with_metadata(card.embed(other, {}), "rvsm", b"nor this")
    return {
        "converted": card.embed(plain, contents),
        "the only metadata": card.embed(flatbuffer.tidy(plain), contents),
        "one of several": card.embed(several, contents),
        "without a card": other,
        "without metadata": flatbuffer.tidy(plain),
        "a web page": b"<!doctype html><title>404</title><p>Not found</p>" * 9,
        "nothing": b"",
    }


@pytest.fixture(
    scope="module",
    params=[in_python, in_javascript, in_java],
    ids=["python", "javascript", "java"],
)
def answers(request, files, tmp_path_factory):
    """What a language's readers answer, by the name of the file or the vector."""
    folder = tmp_path_factory.mktemp("reading")
    jobs = {}
    for number, (name, file) in enumerate(files.items()):
        path = folder / f"{number}.tflite"
        path.write_bytes(file)
        jobs[name] = ("card", str(path), "")
        jobs[f"{name}, whole"] = ("whole", str(path), "")
    for name, (vector, size) in VECTORS.items():
        kind = "text" if isinstance(vector, str) else "number"
        jobs[name] = (kind, str(vector), str(size))
    text, size = VECTORS["a letter"]
    for name, place in DAMAGE.items():
        damaged = bytearray(files["converted"])
        damaged[place] ^= 4
        path = folder / f"{name}.tflite"
        path.write_bytes(damaged)
        jobs[f"{name}, whole"] = ("whole", str(path), "")
    jobs["a picture too small"] = ("text", text, str(size + 8))
    jobs["a picture too large"] = ("text", text, str(size - 8))
    return dict(zip(jobs, request.param(list(jobs.values()), folder), strict=True))


@pytest.mark.parametrize("name", ["converted", "the only metadata", "one of several"])
def test_each_reader_finds_the_card(answers, files, name):
    found = json.loads(answers[name])
    assert re.fullmatch("[0-9a-f]{8}", found.pop("crc32"))
    assert found == card.read(files[name])


@pytest.mark.parametrize(
    "name", ["without a card", "without metadata", "a web page", "nothing"]
)
def test_each_reader_says_that_there_is_no_card(answers, name):
    assert answers[name].startswith("refused: no card in this file")


def test_each_reader_knows_whether_a_file_is_whole(answers, files):
    for name in files:
        assert answers[f"{name}, whole"] == "true"
    for name in DAMAGE:
        assert answers[f"{name}, whole"] == "false"


@pytest.mark.parametrize("name", VECTORS)
def test_each_decoder_gives_the_same_bits(answers, name):
    vector, size = VECTORS[name]
    expected = golden.decode(vector, {"x": (size,)})["x"]
    assert json.loads(answers[name]) == expected.view(np.int32).tolist()


@pytest.mark.parametrize("name", INK)
def test_each_decoder_gives_the_picture_back(answers, name):
    values = np.array(json.loads(answers[name]), np.int32).view(np.float32)
    np.testing.assert_array_equal(values.reshape(INK[name].shape), INK[name])


@pytest.mark.parametrize("name", ["a picture too small", "a picture too large"])
def test_each_decoder_refuses_a_picture_of_another_size(answers, name):
    assert answers[name].startswith("refused: the picture does not have")


def test_self_test_refuses_what_is_off_or_not_finite(tmp_path):
    inputs = [5, 6]
    outputs = [golden.decode(s, {"x": (2,)})["x"].tolist() for s in inputs]
    contents = json.dumps({"inputs": inputs, "outputs": outputs, "tolerance": 0.01})
    refusal = "This device does not run the model correctly. It shows no results."
    verdicts = {
        "x[0], x[1]": "sound",
        "x[0] + 0.009, x[1] - 0.009, 5": "sound",
        "x[0] + 0.011, x[1]": refusal,
        "x[0], x[1] - 0.011": refusal,
        "x[0], NaN": refusal,
        "x[0], Infinity": refusal,
        "x[0]": refusal,
        "0, 0": refusal,
        str(outputs[0])[1:-1]: refusal,  # the answer to the first one, again
    }
    runs = "".join(f"async (x) => [{answer}], " for answer in verdicts)
    main = f"""
        for (const run of [{runs}])
          await selfTest({contents}, 2, run).then(
            () => console.log("sound"), (error) => console.log(error.message));
    """
    source = "\n".join([*code("js"), main])
    lines = launch("node", tmp_path / "page.mjs", source, [])
    assert dict(zip(verdicts, lines, strict=True)) == verdicts


def test_each_block_has_at_most_20_lines_of_100_characters():
    assert [len(code(name)) for name in ("python", "js", "java")] == [3, 4, 4]
    for _, block in BLOCKS:
        # Blank lines are the formatter's, not to be counted.
        lines = [line for line in block.splitlines() if line.strip()]
        assert len(lines) <= 20
        assert max(map(len, lines)) <= 100


def test_python_readers_need_the_standard_library_alone():
    for block in code("python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.Import):
                assert {a.name for a in node.names} <= sys.stdlib_module_names
            if isinstance(node, ast.ImportFrom):
                assert node.module in sys.stdlib_module_names


def test_page_names_every_key_of_a_card():
    keys = re.findall(r"^    ([a-z0-9]+) {2,}\S", card.__doc__, re.MULTILINE)
    assert len(keys) == 7
    assert [k for k in keys if f"| `{k}` |" not in PAGE] == []
