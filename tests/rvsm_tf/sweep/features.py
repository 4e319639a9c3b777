"""What training may use of Keras: optimizers, precisions, data, callbacks.

Each is tried with the networks that it stands beside.
"""

import dataclasses
import functools
import itertools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import optimizers
from keras.optimizers import SGD

import rvsm_tf as rvsm

# With Keras's own epsilon it makes whole steps of rounding.
Adam = functools.partial(optimizers.Adam, epsilon=1e-3)

BATCH, EPOCHS, STEPS = 8, 2, 2

# Compiling is slowest there; these are the same to us on every backend.
NOT_JAX = ("tensorflow", "torch")


@dataclasses.dataclass(frozen=True)
class Feature:
    """A way to train.

    Attributes:
        networks: names of those that it is tried with.
        optimizer: makes one.
        compiling: further arguments of `compile`.
        fitting: function of x and y, returns what `fit` gets: x, y, validation_data, …
        callbacks: function of an empty folder.
        train: function of one that makes a compiled model, of the arguments of `fit`,
            and of an empty folder; returns the trained model and the logs.
        lam: of a penalty that cuts.
        wrapping: further arguments of `RVSM`.
        policy: of precision.
        logged: which of the epochs' losses on validation data is the model's.
        rtol: how far rounding may take values apart.
        backends: that have it.
        measures: whether it can change what is measured, and not the weights alone.
    """

    networks: tuple[str, ...] = ("sequential",)
    optimizer: Callable[[], Any] = lambda: SGD(0.1)
    compiling: dict = dataclasses.field(default_factory=dict)
    fitting: Callable[[Any, Any], dict] = lambda x, y: {"x": x, "y": y}
    callbacks: Callable[[Any], list] = lambda folder: []
    train: Callable[..., tuple[keras.Model, dict]] = lambda make, fit, folder: fitted(
        make(), **fit
    )
    lam: Any = dataclasses.field(default_factory=lambda: rvsm.TargetSparsity(0.5))
    wrapping: dict = dataclasses.field(default_factory=dict)
    policy: str = "float32"
    logged: Callable[[list], float] = lambda values: values[-1]
    rtol: float = 1e-5
    backends: tuple[str, ...] = ("tensorflow", "jax", "torch")
    measures: bool = True


def fitted(model, **fit):
    logs = model.fit(**fit).history
    return model, logs


def several():
    """Returns an optimizer for the head, and another one for the rest."""
    some = optimizers.OptimizerMap(SGD(0.1), {"(.*/)?head/.*": Adam(0.01)})
    return optimizers.MultiOptimizer(some)


def weighted(x, y):
    weights = np.linspace(0, 2, len(y)).astype("float32")
    return {"x": x, "y": y, "sample_weight": weights}


def by_class(x, y):
    return {"x": x, "y": y, "class_weight": {0: 0.2, 1: 1.0, 2: 3.0}}


def dataset(x, y):
    import tensorflow as tf

    slices = tf.data.Dataset.from_tensor_slices((x, y))
    return {"x": slices.batch(BATCH), "batch_size": None}


def generator(x, y):
    def forever():
        for start in itertools.cycle(range(0, len(y), BATCH)):
            yield x[start : start + BATCH], y[start : start + BATCH]

    return {"x": forever(), "steps_per_epoch": STEPS, "batch_size": None}


def on_batches(make, fit, folder):
    model = make()
    for start in [*range(0, STEPS * BATCH, BATCH)] * EPOCHS:
        part = slice(start, start + BATCH)
        x, y = (keras.ops.convert_to_tensor(fit[name][part]) for name in "xy")
        model.train_on_batch(x, y)
    return model, {}


