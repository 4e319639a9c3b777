"""How long training waits for its input, held against a clock around the batches."""

import time

import numpy as np
import tensorflow as tf

from pipelines.images import data
from pipelines.images.images import Images
from pipelines.training.waiting import Waiting


def slow(x):
    """Takes a few milliseconds of a core."""
    return tf.linalg.logdet(tf.eye(1000) + x)


def test_a_consumer_that_does_nothing_waits_all_the_time():
    batches = tf.data.Dataset.range(30).map(lambda i: (slow(tf.cast(i, tf.float32)), i))
    waiting = Waiting()
    iterator = iter(waiting.watched(batches))
    waiting.take()
    start = time.perf_counter()
    for i, (_, number) in enumerate(iterator):
        assert number == i
    whole = time.perf_counter() - start
    assert 0.5 * whole < waiting.take() <= whole
    assert waiting.take() == 0


def test_batches_that_lie_ready_are_not_waited_for():
    batches = tf.data.Dataset.range(30).cache().prefetch(30)
    waiting = Waiting()
    start = time.perf_counter()
    for number in waiting.watched(batches):
        for _ in range(5):
            slow(tf.cast(number, tf.float32))
    assert waiting.take() < 0.5 * (time.perf_counter() - start)


def test_watched_batches_are_the_same():
    rng = np.random.default_rng(0)
    images = Images(
        (255 * (rng.random((16, 8, 8, 1)) < 0.2)).astype("uint8"), np.arange(16) % 2
    )
    batches = data.training_batches(images, 4, seed=1, epochs=range(2))
    watched = Waiting().watched(batches)
    assert watched.element_spec == batches.element_spec
    pairs = list(zip(watched.as_numpy_iterator(), batches.as_numpy_iterator()))
    assert len(pairs) == 8
    for (x, y), (image, label) in pairs:
        np.testing.assert_array_equal(x, image)
        np.testing.assert_array_equal(y, label)
