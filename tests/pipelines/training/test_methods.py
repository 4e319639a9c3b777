"""Other ways to train, and what a run can change about the network."""

import json

import keras
import numpy as np
import pytest

import rvsm_tf as rvsm
from commands import check
from pipelines import train
from pipelines.recipe.penalized import Penalized
from pipelines.recipe.recipe import Recipe
from pipelines.run.claim import check_output, claim
from pipelines.run.config import PENALTIES, SHAPED, TrainConfig
from pipelines.training import launch, magnitude
from tests.commands.refusal import refused
from tests.pipelines.test_train import FILES, METRICS, trained

SIZE = ["--target-size", "14kB"]
MAGNITUDE = ["--method", "magnitude", "--target-sparsity", "0.9"]


def kernel(folder, layer="dense"):
    model = keras.saving.load_model(folder / "model.keras")
    return np.asarray(model.get_layer(layer).kernel)


def test_the_programs_know_every_penalty_of_the_library():
    names = rvsm.penalties.names()
    assert set(names) <= {*PENALTIES, "log-sum"}  # another test's own
    assert {*PENALTIES} - {"none"} <= set(names)
    takes_a = {
        name
        for name in PENALTIES
        if name in names and rvsm.penalties.parameters(name) == ("a",)
    }
    assert takes_a == {*SHAPED}


def test_magnitude_pruning_leaves_a_run_like_any_other(letters, tmp_path):
    options = ["--method", "magnitude", "--target-sparsity", "0.97"]
    trained(tmp_path / "run", letters, *options, "--epochs", "3")
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics.keys() == METRICS | {"crc32"}
    assert metrics["sparsity"] == pytest.approx(0.97, abs=0.001)
    assert metrics["sparsity"] == (kernel(tmp_path / "run") == 0).mean()
    lines = (tmp_path / "run" / "history.csv").read_text().splitlines()
    assert len(lines) == 4
    assert {p.name for p in (tmp_path / "run").iterdir()} == FILES
    about = json.loads((tmp_path / "run" / "about.json").read_text())
    assert about["training"]["method"] == "magnitude"
    assert "penalty" not in about["training"]


@pytest.mark.parametrize(
    "network", [rvsm.networks.paper_cnn(), rvsm.networks.tremor_cnn()]
)
def test_the_peer_s_network_answers_as_ours_in_training(network):
    twin, plain = magnitude.twin(network)
    x = np.random.default_rng(0).random((4, *network.input_shape[1:]), "float32")
    expected = np.asarray(network(x, training=True))
    np.testing.assert_allclose(np.asarray(twin(x)), expected, atol=1e-6)
    assert plain is twin


@pytest.mark.slow
def test_pruning_starts_from_the_weights_that_splitting_starts_from(letters, tmp_path):
    """Without a rate of learning, what is not pruned is what it was."""
    given = {"epochs": 1, "dataset": str(letters), "learning_rate": 1e-30}
    config = TrainConfig(method="magnitude", target_sparsity=0.5, **given)
    launch.run(config, tmp_path / "run", quiet=True)
    split = TrainConfig(penalty="l0", target_sparsity=0.5, **given)
    start = Recipe(split, None, 160, False).network()
    for name in ("conv1", "conv3"):
        np.testing.assert_allclose(
            kernel(tmp_path / "run", name), start.get_layer(name).kernel, atol=1e-7
        )
    left, before = kernel(tmp_path / "run"), np.array(start.get_layer("dense").kernel)
    alive = left != 0
    np.testing.assert_allclose(left[alive], before[alive], atol=1e-7)
    assert np.abs(before[~alive]).max() <= np.abs(before[alive]).min() + 1e-7


@pytest.mark.parametrize("options", [[], MAGNITUDE, ["--target-sparsity", "0.9"]])
def test_training_that_diverges_is_no_result(letters, tmp_path, options):
    given = ["--dataset", str(letters), "--output", str(tmp_path / "run"), *options]
    said = refused(train.main, *given, "--learning-rate", "1e30", "--quiet")
    assert "training diverged in epoch 1: " in said
    assert "smaller --learning-rate, it was 1e+30" in said
    assert not {"model.keras", "metrics.json", "history.csv"} & {
        path.name for path in (tmp_path / "run").iterdir()
    }


def test_a_penalty_in_the_loss_makes_weights_small_but_not_zero(letters, tmp_path):
    options = ["--penalty", "tl1", "--a", "1", "--stddev", "0.01", "--optimizer", "sgd"]
    sums = {}
    for lam in ("1e-12", "1e-3"):
        folder = tmp_path / lam
        trained(folder, letters, "--method", "loss", *options, "--lam", lam)
        sums[lam] = np.abs(kernel(folder)).sum()
        assert json.loads((folder / "metrics.json").read_text())["sparsity"] < 1e-4
    assert sums["1e-3"] < 0.99 * sums["1e-12"]


