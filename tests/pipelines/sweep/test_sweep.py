"""Sweeps: what a grid means, what of it is refused, and what the results say."""

import itertools
import re
import sys

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from commands.cli import InputError
from pipelines import train
from pipelines.experiments import cell
from pipelines.run.config import TrainConfig
from pipelines.sweep import __main__ as sweep
from pipelines.sweep import grid, pareto, results
from pipelines.sweep.setting import settings, varied
from tests.commands.refusal import refused, refused_alone

EXAMPLE = "pipelines/sweep/example.toml"


@pytest.fixture
def points(tmp_path):
    """Reads a grid that is given as text."""

    def read(text):
        (tmp_path / "grid.toml").write_text(text)
        return grid.read(tmp_path / "grid.toml")

    return read


def test_lists_are_combined_each_value_with_each(points):
    found = points('penalty = ["l0", "l1"]\nlam = [1e-4, 5e-4]\nseed = [0, 1, 2]\n')
    wanted = itertools.product(("l0", "l1"), (1e-4, 5e-4), range(3))
    assert found == [TrainConfig(penalty=p, lam=x, seed=s) for p, x, s in wanted]


def test_tables_share_what_stands_before_them_and_may_say_otherwise(points):
    found = points(
        "epochs = 3\n"
        '[[grid]]\npenalty = "tl1"\na = [0.1, 1]\n'
        '[[grid]]\npenalty = "l0"\ntarget-sparsity = 0.97\nepochs = 5\n'
    )
    assert found == [
        TrainConfig(penalty="tl1", a=0.1, epochs=3),
        TrainConfig(penalty="tl1", a=1.0, epochs=3),
        TrainConfig(penalty="l0", target_sparsity=0.97, epochs=5),
    ]


def test_values_are_what_the_command_line_makes_of_them(points):
    (found,) = points('target_size = "14kB"\nkeep-norm = false\nlam = 1\n')
    assert found.target_size == 14000
    assert isinstance(found.lam, float)
    # As without a grid: a structure takes more epochs.
    assert found.epochs == 60


def test_a_folder_with_a_dataset_is_the_same_from_wherever_it_is_read(
    points, letters, monkeypatch
):
    monkeypatch.chdir(letters.parent)
    (found,) = points(f'dataset = "{letters.name}"\n')
    assert found.dataset == str(letters)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty grid"),
        ("[[grid]]\n", "empty grid"),
        ("lam = [\n", "not TOML"),
        ("lam = []\n", "lam = []"),
        ("lambda = 1\n", "'lambda'"),
        ("lambda = 1\n", "target-sparsity"),
        ("output = 'x'\n", "'output'"),
        ("target-sparsity = 0.9\ntarget_sparsity = 0.8\n", "twice"),
        ("lam = -1\n", "lam: '-1'"),
        ("lam = [1e-4, nan]\n", "lam: 'nan'"),
        ("lam = 'much'\n", "lam: 'much'"),
        ("lam = true\n", "lam: True"),
        ("lam = [[1e-4]]\n", "lam: [0.0001]"),
        ("epochs = 2.5\n", "epochs: '2.5'"),
        ("seed = 1979-05-27\n", "seed: datetime.date"),
        ("penalty = ['l0', 'l2']\n", "penalty: 'l2'"),
        ("penalty = 'l2'\n", "'tl1'"),
        ("keep_norm = 'yes'\n", "keep_norm: 'yes'"),
        ("dataset = 'no'\n", "no dataset 'no'"),
        ("[grid]\nlam = 1\n", "[[grid]]"),
        ("[lam]\nvalues = [1]\n", "lam: {'values': [1]}"),
        ("penalty = 'none'\ntarget_sparsity = 0.9\n", "--target-sparsity 0.9"),
        ("seed = [1, 2, 1]\n", "the same point twice"),
        ("penalty = 'l0'\na = [0.1, 1]\n", "nothing reads --a"),
        ("target_sparsity = 0.9\nlam = [1e-4, 2e-4]\n", "nothing reads --lam"),
    ],
)
def test_what_is_no_grid_is_refused_in_one_line(text, says, tmp_path):
    file = tmp_path / "grid.toml"
    file.write_text(text)
    line = refused(sweep.main, "--grid", file, "--output", tmp_path / "out")
    assert repr(str(file)) in line
    assert says in line
    assert not (tmp_path / "out").exists()


