"""Whole filters and units: from a target to a small file."""

import json

import keras
import numpy as np
import pytest
from click.testing import CliRunner

import rvsm_tf as rvsm
from commands.cli import InputError
from export import convert
from pipelines import compact, train
from pipelines.images import data
from pipelines.images.images import Images
from pipelines.recipe import design
from pipelines.run.claim import claim
from pipelines.run.config import TrainConfig
from pipelines.training import launch
from rvsm_tf.litert.converter import Converter
from rvsm_tf.litert.source import Examples
from tests.commands.refusal import refused
from tests.pipelines.test_train import METRICS, trained

WIDTHS = {"conv1": 5, "conv2": 7, "conv3": 6, "dense": 9}


@pytest.fixture(scope="module")
def run(letters, tmp_path_factory):
    """A finished run with targets: its folder, and what was printed."""
    folder = tmp_path_factory.mktemp("runs") / "small"
    targets = ["--target-size", "14kB", "--target-latency-ratio", "0.15"]
    options = ["--structure", "filters,units", "--penalty", "l0", "--epochs", "3"]
    return folder, trained(folder, letters, *targets, *options)


@pytest.fixture(scope="module")
def rows(run):
    return {row["format"]: row for row in convert.run(run[0], quiet=True)}


@pytest.mark.slow
def test_the_file_keeps_to_its_size(rows):
    assert 10_000 < rows["int4"]["bytes"] <= 14_000


@pytest.mark.slow
def test_the_figures_are_those_of_the_network_that_is_left(run):
    folder, printed = run
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics.keys() == METRICS | {"crc32"}
    assert metrics["epochs"] == 3
    widths = json.loads((folder / "design.json").read_text())["widths"]
    a, b, c, units = widths.values()
    kernels = 9 * (a + a * b + b * c) + 169 * c * units
    full = 9 * (32 + 2 * 32 * 32) + 169 * 32 * 128
    assert metrics["sparsity"] == pytest.approx(1 - kernels / full, abs=1e-6)
    left = kernels + 2 * units + sum((a, b, c, units)) + 2
    assert metrics["nonzero_weights"] == pytest.approx(left, abs=sum((a, b, c, units)))
    assert f"aiming at {a}-{b}-{c}-{units}" in printed


@pytest.mark.slow
def test_the_model_is_plain_and_folded_as_designed(run):
    model = keras.models.load_model(run[0] / "model.keras")
    found = design.read(run[0])
    assert type(model) is keras.Sequential
    assert all(type(layer).__module__.startswith("keras.") for layer in model.layers)
    # Where it is worth it, columns of the image are the first kernel's channels.
    folded = found.columns and found.widths["conv1"] <= 8
    assert model.get_layer("conv1").kernel.shape[2] == (found.columns if folded else 1)


def test_a_run_goes_on_with_the_design_that_it_began_with(letters, tmp_path):
    """Whatever the machine would measure now; all 8 places of conv1 are 40 filters."""
    config = TrainConfig(
        penalty="l0", epochs=2, dataset=str(letters), target_latency_ratio=0.1
    )
    claim(tmp_path, config)
    design.write(tmp_path, design.Design(WIDTHS, 4, 14_000, 0.07))
    launch.run(config, tmp_path, resume=True, quiet=True)
    model = keras.models.load_model(tmp_path / "model.keras")
    shapes = [tuple(layer.kernel.shape) for layer in model.layers if layer.weights]
    assert shapes == [(4, 3, 4, 40), (3, 3, 10, 14), (3, 3, 7, 6), (1014, 9), (9, 2)]


@pytest.mark.slow
def test_latency_is_compared_with_the_network_that_it_was_cut_from(run, rows):
    reference = keras.models.load_model(run[0] / "reference.keras")
    assert reference.count_params() == 711_426
    assert rows["float32"]["latency_ratio"] < 0.5


@pytest.mark.slow
def test_the_history_goes_through_both_phases(run):
    lines = (run[0] / "history.csv").read_text().splitlines()
    head, *epochs = (line.split(",") for line in lines)
    sparsity = [float(row[head.index("sparsity")]) for row in epochs]
    metrics = json.loads((run[0] / "metrics.json").read_text())
    assert len(epochs) == 3
    assert sparsity[1] == sparsity[2] == metrics["sparsity"]


