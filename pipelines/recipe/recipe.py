"""What a run trains and how: network, splitting, schedules, optimizer.

With a given λ, training is one phase. With a target there are two: the splitting
drives weights to zero, up to the target; then zeros are held, the learning rate starts
anew, and what is left is fine-tuned. Few weights bear what many bore, and need large
steps to get there.

Where whole filters and units went, they are cut out before, and fine-tuning is in
float32: the network is small then, and an epoch costs a third of the first ones.
"""

from typing import Any

import keras
from keras.optimizers.schedules import CosineDecay

import rvsm_tf as rvsm
from commands.cli import InputError
from shaky_letters.examples import CLASSES

from ..run.config import TrainConfig
from . import kernels, origin, start
from .design import FULL, Design
from .families import PAPER, Family
from .penalized import Penalized

_LEARNING_RATE = {"sgd": 0.02, "adam": 1e-3, "adamw": 1e-3}  # at the peak

# What κ adds up to over a training with Adam, whose steps have a size of their own: ηβ
# would be a thousandth of them. A weight below the threshold that nothing defends then
# shrinks to e^-16 of its size.
_PULL = 16.0

# The same where a target moves the threshold, by saliency. What gradients tell is told
# early, and w can be close to u before zeros are held. Chosen on drawings of `hands`
# made anew, at 98 % zeros.
_TARGET_PULL = {"magnitude": 24.0, "fisher": 120.0}

# Share of the epochs before zeros are held: for a share of zeros, and for filters and
# units, whose fine-tuning is cheap.
_SPLITTING = 0.6
_STRUCTURE_SPLITTING = 1 / 3

# Share of these epochs after which the target is reached.
_RAMP = 0.9
_STRUCTURE_RAMP = 0.8

# Of the learning rate at their end: not zero, as what is left goes on learning.
_REST = 0.3
_STRUCTURE_REST = 0.1

# Of the dense kernel's initial weights, where no given threshold has to be passed:
# nearer to what Keras would take.
_STDDEV = 0.03

# The same in a network without any threshold, as `paper_cnn` has it.
_DENSE_STDDEV = 0.1


