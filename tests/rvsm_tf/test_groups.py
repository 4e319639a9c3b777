import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st
from keras import layers, ops
from keras.optimizers import SGD, Adam

import rvsm_tf as rvsm
from rvsm_tf import splitting as splitting_module

PENALTIES = [rvsm.L0(), rvsm.L1(), rvsm.TL1(a=0.1), rvsm.TL1(a=10.0)]
# Ways to divide, each with a shape that it divides.
DENSE = [
    ("units", (6, 4)),
    ("inputs", (6, 4)),
    (("channels", 3), (12, 4)),
    ((4, 1), (12, 3)),
    ((2, 3), (4, 6)),
    ((1, 1), (3, 4)),
]
CONV = [("units", (3, 3, 2, 4)), ("inputs", (3, 3, 2, 4)), ("units", (2, 3, 5))]
KINDS = DENSE + CONV

some_penalty = st.one_of(
    st.sampled_from([rvsm.L0(), rvsm.L1()]),
    st.floats(-4, 4).map(lambda e: rvsm.TL1(a=10.0**e)),
)
some_step = st.floats(-6, 1).map(lambda e: 10.0**e)
repeatable = settings(deadline=None, max_examples=150, derandomize=True)


@st.composite
def some_division(draw):
    """Groups, and a shape that they divide."""
    a, b, c, d = (draw(st.integers(1, 4)) for _ in range(4))
    dense = draw(st.sampled_from(["units", "inputs", "channels", "block"]))
    if dense == "channels":
        return ("channels", a), (a * b, c)
    if dense == "block":
        return (a, b), (a * c, b * d)
    return dense, draw(st.sampled_from([(a, b), (c, a, b), (c, d, a, b)]))


def values(tensor):
    return ops.convert_to_numpy(ops.cast(tensor, "float32"))


def index_sets(shape, groups):
    """The indices of each group, entry by entry and without any reshaping."""
    sets = {}
    for index in itertools.product(*map(range, shape)):
        if groups == "units":
            group = index[-1]
        elif groups == "inputs":
            group = index[-2]
        elif groups[0] == "channels":
            group = index[0] % groups[1]
        else:
            group = index[0] // groups[0], index[1] // groups[1]
        sets.setdefault(group, []).append(index)
    return list(sets.values())


def parts(w, groups):
    """The entries of each group, in float64."""
    w = np.asarray(w, "float64")
    return [np.array([w[i] for i in s]) for s in index_sets(w.shape, groups)]


def single(penalty, r):
    """The cost of a single entry, written down a second time."""
    if isinstance(penalty, rvsm.L0):
        return (r > 0).astype("float64")
    if isinstance(penalty, rvsm.L1):
        return r
    return (penalty.a + 1) * r / (penalty.a + r)


def cost(penalty, group):
    """The cost of one group, or of many: the entries lie along the last axis."""
    n = group.shape[-1]
    return n * single(penalty, np.sqrt((group**2).sum(-1) / n))


def objective(penalty, u, w, step):
    return step * cost(penalty, u) + 0.5 * ((w - u) ** 2).sum(-1)


def weights(shape, seed=0, scale=0.3):
    return np.random.default_rng(seed).normal(0, scale, shape).astype("float32")


def spread(shape, groups, seed=0):
    """Weights whose groups have root mean squares from 0.01 to 1."""
    w, sets = weights(shape, seed), index_sets(shape, groups)
    for r, indices in zip(np.linspace(0.01, 1, len(sets)), sets, strict=True):
        factor = r / np.sqrt(np.mean([w[i] ** 2 for i in indices]))
        for i in indices:
            w[i] *= factor
    return w


# The operator


@repeatable
@given(
    some_penalty,
    some_step,
    some_division(),
    st.integers(0, 10**6),
    st.floats(-3, 1).map(lambda e: 10.0**e),
)
@example(rvsm.TL1(a=0.1), 5e-3, ((16, 1), (32, 2)), 0, 0.1)
def test_prox_minimises_the_objective(penalty, step, division, seed, scale):
    groups, shape = division
    rng = np.random.default_rng(seed)
    w = weights(shape, seed, scale)
    w[rng.random(shape) < 0.2] = 0
    u = rvsm.Group(penalty, groups).prox(w, step)
    for a, b in zip(parts(w, groups), parts(u, groups), strict=True):
        ray = np.linspace(-0.1, 1.1, 4801)[:, None] * a
        size = np.linalg.norm(a) * 2.0 ** rng.uniform(-20, 1, (300, 1))
        around = b + rng.normal(size=(300, a.size)) * size / np.sqrt(a.size)
        elsewhere = rng.normal(size=(300, a.size)) * size / np.sqrt(a.size)
        some = b * (rng.random((50, a.size)) < 0.7)  # a few entries left out
        others = np.concatenate([ray, around, elsewhere, some, [0 * a, a]])
        best = objective(penalty, others, a, step).min()
        allowed = 1e-6 * 0.5 * (a**2).sum() + 1e-12
        assert objective(penalty, b, a, step) <= best + allowed


