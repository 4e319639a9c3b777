"""What is called shaky by amplitude, pen and renderer."""

import numpy as np
import pytest

from benchmarks import hands
from pipelines.figures.scores import wilson
from pipelines.run import committed
from pipelines.run.classifier import Classifier
from shaky_letters.hands import rendering, strangers


@pytest.fixture(scope="module")
def drawings():
    return hands.drawn(("test", "pen", 20))


@pytest.fixture(scope="module")
def rows(drawings):
    networks = {"sparse": Classifier(committed.file())}
    return hands.rows_of(("test", "pen", 20), drawings, networks)


def test_there_is_every_renderer_pen_and_amplitude(drawings):
    assert set(hands.SPLITS["test"]) == set(rendering.RENDERERS)
    assert set(hands.SPLITS["test_unseen"]) == set(strangers.RENDERERS)
    assert list(drawings) == [(p, a) for p in hands.PENS for a in hands.AMPLITUDES]
    assert {1.0, 8.0} <= set(hands.PENS)
    assert {0.0, 1.0, 1.5} <= set(hands.AMPLITUDES)


@pytest.mark.parametrize(
    ("split", "renderer"), [("test", "grey"), ("test_unseen", "fax")]
)
def test_a_drawing_depends_on_what_is_asked_for_alone(split, renderer):
    one, same, other = (
        hands.drawing(split, renderer, 2.0, amplitude, 5) for amplitude in (1.5, 1.5, 3)
    )
    np.testing.assert_array_equal(one.picture, same.picture)
    assert (one.picture != other.picture).any()
    assert set(np.unique(one.picture)) == {0, 255}


@pytest.mark.parametrize(
    ("split", "renderer"), [("test", "pen"), ("test_unseen", "stamp")]
)
def test_the_ink_is_the_farther_off_the_larger_the_tremor(split, renderer):
    means = [
        np.mean([hands.drawing(split, renderer, 2.0, a, i).off for i in range(15)])
        for a in (0.0, 1.5, 5.0)
    ]
    assert means == sorted(means)
    assert means[-1] > 2 * means[0]


def test_ink_is_off_that_is_away_from_the_other_s():
    meant = np.zeros((128, 128, 1), "uint8")
    meant[:, 60] = 255
    picture = np.zeros_like(meant)
    picture[:, 61] = 255  # a pixel beside it
    assert hands._off(picture, meant) == 0
    picture[:32, 61], picture[:32, 64] = 0, 255  # a quarter of it, four pixels
    assert hands._off(picture, meant) == pytest.approx(0.25, abs=0.02)


def test_rows_are_those_of_the_page(rows):
    keys = ["split", "method", "seed", "amplitude", "pen_width", "renderer"]
    assert all(list(row) == [*keys, "n", "called_shaky"] for row in rows)
    cells = len(hands.PENS) * len(hands.AMPLITUDES)
    assert [r["method"] for r in rows] == [hands.INFORMED] * cells + ["sparse"] * cells
    found = {
        (row["method"], row["amplitude"]): row["called_shaky"]
        for row in rows
        if row["pen_width"] == 2
    }
    for method in (hands.INFORMED, "sparse"):
        assert found[method, 0.0] <= 0.05  # one of twenty
        assert found[method, 5.0] >= 0.7


def test_the_page_sums_up_by_amplitude_and_pen(rows):
    said = hands.text([*rows, *(row | {"split": "test_unseen"} for row in rows)])
    some = [r for r in rows if (r["method"], r["amplitude"]) == ("sparse", 1.5)]
    share = np.mean([row["called_shaky"] for row in some])
    low, high = wilson(share, 20 * len(hands.PENS))
    assert f"| {share:.1%} ({low:.1%} to {high:.1%}) |" in said
    assert said.count("## `test`") == said.count("## `test_unseen`") == 5
