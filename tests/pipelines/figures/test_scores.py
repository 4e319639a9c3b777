"""Figures of a classifier, against counting by hand and by brute force."""

import dataclasses
import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve

from pipelines.figures.scores import calibration, newcombe, scores, wilson

NAMES = ("regular", "shaky")


def two(shaky):
    """Probabilities of both classes from those of the second."""
    return np.stack([1 - np.asarray(shaky), np.asarray(shaky)], axis=1)


def pairs_won(positive, negative):
    won = [(a > b) + (a == b) / 2 for a, b in itertools.product(positive, negative)]
    return sum(won) / len(won)


def test_counts_by_hand():
    found = scores([1, 1, 1, 0, 0], two([0.9, 0.6, 0.2, 0.4, 0.7]), NAMES)
    assert found.confusion == [[1, 1], [1, 2]]
    assert found.accuracy == 3 / 5
    (shaky,) = found.classes
    assert shaky.label == "shaky"
    assert shaky.sensitivity == 2 / 3
    assert shaky.specificity == 1 / 2
    # 0.9 is above both, 0.6 above 0.4 alone, 0.2 above none.
    assert shaky.auc == pytest.approx(3 / 6)
    # Downwards: 0.9 ours, 0.7 not, 0.6 ours, 0.4 not, 0.2 ours.
    third, half = 1 / 3, 1 / 2
    corners = [(0, 0), (0, third), (half, third), (half, 2 * third), (1, 2 * third)]
    np.testing.assert_allclose(shaky.roc, [*corners, (1, 1)])
    # (0.1² + 0.4² + 0.8² + 0.4² + 0.7²) / 5
    assert found.calibration.brier == pytest.approx(1.46 / 5)
    assert found.persons is None


def test_more_than_two_classes_are_each_told_from_the_rest():
    labels = np.array([0, 0, 1, 1, 2, 2])
    probabilities = np.array(
        [
            *([0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.1, 0.8, 0.1]),
            *([0.3, 0.4, 0.3], [0.1, 0.2, 0.7], [0.5, 0.1, 0.4]),
        ]
    )
    found = scores(labels, probabilities, "abc")
    assert found.confusion == [[1, 1, 0], [0, 2, 0], [1, 0, 1]]
    assert [c.label for c in found.classes] == ["a", "b", "c"]
    assert [c.sensitivity for c in found.classes] == [1 / 2, 1, 1 / 2]
    assert [c.specificity for c in found.classes] == [3 / 4, 3 / 4, 1]
    for k, one in enumerate(found.classes):
        ours = labels == k
        expected = pairs_won(probabilities[ours, k], probabilities[~ours, k])
        assert one.auc == pytest.approx(expected)
    whole = np.square(probabilities - np.eye(3)[labels]).sum(1).mean()
    assert found.calibration.brier == pytest.approx(whole)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(0, 8), st.integers(0, 4)),
        min_size=1,
        max_size=25,
    ),
    st.booleans(),
)
def test_whatever_is_measured(answers, known):
    """With ties, without one of the classes, with a single person."""
    labels, eighths, who = (np.array(column) for column in zip(*answers))
    found = scores(labels, two(eighths / 8), NAMES, who if known else None)
    (shaky,) = found.classes
    both = labels.any() and not labels.all()
    assert (shaky.auc is None) == (shaky.roc is None) == (not both)
    if both:
        expected = pairs_won(eighths[labels], eighths[~labels])
        assert shaky.auc == pytest.approx(expected)
        roc = np.array(shaky.roc)
        assert (np.diff(roc, axis=0) >= 0).all()
        assert roc[0].tolist() == [0, 0]
        assert roc[-1].tolist() == [1, 1]
        area = (np.diff(roc[:, 0]) * (roc[1:, 1] + roc[:-1, 1])).sum() / 2
        assert area == pytest.approx(shaky.auc)
    figures = [(found.accuracy, found.accuracy_interval)]
    for name in ("sensitivity", "specificity", "auc"):
        figures.append((getattr(shaky, name), getattr(shaky, f"{name}_interval")))
    for value, interval in figures:
        if value is None:
            assert interval is None
        elif interval is None:
            assert known
        else:
            low, high = interval
            assert -1e-12 <= low <= high <= 1 + 1e-12
            assert low < high or known
    assert sum(b.count for b in found.calibration.reliability) == len(labels)
    # Strict JSON: nothing in it is NaN or infinite.
    json.dumps(dataclasses.asdict(found), allow_nan=False)