@pytest.mark.parametrize(("groups", "shape"), KINDS, ids=str)
@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
def test_value(penalty, groups, shape):
    w = weights(shape)
    for i in index_sets(shape, groups)[0]:
        w[i] = 0
    expected = sum(cost(penalty, part) for part in parts(w, groups))
    assert float(rvsm.Group(penalty, groups)(w)) == pytest.approx(expected, rel=1e-5)
    assert float(rvsm.Group(penalty, groups)(np.zeros(shape))) == 0


@pytest.mark.parametrize(("groups", "shape"), KINDS, ids=str)
@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
def test_equal_entries_cost_what_single_weights_do(penalty, groups, shape):
    group, w = rvsm.Group(penalty, groups), np.full(shape, -0.4, "float32")
    assert float(group(w)) == pytest.approx(float(penalty(w)), rel=1e-6)
    np.testing.assert_allclose(
        values(group.prox(w, 0.02)), values(penalty.prox(w, 0.02)), rtol=1e-6
    )
    assert float(group.threshold(0.02)) == float(penalty.threshold(0.02))


@pytest.mark.parametrize(("groups", "shape"), KINDS, ids=str)
def test_group_lasso(groups, shape):
    step, w = 0.3, spread(shape, groups)
    group = rvsm.Group(rvsm.L1(), groups)
    u = values(group.prox(w, step))
    lasso = 0
    zero = []
    for s in index_sets(shape, groups):
        a = np.array([w[i] for i in s], "float64")
        norm, root = np.linalg.norm(a), np.sqrt(a.size)
        lasso += root * norm
        expected = max(1 - step * root / norm, 0) * a  # Yuan and Lin (2006)
        zero.append(not expected.any())
        np.testing.assert_allclose([u[i] for i in s], expected, atol=1e-6)
    assert any(zero)
    assert not all(zero)
    assert float(group(w)) == pytest.approx(lasso, rel=1e-5)


@pytest.mark.parametrize(("groups", "shape"), KINDS, ids=str)
@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
def test_a_group_is_zero_when_its_root_mean_square_is_cut_off(penalty, groups, shape):
    step, w = 0.02, spread(shape, groups)
    group = rvsm.Group(penalty, groups)
    u = values(group.prox(w, step))
    threshold, dead = float(group.threshold(step)), 0
    for before, after in zip(parts(w, groups), parts(u, groups), strict=True):
        r = np.sqrt((before**2).mean())
        if r <= threshold:
            assert not after.any()
            dead += before.size
        else:
            assert (after != 0).all()
    assert 0 < dead < w.size
    assert int(group.zeros(w, step)) == dead == (u == 0).sum()
    assert not np.signbit(u[u == 0]).any()
    if isinstance(penalty, rvsm.L0):
        np.testing.assert_array_equal(u[u != 0], w[u != 0])


@pytest.mark.parametrize("step", [0.0, 1e-3, 0.05, 2.0])
@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
def test_groups_of_one_are_single_weights(penalty, step):
    w = weights((20, 30))
    w[0, :5] = 0, -0.0, 1e-30, -1e-30, 1e10
    group = rvsm.Group(penalty, (1, 1))
    u, expected = values(group.prox(w, step)), values(penalty.prox(w, step))
    np.testing.assert_array_equal(u == 0, expected == 0)
    np.testing.assert_allclose(u, expected, rtol=2e-7)
    assert int(group.zeros(w, step)) == int(penalty.zeros(w, step))
    assert float(group(w)) == pytest.approx(float(penalty(w)), rel=1e-6)


