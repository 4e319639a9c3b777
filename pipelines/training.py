"""One run: from a configuration to a hardened model and its figures."""

import pathlib
from typing import Any

import keras
import numpy as np
import tensorflow_datasets as tfds
from keras.optimizers.schedules import CosineDecay

import rvsm_tf as rvsm
from commands.cli import InputError
from commands.files import replacing, write_json

from . import data, device, handover, plots
from .checkpoint import Checkpoint, History
from .config import TrainConfig, claim
from .evaluate import SPLITS, classify

_LEARNING_RATE = {"sgd": 0.02, "adam": 1e-3, "adamw": 1e-3}  # at the peak

# What κ adds up to over a training with Adam, whose steps have a size of their own: ηβ
# would be a thousandth of them. A weight that nothing defends then shrinks to e^-8 of
# its size.
_PULL = 8.0

# Share of training after which --target-sparsity is reached; the rest is for the
# remaining weights to settle.
_RAMP = 0.6


class Training:
    """A run in progress.

    Args:
        config: what to train.
        output: the run's folder.
        quiet: print nothing.
    """

    def __init__(self, config: TrainConfig, output: pathlib.Path, quiet: bool):
        self.config = config
        self.output = output
        self.quiet = quiet
        self.device = device.detect()
        self.precision = config.precision
        if config.precision == "auto":
            self.precision = self.device.precision

    def run(self) -> dict[str, Any]:
        """Trains, or goes on training, and writes the results; returns the metrics."""
        builder = data.prepare(self.config.dataset, self.quiet)
        train, test = data.load(builder, "train"), data.load(builder, "test")
        checkpoint = Checkpoint(self.output)
        keras.config.set_dtype_policy(self.precision)
        try:
            model = checkpoint.restore() or self._new_model(len(train))
            claim(self.output, self.config)
            history = self._fit(model, checkpoint, train, test)
        finally:
            keras.config.set_dtype_policy("float32")

        sparse = self._in_float32(model)
        metrics = self._measure(sparse, builder, history)
        with replacing(self.output / "model.keras") as draft:
            sparse.save(draft)
        handover.write(self.output, self.config, metrics, train, test)
        self._draw(model, train, history)
        write_json(self.output / "metrics.json", metrics)
        checkpoint.file.unlink(missing_ok=True)
        return metrics

    def _new_model(self, images: int) -> keras.Model:
        """Returns the compiled model that training starts from."""
        config = self.config
        steps = images // config.batch_size * config.epochs
        if not steps:
            raise InputError(
                f"--batch-size {config.batch_size} is more than the {images} images"
            )
        keras.utils.set_random_seed(config.seed)
        model = rvsm.networks.paper_cnn(seed=config.seed)
        if config.penalty != "none":
            model = self._split(model, steps)
        rate = config.learning_rate or _LEARNING_RATE[config.optimizer]
        schedule = CosineDecay(rate, steps)
        optimizer = {
            "sgd": lambda: keras.optimizers.SGD(schedule, momentum=0.9),
            "adam": lambda: keras.optimizers.Adam(schedule),
            "adamw": lambda: keras.optimizers.AdamW(schedule),
        }[config.optimizer]()
        model.compile(
            optimizer,
            "sparse_categorical_crossentropy",
            metrics=["accuracy"],
            jit_compile=self.device.jit_compile,
            steps_per_execution=steps_at_once(images // config.batch_size),
        )
        return model

    def _split(self, net: keras.Model, steps: int) -> rvsm.RVSM:
        config = self.config
        arguments = {"a": config.a} if config.penalty == "tl1" else {}
        penalty = rvsm.penalties.get(config.penalty, **arguments)
        lam = config.lam
        if config.target_sparsity is not None:
            ramp = max(1, round(_RAMP * steps))
            lam = rvsm.TargetSparsity(config.target_sparsity, ramp)
        kappa = None
        if config.optimizer != "sgd" and config.target_sparsity is None:
            # Like ηβ, the pull follows the learning rate to zero: at the end it must
            # not drag weights that the gradient can no longer defend.
            kappa = CosineDecay(min(1.0, 2 * _PULL / steps), steps)
        elif config.optimizer != "sgd":
            # What a target cuts off late has to fade out too: the rest learns to do
            # without it only as w comes close to u.
            kappa = min(1.0, 3 * _PULL / steps)
        split = dict.fromkeys(config.patterns, penalty)
        try:
            return rvsm.RVSM(net, split, lam, config.beta, kappa)
        except ValueError as error:
            raise InputError(f"--split-layers: {error}") from None

    def _fit(
        self,
        model: keras.Model,
        checkpoint: Checkpoint,
        train: data.Images,
        test: data.Images,
    ) -> list[dict[str, float]]:
        """Trains from where the model stands to the end; returns a row per epoch."""
        config = self.config
        steps = len(train) // config.batch_size
        first = int(model.optimizer.iterations) // steps
        history = History(self.output, first, steps * config.batch_size, self.quiet)
        method = [rvsm.RVSMCallback()] if isinstance(model, rvsm.RVSM) else []
        board = keras.callbacks.TensorBoard(
            self.output / "tensorboard", write_graph=False
        )
        if first < config.epochs:
            model.fit(
                data.training_batches(
                    train, config.batch_size, config.seed, range(first, config.epochs)
                ),
                epochs=config.epochs,
                initial_epoch=first,
                steps_per_epoch=steps,
                validation_data=data.batches(test),
                callbacks=[*method, board, history, checkpoint],
                shuffle=False,  # the batches are shuffled already
                verbose=0,
            )
        return history.rows

    def _in_float32(self, model: keras.Model) -> keras.Model:
        """Returns the plain, hardened network in float32, whatever trained it."""
        plain = rvsm.networks.paper_cnn(seed=self.config.seed)
        trained = model.harden() if isinstance(model, rvsm.RVSM) else model
        plain.set_weights(trained.get_weights())
        return plain

    def _measure(
        self,
        sparse: keras.Model,
        builder: tfds.core.DatasetBuilder,
        history: list[dict[str, float]],
    ) -> dict[str, Any]:
        config = self.config
        share = {}
        for split in SPLITS:
            images = data.load(builder, split)
            right = classify(sparse, images) == images.label
            share[split] = float(right.mean())
        summary = rvsm.summarize(sparse)
        kernels = _values(sparse, config.patterns)
        seconds = sum(row["seconds"] for row in history)
        return {
            **{f"{split}_accuracy": value for split, value in share.items()},
            "sparsity": float((kernels == 0).mean()),
            "network_sparsity": summary.sparsity,
            "nonzero_weights": summary.weights - summary.zeros,
            "dense_accuracy": share["test"] if config.penalty == "none" else None,
            "epochs": config.epochs,
            "train_seconds": round(seconds, 2),
            "images_per_second": round(
                sum(row["images"] for row in history) / seconds, 1
            ),
            "device": self.device.name,
            "precision": self.precision,
            "seed": config.seed,
        }

    def _draw(
        self, model: keras.Model, train: data.Images, history: list[dict[str, float]]
    ) -> None:
        plots.convergence(self.output / "convergence.png", history)
        plots.samples(self.output / "samples.png", train.image, train.label)
        dense = sparse = _values(model, self.config.patterns)
        if isinstance(model, rvsm.RVSM):
            sparse = _values(model.harden(), self.config.patterns)
        plots.weights(self.output / "weights.png", dense, sparse)


def steps_at_once(steps: int) -> int:
    """Returns how many of an epoch's steps TensorFlow makes in one go.

    A few are enough to make Python's share of the time small; they have to divide the
    epoch, or Keras would run over its end.
    """
    return max(n for n in range(1, 9) if steps % n == 0)


def _values(model: keras.Model, patterns: list[str]) -> np.ndarray:
    """Returns the weights of the named layers' kernels, shape (n,)."""
    selection = rvsm.selection.select(model, dict.fromkeys(patterns, rvsm.L0()))
    return np.concatenate(
        [np.asarray(w).ravel() for *_, kernels in selection for w in kernels]
    )
