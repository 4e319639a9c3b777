"""Ways to a small network, compared."""

import pytest

import rvsm_tf as rvsm
from benchmarks import zeros
from tests.commands.refusal import refused


@pytest.mark.parametrize("share", zeros.SHARES)
def test_small_networks_have_about_as_many_weights_as_are_left(share):
    filters, units = zeros.widths(share)
    full = rvsm.networks.tremor_cnn().count_params()
    found = rvsm.networks.tremor_cnn(filters=filters, units=units).count_params()
    assert found == pytest.approx((1 - share) * full, rel=0.35)


def test_the_page_says_by_how_much_splitting_is_ahead():
    def row(method, seed, accuracy):
        share = None if method == "dense" else 0.9
        splits = dict.fromkeys(zeros.SPLITS, accuracy)
        return dict(method=method, seed=seed, share=share, weights=1234, **splits)

    rows = [row("dense", 0, 0.95), row("dense", 1, 0.93)]
    for method, two in (
        ("rvsm", (0.92, 0.9)),
        ("magnitude", (0.91, 0.905)),
        ("small", (0.9, 0.85)),
    ):
        rows += [row(method, seed, value) for seed, value in enumerate(two)]
    text = zeros.text(rows, 8)
    assert "| rvsm | 1,234 | 91.00 (90.00 to 92.00)" in text
    assert "- 90%: magnitude +1.00 -0.50, small +2.00 +5.00" in text


def test_shares_that_are_none_are_refused(tmp_path):
    line = refused(zeros.main, "--shares", "0.9;0.95", "--output", tmp_path)
    assert "0.9;0.95" in line