def test_orders_of_magnitude():
    w = np.array([[0, -0.0, -0.0], [3e-30, -4e-30, 0], [3e25, 0, -4e25]], "float32")
    for penalty in PENALTIES:
        group = rvsm.Group(penalty, "inputs")
        np.testing.assert_allclose(values(group.prox(w, 0.0)), w, rtol=1e-6)
        u = values(group.prox(w, 1e-3))
        assert np.isfinite(u).all()
        np.testing.assert_array_equal(u[:2], 0)
        np.testing.assert_allclose(u[2], w[2], rtol=1e-6)
        assert not np.signbit(u[u == 0]).any()
        assert np.isfinite(float(group(w[:2])))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize(("groups", "shape"), KINDS, ids=str)
@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
def test_narrow_types_are_float32_rounded_once(penalty, groups, shape, dtype):
    group = rvsm.Group(penalty, groups)
    w = spread(shape, groups)
    w.flat[0], w.flat[-1] = -1e-7, -0.0
    w = ops.cast(w, dtype)
    u = group.prox(w, 0.02)
    assert keras.backend.standardize_dtype(u.dtype) == dtype
    wide = group.prox(ops.cast(w, "float32"), 0.02)
    np.testing.assert_array_equal(values(u), values(ops.cast(wide, dtype)))
    assert not np.signbit(values(u)[values(u) == 0]).any()
    assert 0 < (values(u) == 0).mean() < 1
    value = float(group(w))
    assert value == pytest.approx(float(group(ops.cast(w, "float32"))), rel=1e-6)


def test_float16_does_not_overflow():
    w = np.full((64, 2), 6e4, "float16")
    u = rvsm.Group(rvsm.L0(), "units").prox(w, 1.0)
    np.testing.assert_array_equal(u, w)


@pytest.mark.slow
@pytest.mark.parametrize(("groups", "shape"), KINDS, ids=str)
def test_compiled_with_xla(groups, shape):
    w = spread(shape, groups)
    for penalty in PENALTIES:
        group = rvsm.Group(penalty, groups)

        @tf.function(jit_compile=True)
        def compiled(w, step, group=group):
            return group.prox(w, step), group(w), group.zeros(w, step)

        u, value, zeros = compiled(tf.constant(w), tf.constant(0.02))
        np.testing.assert_allclose(u, group.prox(w, 0.02), rtol=1e-5)
        assert float(value) == pytest.approx(float(group(w)), rel=1e-5)
        assert int(zeros) == int(group.zeros(w, 0.02))


# Arguments


@pytest.mark.parametrize(
    ("groups", "kept"),
    [
        ("units", "units"),
        ("channels", "channels"),
        (["channels", 32], ("channels", 32)),
        ([16, 1], (16, 1)),
        ((np.int64(4), np.int32(2)), (4, 2)),
    ],
)
def test_groups_are_made_canonical(groups, kept):
    group = rvsm.Group(rvsm.L0(), groups)
    assert group.groups == kept
    assert group == rvsm.Group(rvsm.L0(), kept)
    assert len({group, rvsm.Group(rvsm.L0(), kept)}) == 1
    assert group != rvsm.Group(rvsm.L1(), kept)


@pytest.mark.parametrize(
    "groups",
    [
        *("filters", "", None, 16, 1.5, (), (16,), (16, 1, 1), (0, 1), (16, -1)),
        *((True, 2), (2.0, 1), ("channels", 0), ("channels", True), ("units", 3)),
        *(("channels", "32"), {"channels": 32}, np.ones((2, 2))),
    ],
    ids=str,
)
def test_wrong_groups_are_quoted(groups):
    with pytest.raises(ValueError, match=r"groups must be .*\(16, 1\), got ") as e:
        rvsm.Group(rvsm.L0(), groups)
    assert repr(groups) in str(e.value)


@pytest.mark.parametrize(
    "penalty", ["l0", rvsm.L0, None, rvsm.Group(rvsm.L0(), "units")], ids=str
)
def test_wrong_penalties_are_quoted(penalty):
    with pytest.raises(ValueError, match=r"penalty must be one of single.*got ") as e:
        rvsm.Group(penalty, "units")
    assert repr(penalty) in str(e.value)


