"""The peer: tensorflow-model-optimization's magnitude pruning, as its guide says.

It is for tf_keras alone, where layers have the paper's order: ReLU before pooling.
Initial weights, batches, steps and precision are those of our own runs, but for the
pruned layer's: tfmot writes masked weights back as it computes with them, and in
bfloat16 would lose what most steps add. The learning rate starts anew when all zeros
are there, as ours does: it gains as much by that.
"""

import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from commands.cli import quietly
from commands.files import write_rows

from ..images import data
from ..run.config import claim
from ..run.folder import HISTORY
from . import divergence
from .training import Training

_EVERY = 16  # steps between two masks; as many as between two thresholds of ours


def network(schedule: Any = None) -> Any:
    """Returns the paper's network in tf_keras.

    Args:
        schedule: tfmot's, by which the dense layer is pruned; None for a plain one.
    """
    with quietly():
        import tensorflow_model_optimization as tfmot
        import tf_keras

    def wrap(dense):
        if schedule is None:
            return dense
        prune = tfmot.sparsity.keras.prune_low_magnitude
        return prune(dense, schedule, dtype="float32")

    return paper_order(tf_keras.layers, tf_keras.Sequential, wrap)


def paper_order(
    layers: Any, sequential: Any, wrap: Callable[[Any], Any] = lambda dense: dense
) -> Any:
    """Returns the paper's network with its layers in the paper's order.

    Args:
        layers: Keras's module of that name, or tf_keras's.
        sequential: the class of the same package.
        wrap: what becomes of the dense layer.
    """
    stack = [layers.Input((100, 100, 1))]
    for _ in range(3):
        stack.append(layers.Conv2D(32, 3, padding="same", activation="relu"))
        stack.append(layers.MaxPooling2D(2, 2, padding="same"))
    stack += [
        layers.Flatten(),
        wrap(layers.Dense(128, activation="relu", dtype="float32")),
        layers.Dense(2, activation="softmax", dtype="float32"),
    ]
    return sequential(stack)


class Magnitude(Training):
    """A run that prunes by magnitude to --target-sparsity.

    One that was killed starts anew.
    """

    def _trained(self) -> tuple[keras.Model, keras.Model]:
        config, start = self.config, self._recipe.network()
        claim(self.output, config)
        with quietly():
            import tensorflow_model_optimization as tfmot
            import tf_keras
        steps = len(self._train) // config.batch_size
        ramp = self._recipe.ramp
        # The last mask has to fall on the ramp's last step, or zeros would be missing.
        every = min(_EVERY, ramp)
        schedule = tfmot.sparsity.keras.PolynomialDecay(
            *(0.0, config.target_sparsity, 0, ramp // every * every), frequency=every
        )
        tf_keras.mixed_precision.set_global_policy(self.precision)
        try:
            model = network(schedule)
        finally:
            tf_keras.mixed_precision.set_global_policy("float32")
        plain = tfmot.sparsity.keras.strip_pruning(model)
        plain.set_weights(start.get_weights())
        model.compile(
            tf_keras.optimizers.Adam(_rate(tf_keras, self._recipe.rate)),
            "sparse_categorical_crossentropy",
            metrics=["accuracy"],
        )
        rows, clock = [], {}

        def begin(epoch, logs):
            clock["begin"] = time.perf_counter()

        def measure(logs):
            clock["end"] = time.perf_counter()

        def end(epoch, logs):
            divergence.check(epoch + 1, logs, plain.get_weights(), self._recipe.peak)
            kernel = plain.layers[-2].kernel.numpy()
            row = {
                "epoch": epoch + 1,
                "seconds": clock["end"] - clock["begin"],
                "images": steps * config.batch_size,
                "sparsity": float((kernel == 0).mean()),
            }
            rows.append({**row, **logs})
            write_rows(self.output / HISTORY, rows)

        model.fit(
            data.training_batches(
                self._train, config.batch_size, config.seed, range(config.epochs)
            ),
            steps_per_epoch=steps,
            epochs=config.epochs,
            validation_data=data.batches(self._validation),
            callbacks=[
                tfmot.sparsity.keras.UpdatePruningStep(),
                tf_keras.callbacks.LambdaCallback(begin, end, on_test_begin=measure),
                tf_keras.callbacks.TensorBoard(
                    self.output / "tensorboard", write_graph=False
                ),
            ],
            verbose=0 if self.quiet else 2,
        )
        pruned = [np.asarray(w) for w in plain.get_weights()]
        start.set_weights(pruned)
        self._draw_weights(start)
        return start, start


def _rate(tf_keras: Any, rate: Callable[[Any], Any]) -> Any:
    """Returns a function of the step as a schedule of tf_keras."""

    class Rate(tf_keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step: Any) -> Any:
            return rate(keras.ops.cast(step, "float32"))

        def get_config(self) -> dict:
            return {}

    return Rate()
