"""What wrong answers cost in training."""

import numpy as np
import pytest

from pipelines.images.costs import COSTS, costs
from shaky_letters.hands.rendering import RENDERERS


def test_every_renderer_of_training_has_its_costs():
    assert COSTS.keys() == set(RENDERERS)


def test_a_false_alarm_costs_most_where_a_picture_shows_least():
    renderer = np.array(["digit", "digit", "pen", "pen"])
    found = costs(renderer, np.array([0, 1, 0, 1]))
    assert found.dtype == np.float32
    assert found.mean() == pytest.approx(1)
    alarm, missed = COSTS["digit"]
    assert found[0] / found[1] == pytest.approx(alarm / missed)
    assert found[0] == found.max()
    assert found[3] > found[1]


def test_what_training_never_sees_costs_alike():
    np.testing.assert_array_equal(costs(np.array(["fax"] * 2), np.array([0, 1])), 1)