def test_one_structure_leaves_the_others_alone():
    config = TrainConfig(structure="units", target_size=80_000)
    widths = design._widest(config, np.inf, 80_000, None)
    assert [widths[f"conv{i}"] for i in (1, 2, 3)] == [32, 32, 32]
    assert widths["dense"] < 128


@pytest.mark.parametrize("structure", ["units", "filters"])
@pytest.mark.parametrize("columns", [None, 2, 4])
def test_the_widest_network_within_the_limits(structure, columns):
    """Among all that differ by a little from the one chosen."""
    work, room = {"units": (33e6, 60_000), "filters": (6e6, 150_000)}[structure]
    config = TrainConfig(structure=structure, target_size=room)
    chosen = design._widest(config, work, room, columns)
    names = ["dense"] if structure == "units" else ["conv1", "conv2", "conv3"]
    steps = np.stack(np.meshgrid(*[np.arange(-3, 4)] * len(names)), -1)
    for step in steps.reshape(-1, len(names)):
        other = dict(chosen)
        for name, by in zip(names, step, strict=True):
            other[name] = int(np.clip(chosen[name] + by, 1, design.FULL[name]))
        inside = (
            design._multiply_adds(other) <= work
            and design._weight_bytes(other, columns) <= room
        )
        narrower = sum(1 / other[n] for n in names) - sum(1 / chosen[n] for n in names)
        assert not inside or narrower >= -1e-12
    assert design._multiply_adds(chosen) <= work
    assert design._weight_bytes(chosen, columns) <= room


@pytest.mark.parametrize("widths", [WIDTHS, design.FULL], ids=["small", "full"])
def test_multiply_adds_are_those_of_the_layers(widths):
    model = design.network(widths, seed=0)
    total = 0
    for layer in model.layers:
        if layer.weights:
            *places, _ = layer.output.shape[1:]
            total += layer.kernel.shape.num_elements() * int(np.prod(places))
    assert design._multiply_adds(widths) == total


@pytest.mark.slow
@pytest.mark.parametrize("columns", [None, 2, 4])
def test_bytes_of_a_file_grow_as_was_worked_out(columns):
    rng = np.random.default_rng(0)
    pictures = (rng.random((20, 100, 100, 1)) < 0.1).astype("uint8") * 255
    around = []
    with design._bench(Images(pictures, np.zeros(20, int))) as bench:
        for widths in ((3, 5, 6, 8), (4, 8, 8, 8), (6, 8, 10, 20), (1, 4, 4, 10)):
            widths = dict(zip(design.FULL, widths, strict=True))
            found = bench.measure(widths, columns)
            around.append(found.bytes - design._weight_bytes(widths, columns))
    assert max(around) - min(around) < 450


