import dataclasses
import itertools

import keras
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from keras import ops

import rvsm_tf as rvsm
from rvsm_tf import penalties
from rvsm_tf.penalties import penalty

PENALTIES = [
    rvsm.L0(),
    rvsm.L1(),
    rvsm.TL1(a=0.01),
    rvsm.TL1(a=0.1),
    rvsm.TL1(a=1.0),
    rvsm.TL1(a=100.0),
    rvsm.MCP(a=0.1),
    rvsm.MCP(a=3.0),
    rvsm.SCAD(a=0.1),
    rvsm.SCAD(a=3.0),
]
STEPS = [1e-6, 5e-3, 0.3, 20.0]
EXTREME = [cls(a=a) for cls in (rvsm.TL1, rvsm.MCP, rvsm.SCAD) for a in (1e-20, 1e20)]

some_penalty = st.one_of(
    st.sampled_from([rvsm.L0(), rvsm.L1()]),
    st.builds(
        lambda cls, e: cls(a=10.0**e),
        st.sampled_from([rvsm.TL1, rvsm.MCP, rvsm.SCAD]),
        st.floats(-4, 4),
    ),
)
some_step = st.floats(-6, 1).map(lambda e: 10.0**e)
some_weights = st.lists(st.floats(-5, 5, width=32), min_size=8, max_size=8)

# The same examples in every run: a red run is about the change that caused it.
repeatable = settings(deadline=None, max_examples=200, derandomize=True)


def values(tensor):
    return ops.convert_to_numpy(ops.cast(tensor, "float32"))


def cost(penalty, u):
    """The cost of each entry in float64, written down a second time."""
    size = np.abs(np.asarray(u, "float64"))
    if isinstance(penalty, rvsm.L0):
        return (size > 0).astype("float64")
    if isinstance(penalty, rvsm.L1):
        return size
    if isinstance(penalty, rvsm.TL1):
        return (penalty.a + 1) * size / (penalty.a + size)
    return size_under(SLOPES[type(penalty)], size, penalty.a)


# d cost / d |w| at |w|, of penalties that are piecewise quadratic.
SLOPES = {
    rvsm.MCP: lambda x, a: max(0, 1 - x / a),
    rvsm.SCAD: lambda x, a: min(1, max(0, (a - x) / (a - a / 3.7))),
}


def size_under(slope, size, a):
    """The integral of a slope that is linear between 0, a/3.7, a and beyond."""
    corners = [0.0, a / 3.7, a, max(2 * a, float(size.max(initial=0)))]
    area = np.zeros_like(size)
    for low, high in itertools.pairwise(corners):
        left, right = slope(low, a), slope(high, a)
        inside = np.clip(size - low, 0, high - low)
        area += inside * (left + (right - left) / (high - low) * inside / 2)
    return area


def objective(penalty, u, w, step):
    return step * cost(penalty, u) + 0.5 * (w - u) ** 2


@repeatable
@given(some_penalty, some_weights, some_step)
@example(rvsm.TL1(a=0.1), [0.0, -0.0, 0.011, -0.011, 1e-30, 5.0, -5.0, 0.1], 1e-3)
def test_prox_minimises_the_objective(penalty, w, step):
    w = np.asarray(w, "float64")
    u = values(penalty.prox(w.astype("float32"), step)).astype("float64")
    # From -1.1 |w| to 1.1 |w|, zero and w itself included.
    grid = np.linspace(-1.1, 1.1, 8801)[:, None] * np.abs(w)
    grid = np.concatenate([grid, np.zeros((1, w.size)), w[None]])
    best = objective(penalty, grid, w, step).min(axis=0)
    # float32 resolves u to a part in 10⁷ of w, and the objective is w²/2 at most.
    allowed = 1e-6 * 0.5 * w**2 + 1e-12
    assert np.all(objective(penalty, u, w, step) <= best + allowed)


@repeatable
@given(some_penalty, some_weights, some_step)
def test_prox_is_odd_and_its_zeros_positive(penalty, w, step):
    w = np.asarray(w, "float32")
    u = values(penalty.prox(w, step))
    np.testing.assert_array_equal(values(penalty.prox(-w, step)), -u)
    assert not np.signbit(u[u == 0]).any()
    assert np.all(np.abs(u) <= np.abs(w))
    assert np.all(np.abs(w[u == 0]) <= float(penalty.threshold(step)) * (1 + 1e-5))


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
def test_the_threshold_is_cut_off_and_what_follows_is_kept(penalty, step):
    t = np.float32(penalty.threshold(step))
    assert t > 0
    following = np.nextafter(t, np.float32(np.inf))
    u = values(penalty.prox(np.array([t, -t, following, -following]), step))
    np.testing.assert_array_equal(u[:2], 0.0)
    if not isinstance(penalty, (rvsm.L0, rvsm.L1)):
        # Both sides of the threshold are minimisers: they cost the same.
        at_zero = 0.5 * float(following) ** 2
        kept = objective(penalty, float(u[2]), float(following), step)
        assert kept == pytest.approx(at_zero, rel=1e-5)
    else:
        assert u[2] > 0
        assert u[3] < 0