@pytest.mark.parametrize(
    ("groups", "shape", "message"),
    [
        ("units", (5,), r"'units' need .* two or more dimensions, got shape \(5,\)"),
        ((16, 1), (24, 3), r"shape \(24, 3\) does not divide into blocks of 16 × 1"),
        ((4, 2), (24, 3), r"shape \(24, 3\) does not divide into blocks of 4 × 2"),
        ((1, 1), (3, 3, 2, 4), r"kernel \(inputs, units\).*got shape \(3, 3, 2, 4\)"),
        (("channels", 5), (24, 3), r"\(24, 3\) has 24 rows, no multiple of 5 channels"),
        (("channels", 2), (3, 3, 2, 4), r"got shape \(3, 3, 2, 4\)"),
        ("channels", (24, 3), r"RVSM.*groups=\('channels', 32\)"),
    ],
)
def test_kernels_that_cannot_be_divided(groups, shape, message):
    group, w = rvsm.Group(rvsm.L0(), groups), np.ones(shape, "float32")
    for use in (group, lambda w: group.prox(w, 1.0), lambda w: group.zeros(w, 1.0)):
        with pytest.raises(ValueError, match=message):
            use(w)


def test_the_public_names_are_one():
    assert rvsm.Group is rvsm.penalties.Group
    group = rvsm.Group(rvsm.L0(), "units")
    assert rvsm.penalties.get(group) is group


@pytest.mark.parametrize("groups", ["units", "channels", ("channels", 8), (16, 1)])
def test_serialisation(groups):
    group = rvsm.Group(rvsm.TL1(a=0.3), groups)
    config = keras.saving.serialize_keras_object(group)
    assert config["registered_name"] == "rvsm_tf>Group"
    assert keras.saving.deserialize_keras_object(config) == group


# In a network


def convolutional(between=(), flatten=None, channels=4, name="net"):
    """6×6 images, some channels, a Dense layer of five units behind them."""
    return keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            layers.Conv2D(channels, 3, activation="relu", name="conv"),
            flatten or layers.Flatten(name="flatten"),
            *between,
            layers.Dense(5, activation="relu", name="dense"),
            layers.Dense(2, name="out"),
        ],
        name=name,
    )


def functional():
    x = keras.Input((6, 6, 1))
    h = layers.Conv2D(4, 3, name="conv")(x)
    side = layers.Dense(3, name="side")(layers.Flatten()(x))
    h = layers.Dropout(0.1)(layers.ReLU()(layers.Flatten()(h)))
    h = layers.Dense(5, name="dense")(h)
    return keras.Model(x, layers.Concatenate(name="both")([h, side]), name="net")


def nested_before():
    """The Flatten is at the end of an inner model."""
    inner = keras.Sequential(
        [keras.Input((6, 6, 1)), layers.Conv2D(4, 3), layers.Flatten()], name="inner"
    )
    x = keras.Input((6, 6, 1))
    return keras.Model(x, layers.Dense(5, name="dense")(inner(x)), name="net")


def nested_behind():
    """The Dense layer is at the beginning of an inner model."""
    x = keras.Input((64,))
    head = keras.Model(x, layers.Dense(5, name="dense")(layers.Dropout(0.1)(x)))
    return keras.Sequential(
        [keras.Input((6, 6, 1)), layers.Conv2D(4, 3), layers.Flatten(), head],
        name="net",
    )


def built_later():
    net = keras.Sequential(
        [layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(5, name="dense")]
    )
    net(np.zeros((1, 6, 6, 1)))
    return net


@pytest.mark.parametrize(
    "make",
    [
        convolutional,
        lambda: convolutional([layers.Activation("relu"), layers.Dropout(0.5)]),
        lambda: convolutional([layers.BatchNormalization(), layers.PReLU()]),
        lambda: convolutional([layers.Flatten(name="again")]),
        lambda: convolutional(flatten=layers.Reshape((64,))),
        functional,
        nested_before,
        nested_behind,
        built_later,
        lambda: keras.models.clone_model(functional()),
        lambda: rvsm.RVSM(convolutional(), {"conv": rvsm.L0()}, 0.1, 0.1).harden(),
    ],
)
def test_channels_come_from_the_network(make):
    split = {"*dense": rvsm.Group(rvsm.L0(), "channels")}
    (resolved,) = rvsm.Splitting(make(), split, 0.1, 0.1).splits
    assert resolved.penalty == rvsm.Group(rvsm.L0(), ("channels", 4))
    assert [tuple(w.shape) for w in resolved.kernels] == [(64, 5)]


def test_channels_are_what_a_flatten_makes_of_feature_maps():
    """A map that is always zero is worth nothing, and neither are its rows."""
    net = convolutional()
    u = rvsm.Group(rvsm.L0(), ("channels", 4)).prox(
        np.repeat([[0.01], [1], [1], [1]] * 16, 5, axis=1).astype("float32"), 0.1
    )
    images = weights((3, 6, 6, 1))
    first = keras.Sequential([net.layers[0], layers.Flatten()])
    maps, flat = net.layers[0](images), values(first(images))
    np.testing.assert_array_equal(
        flat[:, (values(u) == 0).all(axis=1)], values(maps[..., 0]).reshape(3, 16)
    )


