"""Shares by what was drawn, against counting by hand."""

import numpy as np
import pytest

from pipelines.figures import curves

KNOWN = {
    "tremor_amplitude": np.array([0.9, 0.9, 0.9, 0.9, 3.0, 3.0]),
    "tremor_hz": np.array([4.0, 4.0, 4.0, 4.0, 7.0, 7.0]),
    "pen_width": np.array([2.0, 2.0, 2.0, 2.0, 6.0, 6.0]),
    "renderer": np.array(["pen", "pen", "grey", "grey", "pen", "pen"]),
    "kind": np.array(["letter"] * 6),
}
LABEL = np.array([0, 1, 0, 1, 0, 1])
CALLED = np.array([0, 1, 1, 0, 0, 1], bool)


def test_rows_are_what_is_counted_by_hand():
    rows = curves.curves(KNOWN, LABEL, CALLED)["rows"]
    counted = {
        (r["by"], r.get("value", r.get("low")), r["label"]): (r["n"], r["called_shaky"])
        for r in rows
    }
    assert counted == {
        ("tremor_amplitude", 0.8, 1): (2, 0.5),
        ("tremor_amplitude", 2.5, 1): (1, 1.0),
        ("tremor_hz", 3.5, 1): (2, 0.5),
        ("tremor_hz", 6.5, 1): (1, 1.0),
        ("pen_width", 1.5, 0): (2, 0.5),
        ("pen_width", 1.5, 1): (2, 0.5),
        ("pen_width", 5.5, 0): (1, 0.0),
        ("pen_width", 5.5, 1): (1, 1.0),
        ("renderer", "pen", 0): (2, 0.0),
        ("renderer", "pen", 1): (2, 1.0),
        ("renderer", "grey", 0): (1, 1.0),
        ("renderer", "grey", 1): (1, 0.0),
        ("kind", "letter", 0): (3, pytest.approx(1 / 3)),
        ("kind", "letter", 1): (3, pytest.approx(2 / 3)),
    }
    # Wilson's interval for one of two, from his formula by hand.
    (row,) = (r for r in rows if r["by"] == "tremor_hz" and r["low"] == 3.5)
    z, n = 1.959964, 2
    half = z / (1 + z**2 / n) * np.sqrt(0.25 / n + z**2 / (4 * n**2))
    assert row["interval"] == pytest.approx((0.5 - half, 0.5 + half), abs=1e-5)


def test_amplitudes_are_those_that_the_drawings_were_found_by():
    rng = np.random.default_rng(0)
    amplitude = np.exp(rng.uniform(np.log(0.8), np.log(5), 20_000))
    # Found in half of the cases at 1.3, and in nine of ten at 1.3 · 9^(1/4) = 2.25.
    chance = 1 / (1 + (1.3 / amplitude) ** 4)
    found = curves.found_amplitudes(amplitude, rng.random(20_000) < chance)
    assert found["0.5"] == pytest.approx(1.3, rel=0.03)
    assert found["0.9"] == pytest.approx(1.3 * 9**0.25, rel=0.06)


def test_what_is_never_found_so_often_has_no_amplitude():
    amplitude = np.linspace(0.8, 5, 4000)
    found = np.random.default_rng(0).random(4000) < 0.7
    assert curves.found_amplitudes(amplitude, found)["0.9"] is None
    assert "beyond what was drawn in 90%" in curves.text(
        {"rows": [], "amplitudes": {"0.5": 0.9, "0.9": None}}
    )