@pytest.mark.parametrize(
    ("penalty", "step", "threshold"),
    [
        (rvsm.L0(), 5e-3, 0.1),  # the paper's λ = 5e-4, β = 0.1
        (rvsm.L1(), 5e-3, 0.005),
        (rvsm.TL1(a=1.0), 0.125, 0.25),  # step ≤ a²/(2(a+1)): step (a+1)/a
        (rvsm.TL1(a=1.0), 1.0, 1.5),  # beyond: √(2 step (a+1)) − a/2
        (rvsm.MCP(a=1.0), 0.25, 0.25),  # step < a: the step
        (rvsm.MCP(a=1.0), 4.0, 2.0),  # beyond: √(step a)
        (rvsm.SCAD(a=3.7), 4.0, 4.0),  # step < a + b = 4.7: the step
        (rvsm.SCAD(a=3.7), 10.0, 47**0.5),  # beyond: √(step (a + b))
    ],
    ids=str,
)
def test_thresholds_by_hand(penalty, step, threshold):
    assert float(penalty.threshold(step)) == pytest.approx(threshold, rel=1e-6)


@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
def test_zeros_counts_what_prox_cuts_off(penalty):
    w = np.random.default_rng(0).normal(0, 0.1, (40, 30)).astype("float32")
    u = values(penalty.prox(w, 5e-3))
    assert 0 < int(penalty.zeros(w, 5e-3)) < w.size
    assert int(penalty.zeros(w, 5e-3)) == (u == 0).sum()


@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
def test_weights_that_diverged_are_no_zeros(penalty):
    w = np.array([np.nan, 0.0, 1e-9, -np.nan, 2.0], "float32")
    u = values(penalty.prox(w, 5e-3))
    np.testing.assert_array_equal(np.isnan(u), np.isnan(w))
    assert int(penalty.zeros(w, 5e-3)) == 2
    units = rvsm.Group(penalty, "units")
    u = values(units.prox(np.stack([w, w], axis=0), 5e-3))
    np.testing.assert_array_equal(np.isnan(u), np.isnan([w, w]))


@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
def test_a_step_of_zero_changes_nothing(penalty):
    w = np.array([0.0, 1e-6, -0.5, 3.0], "float32")
    np.testing.assert_array_equal(values(penalty.prox(w, 0.0)), w)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
def test_prox_equals_the_textbook_formula(penalty, step, reference_prox):
    w = np.linspace(-30, 30, 6001).astype("float32")
    w = w[np.abs(np.abs(w) - float(penalty.threshold(step))) > 1e-5]
    expected = reference_prox(penalty, w, step)
    difference = np.abs(values(penalty.prox(w, step)) - expected)
    assert np.all(difference <= 2e-7 * (1 + np.abs(w) + getattr(penalty, "a", 0)))
    assert (expected != 0).any()


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("penalty", PENALTIES + EXTREME, ids=str)
def test_narrow_types_are_float32_rounded_once(penalty, dtype, step):
    rng = np.random.default_rng(1)
    t = float(penalty.threshold(step))
    w = np.concatenate([[0.0, t, -t, 1e-7], rng.normal(0, 2, 500)])
    w = ops.cast(w.astype("float32"), dtype)
    u = penalty.prox(w, step)
    assert keras.backend.standardize_dtype(u.dtype) == dtype
    wide = penalty.prox(ops.cast(w, "float32"), step)
    np.testing.assert_array_equal(values(u), values(ops.cast(wide, dtype)))
    assert np.isfinite(values(u)).all()
    assert not np.signbit(values(u)[values(u) == 0]).any()


def test_what_float16_rounds_to_zero_is_positive_zero():
    w = -ops.cast([0.1], "float16")
    step = np.nextafter(np.float32(np.float16(0.1)), np.float32(0))
    assert float(rvsm.L1().prox(ops.cast(w, "float32"), step)[0]) < 0
    assert not np.signbit(values(rvsm.L1().prox(w, step)))[0]


def test_what_tl1_loses_to_rounding_is_positive_zero():
    penalty = rvsm.TL1(a=1.0)
    t = np.float32(penalty.threshold(5e-3))
    w = -(t * (1 + np.arange(2000) * 1e-7)).astype("float32")
    u = values(penalty.prox(w, 5e-3))
    assert (u == 0).any()
    assert (u < 0).any()
    assert not np.signbit(u[u == 0]).any()


@pytest.mark.parametrize("step", [5e-3, 0.3])
@pytest.mark.parametrize(
    ("a", "limit"), [(1e-6, rvsm.L0()), (1e6, rvsm.L1())], ids=["to L0", "to L1"]
)
def test_tl1_tends_to_its_ends(a, limit, step):
    penalty = rvsm.TL1(a=a)
    t = float(limit.threshold(step))
    assert float(penalty.threshold(step)) == pytest.approx(t, rel=1e-4)
    w = np.linspace(-2, 2, 801).astype("float32")
    w = w[np.abs(np.abs(w) - t) > 1e-3]
    np.testing.assert_allclose(
        values(penalty.prox(w, step)), values(limit.prox(w, step)), atol=1e-4
    )
    assert float(penalty(w)) == pytest.approx(float(limit(w)), rel=1e-4)