@pytest.mark.parametrize("columns", [None, 4])
def test_bytes_are_those_of_a_trained_network(columns):
    """Whose vectors all differ; a file holds equal ones, as of zeros, once."""
    rng = np.random.default_rng(1)
    pictures = (rng.random((20, 100, 100, 1)) < 0.1).astype("uint8") * 255
    examples = Examples({"image": pictures.astype("float32") / 255})
    model = design.network(WIDTHS, seed=1)
    for weight in model.weights:
        weight.assign(rng.uniform(0.1, 1, weight.shape))
    folded = rvsm.fold(model, columns) if columns else model
    file = Converter(folded, examples).write("int4")
    with design._bench(Images(pictures, np.zeros(20, int))) as bench:
        found = bench.measure(WIDTHS, columns)
    assert abs(found.bytes - design.CARD - len(file)) <= 32


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--structure", "filters,heads", "--target-size", "14kB"], "'heads'"),
        (["--structure", "filters"], "--target-size"),
        (["--target-size", "3 apples"], "'3 apples' is not a size"),
        (["--target-latency-ratio", "0"], "'0'"),
        (["--target-latency-ratio", "2"], "'2'"),
        (["--target-size", "14kB", "--penalty", "none"], "choose l0, l1, tl1"),
        (["--target-size", "14kB", "--target-sparsity", "0.9"], "one or the other"),
        (["--target-size", "14kB", "--split-layers", "conv1"], "--structure"),
    ],
)
def test_options_that_make_no_sense(options, says, tmp_path):
    assert says in refused(train.main, *options, "--output", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_size_that_no_network_has_is_answered_with_the_nearest(letters, tmp_path):
    options = ["--target-size", "2kB", "--dataset", letters]
    line = refused(train.main, *options, "--output", tmp_path / "run")
    assert "--target-size 2000: the smallest network" in line
    assert not (tmp_path / "run").exists()
    nearest = int(line.split(" bytes")[0].split()[-1])
    config = TrainConfig(dataset=str(letters), target_size=nearest)
    images = data.load(data.prepare(str(letters)), "train")
    assert design.design(config, images, quiet=True).bytes == nearest


@pytest.mark.slow
def test_a_latency_that_no_network_has_is_answered_with_the_nearest(letters, tmp_path):
    options = ["--target-latency-ratio", "0.001", "--dataset", letters]
    line = refused(train.main, *options, "--output", tmp_path / "run")
    assert "--target-latency-ratio 0.001: the fastest network" in line
    assert "ask for 0." in line
    assert not (tmp_path / "run").exists()


def sparse_model(path):
    model = design.network(dict(WIDTHS, dense=12), seed=1)
    kernel, bias = model.get_layer("dense").get_weights()
    kernel[:, ::2] = 0
    model.get_layer("dense").set_weights([kernel, bias])
    model.save(path)
    return model


def test_compact_on_the_command_line(tmp_path):
    model = sparse_model(tmp_path / "model.keras")
    small = tmp_path / "small.keras"
    result = CliRunner().invoke(
        compact.main, [str(tmp_path / "model.keras"), "--output", str(small)]
    )
    assert result.exit_code == 0, result.output
    assert "12 → 6" in result.stdout
    x = np.random.default_rng(0).random((4, 100, 100, 1), "float32")
    smaller = keras.models.load_model(small)
    np.testing.assert_allclose(
        smaller.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-5
    )
    assert smaller.get_layer("dense").units == 6


def test_a_folder_for_the_compacted_model_is_made(tmp_path):
    sparse_model(tmp_path / "model.keras")
    compact.run(tmp_path / "model.keras", tmp_path / "new" / "small.keras")
    assert (tmp_path / "new" / "small.keras").exists()


@pytest.mark.parametrize(
    "damage",
    [
        {"widths": {}},
        {"widths": dict(design.FULL, conv2=33)},
        {"widths": dict(design.FULL, dense="8")},
        {"columns": 3},
        {"size": 1},
    ],
)
def test_a_damaged_design_is_named(damage, tmp_path):
    good = design.Design(WIDTHS, 4, 14_000, 0.1)
    design.write(tmp_path, good)
    assert design.read(tmp_path) == good
    fields = json.loads((tmp_path / "design.json").read_text())
    (tmp_path / "design.json").write_text(json.dumps(fields | damage))
    with pytest.raises(InputError, match=r"design\.json' is damaged"):
        design.read(tmp_path)


def test_both_targets_may_be_in_reach_but_not_together():
    nearest = [
        design.Design(dict(WIDTHS), None, 4_000, 0.18),
        design.Design(dict(WIDTHS), 4, 5_500, 0.06),
    ]
    config = TrainConfig(target_size=5_000, target_latency_ratio=0.1)
    says = design._unreachable(config, nearest)
    assert "4000 bytes at 0.180 or 5500 bytes at 0.060" in says
    alone = TrainConfig(target_size=50_000, target_latency_ratio=0.05)
    says = design._unreachable(alone, nearest)
    assert "--target-size" not in says
    assert "ask for 0.075 or more" in says


def test_what_was_compacted_already_is_refused(tmp_path):
    sparse_model(tmp_path / "model.keras")
    small = tmp_path / "small.keras"
    compact.run(tmp_path / "model.keras", small)
    line = refused(compact.main, small, "--output", tmp_path / "again.keras")
    assert "compacted already" in line
    assert not (tmp_path / "again.keras").exists()


@pytest.mark.parametrize(
    ("model", "output", "says"),
    [
        ("nothing.keras", "small.keras", "nothing.keras"),
        ("model.keras", "small.h5", "ends in .keras"),
    ],
)
def test_compact_refuses_what_it_cannot_read_or_write(model, output, says, tmp_path):
    sparse_model(tmp_path / "model.keras")
    line = refused(compact.main, tmp_path / model, "--output", tmp_path / output)
    assert says in line
