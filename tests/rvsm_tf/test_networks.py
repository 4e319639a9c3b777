import numpy as np
import pytest

from rvsm_tf.networks import paper_cnn


@pytest.fixture(scope="module")
def net():
    return paper_cnn()


def test_shapes_and_counts_by_hand(net):
    # Same padding and three halvings, rounded up: 100, 50, 25, 13.
    assert net.input_shape == (None, 100, 100, 1)
    assert net.get_layer("pool3").output.shape == (None, 13, 13, 32)
    assert 13 * 13 * 32 == 5408
    assert net.get_layer("dense").kernel.shape == (5408, 128)
    assert net.output_shape == (None, 2)
    kernels = 9 * 32 + 9 * 32 * 32 + 9 * 32 * 32 + 5408 * 128 + 128 * 2
    assert kernels == 711_200
    assert net.count_params() == kernels + 3 * 32 + 128 + 2
    assert 5408 * 128 / kernels == pytest.approx(0.973, abs=5e-4)


def test_the_output_is_two_probabilities(net):
    images = np.random.default_rng(0).integers(0, 2, (3, 100, 100, 1)).astype("float32")
    probabilities = net(images).numpy()
    assert (probabilities > 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    assert np.ptp(probabilities[:, 0]) > 0


def test_the_initialisation_is_as_stated(net):
    biases = [w.numpy() for w in net.weights if w.name == "bias"]
    assert len(biases) == 5
    assert not any(b.any() for b in biases)
    deviations = {
        "conv1": np.sqrt(2 / 9),  # He et al.: √(2 / inputs)
        "conv2": np.sqrt(2 / 288),
        "conv3": np.sqrt(2 / 288),
        "dense": 0.1,
        "probabilities": 0.05,
    }
    for name, expected in deviations.items():
        kernel = net.get_layer(name).kernel.numpy()
        error = 4 * expected / np.sqrt(2 * kernel.size)  # of a sample's deviation
        assert kernel.std() == pytest.approx(expected, abs=error), name
        assert kernel.mean() == pytest.approx(0, abs=4 * expected / kernel.size**0.5)


def test_the_dense_deviation_can_be_given():
    kernel = paper_cnn(stddev=0.1).get_layer("dense").kernel.numpy()
    assert kernel.std() == pytest.approx(0.1, rel=5e-3)


def test_the_seed_decides_every_weight(net):
    again, other = paper_cnn(seed=0), paper_cnn(seed=1)
    for a, b, c in zip(net.weights, again.weights, other.weights, strict=True):
        np.testing.assert_array_equal(a, b)
        if a.name == "kernel":
            assert (a.numpy() != c.numpy()).mean() > 0.99
    assert not np.array_equal(
        net.get_layer("conv2").kernel, net.get_layer("conv3").kernel
    )
