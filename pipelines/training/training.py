"""One run: from a configuration to a hardened model and its figures."""

import pathlib
from typing import Any

import keras
import numpy as np

import rvsm_tf as rvsm
from commands.files import replacing, write_json

from ..devices import device
from ..devices.distribution import Distribution
from ..figures import plots
from ..images import data
from ..images.datasets import SPLITS
from ..images.source import ImageSource, generated
from ..recipe import design, families, kernels
from ..recipe.recipe import Recipe
from ..run import calibration, handover
from ..run.answers import classify, outputs
from ..run.claim import claim
from ..run.config import TrainConfig
from ..run.folder import BEST, METRICS, epochs_done, read_history
from . import stopping
from .checkpoint import Checkpoint, History
from .divergence import Divergence
from .stopping import Stopping
from .waiting import Waiting


class Training:
    """A run in progress.

    Args:
        config: what to train.
        output: the run's folder.
        quiet: print nothing.
        distribute: one of `devices.DISTRIBUTIONS`, or None for one device.
        source: somebody's own drawings; None for a generated set.
    """

    def __init__(
        self,
        config: TrainConfig,
        output: pathlib.Path,
        quiet: bool,
        distribute: str | None = None,
        source: ImageSource | None = None,
    ):
        self.config = config
        self.output = output
        self.quiet = quiet
        self._distribution = Distribution(distribute)
        self._source = source or generated(config.dataset, quiet)
        self.device = device.detect()
        self.precision = config.precision
        if config.precision == "auto":
            self.precision = self.device.precision

    def run(self) -> dict[str, Any] | None:
        """Trains, or goes on training, and writes the results; returns the metrics.

        A worker that does not lead writes nothing, and returns None.
        """
        config = self.config
        self._distribution.check(config.batch_size)
        self._train = self._source.load("train")
        self._validation = self._source.load(self._source.validation)
        self._shown = self._source.shown(self._train)
        family = families.of(self._train.size, config)
        self._design = None
        if config.structured:
            found = design.read(self.output)
            self._design = found or design.design(config, self._train, self.quiet)
        self._recipe = Recipe(
            config,
            self._design,
            self._shown,
            self.device.jit_compile,
            self._source.classes,
            family,
        )
        with self._distribution.together():
            sparse, final = self._trained()
        if not self._distribution.leads:
            return None
        history = self._history()
        temperature = self._temperature(final)
        calibration.calibrate(final, temperature)
        metrics = self._measure(sparse, final, history)
        metrics["temperature"] = temperature
        with replacing(self.output / "model.keras") as draft:
            final.save(draft)
        classes = self._source.classes
        test = self._source.load("test")
        handover.write(self.output, config, classes, metrics, self._train, test)
        plots.convergence(
            self.output / "convergence.png",
            history,
            self._source.validation,
            held=self._recipe.splitting_epochs if self._recipe.two_phases else None,
            cut=self._design is not None,
            best=metrics.get("best_epoch"),
        )
        plots.samples(
            self.output / "samples.png", self._train.image, self._train.label, classes
        )
        write_json(self.output / METRICS, metrics)
        for file in (Checkpoint(self.output).file, self.output / BEST):
            file.unlink(missing_ok=True)
        return metrics

    def _temperature(self, final: keras.Model) -> float:
        """Returns what a model's logits are divided by, so that its shares hold."""
        # On what validation shows; for the generated sets that is the split `test`.
        watched = self._validation
        return calibration.temperature(outputs(final, watched), watched.label)

    def _history(self) -> list[dict[str, float]]:
        """Returns the epochs of a run whose training is over."""
        epochs = self.config.epochs
        if self.config.patience is not None:
            epochs = epochs_done(self.output)
        return read_history(self.output, epochs)

    def _trained(self) -> tuple[keras.Model, keras.Model]:
        """Trains, or goes on; returns the sparse model, and the same ready to ship."""
        self._checkpoint = Checkpoint(self.output)
        with device.computing_in(self.precision):
            with self._distribution.scope():
                model = self._checkpoint.restore() or self._recipe.whole()
            if self._distribution.leads:
                claim(self.output, self.config)
            if self._design:
                design.write(self.output, self._design)
            if not self._recipe.two_phases or isinstance(model, rvsm.RVSM):
                model = self._fit(model, 0, self._recipe.splitting_epochs)
            if not self._recipe.two_phases:
                self._draw_weights(model)
            elif not self._design:
                model = self._held(model)
        if not self._design:
            sparse = self._in_float32(model)
            return sparse, sparse
        sparse, columns = self._fine_tuned(model), self._design.columns
        return sparse, rvsm.fold(sparse, columns) if columns else sparse

    def _held(self, model: keras.Model) -> keras.Model:
        """Returns a model fine-tuned with its zeros held.

        Args:
            model: at the end of the splitting, or in the fine-tuning.
        """
        if isinstance(model, rvsm.RVSM):
            self._draw_weights(model)
            with self._distribution.scope():
                model = self._recipe.held(model.harden())
        rvsm.hold(model)
        return self._fit(model, self._recipe.splitting_epochs, self.config.epochs)

    def _fine_tuned(self, model: keras.Model) -> keras.Model:
        """Returns what is left of a model whose filters and units became zero.

        Args:
            model: at the end of the splitting, or already without what is zero.
        """
        before, epochs = self._recipe.splitting_epochs, self.config.epochs
        if isinstance(model, rvsm.RVSM):
            self._draw_weights(model)
            dense = rvsm.networks.paper_cnn(classes=len(self._source.classes))
            dense.set_weights(model.net.get_weights())
            handover.write_reference(self.output, dense)
            smaller = rvsm.compact(self._in_float32(model))
            model = self._recipe.small(smaller, epochs - before)
        rvsm.hold(model)
        return self._fit(model, before, epochs)

    def _fit(self, model: keras.Model, start: int, end: int) -> keras.Model:
        """Trains from where the model stands to the end of a phase.

        Args:
            model: compiled.
            start: epochs of the run before the phase.
            end: epochs after it.

        Returns:
            the model; of the last phase, where training has a patience, as it was
            after its best epoch.
        """
        batch_size = self.config.batch_size
        steps = self._shown // batch_size
        done = keras.ops.convert_to_numpy(model.optimizer.iterations)
        first = start + int(done) // steps
        self._distribution.agree(first)
        patience = self.config.patience if end == self.config.epochs else None
        rows = read_history(self.output, first)
        over = patience is not None and stopping.over(rows, start, patience)
        if first < end and not over:
            batches = self._source.training_batches(
                self._train, batch_size, self.config.seed, range(first, end)
            )
            waiting = Waiting() if self._distribution.devices == 1 else None
            if waiting:
                batches = waiting.watched(batches)
            callbacks = [Divergence(self._recipe.peak)]
            if self._distribution.leads:
                callbacks += self._callbacks(model, start, first, patience, waiting)
            self._distribution.prepare(model)
            model.fit(
                x=self._distribution.spread(batches, batch_size),
                epochs=end,
                initial_epoch=first,
                steps_per_epoch=steps,
                validation_data=data.batches(self._validation),
                callbacks=callbacks,
                shuffle=False,  # the batches are shuffled already
                verbose=0,
            )
        return model if patience is None else stopping.read_best(self.output)

    def _callbacks(
        self,
        model: keras.Model,
        start: int,
        first: int,
        patience: int | None,
        waiting: Waiting | None,
    ) -> list[keras.callbacks.Callback]:
        """Returns what keeps a phase's record.

        Args:
            model: compiled.
            start: epochs of the run before the phase.
            first: epochs of the run already done.
            patience: epochs without progress after which the phase ends.
            waiting: watches the batches; None where several devices take them.
        """
        batch_size = self.config.batch_size
        history = History(
            self.output,
            first,
            epochs=self.config.epochs,
            images=self._shown // batch_size * batch_size,
            sparsity=self._sparsity(model) if start else 0.0,
            validation=self._source.validation,
            waiting=waiting,
            quiet=self.quiet,
        )
        board = keras.callbacks.TensorBoard(
            self.output / "tensorboard", write_graph=False
        )
        split = [rvsm.RVSMCallback()] if isinstance(model, rvsm.RVSM) else []
        stop = (
            []
            if patience is None
            else [Stopping(self.output, patience, history, start)]
        )
        return [*split, board, history, *stop, self._checkpoint]

    def _in_float32(self, model: keras.Model) -> keras.Model:
        """Returns the plain, hardened network in float32, whatever trained it."""
        plain = self._recipe.network()
        trained = model.harden() if isinstance(model, rvsm.RVSM) else model
        plain.set_weights(trained.get_weights())
        return plain

    def _sparsity(self, sparse: keras.Model) -> float:
        """Returns the share of the split kernels' weights that are zero, or gone."""
        whole = _values(self._recipe.network(), self._recipe.layers).size
        left = np.count_nonzero(_values(sparse, self._recipe.layers))
        return (whole - left) / whole

    def _measure(
        self,
        sparse: keras.Model,
        final: keras.Model,
        history: list[dict[str, float]],
    ) -> dict[str, Any]:
        """Returns the metrics; weights are counted before folding repeats them."""
        config, share = self.config, dict.fromkeys(SPLITS)
        for split in self._source.measured:
            images = self._source.load(split)
            right = classify(final, images) == images.label
            share[split] = float(right.mean())
        summary = rvsm.summarize(sparse)
        nonzero = summary.weights - summary.zeros
        seconds = sum(row["seconds"] for row in history)
        return {
            **{f"{split}_accuracy": value for split, value in share.items()},
            "sparsity": self._sparsity(sparse),
            "network_sparsity": 1 - nonzero / self._recipe.network().count_params(),
            "nonzero_weights": nonzero,
            "dense_accuracy": share["test"] if config.penalty == "none" else None,
            "epochs": len(history),
            **self._best_epoch(history),
            "train_seconds": round(seconds, 2),
            "images_per_second": round(
                sum(row["images"] for row in history) / seconds, 1
            ),
            "device": self.device.name,
            "precision": self.precision,
            "seed": config.seed,
        }

    def _best_epoch(self, history: list[dict[str, float]]) -> dict[str, int]:
        """Returns the epoch whose weights were kept, where there was a choice."""
        if self.config.patience is None:
            return {}
        start = self._recipe.splitting_epochs if self._recipe.two_phases else 0
        return {"best_epoch": stopping.best(history, start)}

    def _draw_weights(self, model: keras.Model) -> None:
        """Draws the split kernels of a model in training, dense and sparse."""
        if not self._distribution.leads:
            return
        dense = sparse = _values(model, self._recipe.layers)
        if isinstance(model, rvsm.RVSM):
            sparse = _values(model.harden(), self._recipe.layers)
        plots.weights(self.output / "weights.png", dense, sparse)


def _values(model: keras.Model, patterns: list[str]) -> np.ndarray:
    """Returns the weights of the named layers' kernels, shape (n,)."""
    return np.concatenate(
        [np.asarray(w).ravel() for w in kernels.named(model, patterns)]
    )
