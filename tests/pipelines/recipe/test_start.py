"""How large the first weights are: as far as the pull alone reaches."""

import numpy as np
import pytest

import rvsm_tf as rvsm
from pipelines.recipe import start
from pipelines.recipe.recipe import Recipe
from pipelines.run.config import TrainConfig

STEP = 0.005  # λ/β of the paper: ℓ0's threshold is 0.1, ℓ1's 0.005


@pytest.mark.parametrize("pull", [1.0, 8.0, 16.0])
def test_l0_pulls_nothing_that_is_above_its_threshold(pull):
    assert start.reach(rvsm.L0(), STEP, pull) == pytest.approx(0.1)


@pytest.mark.parametrize("pull", [1.0, 8.0, 16.0])
def test_l1_pulls_every_weight_at_the_same_speed(pull):
    """By w - u = t above the threshold t: it takes 1 to go t further down."""
    reach = start.reach(rvsm.L1(), STEP, pull)
    assert reach == pytest.approx((1 + pull) * STEP, rel=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("a", [0.01, 0.1, 1.0, 100.0])
def test_a_weight_within_reach_vanishes_and_one_beyond_stays(a):
    penalty, pull, parts = rvsm.TL1(a=a), 8.0, 1500
    reach = start.reach(penalty, STEP, pull)
    w = reach * np.array([0.97, 1.03], "float32")
    for _ in range(parts):
        w -= pull / parts * (w - np.asarray(penalty.prox(w, STEP)))
    threshold = float(penalty.threshold(STEP))
    assert w[0] <= threshold < w[1]


@pytest.mark.parametrize(
    ("given", "low", "high"),
    [
        ({"penalty": "l0"}, 0.05, 0.07),
        ({"penalty": "l0", "lam": 5e-2}, 0.5, 0.7),
        ({"penalty": "l1"}, 0.04, 0.06),
        ({"penalty": "l1", "optimizer": "sgd"}, 0.001, 0.04),
        ({"penalty": "l0", "lam": 0.0}, 0.1, 0.1),
        ({"penalty": "none"}, 0.1, 0.1),
        ({"penalty": "l0", "target_sparsity": 0.9}, 0.03, 0.03),
        ({"method": "magnitude", "target_sparsity": 0.9}, 0.03, 0.03),
        ({"stddev": 0.07}, 0.07, 0.07),
    ],
)
def test_the_first_weights_suit_what_is_trained(given, low, high):
    network = Recipe(TrainConfig(**given), None, 5000, False).network()
    found = np.asarray(network.get_layer("dense").kernel).std()
    assert low * 0.99 <= found <= high * 1.01
