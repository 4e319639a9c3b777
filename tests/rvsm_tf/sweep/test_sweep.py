"""Every kind of network, and every way to train it, against Keras's own training.

One list of cases, on each of Keras's backends (see `test_backends`): each network as
it is, and each feature of Keras with a network or two.
"""

import numpy as np
import pytest

import rvsm_tf as rvsm
from tests.rvsm_tf.sweep.training import (
    BACKEND,
    Case,
    assert_close,
    cases,
    measured,
    weights,
)

# What TensorFlow's graphs are compared with; a few steps take less time so.
EAGER = {"run_eagerly": BACKEND == "tensorflow", "jit_compile": False}


@cases
def test_without_a_penalty_training_is_that_of_keras(case, tmp_path):
    def wrap(net):
        return case.rvsm(net, rvsm.TL1(a=0.1), 0.0, 0.1, 0.1)

    ours = {} if case.feature else EAGER
    own, _ = case.train(lambda net: net, tmp_path / "own", validates=False, **EAGER)
    model, _ = case.train(wrap, tmp_path / "ours", validates=False, **ours)
    expected, found = weights(own), weights(model.net)
    assert expected.keys() == found.keys()
    for path, value in expected.items():
        assert_close(found[path], value, case.of_feature.rtol, path)


@measured
def test_what_is_measured_is_what_harden_returns(case, tmp_path):
    network, feature = case.of_network, case.of_feature
    start = {}

    def wrap(net):
        start.update(weights(net))
        return case.rvsm(net, rvsm.L0(), feature.lam)

    model, logs = case.train(wrap, tmp_path / "ours")
    x, y, rtol = network.x, network.y, feature.rtol
    predicted = model.predict(x, batch_size=8, verbose=0)
    measure = {"x": x, "y": y, "batch_size": 8, "verbose": 0, "return_dict": True}
    if network.validates:
        expected = model.evaluate(**measure)
        for name, values in logs.items():
            if name.startswith("val_"):
                last = feature.logged(values)
                assert_close(expected[name.removeprefix("val_")], last, rtol, name)
    dense = weights(model.net)
    split = [w for _, w in model.splitting.kernels]

    if network.uncopyable is None:
        sparse = model.harden()
        assert not isinstance(sparse, rvsm.RVSM)
        for path, value in dense.items():
            np.testing.assert_array_equal(weights(model.net)[path], value)
    else:
        with pytest.raises(ValueError, match=network.uncopyable):
            model.harden()
        model.splitting.harden()
        sparse = model.net
    # Graphs round half precision less often.
    case.compile(sparse, **(EAGER if feature.policy == "float32" else {}))
    assert_close(sparse.predict(x, batch_size=8, verbose=0), predicted, rtol)
    if network.validates:
        assert_close(sparse.evaluate(**measure), expected, rtol)

    found = weights(sparse)
    assert found.keys() == dense.keys()
    paths = [w.path.rpartition(f"{model.net.name}/")[2] for w in split]
    zeros = np.concatenate([found[path].ravel() == 0 for path in paths])
    assert 0.4 < zeros.mean() <= 0.5 or "constraint" in case.network
    for path in found.keys() - set(paths):
        np.testing.assert_array_equal(found[path], dense[path])
    for path, value in start.items():
        if any(part in path for part in network.frozen):
            np.testing.assert_array_equal(found[path], value)
            assert path not in paths
    summary = rvsm.summarize(sparse)
    assert summary.weights == sum(w.size for w in found.values())
    assert summary.zeros == sum((w == 0).sum() for w in found.values())
    rows = {k.path.rpartition(f"{sparse.name}/")[2]: k.zeros for k in summary.kernels}
    assert set(rows) <= found.keys()
    for path, count in rows.items():
        assert count == (found[path] == 0).sum()


@pytest.mark.skipif(BACKEND != "tensorflow", reason="a SavedModel is TensorFlow's")
@pytest.mark.parametrize(
    "name", ["functional subclass", "subclass", "inputs by name", "vae", "distiller"]
)
def test_what_is_exported_is_what_is_measured(name, tmp_path):
    import tensorflow as tf

    case = Case(name)
    model, _ = case.train(
        lambda net: case.rvsm(net, rvsm.L0(), rvsm.TargetSparsity(0.5)),
        tmp_path / "ours",
    )
    model.export(tmp_path / "exported", verbose=False)
    loaded = tf.saved_model.load(str(tmp_path / "exported"))
    assert_close(
        loaded.serve(case.of_network.x),
        model.predict(case.of_network.x, verbose=0),
        1e-5,
    )
