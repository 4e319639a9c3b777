"""How long training waits for its input."""

import tensorflow as tf


class Waiting:
    """Adds up how long whoever takes batches out of a dataset waits for them.

    tf.data makes batches while the device computes; time passes in taking one only if
    it is not ready yet. The clock is read inside the dataset, before and after each
    batch: Python sees several steps at once.
    """

    def __init__(self):
        with tf.device("CPU:0"):
            self._seconds = tf.Variable(0.0, dtype=tf.float64, trainable=False)

    def watched(self, batches: tf.data.Dataset) -> tf.data.Dataset:
        """Returns the batches, timing how long training waits for each.

        Args:
            batches: prefetched.
        """
        clock = tf.data.Dataset.counter().map(lambda _: tf.timestamp())

        @tf.autograph.experimental.do_not_convert
        def add(before: tf.Tensor, batch: tuple, after: tf.Tensor) -> tuple:
            with tf.control_dependencies([self._seconds.assign_add(after - before)]):
                return tf.nest.map_structure(tf.identity, batch)

        options = tf.data.Options()
        # Behind the clock nothing may be prefetched, or it would see no waiting.
        options.experimental_optimization.inject_prefetch = False
        dataset = tf.data.Dataset.zip(clock, batches, clock).map(add)
        return dataset.with_options(options)

    def take(self) -> float:
        """Returns the seconds since this was asked last."""
        seconds = float(self._seconds)
        self._seconds.assign(0.0)
        return seconds
