import keras
import numpy as np
import pytest
from keras import layers

import rvsm_tf as rvsm


@pytest.fixture
def net():
    """A convolution of 2 × 2 × 2 × 3 and a dense layer of 12 × 4 with known zeros."""
    net = keras.Sequential(
        [
            keras.Input((3, 3, 2)),
            layers.Conv2D(3, 2, name="conv", bias_initializer="ones"),
            layers.Flatten(name="flatten"),
            layers.Dense(4, use_bias=False, name="dense"),
        ],
        name="net",
    )
    conv = np.ones((2, 2, 2, 3), "float32")
    conv[..., 1] = 0  # one filter of three: 8 weights
    conv[:, :, 0, 0] = -0.0  # not a whole input channel: 4 weights
    dense = np.full((12, 4), 1e-30, "float32")
    dense[:, 2] = 0  # one unit of four: 12 weights
    dense[3:5] = 0  # two inputs of twelve: 6 more
    net.layers[0].kernel.assign(conv)
    net.layers[2].kernel.assign(dense)
    return net


def test_summary_by_hand(net):
    summary = rvsm.summarize(net)
    conv, dense = summary.kernels
    assert conv.path == "net/conv/kernel"
    assert (conv.shape, conv.weights) == ((2, 2, 2, 3), 24)
    assert (conv.zeros, conv.zero_units, conv.zero_inputs) == (12, 1, 0)
    assert conv.sparsity == 12 / 24
    assert (dense.shape, dense.weights) == ((12, 4), 48)
    assert (dense.zeros, dense.zero_units, dense.zero_inputs) == (18, 1, 2)
    assert (summary.weights, summary.zeros) == (24 + 3 + 48, 30)
    assert summary.sparsity == 30 / 75


def test_summary_prints_an_aligned_table(net):
    lines = str(rvsm.summarize(net)).splitlines()
    assert [line.split()[0] for line in lines] == [
        "kernel",
        "net/conv/kernel",
        "net/dense/kernel",
        "all",
    ]
    ends = [
        [line.index(cell) + len(cell) for line, cell in zip(lines, cells, strict=True)]
        for cells in (
            ("weights", "24", "48", "75"),
            ("zeros", "50.00 %", "37.50 %", "40.00 %"),
        )
    ]
    ends.append(
        [
            line.index(cell) + len(cell)
            for line, cell in zip(lines[:3], ("units", "1 of 3", "1 of 4"), strict=True)
        ]
    )
    assert all(len(set(column)) == 1 for column in ends)
    assert lines[1].index("2 × 2 × 2 × 3") == lines[2].index("12 × 4")
    assert not any(line != line.rstrip() for line in lines)


def test_a_frozen_kernel_is_marked(net):
    net.get_layer("conv").trainable = False
    summary = rvsm.summarize(net)
    assert [kernel.trainable for kernel in summary.kernels] == [False, True]
    assert "net/conv/kernel (frozen)" in str(summary)


def test_embeddings_and_recurrent_kernels_are_counted():
    net = keras.Sequential([keras.Input((5,)), layers.Embedding(7, 4), layers.GRU(3)])
    embeddings, kernel, recurrent = rvsm.summarize(net).kernels
    assert embeddings.shape == (7, 4)
    assert (kernel.shape, recurrent.shape) == ((4, 9), (3, 9))


def test_summary_of_a_hardened_model_counts_u(make_net):
    model = rvsm.RVSM(make_net(), {"dense": rvsm.L0()}, 0.02, 0.5)
    w = model.net.layers[0].kernel.numpy()
    cut = int((np.abs(w) <= np.sqrt(2 * 0.02 / 0.5)).sum())
    first, second = rvsm.summarize(model.harden()).kernels
    assert (first.zeros, second.zeros) == (cut, 0)
    assert first.sparsity == pytest.approx(model.splitting.sparsity())
    assert rvsm.summarize(model.net).kernels[0].zeros == 0


def test_summary_of_transposed_and_depthwise_kernels_by_hand():
    net = keras.Sequential(
        [
            keras.Input((4, 4, 3)),
            layers.DepthwiseConv2D(2, depth_multiplier=2, name="depthwise"),
            layers.Conv2DTranspose(4, 2, name="transposed"),
            layers.SeparableConv2D(2, 2, name="separable"),
        ]
    )
    depthwise = np.ones((2, 2, 3, 2), "float32")
    depthwise[:, :, 0] = 0  # both filters of an input
    depthwise[:, :, 1, 1] = 0  # one filter of another
    transposed = np.ones((2, 2, 4, 6), "float32")  # rows, columns, units, inputs
    transposed[:, :, 1] = 0
    transposed[..., 2:5] = 0
    net.layers[0].kernel.assign(depthwise)
    net.layers[1].kernel.assign(transposed)
    first, second, third, _ = rvsm.summarize(net).kernels
    assert (third.units, third.inputs) == (4, 4)
    assert (first.units, first.zero_units) == (6, 3)
    assert (first.inputs, first.zero_inputs) == (3, 1)
    assert (second.units, second.zero_units) == (4, 1)
    assert (second.inputs, second.zero_inputs) == (6, 3)
    assert "3 of 6" in str(rvsm.summarize(net)).splitlines()[1]


def test_scales_by_hand():
    w = np.array([[0.0, 0.05, -0.5, 0.005], [-0.0005, 5e-6, 1.0, -0.1]])
    assert rvsm.scales(w) == [5 / 8, 4 / 8, 3 / 8, 2 / 8, 2 / 8]
    assert rvsm.scales(w, largest=10.0, decades=2) == [1.0, 7 / 8]


def test_sign_changes_by_hand():
    before = np.array([[1.0, -1.0, 0.5, 0.0], [0.0, 2.0, -3.0, 1e-9]])
    after = np.array([[2.0, 1.0, 0.0, -0.0], [0.1, 2.0, -0.1, -1e-9]])
    assert rvsm.sign_changes(before, after) == 4 / 8
    assert rvsm.sign_changes(before, before) == 0
