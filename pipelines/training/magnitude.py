"""The peer: tensorflow-model-optimization's magnitude pruning, as its guide says.

It is for tf_keras alone. Initial weights, batches, steps and precision are those of our
own runs, but for the pruned layers': tfmot writes masked weights back as it computes
with them, and in bfloat16 would lose what most steps add. The learning rate starts anew
when all zeros are there, as ours does: it gains as much by that.
"""

import time
from collections.abc import Callable, Collection
from typing import Any

import keras
import numpy as np

import rvsm_tf as rvsm
from commands.cli import quietly
from commands.files import write_rows

from ..images import data
from ..recipe import kernels
from ..run.claim import claim
from ..run.folder import HISTORY
from . import divergence
from .training import Training

_EVERY = 16  # steps between two masks; as many as between two thresholds of ours


_SETTINGS = (
    "filters",
    "units",
    "kernel_size",
    "pool_size",
    "strides",
    "padding",
    "activation",
    "name",
)
"""What a layer of our networks is made with, under the same names in tf_keras."""

_TURNS = (rvsm.turns.QuarterTurns, rvsm.turns.MeanOverTurns)


def twin(
    model: keras.Model, pruned: Collection[str] = (), schedule: Any = None
) -> tuple[Any, Any]:
    """Returns a network of tf_keras with a network's layers and weights.

    Pictures are seen as they are, without their turns, as our networks see them in
    training.

    Args:
        model: the network; its layers have one output each.
        pruned: names of the layers that are pruned; they compute in float32.
        schedule: tfmot's, by which they are.

    Returns:
        the network to train, and the same without what prunes.
    """
    with quietly():
        import tensorflow_model_optimization as tfmot
        import tf_keras

    (image,) = model.inputs
    made = {id(image): tf_keras.Input(image.shape[1:], name=image.name)}
    for layer in model.layers:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        if isinstance(layer, _TURNS):
            made[id(layer.output)] = made[id(layer.input)]
            continue
        config = layer.get_config()
        settings = {name: config[name] for name in _SETTINGS if name in config}
        if layer.name in pruned or layer is model.layers[-1]:
            settings["dtype"] = "float32"
        other = getattr(tf_keras.layers, type(layer).__name__)(**settings)
        if layer.name in pruned:
            prune = tfmot.sparsity.keras.prune_low_magnitude
            other = prune(other, schedule, dtype="float32")
        several = isinstance(layer.input, list)
        given = [made[id(x)] for x in (layer.input if several else [layer.input])]
        made[id(layer.output)] = other(given if several else given[0])
    trained = tf_keras.Model(made[id(image)], made[id(model.outputs[0])])
    plain = tfmot.sparsity.keras.strip_pruning(trained) if pruned else trained
    for layer in model.layers:
        if layer.weights:
            plain.get_layer(layer.name).set_weights(layer.get_weights())
    return trained, plain


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
        split = kernels.named(start, self._recipe.layers)
        names = [kernel.path.split("/")[-2] for kernel in split]
        try:
            model, plain = twin(start, names, schedule)
        finally:
            tf_keras.mixed_precision.set_global_policy("float32")
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
            kernel = np.concatenate([_kernel(plain, name).ravel() for name in names])
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
        for layer in start.layers:
            if layer.weights:
                layer.set_weights(plain.get_layer(layer.name).get_weights())
        self._draw_weights(start)
        return start, start


def _kernel(model: Any, name: str) -> np.ndarray:
    return np.asarray(model.get_layer(name).kernel)


def _rate(tf_keras: Any, rate: Callable[[Any], Any]) -> Any:
    """Returns a function of the step as a schedule of tf_keras."""

    class Rate(tf_keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step: Any) -> Any:
            return rate(keras.ops.cast(step, "float32"))

        def get_config(self) -> dict:
            return {}

    return Rate()