class Recipe:
    """How the models of a run are made.

    Args:
        config: what to train.
        design: what is to be left of filters and units; None if that is not asked for.
        images: that a training epoch shows.
        jit_compile: Keras's argument.
        classes: to tell apart.
        family: of the network.

    Raises:
        InputError: a batch is more than an epoch.
    """

    def __init__(
        self,
        config: TrainConfig,
        design: Design | None,
        images: int,
        jit_compile: bool | str,
        classes: tuple[str, ...] = CLASSES,
        family: Family = PAPER,
    ):
        self._config, self._design, self._jit_compile = config, design, jit_compile
        self._classes, self._family = classes, family
        self._epoch = images // config.batch_size
        if not self._epoch:
            raise InputError(
                f"--batch-size {config.batch_size} is more than the {images} images"
            )

    @property
    def splitting_epochs(self) -> int:
        """Epochs of the first phase; the second, if there is one, has the others."""
        epochs = self._config.epochs
        if self._design:
            return max(1, int(_STRUCTURE_SPLITTING * epochs))
        if self._config.target_sparsity is not None:
            return max(1, round(_SPLITTING * epochs))
        return epochs

    @property
    def two_phases(self) -> bool:
        """Whether zeros are held, and what is left fine-tuned, after the splitting."""
        return self._design is not None or self.splitting_epochs < self._config.epochs

    @property
    def layers(self) -> list[str]:
        """Names or patterns of the layers whose weights become zero."""
        if self._design:
            return list(FULL)
        return self._config.patterns or list(self._family.split)

    def whole(self) -> keras.Model:
        """Returns the compiled model that training starts from."""
        config, steps = self._config, self._epoch * self.splitting_epochs
        keras.utils.set_random_seed(config.seed)
        model = self.network()
        if config.origin is not None:
            origin.begin(model, config.origin, self._classes)
        if self._design:
            model = self._split_structures(model, steps)
            schedule = CosineDecay(self.peak, steps, alpha=_STRUCTURE_REST)
            return self._compiled(model, schedule)
        layers = self._selected(model)
        if config.keep_norm:
            for layer in layers:
                _keep_norm(layer)
        if config.method == "loss" and config.penalty != "none":
            for layer in layers:
                layer.kernel_regularizer = Penalized(self._penalty, config.lam)
                layer.kernel.regularizer = layer.kernel_regularizer
        elif config.penalty != "none":
            model = self._split(model, steps)
        if config.target_sparsity is not None:
            return self.driven(model)
        return self._compiled(model, self._falling(self.peak, steps))

    def network(self) -> keras.Model:
        """Returns the plain network with its initial weights."""
        return self._family.build(self._config, self._stddev, len(self._classes))

    @property
    def _stddev(self) -> float:
        """That of the dense kernel's initial weights."""
        config = self._config
        if config.stddev is not None:
            return config.stddev
        if self._design or config.target_sparsity is not None:
            return _STDDEV
        if config.penalty == "none" or not config.lam:
            return _DENSE_STDDEV
        return start.stddev(self._penalty, config.lam / config.beta, self._pull)

    @property
    def _pull(self) -> float:
        """What κ adds up to, over a training with given λ and β."""
        config = self._config
        if config.optimizer == "sgd" and config.method == "rvsm":
            mean = self.peak if config.constant_rate else self.peak / 2
            return mean * config.beta * self._epoch * config.epochs
        return _PULL

    def _selected(self, model: keras.Model) -> list[keras.Layer]:
        """Returns the layers that --split-layers names."""
        try:
            found = {id(w) for w in kernels.named(model, self.layers)}
        except ValueError as error:
            raise InputError(f"--split-layers: {error}") from None
        return [x for x in model.layers if id(getattr(x, "kernel", None)) in found]

    def driven(self, model: keras.Model) -> keras.Model:
        """Compiles a model for the first phase, which ends at a share of zeros."""
        return self._compiled(model, self._until_held)

    def held(self, model: keras.Model) -> keras.Model:
        """Compiles a network with zeros to be fine-tuned for the second phase."""
        return self._compiled(model, self._while_held)

    @property
    def ramp(self) -> int:
        """Steps after which a share of zeros is reached."""
        return max(1, round(_RAMP * self._epoch * self.splitting_epochs))

    def rate(self, step: Any) -> Any:
        """Returns the learning rate at a step of a run with a share of zeros."""
        steps = self._epoch * self.splitting_epochs
        first, second = self._until_held(step), self._while_held(step - steps)
        return keras.ops.where(step < steps, first, second)

    @property
    def _until_held(self) -> CosineDecay:
        steps = self._epoch * self.splitting_epochs
        return CosineDecay(self.peak, steps, alpha=_REST)

    @property
    def _while_held(self) -> CosineDecay:
        epochs = self._config.epochs - self.splitting_epochs
        return CosineDecay(self.peak, max(1, epochs * self._epoch))

    def small(self, model: keras.Model, epochs: int) -> keras.Model:
        """Compiles a small network to be trained, or fine-tuned, for so many epochs."""
        steps = max(2, epochs * self._epoch)
        # Fewer weights take larger steps; the optimizer starts anew, and carefully.
        peak, warmup = 2 * self.peak, min(self._epoch, steps - 1)
        schedule = CosineDecay(
            peak / 20, steps - warmup, warmup_target=peak, warmup_steps=warmup
        )
        return self._compiled(model, schedule)

    @property
    def peak(self) -> float:
        """The highest learning rate of the splitting."""
        return self._config.learning_rate or _LEARNING_RATE[self._config.optimizer]

    @property
    def _penalty(self) -> rvsm.penalties.Penalty:
        return penalty(self._config)

    def _split(self, net: keras.Model, steps: int) -> rvsm.RVSM:
        """Returns the model whose single weights become zero."""
        config = self._config
        lam = config.lam
        if config.target_sparsity is not None:
            lam = rvsm.TargetSparsity(config.target_sparsity, self.ramp)
        kappa = None
        if config.optimizer != "sgd" and config.target_sparsity is None:
            # Like ηβ, the pull follows the learning rate to zero: at the end it must
            # not drag weights that the gradient can no longer defend.
            share = 1 if config.constant_rate else 2
            kappa = self._falling(min(1.0, share * self._pull / steps), steps)
        elif config.optimizer != "sgd":
            kappa = _steady(steps, config.saliency)
        split = dict.fromkeys(self.layers, self._penalty)
        return rvsm.RVSM(net, split, lam, config.beta, kappa, config.saliency)

    def _falling(self, peak: float, steps: int) -> CosineDecay | float:
        """Returns a rate that falls to zero, or one that does not, as asked."""
        return peak if self._config.constant_rate else CosineDecay(peak, steps)

    def _split_structures(self, net: keras.Model, steps: int) -> rvsm.RVSM:
        """Returns the model whose filters and units go, down to the design's widths."""
        group = rvsm.Group(self._penalty, "units")
        ramp = max(1, round(_STRUCTURE_RAMP * steps))
        split = {
            name: (group, rvsm.TargetSparsity(1 - width / FULL[name], ramp))
            for name, width in self._design.widths.items()
        }
        config = self._config
        kappa = _steady(steps, config.saliency)
        return rvsm.RVSM(net, split, config.lam, config.beta, kappa, config.saliency)

    def _compiled(
        self, model: keras.Model, schedule: CosineDecay | float
    ) -> keras.Model:
        optimizer = {
            "sgd": lambda: keras.optimizers.SGD(schedule, momentum=0.9),
            "adam": lambda: keras.optimizers.Adam(schedule),
            "adamw": lambda: keras.optimizers.AdamW(schedule),
        }[self._config.optimizer]()
        model.compile(
            optimizer,
            "sparse_categorical_crossentropy",
            metrics=["accuracy"],
            jit_compile=self._jit_compile,
            steps_per_execution=steps_at_once(self._epoch),
        )
        return model


def penalty(config: TrainConfig) -> rvsm.penalties.Penalty:
    """Returns the penalty that a configuration names; it may not be none."""
    return rvsm.penalties.get(config.penalty, **config.shape)


def threshold(config: TrainConfig) -> float:
    """Returns the size up to which a given λ and β set weights to zero."""
    return float(penalty(config).threshold(config.lam / config.beta))


def _keep_norm(layer: keras.Layer) -> None:
    """Has a layer's kernel scaled back to its initial norm after every step."""
    norm = float(keras.ops.norm(layer.kernel))
    axes = tuple(range(len(layer.kernel.shape)))
    layer.kernel_constraint = keras.constraints.MinMaxNorm(norm, norm, axis=axes)
    layer.kernel.constraint = layer.kernel_constraint


def steps_at_once(steps: int) -> int:
    """Returns how many of an epoch's steps TensorFlow makes in one go.

    A few are enough to make Python's share of the time small; they have to divide the
    epoch, or Keras would run over its end.
    """
    return max(n for n in range(1, 9) if steps % n == 0)


def _steady(steps: int, saliency: str) -> float:
    """Returns a κ that stays the same over a training with a target.

    What a target cuts off late has to fade out too: the rest learns to do without it
    only as w comes close to u.
    """
    return min(1.0, _TARGET_PULL[saliency] / steps)