def test_a_penalty_in_the_loss_is_that_of_the_method():
    w = np.array([[0.5, -0.25], [0.0, 2.0]], "float32")
    # By hand, (a+1)|w| / (a+|w|) with a = 1: 2/3, 2/5, 0 and 4/3.
    assert float(Penalized(rvsm.TL1(a=1.0), 0.1)(w)) == pytest.approx(0.24)


def test_a_penalty_in_the_loss_is_saved_and_loaded_with_its_network(tmp_path):
    layer = keras.layers.Dense(2, kernel_regularizer=Penalized(rvsm.TL1(a=1.0), 0.1))
    model = keras.Sequential([keras.Input((3,)), layer])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert float(loaded.losses[0]) == pytest.approx(float(model.losses[0]))


@pytest.mark.slow
def test_the_norm_is_kept_where_that_is_asked_for(letters, tmp_path):
    norms = {}
    for keep in ([], ["--keep-norm"]):
        folder = tmp_path / f"run{len(keep)}"
        given = ["--penalty", "none", "--stddev", "0.02", *keep, "--precision"]
        trained(folder, letters, *given, "float32")
        norms[bool(keep)] = np.linalg.norm(kernel(folder))
    config = TrainConfig(penalty="none", stddev=0.02)
    start = np.linalg.norm(Recipe(config, None, 160, False).network().weights[6])
    assert norms[True] == pytest.approx(start, rel=1e-5)
    assert norms[False] != pytest.approx(start, rel=1e-3)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_rates_fall_to_zero_or_stay(optimizer):
    """A pull that falls with the rate begins twice as high, and adds up to as much."""
    steps, rates, pulls = 20 * 160, {}, {}
    for constant in (False, True):
        config = TrainConfig(optimizer=optimizer, constant_rate=constant)
        model = Recipe(config, None, 160 * config.batch_size, False).whole()
        for step in (0, steps):
            model.optimizer.iterations.assign(step)
            rates[constant, step] = float(model.optimizer.learning_rate)
        if optimizer == "adam":
            pulls[constant] = model.get_config()["kappa"]
    assert rates[True, 0] == rates[True, steps] == rates[False, 0] > 0
    assert rates[False, steps] == 0
    if pulls:
        falling = pulls[False]["config"]["initial_learning_rate"]
        assert falling == pytest.approx(2 * pulls[True])


def test_initial_weights_and_kernels_are_as_asked_for():
    config = TrainConfig(stddev=0.07, kernel_size=5)
    network = Recipe(config, None, 160, False).network()
    assert network.get_layer("conv2").kernel.shape == (5, 5, 32, 32)
    dense = np.asarray(network.get_layer("dense").kernel)
    assert dense.shape == (5408, 128)
    assert dense.std() == pytest.approx(0.07, rel=0.01)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--method", "magnitude"], "--target-sparsity"),
        (["--method", "loss", "--target-sparsity", "0.9"], "--method loss"),
        (["--method", "loss", *SIZE], "--method loss"),
        (
            [*MAGNITUDE, *SIZE],
            "--method magnitude",
        ),
        ([*MAGNITUDE, "--kernel-size", "5"], "--kernel-size"),
        ([*MAGNITUDE, "--split-layers", "conv1"], "--split-layers"),
        ([*MAGNITUDE, "--optimizer", "sgd"], "--optimizer"),
        ([*MAGNITUDE, "--keep-norm"], "--keep-norm"),
        ([*SIZE, "--keep-norm"], "--keep-norm"),
        ([*SIZE, "--constant-rate"], "--constant-rate"),
        ([*MAGNITUDE, "--constant-rate"], "--constant-rate"),
        (["--penalty", "none", "--target-sparsity", "0.9"], "--penalty none"),
        ([*SIZE, "--kernel-size", "5"], "--kernel-size 5"),
        (["--method", "movement"], "movement"),
        (["--stddev", "0"], "--stddev"),
        (["--kernel-size", "0"], "--kernel-size"),
    ],
)
def test_what_does_not_go_together_is_refused(options, named, tmp_path):
    assert named in refused(train.main, *options, "--output", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_run_of_an_earlier_version_resumes_with_what_was_the_only_way(tmp_path):
    claim(tmp_path, TrainConfig(epochs=3))
    file = tmp_path / "config.json"
    found = json.loads(file.read_text())
    del found["method"], found["kernel_size"], found[check.NAME]
    file.write_text(json.dumps(found))
    check_output(tmp_path, TrainConfig(epochs=3), resume=True)
    other = TrainConfig(epochs=3, kernel_size=5)
    with pytest.raises(Exception, match="--kernel-size 3"):
        check_output(tmp_path, other, resume=True)
