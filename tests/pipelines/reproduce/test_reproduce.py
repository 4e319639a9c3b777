"""The paper's tables: what is trained, what is left of it, what is written."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from commands.cli import InputError
from commands.files import read_json, read_rows, write_json, write_rows
from pipelines import train
from pipelines.experiments import cell
from pipelines.experiments.spread import spread
from pipelines.reproduce import __main__ as reproduce
from pipelines.reproduce import page, plan, workers
from pipelines.reproduce.measure import EDGES
from pipelines.reproduce.plan import SHARES
from pipelines.reproduce.result import read
from pipelines.run.config import TrainConfig
from tests.commands.refusal import refused, refused_alone
from tests.processes import alive, until

RUNS = [config for row in plan.rows() for config in row.runs(3)]


def test_every_run_has_a_name_of_its_own():
    assert len({cell.name(c) for c in RUNS}) == len(set(RUNS))
    assert all(re.fullmatch(r"[\w.-]+", cell.name(c)) for c in RUNS)


@pytest.mark.parametrize("config", RUNS[::7], ids=cell.name)
def test_the_command_makes_the_run(config):
    words = cell.command(config).split()
    assert words[:3] == ["python", "-m", "pipelines.train"]
    given = train.main.make_context("train", words[3:]).params
    for name in ("output", "resume", "quiet", "on_error"):
        del given[name]
    assert TrainConfig(**{k: v for k, v in given.items() if v is not None}) == config
    config.check()


def test_a_quick_look_takes_something_of_every_table():
    quick = plan.rows(quick=True)
    assert {row.table for row in quick} == set(plan.TABLES)
    assert {row.config.method for row in quick} == {"rvsm", "loss", "magnitude"}
    assert {row.config.dataset for row in quick} == {"letters", "shapes"}
    runs = {config for row in quick for config in row.runs(1)}
    assert len(runs) < 20
    assert {config.epochs for config in runs} == {1}


def test_the_paper_s_rows_are_all_there():
    """Six penalties on two sets, with λ and β as in the paper's captions."""
    for table, dataset in (("table1", "letters"), ("table2", "shapes")):
        rows = [r for r in plan.rows() if r.table == table and r.paper]
        assert [r.config.penalty for r in rows] == ["l0", *["tl1"] * 4, "l1"]
        assert [r.config.a for r in rows][1:5] == [0.01, 0.1, 1.0, 100.0]
        for row in rows:
            config = row.config
            assert (config.lam, config.beta, config.dataset) == (5e-4, 0.1, dataset)
            assert 10 <= config.epochs <= 20


def test_past_the_paper_every_method_has_the_same_shares_and_budget():
    rows = [r for r in plan.rows() if r.table == "past" and r.label != "dense"]
    by_label = {}
    for row in rows:
        share = row.share or row.config.target_sparsity
        by_label.setdefault(row.label, []).append(share)
    assert len(by_label) >= 4
    assert all(tuple(shares) == SHARES for shares in by_label.values())
    assert len({r.config.epochs for r in rows}) == 1
    split = [r for r in rows if r.config.method == "rvsm"]
    assert [len(r.runs(3)) for r in split] == [3, 3, 5, 5]


@pytest.fixture(scope="module")
def trained(letters, tmp_path_factory):
    """Folder of the files of two small runs, and their configurations."""
    folder = tmp_path_factory.mktemp("reproduce")
    given = {"dataset": str(letters), "epochs": 1, "penalty": "l0"}
    configs = [
        TrainConfig(stddev=0.05, **given),
        TrainConfig(method="loss", optimizer="sgd", **given),
    ]
    workers.train(configs, folder / "cells", folder / "runs", jobs=2)
    return folder, configs


def test_a_run_leaves_its_figures_and_nothing_else(trained):
    folder, configs = trained
    for config in configs:
        found = json.loads(cell.file(folder / "cells", config).read_text())
        assert found["command"] == cell.command(config)
        assert found["seed"] == 0
        assert re.match(r"[0-9a-f]{40}", found["commit"])
        assert "cores" in found["machine"]
        assert found.keys() >= {"sparsity", "test_large_accuracy", "sign_changes"}
        assert len(found["history"]["sparsity"]) == 1
    assert list((folder / "runs").iterdir()) == []


def test_the_figures_agree_with_each_other(trained):
    folder, (split, loss) = trained
    found = cell.read(folder / "cells", split)
    weights, counts = 5408 * 128, np.array(found["histogram"])
    assert counts.sum() == pytest.approx((1 - found["sparsity"]) * weights)
    # Of a normal distribution of deviation 0.05, 95.4 % lie below the threshold 0.1,
    # and a few steps change that little; nothing is between zero and the threshold.
    assert found["sparsity"] == pytest.approx(0.954, abs=0.02)
    assert found["smallest"] >= 0.1
    assert found["scales"] == pytest.approx([found["sparsity"]] * 5, abs=1e-4)
    below = counts[EDGES[1:] <= -1].sum()
    assert below == 0
    assert cell.read(folder / "cells", loss)["cut"].keys() == {str(s) for s in SHARES}


