import keras
import numpy as np

import rvsm_tf as rvsm


def pictures(count):
    ink = np.random.default_rng(0).random((count, 128, 128, 1)) > 0.9
    return ink.astype("float32")


def turned(x, times):
    """By NumPy."""
    return np.ascontiguousarray(np.rot90(x, times, axes=(1, 2)))


def test_the_turns_are_numpy_s():
    x = pictures(3)
    found = np.asarray(rvsm.turns.QuarterTurns()(x))
    assert found.shape == (12, 128, 128, 1)
    for times, block in enumerate(np.split(found, 4)):
        np.testing.assert_array_equal(block, turned(x, times))


def test_the_mean_is_over_each_picture_s_own_turns():
    # Of two pictures: rows 0, 2, 4, 6 are the first's.
    seen = np.arange(24.0).reshape(8, 3)
    found = np.asarray(rvsm.turns.MeanOverTurns()(seen))
    np.testing.assert_array_equal(found, [seen[::2].mean(0), seen[1::2].mean(0)])


def test_training_sees_a_picture_as_it_is():
    x = pictures(2)
    for layer in (rvsm.turns.QuarterTurns(), rvsm.turns.MeanOverTurns()):
        np.testing.assert_array_equal(layer(x, training=True), x)


def test_an_answer_is_that_of_the_mean_over_turns_and_stays_when_the_sheet_is_turned():
    net, x = rvsm.networks.tremor_cnn(), pictures(3)
    seen = keras.Model(net.input, net.get_layer("seen").output)
    # In training each turn by itself goes through the same layers.
    each = [np.asarray(seen(turned(x, times), training=True)) for times in range(4)]
    hidden, last = net.layers[-2:]
    expected = np.asarray(last(hidden(np.mean(each, axis=0))))
    for times in range(4):
        found = np.asarray(net(turned(x, times)))
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    other = np.asarray(net(turned(x, 0), training=True))
    assert np.abs(other - expected).max() > 1e-5


def test_a_network_with_turns_is_saved_and_cut(tmp_path):
    net, x = rvsm.networks.tremor_cnn(filters=(4, 4, 6, 8, 8)), pictures(2)
    kernel, bias = net.get_layer("conv4").get_weights()
    kernel[..., [1, 5]] = 0
    net.get_layer("conv4").set_weights([kernel, bias])
    net.save(tmp_path / "net.keras")
    loaded = keras.models.load_model(tmp_path / "net.keras")
    small = rvsm.compact(loaded)
    assert small.get_layer("conv4").filters == 6
    np.testing.assert_allclose(small(x), net(x), rtol=1e-5)
