"""The last layers of a network, fitted to somebody's own drawings."""

import json

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pipelines import evaluate, train
from pipelines.run import committed
from pipelines.run.model import read_model
from pipelines.training import head
from tests.commands.refusal import refused
from tests.pipelines.collection import folders


def blobs(classes, n=90, features=6, seed=0):
    """Features of overlapping classes, of different sizes and places."""
    rng = np.random.default_rng(seed)
    label = np.arange(n) % classes
    x = rng.normal(label[:, None] * rng.uniform(-1, 1, features), 1.0, (n, features))
    return (3 + 5 * x * rng.uniform(0.1, 2, features)).astype("float32"), label


def network(features=6, classes=3, units=8):
    image = keras.Input((features,))
    hidden = keras.layers.Dense(units, activation="relu", name="dense")
    last = keras.layers.Dense(classes, activation="softmax", name="probabilities")
    return keras.Model(image, last(hidden(image))), hidden, last


@pytest.mark.parametrize("classes", [2, 3])
def test_a_regression_is_that_of_scikit_learn(classes):
    x, label = blobs(classes)
    theirs = make_pipeline(StandardScaler(), LogisticRegression(C=0.3, max_iter=2000))
    theirs.fit(x, label)
    ours = head.fitted(x, label, 0.3).probabilities(x)
    np.testing.assert_allclose(ours, theirs.predict_proba(x), atol=1e-4)


@pytest.mark.parametrize("classes", [2, 3])
def test_the_last_two_layers_are_a_regression_on_features(classes):
    x, label = blobs(classes)
    net, hidden, last = network(classes=classes)
    found = head.fitted(x, label, 1.0)
    head._replace(hidden, last, found)
    said = net.predict(x, verbose=0)
    np.testing.assert_allclose(said, found.probabilities(x), atol=1e-5)
    kernel = np.asarray(hidden.kernel)
    assert (kernel[:, 2 * classes :] == 0).all()
    assert np.count_nonzero(kernel) == 2 * classes * 6


def test_the_last_layer_is_a_regression_on_the_answer():
    x, label = blobs(2)
    net, _, last = network(classes=2)
    own = keras.Model(net.input, last.input).predict(x, verbose=0)
    own = own @ np.asarray(last.kernel) + np.asarray(last.bias)
    found = head.fitted(own, label, 1.0)
    head._rescale(last, found)
    said = net.predict(x, verbose=0)
    np.testing.assert_allclose(said, found.probabilities(own), atol=1e-4)


def test_nobody_is_fitted_to_who_is_told_about():
    """Features that say who it is tell in-sample everything, and of others nothing."""
    person = np.repeat(np.arange(12), 5)
    label, x = person % 2, np.eye(12)[person]
    inside = head.fitted(x, label, 1.0).probabilities(x)
    assert (inside.argmax(1) == label).all()
    told = head.unseen(x, label, person, 1.0, seed=0)
    # Somebody else's column is constant in the fit: what is left is the classes' share.
    for one in range(12):
        assert np.ptp(told[person == one], axis=0).max() < 1e-9
    assert head._loss(told, label) > 0.6


def test_where_nobody_can_be_left_out_nothing_is_told():
    x, label = blobs(2)
    told = head.unseen(x, label, np.where(label, 0, np.arange(90)), 1.0, seed=0)
    assert np.isnan(told).all()
    assert head._loss(told, label) == float("inf")


@pytest.fixture(scope="module")
def drawings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own") / "letters"
    folders.class_folders(folder, 8, 2, np.random.default_rng(0))
    return folder


@pytest.fixture(scope="module")
def run(drawings, tmp_path_factory):
    """A run with nothing but the folder given: where it is, and what was printed."""
    folder = tmp_path_factory.mktemp("runs") / "own"
    options = ["--dataset", str(drawings), "--output", str(folder)]
    result = CliRunner().invoke(train.main, options)
    assert result.exit_code == 0, result.output
    return folder, result.output


def test_all_but_the_last_layers_is_the_committed_network(run):
    ours, theirs = (read_model(f / "model.keras") for f in (run[0], committed.RUN))
    pairs = list(zip(ours.layers, theirs.layers, strict=True))
    for one, other in pairs[:-2]:
        for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    assert "the last layers are fitted to" in run[1]


def test_the_run_is_one_like_any_other(run, drawings):
    metrics = json.loads((run[0] / "metrics.json").read_text("utf-8"))
    assert metrics["sparsity"] > 0.8
    assert metrics["epochs"] == 1
    result = evaluate.run(run[0])
    assert result["accuracy"] == metrics["test_accuracy"]
    again = CliRunner().invoke(
        train.main, ["--dataset", str(drawings), "--output", str(run[0]), "--resume"]
    )
    assert again.exit_code == 0, again.output


def test_what_does_not_go_with_it_is_refused(drawings, tmp_path):
    own = "--dataset", drawings, "--output", tmp_path / "new", "--tune", "head"
    assert "--tune head does not know --epochs" in refused(
        train.main, *own, "--epochs", 3
    )
    assert "--tune head does not know --target-sparsity" in refused(
        train.main, *own, "--target-sparsity", 0.9
    )
    assert "leave out --from none" in refused(train.main, *own, "--from", "none")
    assert "drawings of your own" in refused(
        train.main, "--dataset", "hands", "--tune", "head"
    )
    assert "--distribute mirrored" in refused(
        train.main, *own, "--distribute", "mirrored"
    )