def test_wilson_s_interval():
    """Newcombe 1998, "Two-sided confidence intervals", table I, method 3."""
    published = {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0.0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }
    for (right, count), interval in published.items():
        found = wilson(right / count, count)
        assert found == pytest.approx(interval, abs=5e-5)
        scipy = binomtest(right, count).proportion_ci(method="wilson")
        assert found == pytest.approx((scipy.low, scipy.high))


@pytest.mark.parametrize("auc", [0.0, 0.03, 0.5, 0.83, 0.99, 1.0])
@pytest.mark.parametrize(("m", "n"), [(1, 1), (5, 40), (300, 300)])
def test_newcombe_s_interval_holds_what_is_1_96_deviations_away(auc, m, n):
    theta = np.linspace(0, 1, 200_001)
    q1, q2 = theta / (2 - theta), 2 * theta**2 / (1 + theta)  # Hanley and McNeil
    rest = (m + n) / 2 - 1
    variance = theta * (1 - theta) + rest * (q1 + q2 - 2 * theta**2)
    near = np.abs(theta - auc) <= 1.959964 * np.sqrt(variance / (m * n)) + 1e-12
    low, high = newcombe(auc, m, n)
    assert low == pytest.approx(theta[near].min(), abs=2e-5)
    assert high == pytest.approx(theta[near].max(), abs=2e-5)


def test_perfect_answers_leave_doubt():
    labels = np.arange(40) % 2
    found = scores(labels, two(0.1 + 0.8 * labels), NAMES)
    (shaky,) = found.classes
    # Wilson's for k of k: k / (k + 1.96²).
    z = 1.959964**2
    assert found.accuracy_interval == pytest.approx((40 / (40 + z), 1))
    assert shaky.sensitivity_interval == pytest.approx((20 / (20 + z), 1))
    assert 0.8 < shaky.auc_interval[0] < 0.95
    # By two persons of each class: no more than four images.
    found = scores(labels, two(0.1 + 0.8 * labels), NAMES, np.arange(40) % 4)
    (shaky,) = found.classes
    assert found.persons == 4
    assert found.accuracy_interval == pytest.approx((4 / (4 + z), 1))
    assert shaky.specificity_interval == pytest.approx((2 / (2 + z), 1))
    assert shaky.auc_interval == newcombe(1.0, 2, 2)


def drawn_by_persons(rng, persons, images):
    """Labels, probabilities and persons; who writes tells more than the image."""
    who = np.repeat(np.arange(persons), images)
    labels = who % 2
    hand = rng.normal(size=persons)[who] + 0.3 * rng.normal(size=len(who))
    return labels, two(1 / (1 + np.exp(-hand - 2.4 * (labels - 0.5)))), who


@pytest.mark.slow
def test_intervals_over_persons_hold_the_truth_19_times_in_20():
    """And intervals that take all images for independent do not."""
    spread = math.hypot(1, 0.3)
    right = 0.5 * (1 + math.erf(1.2 / spread / math.sqrt(2)))
    # P(N(1.2, s²) > N(−1.2, s²)), but for pairs of one person, of which there are none.
    auc = 0.5 * (1 + math.erf(2.4 / spread / 2))
    rng, rounds = np.random.default_rng(0), 100
    held = {"accuracy": 0, "sensitivity": 0, "specificity": 0, "auc": 0, "naive": 0}
    for _ in range(rounds):
        drawn = drawn_by_persons(rng, 40, 10)
        found = scores(*drawn[:2], NAMES, drawn[2])
        (shaky,) = found.classes
        naive = scores(*drawn[:2], NAMES).accuracy_interval
        for name, truth, (low, high) in (
            ("accuracy", right, found.accuracy_interval),
            ("sensitivity", right, shaky.sensitivity_interval),
            ("specificity", right, shaky.specificity_interval),
            ("auc", auc, shaky.auc_interval),
            ("naive", right, naive),
        ):
            held[name] += low <= truth <= high
    assert held.pop("naive") < 0.75 * rounds
    # One standard error is 2.2 %; 20 persons of a class are few for a share near 90 %.
    assert all(0.88 * rounds <= n for n in held.values()), held