def test_bytes_that_are_no_text_are_refused(tmp_path):
    file = tmp_path / "grid.toml"
    file.write_bytes(b"lam = '\xff'\n")
    line = refused(sweep.main, "--grid", file, "--output", tmp_path / "out")
    assert "not TOML" in line


@pytest.mark.parametrize(
    "options",
    [
        ["--grid", "no.toml"],
        ["--cpus", "0"],
        ["--cpus", "1.5"],
        ["--gpus", "-1"],
        ["--output", EXAMPLE],
    ],
)
def test_wrong_options_are_refused(options, tmp_path):
    whole = {"--grid": EXAMPLE, "--output": tmp_path / "out", options[0]: options[1]}
    line = refused(sweep.main, *itertools.chain(*whole.items()))
    assert options[1] in line
    assert not (tmp_path / "out").exists()


def test_wrong_options_are_answered_at_once_and_in_one_line():
    assert "--grid" in refused_alone("pipelines.sweep", "--output", "out")


def test_without_ray_one_line_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "pipelines.sweep.cluster", raising=False)
    line = refused(sweep.main, "--grid", EXAMPLE, "--output", tmp_path / "out")
    assert "pip install -e '.[sweep]'" in line


def test_the_example_is_a_grid_with_three_seeds_of_each_setting():
    found = grid.read(EXAMPLE)
    by_setting = settings([(point, {}) for point in found])
    assert all(len(setting.cells) == 3 for setting in by_setting)
    assert {point.penalty for point in found} == {"l0", "l1", "tl1", "none"}
    for name in ("lam", "beta", "a", "target_sparsity", "seed"):
        assert len({getattr(point, name) for point in found}) > 1
    with open(EXAMPLE) as file:
        assert f"{len(found)} trainings" in file.read()


def test_points_have_names_of_their_own_and_commands_that_make_them(points, letters):
    found = points(
        'split_layers = ["dense", "conv*,dense", "conv?,dense"]\n'
        f'dataset = ["letters", "{letters}"]\nlearning_rate = [1e-5, 1e20]\n'
    )
    names = {cell.name(point) for point in found}
    assert len(names) == len(found) == 12
    assert all(re.fullmatch(r"[\w.+-]+", name) for name in names)
    for point in found:
        options = cell.command(point).split()[3:]
        read = train.main.make_context("train", options).params
        for name in ("output", "resume", "quiet", "on_error"):
            del read[name]
        assert TrainConfig.given(read) == point


SHARES = st.sampled_from([0.0, 0.5, 0.9, 1.0]) | st.floats(0, 1)


@given(st.lists(st.tuples(SHARES, SHARES), max_size=12))
def test_the_front_is_what_no_other_point_beats(points):
    def beats(one, other):
        return one != other and one[0] >= other[0] and one[1] >= other[1]

    unbeaten = [
        i for i, x in enumerate(points) if not any(beats(other, x) for other in points)
    ]
    found = pareto.front(points)
    assert sorted(found) == unbeaten
    assert [points[i] for i in found] == sorted(points[i] for i in found)


def figures(sparsity, accuracy):
    """Figures of a run that never was."""
    return {
        "test_accuracy": 0.5,
        "test_unseen_accuracy": 0.4,
        "test_large_accuracy": accuracy,
        "sparsity": sparsity,
        "network_sparsity": 0.9 * sparsity,
        "nonzero_weights": 1000,
        "dense_accuracy": None,
        "epochs": 20,
        "train_seconds": 1.5,
        "images_per_second": 100.0,
        "device": "none",
        "precision": "float32",
        "seed": 0,
    }


RESULTS = {
    TrainConfig(penalty="none"): (0.0, 0.999),
    TrainConfig(penalty="tl1", a=1.0): (0.8, 0.96),
    TrainConfig(penalty="tl1", a=1.0, seed=1): (0.9, 0.98),
    TrainConfig(penalty="l0"): (0.9, 0.98),
    TrainConfig(penalty="l0", target_sparsity=0.99): (0.99, 0.95),
    TrainConfig(penalty="l0", dataset="shapes"): (1.0, 0.5),
}