def test_what_is_finished_is_not_trained_again(trained):
    folder, configs = trained
    before = {p: p.stat().st_mtime_ns for p in (folder / "cells").iterdir()}
    workers.train(configs, folder / "cells", folder / "runs", jobs=1)
    assert before == {p: p.stat().st_mtime_ns for p in (folder / "cells").iterdir()}


@pytest.mark.slow
def test_a_run_that_fails_is_named(letters, tmp_path, capfd):
    config = TrainConfig(dataset=str(letters), epochs=1, batch_size=161)
    with pytest.raises(InputError, match="--batch-size 161"):
        workers.train([config], tmp_path / "cells", tmp_path / "runs", jobs=1)
    assert "161 is more than the 160 images" in capfd.readouterr().err
    assert list((tmp_path / "cells").iterdir()) == []


@pytest.mark.slow
def test_a_kill_ends_the_processes_too_and_what_was_begun_goes_on(letters, tmp_path):
    config = TrainConfig(dataset=str(letters), epochs=4)
    cells, runs = tmp_path / "cells", tmp_path / "runs"
    code = (
        "import pathlib, sys\n"
        "from pipelines.run.config import TrainConfig\n"
        "from pipelines.reproduce import workers\n"
        "if __name__ == '__main__':\n"
        "    config = TrainConfig(dataset=sys.argv[1], epochs=4)\n"
        "    cells, runs = map(pathlib.Path, sys.argv[2:])\n"
        "    workers.train([config], cells, runs, jobs=1)\n"
    )
    script = tmp_path / "script.py"
    script.write_text(code)
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    process = subprocess.Popen(
        [sys.executable, script, letters, cells, runs],
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    folder = runs / cell.name(config)
    until((folder / "checkpoint.keras").exists, seconds=120)
    children = _children(process.pid)
    assert children
    process.send_signal(signal.SIGKILL)
    process.wait()
    until(lambda: not any(map(alive, children)), seconds=120)
    # What was behind it is not trained again: its first epoch stays as it is.
    begun = read_rows(folder / "history.csv")
    begun[0]["val_accuracy"] = 0.123
    write_rows(folder / "history.csv", begun)
    workers.train([config], cells, runs, jobs=1)
    found = cell.read(cells, config)["history"]["val_accuracy"]
    assert len(found) == 4
    assert found[0] == 0.123


def _children(pid):
    listed = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in listed.split()]