def test_channels_first_are_flattened_to_the_end():
    x = keras.Input((4, 3, 3))
    h = layers.Flatten(data_format="channels_first")(x)
    net = keras.Model(x, layers.Dense(5, name="dense")(h))
    split = {"dense": rvsm.Group(rvsm.L0(), "channels")}
    (resolved,) = rvsm.Splitting(net, split, 0.1, 0.1).splits
    assert resolved.penalty.groups == ("channels", 4)


def test_layers_behind_different_channels_share_a_lam():
    split = {
        "[ds]*e*": (rvsm.Group(rvsm.L0(), "channels"), rvsm.TargetSparsity(0.5, 4)),
        "conv": rvsm.L0(),
    }
    net = functional()
    splitting = rvsm.Splitting(net, split, 0.1, 0.1)
    found = {s.kernels[0].path: (s.penalty, s.lam.name) for s in splitting.splits}
    assert found == {
        "dense/kernel": (rvsm.Group(rvsm.L0(), ("channels", 4)), "lam_[ds]*e*"),
        "side/kernel": (rvsm.Group(rvsm.L0(), ("channels", 1)), "lam_[ds]*e*"),
        "conv/kernel": (rvsm.L0(), "lam"),
    }
    assert list(splitting.lams()) == ["lam", "lam_[ds]*e*"]


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.flatten, self.dense = layers.Flatten(), layers.Dense(5, name="dense")

    def call(self, x):
        return self.dense(self.flatten(x))


def subclassed():
    net = Subclassed()
    net(np.zeros((1, 6, 6, 4)))
    return net


def two_branches():
    x = keras.Input((6, 6, 2))
    h = layers.Concatenate()([layers.Flatten()(x), layers.Flatten()(x)])
    return keras.Model(x, layers.Dense(5, name="dense")(h))


def behind(*stack):
    return keras.Sequential(
        [keras.Input((6, 6, 4)), *stack, layers.Dense(5, name="dense")]
    )


def an_operation():
    x = keras.Input((6, 6, 2))
    h = ops.flip(layers.Flatten()(x), axis=1)
    return keras.Model(x, layers.Dense(5, name="dense")(h))


@pytest.mark.parametrize(
    ("make", "groups", "message"),
    [
        (lambda: behind(layers.GlobalAveragePooling2D()), "channels", "a Flatten"),
        (
            lambda: behind(layers.Flatten(), layers.Dense(144, name="mixes")),
            "channels",
            "a Flatten",
        ),
        (behind, "channels", "a Flatten"),
        (subclassed, "channels", "a Flatten"),
        (two_branches, "channels", "a Flatten"),
        (an_operation, "channels", r"or say .* groups=\('channels', 32\)"),
        (convolutional, ("channels", 3), "64 rows, no multiple of 3"),
        (convolutional, (48, 1), r"\(64, 5\) does not divide into blocks of 48 × 1"),
    ],
)
def test_what_does_not_fit_the_network_is_named(make, groups, message):
    net = make()
    for cls in (rvsm.Splitting, rvsm.RVSM):
        with pytest.raises(ValueError, match=f"^dense: .*{message}"):
            cls(net, {"dense": rvsm.Group(rvsm.L0(), groups)}, 0.1, 0.1)


def test_what_does_not_fit_a_convolution_is_named():
    net = keras.Sequential(
        [
            keras.Input((8, 8, 4)),
            layers.DepthwiseConv2D(3, name="depthwise"),
            layers.Conv2D(6, 3, groups=2, name="grouped"),
            layers.Conv2DTranspose(5, 3, name="transposed"),
        ]
    )
    for layer, groups, message in [
        ("depthwise", "units", "depthwise .* its groups are 'inputs'"),
        ("grouped", "inputs", "spread over 2 groups"),
        ("grouped", "channels", r"got shape \(3, 3, 2, 6\): a convolution has 'units'"),
        ("grouped", (2, 2), r"got shape \(3, 3, 2, 6\)"),
    ]:
        with pytest.raises(ValueError, match=f"^{layer}: .*{message}"):
            rvsm.Splitting(net, {layer: rvsm.Group(rvsm.L0(), groups)}, 0.1, 0.1)
    # (3, 3, 5, 6): five outputs, six inputs.
    for groups, number in ("units", 5), ("inputs", 6):
        split = {"transposed": rvsm.Group(rvsm.L0(), groups)}
        (s,) = rvsm.Splitting(net, split, 0.1, 0.1).splits
        ones = np.ones((3, 3, 5, 6), "float32")
        few = np.where(np.arange(5)[:, None] < 1, 0, ones) if number == 5 else ones
        zero = int(s.penalty.zeros(few, 0.01))
        assert zero == (3 * 3 * 6 if groups == "units" else 0)