@pytest.fixture
def written(tmp_path):
    """Folder of results made from invented figures; one point is not finished."""
    for config, (sparsity, accuracy) in RESULTS.items():
        found = figures(sparsity, accuracy)
        cell.write(tmp_path / "cells", config, "abc", "a machine", found)
    points = [*RESULTS, TrainConfig(penalty="l1")]
    files = results.write(tmp_path, points, "--grid g.toml --output out")
    assert [f.name for f in files] == ["results.parquet", "sweep.md", "pareto.png"]
    return tmp_path


def test_the_parquet_file_has_every_option_and_figure_of_every_point(written):
    table = pq.read_table(written / "results.parquet")
    rows = table.to_pylist()
    assert [row["name"] for row in rows] == [cell.name(config) for config in RESULTS]
    for row, (config, (sparsity, accuracy)) in zip(rows, RESULTS.items()):
        assert {k: v for k, v in row.items() if k in vars(config)} == vars(config)
        assert (row["sparsity"], row["test_large_accuracy"]) == (sparsity, accuracy)
        assert row["command"] == cell.command(config)
        assert (row["machine"], row["commit"]) == ("a machine", "abc")
        assert row["trained_in"] == "float32"
    # Columns have their types even where no point has a value.
    assert str(table.schema.field("target_size").type) == "int64"
    assert str(table.schema.field("structure").type) == "string"


def test_the_table_has_means_and_spreads_and_numbers_the_front(written):
    text = (written / "sweep.md").read_text()
    assert "6 of 7 points, 5 settings" in text
    lines = [x for x in text.split("## Points")[0].splitlines() if x.startswith("|")]
    header, _, *rows = ([c.strip() for c in x.strip("|").split("|")] for x in lines)
    assert header[:4] == ["penalty", "target sparsity", "dataset", "zeros"]
    assert header[4:] == ["accuracy", "on test", "on test_unseen", "seeds", "front"]
    assert [row[3] for row in rows] == [
        "0.00", "85.00 (80.00 to 90.00)", "90.00", "99.00", "100.00",
    ]  # fmt: skip
    assert rows[1][4] == "97.00 (96.00 to 98.00)"
    assert [row[-2] for row in rows] == ["1", "2", "1", "1", "1"]
    # The front of each dataset for itself.
    assert [row[-1] for row in rows] == ["1", "", "2", "3", "4"]


def test_the_page_names_every_point_with_its_command(written):
    text = (written / "sweep.md").read_text()
    for config in RESULTS:
        assert f"[`{cell.command(config)}`](cells/{cell.name(config)}.json)" in text


def test_the_picture_is_there(written):
    with Image.open(written / "pareto.png") as image:
        assert min(image.size) > 300


def test_options_vary_only_among_those_that_read_them():
    made = [
        (TrainConfig(penalty="l0", a=2.0, target_sparsity=0.9), {}),
        (TrainConfig(penalty="l0", lam=1e-4), {}),
        (TrainConfig(penalty="tl1"), {}),
    ]
    assert varied(settings(made)) == ["penalty", "lam", "target_sparsity"]


def test_a_finished_sweep_needs_no_ray_to_be_written_again(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    file, output = tmp_path / "grid.toml", tmp_path / "out"
    file.write_text('penalty = "l0"\nseed = [0, 1]\n')
    for point in grid.read(file):
        cell.write(output / "cells", point, None, "a machine", figures(0.9, 0.95))
    files = sweep.run(file, output)
    assert pq.read_table(files[0]).num_rows == 2


def test_a_damaged_file_of_a_point_is_named(tmp_path):
    file, cells = tmp_path / "grid.toml", tmp_path / "out" / "cells"
    file.write_text("seed = [0, 1]\n")
    damaged = cell.file(cells, grid.read(file)[1])
    cells.mkdir(parents=True)
    damaged.write_text('{"name": ')
    with pytest.raises(InputError, match="is damaged: delete it"):
        sweep.run(file, tmp_path / "out")