def figures(config, seed):
    """Figures of a run that never was: accuracies a hundredth apart by seed."""
    zeros = config.target_sparsity or (0.0 if config.penalty == "none" else 0.9)
    return {
        "sparsity": zeros,
        "test_accuracy": 0.995,
        "test_unseen_accuracy": 0.95,
        "test_large_accuracy": round(0.97 + 0.01 * seed, 4),
        "epochs": 3,
        "train_seconds": 1.0,
        "device": "none",
        "precision": "float32",
        "history": {
            "accuracy": [0.7, 0.8, 0.9],
            "val_accuracy": [0.6, 0.9, 0.95],
            "sparsity": [0.1, 0.5, zeros],
        },
        "scales": [0.99, 0.96, 0.93, 0.91, 0.9],
        "smallest": 0.05,
        "histogram": [0] * 80 + [100] * 10 + [0] * 10,
        "sign_changes": {"conv1": 0.3, "conv2": 0.1, "conv3": 0.05},
        **({"cut": {str(s): 0.5 for s in SHARES}} if config.method == "loss" else {}),
    }


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Folder of a page made from invented figures."""
    folder = tmp_path_factory.mktemp("page")
    for config in RUNS:
        found = figures(config, config.seed)
        cell.write(folder / "cells", config, None, "a machine", found)
    # Without pictures of the sets, which would have to be built first.
    drawn = page.pictures.samples
    page.pictures.samples = lambda path, dataset: Image.new("L", (4, 4)).save(path)
    try:
        html = page.write(folder, plan.rows(), 3, "python -m pipelines.reproduce")
    finally:
        page.pictures.samples = drawn
    assert html == folder / "paper.html"
    return folder


def test_means_and_spreads_are_told_in_percent():
    assert spread([0.97, 0.98, 0.99]) == "98.00 (97.00 to 99.00)"
    assert spread([0.5, 0.5]) == "50.00"


def test_the_page_compares_with_the_paper(written):
    text = (written / "paper.md").read_text()
    row = next(line for line in text.splitlines() if line.startswith("| ℓ0 |"))
    cells = [c.strip() for c in row.strip("|").split("|")]
    assert cells[1:5] == ["86.1", "90.00", "99.4", "98.00 (97.00 to 99.00)"]
    assert cells[5:] == ["99.50", "95.00", "not accuracy"]
    assert "0 of 6 rows" in text
    for heading in plan.TABLES.values():
        assert f"## {heading}" in text


def test_the_page_tells_methods_apart_at_each_share(written):
    lines = (written / "paper.md").read_text().splitlines()
    (row,) = [x for x in lines if x.startswith("| 99.5 % | RVSM")]
    # Five seeds: 0.97 to 1.01 on average 0.99; the dense network has five as well.
    assert [c.strip() for c in row.strip("|").split("|")][2:] == [
        "**99.00 (97.00 to 101.00)**",
        "+0.00",
        "5",
    ]


def test_the_page_names_every_run_with_its_command(written):
    text = (written / "paper.md").read_text()
    for config in RUNS:
        assert f"`{cell.command(config)}`" in text
        assert f"(cells/{cell.name(config)}.json)" in text


def test_the_rows_keep_to_the_contract(written):
    rows = json.loads((written / "paper.json").read_text())
    contract = {"table", "dataset", "method", "penalty", "a", "lam", "beta", "seed"}
    contract |= {"sparsity", "test_accuracy", "dense_accuracy"}
    assert all(row.keys() >= contract for row in rows)
    tl1 = [r for r in rows if r["table"] == "table2" and r["a"] == 0.01]
    assert [r["seed"] for r in tl1] == [0, 1, 2]
    assert [r["test_accuracy"] for r in tl1] == [0.97, 0.98, 0.99]
    assert [r["dense_accuracy"] for r in tl1] == [0.97, 0.98, 0.99]
    cut = [r for r in rows if r["table"] == "past" and r["method"] == "loss"]
    assert {(r["sparsity"], r["test_accuracy"]) for r in cut} == {
        (share, 0.5) for share in SHARES
    }


def test_the_html_page_is_one_file(written):
    html = (written / "paper.html").read_text()
    sources = re.findall(r'src="([^"]{0,40})', html)
    assert len(sources) == 7
    assert all(s.startswith("data:image/png;base64,") for s in sources)
    assert 'name="viewport"' in html
    assert html.count("<table>") == html.count('<div class="wide">') == 7


def test_the_pictures_are_there(written):
    for name in re.findall(r"\((paper-.*?\.png)\)", (written / "paper.md").read_text()):
        with Image.open(written / name) as image:
            assert min(image.size) > 300 or "samples" in name


def test_a_table_whose_runs_are_not_finished_is_left_out(tmp_path):
    for config in RUNS:
        if config.method == "rvsm" and config.dataset == "letters":
            cell.write(tmp_path / "cells", config, None, "m", figures(config, 0))
    found = page._complete(read(tmp_path / "cells", plan.rows(), 3), plan.rows())
    assert {r.row.table for r in found} == {"table1", "choices"}


def test_a_damaged_file_of_a_run_is_named(written, tmp_path):
    config = RUNS[0]
    (tmp_path / "cells").mkdir()
    for content in ("", "{", "[]"):
        cell.file(tmp_path / "cells", config).write_text(content)
        with pytest.raises(InputError, match=cell.name(config)):
            cell.read(tmp_path / "cells", config)


@pytest.mark.parametrize(
    "options",
    [["--only", "table9"], ["--seeds", "0"], ["--jobs", "none"], ["--epochs", "3"]],
)
def test_wrong_options_are_refused(options, tmp_path):
    line = refused(reproduce.main, *options, "--output", tmp_path / "out")
    assert options[0] in line
    assert not (tmp_path / "out").exists()


def test_an_output_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("content")
    assert str(tmp_path / "file") in refused(
        reproduce.main, "--output", tmp_path / "file"
    )


def test_a_folder_that_nobody_can_write_to_is_refused_before_training(letters):
    config = TrainConfig(dataset=str(letters), epochs=1)
    with pytest.raises(OSError, match="/sys"):
        workers.train([config], pathlib.Path("/sys/no"), pathlib.Path("/sys/r"), 1)


def test_wrong_options_are_answered_at_once_and_in_one_line():
    line = refused_alone("pipelines.reproduce", "--only", "table9")
    assert "table9" in line


@pytest.mark.slow
def test_afresh_replaces_what_is_there_once_it_is_trained(trained, tmp_path):
    folder, (config, _) = trained
    shutil.copytree(folder / "cells", tmp_path / "cells")
    file = cell.file(tmp_path / "cells", config)
    old = read_json(file)
    write_json(file, {**old, "sparsity": 0.5})
    # Left by a run of long ago.
    (tmp_path / "runs" / cell.name(config)).mkdir(parents=True)
    workers.train([config], tmp_path / "cells", tmp_path / "runs", 1, fresh=True)
    assert json.loads(file.read_text())["sparsity"] == old["sparsity"]