@pytest.mark.parametrize("step", [1e-8, 5e-3, 1e6])
@pytest.mark.parametrize("penalty", EXTREME, ids=str)
def test_extreme_a_stays_finite(penalty, step):
    w = np.array([0.0, -0.0, 1e-30, 1e-10, -0.01, 1.0, -1e4], "float32")
    for result in (penalty.prox(w, step), penalty(w), penalty.threshold(step)):
        assert np.isfinite(values(result)).all()


@pytest.mark.parametrize(
    ("penalty", "value"),
    [
        (rvsm.L0(), 3),
        (rvsm.L1(), 4.5),
        (rvsm.TL1(a=1.0), 2 * (1 / 2 + 3 / 4 + 0.5 / 1.5)),
        (rvsm.TL1(a=0.5), 1.5 * (1 / 1.5 + 3 / 3.5 + 0.5 / 1.0)),
        (rvsm.MCP(a=2.0), 3 / 4 + 1 + 7 / 16),  # of 1, 3 and 0.5
        (rvsm.SCAD(a=3.7), 1 + (4.7 / 2 - 0.49 / 5.4) + 0.5),
    ],
    ids=str,
)
def test_values_by_hand(penalty, value):
    w = np.array([[0.0, -1.0], [3.0, 0.5]], "float32")
    assert float(penalty(w)) == pytest.approx(value, rel=1e-6)
    assert float(penalty(ops.cast(w, "bfloat16"))) == pytest.approx(value, rel=1e-6)
    assert float(penalty(np.zeros(5))) == 0


@pytest.mark.parametrize(
    ("name", "arguments", "penalty"),
    [
        ("l0", {}, rvsm.L0()),
        ("l1", {}, rvsm.L1()),
        ("tl1", {"a": 0.1}, rvsm.TL1(a=0.1)),
        ("mcp", {"a": 0.1}, rvsm.MCP(a=0.1)),
        ("scad", {}, rvsm.SCAD(a=1.0)),
        (rvsm.TL1(a=3.0), {}, rvsm.TL1(a=3.0)),
    ],
)
def test_get(name, arguments, penalty):
    assert penalties.get(name, **arguments) == penalty


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("l2", {}, "unknown penalty 'l2'.*l0, l1, mcp, scad, tl1"),
        (None, {}, "unknown penalty None"),
        ("l0", {"a": 0.1}, "'l0' takes no argument 'a'"),
        ("tl1", {"b": 0.1}, "'tl1' takes no argument 'b'"),
        (rvsm.TL1(a=3.0), {"a": 3.0}, "has its arguments already"),
        ("tl1", {"a": -1}, "a must be a positive, finite number, got -1"),
    ],
)
def test_get_says_what_is_wrong(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        penalties.get(name, **arguments)


@pytest.mark.parametrize("a", [0, -0.1, float("nan"), float("inf"), True, "1", None])
@pytest.mark.parametrize("cls", [rvsm.TL1, rvsm.MCP, rvsm.SCAD])
def test_a_shape_is_a_positive_number(cls, a):
    with pytest.raises(ValueError, match="positive, finite number, got"):
        cls(a=a)


def test_a_penalty_of_one_s_own_is_found_and_saved_under_its_name(monkeypatch):
    # It is gone again afterwards.
    monkeypatch.setattr(penalty, "_REGISTERED", dict(penalty._REGISTERED))

    @penalties.register("log-sum")
    @dataclasses.dataclass(frozen=True)
    class LogSum(rvsm.Penalty):
        a: float = 1.0

        def threshold(self, step):
            return ops.cast(step, "float32") / self.a

        def cost(self, size):
            return ops.log(1 + size / self.a)

        def kept(self, size, step):
            root = ops.sqrt(ops.maximum((size + self.a) ** 2 / 4 - step, 0.0))
            return (size - self.a) / 2 + root

    assert "log-sum" in penalties.names()
    assert penalties.parameters("log-sum") == ("a",)
    assert penalties.get("log-sum", a=2.0) == LogSum(a=2.0)
    config = keras.saving.serialize_keras_object(LogSum(a=2.0))
    assert keras.saving.deserialize_keras_object(config) == LogSum(a=2.0)
    with pytest.raises(ValueError, match="the penalty 'l0' is L0 already"):
        penalties.register("l0")(LogSum)


def test_penalties_compare_by_value_and_cannot_change():
    assert rvsm.TL1(a=0.1) == rvsm.TL1(a=0.1) != rvsm.TL1(a=0.2)
    assert rvsm.L0() == rvsm.L0() != rvsm.L1()
    assert len({rvsm.TL1(a=0.1), rvsm.TL1(a=0.1), rvsm.L0()}) == 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        rvsm.TL1(a=0.1).a = 1


@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
def test_penalties_survive_serialisation(penalty):
    config = keras.saving.serialize_keras_object(penalty)
    assert config["registered_name"] == f"rvsm_tf>{type(penalty).__name__}"
    assert keras.saving.deserialize_keras_object(config) == penalty