@pytest.mark.parametrize("apart", [1.0, 2.5])
def test_intervals_of_independent_images_hold_the_truth_too(apart):
    rng, rounds, held = np.random.default_rng(1), 200, 0
    truth = 0.5 * (1 + math.erf(apart / 2))
    labels = np.arange(60) % 2
    for _ in range(rounds):
        logit = rng.normal(size=60) + apart * labels
        (shaky,) = scores(labels, two(1 / (1 + np.exp(-logit))), NAMES).classes
        low, high = shaky.auc_interval
        held += low <= truth <= high
    assert 0.91 * rounds <= held <= 0.99 * rounds, held


def test_persons_who_draw_alike_count_as_one_image_each():
    """Ten times the same image tells no more than once: the interval stays."""
    rng = np.random.default_rng(3)
    labels, probabilities, who = drawn_by_persons(rng, 30, 1)
    once = scores(labels, probabilities, NAMES, who)
    often = scores(
        *(np.repeat(x, 10, axis=0) for x in (labels, probabilities)),
        NAMES,
        np.repeat(who, 10),
    )
    assert often.accuracy_interval == pytest.approx(once.accuracy_interval)
    (a,), (b,) = once.classes, often.classes
    # Newcombe's N counts images, in terms that matter little.
    assert b.auc_interval == pytest.approx(a.auc_interval, abs=0.003)
    assert b.sensitivity_interval == pytest.approx(a.sensitivity_interval)


def test_the_same_answers_have_the_same_figures_whatever_persons_are_called():
    labels, probabilities, who = drawn_by_persons(np.random.default_rng(4), 12, 5)
    names = np.array([f"person {i:02}" for i in who])
    by_number = scores(labels, probabilities, NAMES, who)
    assert by_number == scores(labels, probabilities, NAMES, names)
    assert by_number.persons == 12


def test_one_person_s_images_have_no_interval():
    found = scores([0, 1, 1], two([0.2, 0.3, 0.8]), NAMES, ["me"] * 3)
    assert found.accuracy == 2 / 3
    assert found.accuracy_interval is None
    assert found.classes[0].sensitivity_interval is None
    # All right, by one who may stand for all: Wilson's, of one in one.
    assert found.classes[0].specificity_interval == wilson(1.0, 1)


@pytest.mark.parametrize("classes", [2, 5])
def test_bins_are_scikit_learn_s(classes):
    rng = np.random.default_rng(5)
    probabilities = softmax(2 * rng.normal(size=(500, classes)), axis=1)
    labels = rng.integers(0, classes, 500)
    found = calibration(labels, probabilities)
    # Theirs go from 0 to 1.
    low = 1 / classes
    sure = probabilities.max(1)
    accuracy, confidence = calibration_curve(
        probabilities.argmax(1) == labels, (sure - low) / (1 - low), n_bins=10
    )
    full = [b for b in found.reliability if b.count]
    np.testing.assert_allclose([b.accuracy for b in full], accuracy)
    np.testing.assert_allclose(
        [b.confidence for b in full], low + confidence * (1 - low)
    )
    error = sum(b.count * abs(b.accuracy - b.confidence) for b in full) / 500
    assert found.error == pytest.approx(error)


def test_the_calibration_error_by_hand():
    # Four answers with 80 %, three right; two with 60 %, none right.
    probabilities = two([0.8, 0.8, 0.8, 0.8, 0.6, 0.6])
    found = calibration([1, 1, 1, 0, 0, 0], probabilities)
    assert found.error == pytest.approx((4 * 0.05 + 2 * 0.6) / 6)


@pytest.mark.parametrize(
    ("labels", "probabilities", "persons"),
    [
        ([], np.zeros((0, 2)), None),
        ([0, 1], two([0.5]), None),
        ([0], np.ones((1, 3)) / 3, None),
        ([0, 1], two([0.5, 0.5]), ["a"]),
    ],
)
def test_what_does_not_fit_is_refused(labels, probabilities, persons):
    with pytest.raises(ValueError, match="labels"):
        scores(labels, probabilities, NAMES, persons)
