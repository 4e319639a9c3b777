"""Temperatures that are known, and models that have one folded in."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax

from export import convert
from pipelines.run.calibration import BOUNDS, calibrate, rescaled, temperature
from pipelines.run.classifier import Classifier
from rvsm_tf.networks import paper_cnn


def answers(rng, count, classes, t, spread=3.0):
    """Probabilities as sure as a network of temperature t gives them, and truths.

    The truths are drawn with the probabilities that it had better given.
    """
    logits = spread * rng.normal(size=(count, classes))
    honest = softmax(logits, axis=1)
    drawn = (honest.cumsum(1) < rng.random((count, 1))).sum(1)
    return softmax(t * logits, axis=1).astype("float32"), drawn


@pytest.mark.parametrize("t", [0.4, 1.0, 1.8, 6.0])
@pytest.mark.parametrize("classes", [2, 5])
def test_a_known_temperature_is_found(t, classes):
    given = answers(np.random.default_rng(0), 20_000, classes, t)
    assert temperature(*given) == pytest.approx(t, rel=0.03)


def test_what_is_found_is_the_least_loss():
    """By brute force, over a fine grid."""
    probabilities, labels = answers(np.random.default_rng(1), 150, 3, 2.5)
    grid = np.geomspace(*BOUNDS, 4001)
    logits = np.log(probabilities.astype("float64"))
    loss = []
    for t in grid:
        p = softmax(logits / t, axis=1)
        likelihood = np.log(p[range(150), labels]).sum()
        loss.append(np.log(t) ** 2 / (2 * 0.5**2) - likelihood)
    assert temperature(probabilities, labels) == pytest.approx(
        grid[np.argmin(loss)], rel=2e-3
    )


@pytest.mark.parametrize("sure", [0.6, 0.9, 0.95])
@pytest.mark.parametrize("count", [20, 1000])
def test_right_answers_alone_make_no_certainty(count, sure):
    """The likelihood alone would make it 100 %, for ever nearer to it."""
    probabilities = np.tile([[sure, 1 - sure]], (count, 1))
    t = temperature(probabilities, np.zeros(count, int))
    after = rescaled(probabilities, t)[0, 0]
    assert sure < after <= (count + 1) / (count + 2) + 1e-4


def test_answers_that_are_sure_enough_already_are_left_alone():
    probabilities = np.tile([[0.0001, 0.9999]], (1000, 1))
    assert temperature(probabilities, np.ones(1000, int)) == 1
    # One wrong answer, and they are too sure.
    assert temperature(probabilities, np.arange(1000) > 0) > 1


def test_few_images_cost_little_and_prior_knowledge_helps():
    """On unseen answers, against the temperature that the likelihood alone prefers."""
    rng, ours, alone = np.random.default_rng(2), 0.0, 0.0
    grid = np.geomspace(*BOUNDS, 200)
    for _ in range(30):
        p, y = answers(rng, 20, 2, 1.5)
        many, truth = answers(rng, 2000, 2, 1.5)
        likelihood = [np.log(rescaled(p, t)[range(20), y]).sum() for t in grid]
        for t in (temperature(p, y), grid[np.argmax(likelihood)]):
            right = np.maximum(rescaled(many, t)[range(2000), truth], 1e-30)
            ours, alone = alone, ours - np.log(right).mean()
    assert ours < alone


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from([0, 1e-30, 0.1, 0.5, 0.9, 1])),
        min_size=1,
        max_size=30,
    )
)
def test_whatever_was_answered(given):
    """With exact zeros and ones, right and wrong, classes missing, a single answer."""
    labels, sure = (np.array(column) for column in zip(*given))
    probabilities = np.stack([sure, (1 - sure) / 2, (1 - sure) / 2], axis=1)
    for p in (probabilities, probabilities.astype("float32")):
        t = temperature(p, labels)
        assert BOUNDS[0] <= t <= BOUNDS[1]
        calibrated = rescaled(p, t)
        assert np.isfinite(calibrated).all()
        np.testing.assert_allclose(calibrated.sum(1), 1)
        np.testing.assert_array_equal(calibrated.argmax(1), p.argmax(1))


@pytest.mark.parametrize("t", [0.05, 0.7, 1.0, 3.0, 20.0])
def test_a_temperature_can_be_taken_out_again(t):
    probabilities, _ = answers(np.random.default_rng(3), 200, 4, 2.0)
    p = probabilities.astype("float64")
    np.testing.assert_allclose(rescaled(rescaled(p, t), 1 / t), p, rtol=1e-6)


def test_a_temperature_is_written_down_as_it_is_used():
    t = temperature(*answers(np.random.default_rng(4), 500, 2, 1.7))
    assert float(f"{t:.4g}") == t


@pytest.mark.parametrize(
    ("probabilities", "labels"), [(np.zeros((0, 2)), []), ([[0.5, 0.5]], [0, 1])]
)
def test_what_tells_nothing_is_refused(probabilities, labels):
    with pytest.raises(ValueError, match="answers"):
        temperature(probabilities, labels)


@pytest.fixture
def network():
    keras.utils.set_random_seed(0)
    model = paper_cnn()
    kernel, bias = model.layers[-1].get_weights()
    kernel[np.abs(kernel) < 0.05] = 0.0  # as if it was split
    model.layers[-1].set_weights([10 * kernel, bias + np.float32([0.3, -0.2])])
    return model


def ink(count):
    rng = np.random.default_rng(5)
    return (rng.random((count, 100, 100, 1)) < 0.05).astype("float32")


@pytest.mark.parametrize("t", [0.3, 1.0, 2.471])
def test_a_folded_model_gives_what_rescaling_would(network, t):
    before, weights = network.predict(ink(30), verbose=0), network.get_weights()
    calibrate(network, t)
    after = network.predict(ink(30), verbose=0)
    np.testing.assert_allclose(after, rescaled(before, t), atol=2e-6)
    np.testing.assert_array_equal(after.argmax(1), before.argmax(1))
    np.testing.assert_allclose(rescaled(after, 1 / t), before, atol=2e-6)
    # The end alone is changed, and its zeros are none the less zero.
    now = network.get_weights()
    for a, b in zip(weights[:-2], now[:-2], strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(weights[-2] == 0, now[-2] == 0)
    assert (now[-2] == 0).any()
    assert not np.signbit(now[-2][now[-2] == 0]).any()


def test_an_exported_file_is_calibrated_too(network, tmp_path):
    pictures = (ink(3) * 255).astype("uint8")
    network.save(tmp_path / "model.keras")
    before = Classifier(tmp_path)(pictures)
    calibrate(network, 2.5)
    network.save(tmp_path / "model.keras")
    convert.run(tmp_path, tmp_path / "out", ("float32",), quiet=True)
    after = Classifier(tmp_path / "out" / "float32.tflite")(pictures)
    np.testing.assert_allclose(after, rescaled(before, 2.5), atol=2e-6)


@pytest.mark.parametrize(
    "end", [keras.layers.Dense(2), keras.layers.Softmax(), keras.layers.Flatten()]
)
def test_a_model_that_ends_otherwise_is_refused(end):
    model = keras.Sequential([keras.Input((4,)), end])
    with pytest.raises(ValueError, match="no dense layer with softmax"):
        calibrate(model, 2.0)
