"""Channels cut out of known networks."""

import keras
import numpy as np
import pytest
from keras import layers

from benchmarks import zoo
from rvsm_tf.graph import read_graph
from tests.commands.refusal import refused


def test_the_ideal_is_what_can_be_counted_by_hand():
    start = keras.Input((5, 5, 3))
    x = layers.Conv2D(8, 3, padding="same")(start)
    x = layers.DepthwiseConv2D(3, padding="same")(layers.BatchNormalization()(x))
    x = layers.Concatenate()([x, layers.SeparableConv2D(6, 3, padding="same")(x)])
    model = keras.Model(start, layers.Dense(4, "softmax")(layers.Flatten()(x)))
    living = zoo.halve(model)
    graph = read_graph(model)
    ones = zoo.all_living(graph)
    assert zoo.count(graph, ones)[0] == model.count_params()
    convolutions = 9 * 3 * 4, 9 * 4, 9 * 4 + 4 * 3
    dense = 25 * 7 * 4
    biases = 4 + 4 * 4 + 4 + 3 + 4
    weights, operations = zoo.count(graph, living)
    assert weights == sum(convolutions) + dense + biases
    assert operations == 25 * sum(convolutions) + dense


def test_half_of_the_channels_are_zero():
    start = keras.Input((5, 5, 3))
    x = layers.BatchNormalization()(layers.Conv2D(8, 3)(start))
    zoo.halve(keras.Model(start, layers.Conv2D(2, 1)(x)))
    found = keras.Model(start, x)(np.random.default_rng(0).normal(size=(2, 5, 5, 3)))
    assert not np.asarray(found)[..., ::2].any()
    assert np.asarray(found)[..., 1::2].all()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["MobileNetV3Small", "NASNetMobile"])
def test_networks_keep_no_more_than_they_must(name):
    row = zoo.row_of(name, zoo.NETWORKS[name])
    assert row["of_the_ideal"] <= 1.02
    assert float(row["difference"]) <= 1e-4


def test_a_network_that_is_not_there_is_answered_with_those_that_are(tmp_path):
    line = refused(zoo.main, "--only", "ResNet5", "--output", tmp_path)
    assert "ResNet5" in line
    assert "ResNet50" in line