def frozen_later(make, fit, folder):
    """Trains, freezes the first layer, compiles anew and goes on."""
    model, _ = fitted(make(), **fit)
    net = getattr(model, "net", model)
    net.get_layer("dense").trainable = False
    before = net.get_layer("dense").get_weights()
    model.compile(SGD(0.1), "mse")
    fitted(model, **fit)
    for a, b in zip(before, net.get_layer("dense").get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    return model, model.history.history


def saved_between(make, fit, folder):
    """Trains for an epoch, saves and loads, and goes on."""
    model, _ = fitted(make(), **{**fit, "epochs": 1})
    model.save(folder / "model.keras")
    return fitted(keras.models.load_model(folder / "model.keras"), **fit)


class Stop(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt


def killed_between(make, fit, folder):
    """Is stopped after an epoch, and goes on in a model made anew."""
    callbacks = [keras.callbacks.BackupAndRestore(folder / "backup")]
    try:
        fitted(make(), **fit, callbacks=[*callbacks, Stop()])
    except KeyboardInterrupt:
        keras.utils.set_random_seed(5)  # other weights, if they were not restored
    model, logs = fitted(make(), **fit, callbacks=callbacks)
    assert len(logs["loss"]) == EPOCHS - 1
    return model, logs


def swapped(on_epoch):
    return lambda folder: [keras.callbacks.SwapEMAWeights(swap_on_epoch=on_epoch)]


def halving(folder):
    return [
        keras.callbacks.ReduceLROnPlateau(
            "val_loss", factor=0.5, patience=1, min_delta=100.0
        )
    ]


def stopping(folder):
    return [
        keras.callbacks.EarlyStopping(
            "val_loss", patience=1, min_delta=100.0, restore_best_weights=True
        )
    ]


FEATURES = {
    "momentum": Feature(
        ("shared layer",), lambda: SGD(0.1, momentum=0.9), measures=False
    ),
    "adam": Feature(("attention",), lambda: Adam(0.01), measures=False),
    "adamw": Feature(
        ("inputs by name",),
        lambda: optimizers.AdamW(0.01, weight_decay=0.05),
        backends=NOT_JAX,
        measures=False,
    ),
    "fisher": Feature(
        ("functional subclass",), lambda: Adam(0.01), wrapping={"saliency": "fisher"}
    ),
    "multi": Feature(("functional", "unbuilt"), several),
    "schedule-free": Feature(
        ("sequential",),
        # In graphs of TensorFlow, Keras's own fit starts this one from other weights.
        lambda: optimizers.ScheduleFreeAdamW(0.01),
        compiling={"run_eagerly": True},
        measures=False,
    ),
    "accumulation": Feature(
        ("normalized",), lambda: Adam(0.01, gradient_accumulation_steps=2)
    ),
    "ema": Feature(
        ("nested",),
        lambda: SGD(0.1, use_ema=True, ema_momentum=0.5),
        callbacks=swapped(False),
    ),
    "ema on epoch": Feature(
        ("sequential", "frozen base"),
        lambda: Adam(0.01, use_ema=True, ema_momentum=0.5),
        callbacks=swapped(True),
    ),
    "loss scale": Feature(
        ("sequential",), lambda: optimizers.LossScaleOptimizer(SGD(0.1))
    ),
    "bfloat16": Feature(("nested",), policy="mixed_bfloat16", rtol=2e-2),
    "float16": Feature(
        ("functional",), lambda: SGD(0.1), policy="mixed_float16", rtol=1e-2
    ),
    "rate schedule": Feature(
        ("functional",),
        lambda: SGD(optimizers.schedules.CosineDecay(0.1, 4)),
        measures=False,
    ),
    "clipnorm": Feature(
        ("embedding",), lambda: SGD(0.1, clipnorm=0.1), backends=NOT_JAX, measures=False
    ),
    "sample weight": Feature(
        ("sequential",), fitting=weighted, backends=NOT_JAX, measures=False
    ),
    "class weight": Feature(
        ("classifier",), fitting=by_class, backends=NOT_JAX, measures=False
    ),
    "steps per execution": Feature(
        ("functional",),
        compiling={"steps_per_execution": 2},
        backends=("tensorflow", "jax"),
    ),
    "eager": Feature(("subclass", "own step"), compiling={"run_eagerly": True}),
    "jit": Feature(
        ("functional subclass",),
        compiling={"jit_compile": True},
        backends=("tensorflow", "jax"),
    ),
    "dataset": Feature(("unbuilt", "inputs by name"), fitting=dataset),
    "generator": Feature(("sequential",), fitting=generator, measures=False),
    "on batches": Feature(
        ("functional", "own step"),
        train=on_batches,
        lam=rvsm.TargetSparsity(0.5, steps=3),
    ),
    "frozen later": Feature(("sequential", "subclass"), train=frozen_later),
    "saved between": Feature(
        ("functional subclass", "own step", "own compile"),
        lambda: Adam(0.01),
        train=saved_between,
    ),
    "killed between": Feature(
        ("nested",), lambda: SGD(0.1, momentum=0.9), train=killed_between
    ),
    "early stopping": Feature(
        ("functional",),
        callbacks=stopping,
        # What is restored are the weights of the first epoch, with the zeros of then.
        lam=rvsm.TargetSparsity(0.5, steps=1),
        logged=lambda values: values[0],
    ),
    "plateau": Feature(
        ("sequential",), callbacks=halving, backends=NOT_JAX, measures=False
    ),
}