@pytest.fixture
def images():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(24, 6, 6, 1)).astype("float32")
    return x, (x.mean(axis=(1, 2)) * [[1.0, -1.0]]).astype("float32")


def compiled(model, optimizer=None, **arguments):
    model.compile(optimizer or SGD(0.1), "mse", jit_compile=False, **arguments)
    return model


LAYERED = {
    "conv": rvsm.Group(rvsm.L0(), "units"),
    "dense": (rvsm.Group(rvsm.TL1(a=0.1), "channels"), 0.02),
    "out": rvsm.Group(rvsm.L1(), (5, 1)),
}


@pytest.mark.parametrize("xla", [False, True])
def test_units_die_in_training_and_are_counted(images, xla):
    net = convolutional(name="net")
    rng = np.random.default_rng(0)
    kernel = rng.normal(0, 0.3, (64, 5)) * [0.02, 1, 0.03, 1, 1]
    net.get_layer("dense").kernel.assign(kernel)
    split = {"dense": rvsm.Group(rvsm.L0(), "units")}
    model = rvsm.RVSM(net, split, lam=1e-3, beta=0.1, kappa=0.5)
    model.compile(SGD(0.02), "mse", jit_compile=xla)
    history = model.fit(
        *images, epochs=4, batch_size=6, verbose=0, callbacks=[rvsm.RVSMCallback()]
    ).history
    sparse = model.harden()
    rows = {k.path.split("/")[-2]: k for k in rvsm.summarize(sparse).kernels}
    row = rows["dense"]
    assert (row.zero_units, row.zero_inputs, row.zeros) == (2, 0, 128)
    assert history["sparsity"][-1] == model.splitting.sparsity() == 0.4
    assert np.isfinite(history["lagrangian"]).all()
    u = sparse.get_layer("dense").kernel.numpy()
    assert not np.signbit(u[u == 0]).any()
    # The pull has left next to nothing of them in w, too.
    w = net.get_layer("dense").kernel.numpy()
    dead, alive = (np.linalg.norm(w[:, i], axis=0) for i in ([0, 2], [1, 3, 4]))
    assert dead.max() < 0.01 * alive.min()


def test_a_step_by_hand(images):
    net = convolutional()
    split = {"dense": rvsm.Group(rvsm.L1(), "channels")}
    model = compiled(rvsm.RVSM(net, split, 0.03, 0.5, kappa=0.3), SGD(0.0))
    before = net.get_layer("dense").kernel.numpy().astype("float64")
    u = np.zeros_like(before)
    for c in range(4):
        part = before[c::4]
        r = np.sqrt((part**2).mean())
        u[c::4] = part * max(1 - 0.06 / r, 0)
    model.train_on_batch(*images)
    after = net.get_layer("dense").kernel.numpy()
    np.testing.assert_allclose(after, before - 0.3 * (before - u), atol=1e-6)


