"""Ways to a small network, compared."""

import pytest

import rvsm_tf as rvsm
from benchmarks import zeros
from tests.commands.refusal import refused


@pytest.mark.parametrize("share", zeros.SHARES)
def test_small_networks_have_no_fewer_weights_than_are_left(share):
    filters, units = zeros.widths(share)
    full = rvsm.networks.tremor_cnn().count_params()
    found = rvsm.networks.tremor_cnn(filters=filters, units=units).count_params()
    # 610 weights, the first kernel's, the output's and the biases, are not split.
    left = 610 + (1 - share) * (full - 610)
    assert left <= found < 1.2 * left


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


def test_rows_that_stand_are_kept_and_not_trained_again(tmp_path):
    kept = [
        {"method": m, "seed": 0, "share": s, "epochs": 8, "weights": 1}
        for m, s in [
            ("dense", None),
            *((m, 0.9) for m in ("rvsm", "rvsm, by size", "rvsm, l1")),
            *((m, 0.9) for m in ("magnitude", "rvsm, structured", "small")),
        ]
    ]
    runs = tmp_path / "runs"
    assert list(zeros.rows_of(0, 8, (0.9,), runs, kept)) == kept
    assert not runs.exists()