@pytest.mark.parametrize("xla", [False, True])
def test_what_belongs_to_a_unit_follows_it(images, xla):
    """Biases, and the scale and shift behind: pulled with it, zero with it."""
    net = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(4, 3, padding="same", bias_initializer="ones", name="conv"),
            layers.BatchNormalization(beta_initializer="ones", name="norm"),
            layers.Flatten(),
            layers.Dense(3, bias_initializer="ones", name="dense"),
        ]
    )
    conv, norm, dense = (net.get_layer(n) for n in ("conv", "norm", "dense"))
    conv.kernel.assign(np.ones((3, 3, 1, 4)) * [1, 0.1, 1, 0.1])
    dense.kernel.assign(np.ones((256, 3)) * [0.1, 1, 1])
    group = rvsm.Group(rvsm.L0(), "units")
    split = {"conv": group, "dense": group}
    model = rvsm.RVSM(net, split, lam=0.125, beta=1.0, kappa=0.25)  # cut off at 0.5
    model.compile(SGD(0.0), "mse", jit_compile=xla)
    x = np.zeros((2, 8, 8, 1), "float32")
    model.train_on_batch(x, np.zeros((2, 3)))
    for v in (conv.bias, norm.gamma, norm.beta):
        np.testing.assert_allclose(v.numpy(), [1, 0.75, 1, 0.75], atol=1e-6)
    np.testing.assert_allclose(dense.bias.numpy(), [0.75, 1, 1], atol=1e-6)
    kept = net.get_weights()
    sparse = model.harden()
    for v in (sparse.get_layer("conv").bias, *sparse.get_layer("norm").weights[:2]):
        assert (v.numpy() == 0).tolist() == [False, True, False, True]
        assert not np.signbit(v.numpy()).any()
    assert (sparse.get_layer("dense").bias.numpy() == 0).tolist() == [
        True,
        False,
        False,
    ]
    for a, b in zip(kept, net.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)  # hardening a copy left them alone
    assert rvsm.compact(sparse).get_layer("conv").filters == 2


def normalized(make=None, axis=-1):
    """A convolution with a normalization behind it, and something behind that."""
    stack = [
        keras.Input((8, 8, 1)),
        layers.Conv2D(8, 3, padding="same", name="conv"),
        layers.BatchNormalization(axis, name="norm", beta_initializer="ones"),
        layers.ReLU(),
        layers.Conv2D(2, 3, padding="same", name="out"),
    ]
    return (make or keras.Sequential)(stack)


def added(stack):
    net = keras.Sequential()
    for layer in stack:
        net.add(layer)
    return net


def chained(stack):
    x = y = stack[0]
    for layer in stack[1:]:
        y = layer(y)
    return keras.Model(x, y)


def beside_another(stack):
    net = chained(stack)
    conv = net.get_layer("conv")
    keras.Model(net.inputs, layers.ReLU()(conv.output))
    return net


def nested(stack):
    inner, x = chained(stack), keras.Input((8, 8, 1))
    return keras.Model(x, inner(x))


def reloaded(stack):
    net = keras.Sequential(stack)
    return keras.Sequential.from_config(net.get_config())


@pytest.mark.parametrize(
    "make", [None, added, chained, beside_another, nested, reloaded]
)
def test_a_normalization_is_found_however_the_network_was_made(make):
    splitting = rvsm.Splitting(
        normalized(make), {"conv": rvsm.Group(rvsm.L0(), "units")}, 1e-3, 0.1
    )
    ((followers,),) = (split.followers for split in splitting.splits)
    assert [v.path.split("/")[-1] for v in followers] == ["bias", "gamma", "beta"]


def test_after_saving_and_loading_the_same_is_cut(tmp_path):
    group = rvsm.Group(rvsm.L0(), "units"), rvsm.TargetSparsity(0.5, 1)
    model = rvsm.RVSM(normalized(), {"conv": group}, 0, 0.1, 0.1)
    model.compile(Adam(1e-3), "mse")
    x = np.random.default_rng(0).normal(size=(4, 8, 8, 1))
    model.fit(x, np.zeros((4, 8, 8, 2)), verbose=0)
    model.save(tmp_path / "model.keras")
    for one in (model, keras.models.load_model(tmp_path / "model.keras")):
        assert rvsm.compact(one.harden()).get_layer("conv").filters == 4


def shared_normalization(stack):
    norm, x = layers.BatchNormalization(name="norm"), stack[0]
    both = [norm(layers.Conv2D(8, 3, name=name)(x)) for name in ("conv", "other")]
    return keras.Model(x, layers.Add()(both))


def read_elsewhere(stack):
    y = stack[1](stack[0])
    return keras.Model(stack[0], [stack[2](y), y])


@pytest.mark.parametrize(
    ("make", "axis"), [(None, 1), (shared_normalization, -1), (read_elsewhere, -1)]
)
def test_a_normalization_of_something_else_is_left_alone(make, axis):
    net = normalized(make, axis)
    group = rvsm.Group(rvsm.L0(), "units")
    splitting = rvsm.Splitting(net, {"conv": group}, 1e6, 0.1)
    splitting.harden()
    assert (net.get_layer("conv").kernel.numpy() == 0).all()
    assert (net.get_layer("norm").gamma.numpy() == 1).all()


@pytest.mark.parametrize("how", ["twice", "told to train"])
def test_a_normalization_inside_a_model_is_followed_however_that_is_used(how):
    inner = keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            layers.Conv2D(2, 3, padding="same", name="conv"),
            layers.BatchNormalization(name="norm"),
        ]
    )
    start = keras.Input((8, 8, 2))
    x = inner(inner(start)) if how == "twice" else inner(start, training=True)
    net = keras.Model(start, x)
    group = rvsm.Group(rvsm.L0(), "units")
    rvsm.Splitting(net, {"*conv": group}, 1e6, 0.1).harden()
    assert (inner.get_layer("conv").kernel.numpy() == 0).all()
    assert (inner.get_layer("norm").gamma.numpy() == 0).all()


def test_only_whole_units_are_followed():
    net = convolutional()
    split = {
        "conv": rvsm.Group(rvsm.L0(), "inputs"),
        "dense": rvsm.Group(rvsm.L0(), (4, 1)),
        "out": rvsm.L0(),
    }
    for name in split:
        bias = net.get_layer(name).bias
        bias.assign(np.ones(bias.shape))
    splitting = rvsm.Splitting(net, split, lam=1e6, beta=0.1)
    splitting.harden()
    assert splitting.sparsity() == 1
    for name in split:
        assert (net.get_layer(name).bias.numpy() == 1).all()


@pytest.mark.filterwarnings(
    "ignore:the sparse model is all zero from the start",
    "ignore:TargetSparsity.* takes 12 steps",
)
@pytest.mark.parametrize("lam", [1e-3, rvsm.TargetSparsity(0.5, 12, every=3)], ids=str)
def test_saved_in_the_middle_of_training(images, tmp_path, lam):
    x, y = images
    fit = {"batch_size": 6, "shuffle": False, "verbose": 0}
    model = compiled(rvsm.RVSM(convolutional(), LAYERED, lam, 0.1), Adam(0.01))
    model.fit(x, y, epochs=2, **fit)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert [(s.key, s.penalty) for s in loaded.splitting.splits] == [
        ("conv", LAYERED["conv"]),
        ("dense", rvsm.Group(rvsm.TL1(a=0.1), ("channels", 4))),
        ("out", LAYERED["out"]),
    ]
    assert loaded.get_config()["split"] == model.get_config()["split"]
    for m in (model, loaded):
        m.fit(x, y, epochs=2, **fit)
    for a, b in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert loaded.splitting.sparsity() == model.splitting.sparsity()
    assert 0 < model.splitting.sparsity() < 1


@pytest.mark.slow
@pytest.mark.parametrize("target", [0, 0.5, 0.77, 1])
@pytest.mark.parametrize(
    ("penalty", "groups", "size"),
    [
        (rvsm.L0(), "units", 64),
        (rvsm.TL1(a=0.1), "inputs", 50),
        (rvsm.TL1(a=10.0), ("channels", 8), 400),
        (rvsm.L1(), (16, 1), 16),
    ],
    ids=str,
)
def test_a_target_is_met_up_to_one_group(penalty, target, groups, size):
    keras.utils.set_random_seed(1)
    net = keras.Sequential([keras.Input((64,)), layers.Dense(50, name="dense")])
    x, y = weights((32, 64)), weights((32, 50), seed=1)
    lam = rvsm.TargetSparsity(target, 6, every=2)
    model = rvsm.RVSM(net, {"dense": rvsm.Group(penalty, groups)}, lam, 0.1)
    compiled(model, Adam(0.01)).fit(x, y, batch_size=4, verbose=0)
    kernel = model.harden().get_layer("dense").kernel.numpy()
    zeros = (kernel == 0).mean()
    assert target - size / 3200 < zeros <= target
    assert model.splitting.sparsity() == pytest.approx(zeros)
    assert (zeros * 3200) % size == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("groups", ["units", "inputs", ("channels", 32), (16, 1)])
def test_a_chosen_lam_cuts_off_the_same_groups_however_compiled(groups):
    """A share that whole groups make up exactly, at the edge of the next group."""
    w = tf.constant(weights((1024, 64), scale=0.1))
    group = rvsm.Group(rvsm.TL1(a=0.1), groups)
    target = rvsm.TargetSparsity(0.75, 1)
    beta = tf.constant(0.1)
    lam = splitting_module._solve(target, tf.constant(1), beta, (group,), (w,))
    (pull,) = splitting_module._pulls(group, [w], lam / beta, tf.constant(1.0))
    for u in (values(group.prox(w, lam / beta)), values(w - pull)):
        assert (u == 0).mean() == 0.75
