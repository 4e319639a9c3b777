"""The splitting: which kernels have a sparse twin u, and the pull of w towards it.

The objective of relaxed variable splitting is

    L(w, u) = f(w) + λ P(u) + β/2 ‖w − u‖²,

and one iteration, per batch (Xue and Xin 2019, algorithm 1),

    u ← argmin_u λ P(u) + β/2 ‖w − u‖²  =  prox of (λ/β)·P at w
    w ← w − η ∇f(w) − η β (w − u).

u is a function of w and is never stored. The pull β (w − u) is kept out of the
gradient that the optimizer sees, as AdamW keeps weight decay out of it: an adaptive
optimizer would divide its scale away. Its own rate is κ = ηβ, or what is given.

What P and the distance are taken of is w as it is, or w weighed by its saliency, see
`rvsm_tf.saliency`.
"""

import contextlib
import dataclasses
import functools
import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import keras
from keras import ops
from keras.optimizers.schedules import LearningRateSchedule

from .backend import fused, update
from .optimizers import mean_squares, mover, single
from .penalties import Penalty
from .saliency import EVERY, FISHER, MAGNITUDE, check_saliency, scaled, scales
from .schedules import Schedule, TargetSparsity, check_beta, check_kappa, check_lam
from .selection import Selection, select

# What κ adds up to over a fit that a target follows, where it is not given: w comes
# close to u in a hundredth of the fit. Chosen like the ramp, see `rvsm_tf.schedules`.
_PULL = 200.0

# κ at most there: a fit of a few batches, to try whether all is in place, must not
# wipe out what a network has learned.
_FASTEST = 0.2


@dataclasses.dataclass(frozen=True, eq=False)
class Split:
    """The kernels that one entry of a selection names, and what they cost.

    An entry whose layers stand behind different numbers of channels is several splits.

    Attributes:
        key: the entry's name or pattern.
        penalty: what the kernels' weights cost.
        lam: the λ that governs them, a scalar variable; splits may share one.
        kernels: the kernels w, variables of any shape.
        followers: for each kernel the vectors that are zero where a unit of it is, see
            `rvsm_tf.units`.
    """

    key: str
    penalty: Penalty
    lam: keras.Variable
    kernels: tuple[keras.Variable, ...]
    followers: tuple[tuple[keras.Variable, ...], ...]


class Splitting(keras.layers.Layer):
    """Relaxed variable splitting of chosen kernels of a network.

    A training loop of one's own needs one line more: `with splitting.step(optimizer)`
    around the optimizer's step.

    It is a layer only to have its state (λ, β, the number of steps made) saved with
    the model around it; it is never called, and holds no weight of the network.

    What is not trained is not split: a frozen weight is neither pulled nor hardened,
    and counts in no share of zeros, for as long as it is frozen.

    Args:
        net: a built Keras model.
        split: which kernels are split, and the penalty of each, see `RVSM`.
        lam: λ of the splits that have none of their own.
        beta: β, a number or a Keras schedule.
        kappa: rate of the pull towards u, above 0 and at most 1, or a Keras schedule;
            the optimizer's learning rate times β if None, as in the paper. With a
            target that follows the fit it then follows the fit, too.
        saliency: what a weight counts for when it is decided which become zero:
            "magnitude", or "fisher", magnitude times the root mean square of its
            gradients, which Adam and its kin keep; see `rvsm_tf.saliency`.
        name: of the layer.

    Raises:
        ValueError: an argument is out of its range, the selection names nothing or a
            layer without a kernel, two entries name the same kernel, or a kernel cannot
            be divided into the groups of its penalty.

    Warns:
        UserWarning: a pattern leaves out weights that it seems to name.

    Example:
        With TensorFlow as Keras's backend:

        >>> import tensorflow as tf
        >>> net = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
        >>> target = rvsm.TargetSparsity(0.5, steps=10)
        >>> splitting = rvsm.Splitting(net, {"*": rvsm.L0()}, target, kappa=0.1)
        >>> optimizer = keras.optimizers.SGD(0.01)
        >>> x, y = np.ones((8, 4)), np.ones((8, 2))
        >>> for _ in range(12):
        ...     with tf.GradientTape() as tape:
        ...         loss = keras.ops.mean((net(x) - y) ** 2)
        ...     gradients = tape.gradient(loss, net.trainable_variables)
        ...     with splitting.step(optimizer):
        ...         optimizer.apply(gradients, net.trainable_variables)
        >>> splitting.harden()
        >>> int(np.sum(net.weights[0].numpy() == 0))
        4
    """

    def __init__(
        self,
        net: keras.Model,
        split: Selection,
        lam: Schedule,
        beta: float | LearningRateSchedule = 0.1,
        kappa: float | LearningRateSchedule | None = None,
        saliency: str = MAGNITUDE,
        name: str = "splitting",
    ):
        super().__init__(name=name, dtype="float32", trainable=False, autocast=False)
        self._beta_schedule = check_beta(beta)
        self._kappa = check_kappa(kappa)
        check_saliency(saliency)
        chosen = select(net, split)

        self.position = self._state("position", 0, "int32")
        self.beta = self._state("beta", _start(self._beta_schedule))
        self.lam = self._state("lam", _start(check_lam(lam)))
        # Schedule of each λ, in the order of creation; splits refer to the variables.
        self._schedules = [(check_lam(lam), self.lam)]
        splits, owned = [], {}
        for key, penalty, own, kernels, followers in chosen:
            if own is not None and key not in owned:
                start = _start(check_lam(own))
                owned[key] = self._state("lam_" + key.replace("/", "_"), start)
                self._schedules.append((check_lam(own), owned[key]))
            lam_of = owned.get(key, self.lam)
            splits.append(Split(key, penalty, lam_of, kernels, followers))
        self.splits = tuple(splits)
        # What a kernel is multiplied by before it is thresholded, by the kernel's id.
        self._scales: dict[int, keras.Variable] = {}
        if saliency == FISHER:
            for k, w in enumerate(w for split in splits for w in split.kernels):
                self._scales[id(w)] = self._state(f"scale_{k}", 1.0, shape=w.shape)
        self._hardened = False
        self._hardened_at: int | None = None
        # By id: Keras would track, and save, the weights themselves.
        self._pulled: set[int] = set()
        self._told: set[str] = set()
        # How many steps the fit makes that a target follows; 0 if not known yet.
        self.fit_steps = None
        if any(_follows_fit(schedule) for schedule, _ in self._schedules):
            self.fit_steps = self._state("fit_steps", 0, "int32")
        self._is_fitted = False
        self.built = True

    def _state(
        self, name: str, value: float, dtype: str = "float32", shape: tuple = ()
    ):
        return self.add_weight(
            shape=shape,
            initializer=keras.initializers.Constant(value),
            dtype=dtype,
            trainable=False,
            aggregation="only_first_replica",
            name=name,
        )

    @property
    def kernels(self) -> list[tuple[Split, keras.Variable]]:
        """Every split kernel w that is trained, with the split it belongs to."""
        return [(split, w) for split, w, _ in self._parts()]

    def u(self) -> dict[str, Any]:
        """Returns the sparse twin of each trained kernel, by the kernel's path.

        Where kernels have one path, the second has "#2" behind it, and so on.
        """
        found: dict[str, Any] = {}
        for _, w, u in self.twins():
            same = sum(path.partition("#")[0] == w.path for path in found)
            found[f"{w.path}#{same + 1}" if same else w.path] = u
        return found

    def twins(self) -> list[tuple[Split, keras.Variable, Any]]:
        """Returns every trained kernel w with its split and its sparse twin u."""
        steps = {id(lam): self._ratio(value) for lam, value in self._current()}
        return [
            (s, w, _twin(s.penalty, w, steps[id(s.lam)], self._scale(w)))
            for s, w in self.kernels
        ]

    def _scale(self, w: keras.Variable) -> Any:
        """Returns what a kernel is multiplied by before thresholding; None for 1."""
        scale = self._scales.get(id(w))
        return None if scale is None else ops.copy(scale)

    def _parts(self) -> Iterator[tuple[Split, keras.Variable, tuple]]:
        """Yields every trained kernel with its split and its trained followers."""
        for split in self.splits:
            for w, followers in zip(split.kernels, split.followers):
                if w.trainable:
                    yield split, w, tuple(v for v in followers if v.trainable)

    @contextlib.contextmanager
    def step(self, *optimizers: keras.optimizers.Optimizer) -> Iterator[None]:
        """Makes the optimizer's step inside the block an iteration of the method.

        The pull κ (w − u) is taken before the block and applied after it, so that it
        and the gradient belong to the same w. Nothing is pulled when the optimizer
        updates nothing: between the batches of an accumulated gradient, or when loss
        scaling skips a batch. Works in graph mode, with XLA and inside the replicas
        of a `tf.distribute` strategy.

        Args:
            *optimizers: what is applied inside the block, each at most once. Where
                there are several, as in a GAN, a weight is pulled when its own
                optimizer has updated it.

        Raises:
            ValueError: there is no optimizer; a target follows the fit, and this is
                none; or a weight's learning rate is not known, as several optimizers
                are not built.
        """
        if self.fit_steps is not None and not self._is_fitted:
            raise ValueError(
                "TargetSparsity without steps follows `fit`: in a training loop of "
                "your own say how many steps it takes, TargetSparsity(0.9, steps=2000)"
            )
        movers = single(optimizers)
        if not movers:
            raise ValueError(
                "there is no optimizer whose steps could be followed: keep each one in "
                "an attribute of the network, or pass it to splitting.step"
            )
        before = [ops.copy(optimizer.iterations) for optimizer in movers]
        pulls = []
        for split, w, followers in self._parts():
            kappa = self._rate(split, mover(movers, w), w)
            values = [ops.copy(v) for v in (w, *followers)]
            step, scale = self._ratio(split.lam), self._scale(w)
            amounts = _pulls(split.penalty, values, step, kappa, scale)
            pulls.append((w, list(zip((w, *followers), amounts))))
            self._pulled.add(id(w))
        yield
        updated = {
            id(optimizer): ops.copy(optimizer.iterations) > count
            for optimizer, count in zip(movers, before)
        }
        for w, amounts in pulls:
            moved = updated.get(id(mover(movers, w)))
            if moved is None:  # by no optimizer
                continue
            for v, pull in amounts:
                _subtract(v, pull * ops.cast(moved, pull.dtype))
                if v.constraint is not None:
                    _assign(v, v.constraint(v))
        progress = (ops.cast(moved, "int32") for moved in updated.values())
        self.position.assign_add(functools.reduce(ops.maximum, progress))
        self._follow_gradients(movers)
        self._follow_schedules()

    def _rate(self, split: Split, optimizer: Any, w: keras.Variable) -> Any:
        """Returns κ of a weight that an optimizer moves."""
        if isinstance(self._kappa, LearningRateSchedule):
            return self._kappa(ops.copy(self.position))
        if self._kappa is not None:
            return self._kappa
        if any(v is split.lam and _follows_fit(s) for s, v in self._schedules):
            fit = ops.cast(ops.copy(self.fit_steps), "float32")
            return ops.minimum(_PULL / ops.maximum(fit, 1.0), _FASTEST)
        if optimizer is None:
            raise ValueError(
                f"which of several optimizers trains {w.path!r} is not known before "
                "they are built: build them, or give kappa"
            )
        return ops.cast(optimizer.learning_rate, "float32") * self.beta

    def follow(self, steps: int | None) -> None:
        """Notes that Keras's `fit` begins, whose length targets may follow.

        A fit that goes on with an earlier one, after a kill for example, keeps to what
        that one was to be.

        Args:
            steps: that it makes; None if that is not known.

        Raises:
            ValueError: a target follows the fit, and the number is not known.
        """
        self._is_fitted = True
        if self.fit_steps is None or int(ops.copy(self.fit_steps)):
            return
        if steps is None:
            raise ValueError(
                "TargetSparsity without steps follows the fit, and how many batches an "
                "epoch has is not known: give fit steps_per_epoch, or say "
                "TargetSparsity(0.9, steps=2000)"
            )
        self.fit_steps.assign(int(ops.copy(self.position)) + steps)

    def targets(self) -> list[tuple[TargetSparsity, keras.Variable]]:
        """Returns the targets that govern trained weights, each with its λ."""
        return [
            (schedule, lam)
            for schedule, lam in self._schedules
            if isinstance(schedule, TargetSparsity) and self._governed(lam)
        ]

    @contextlib.contextmanager
    def hardened(self) -> Iterator[None]:
        """Puts u in place of w inside the block; afterwards w is back, come what may.

        A block inside another one changes nothing.
        """
        if self._hardened:
            yield
            return
        kept = [
            (v, ops.copy(v)) for _, w, others in self._parts() for v in (w, *others)
        ]
        if self._hardened_at == int(ops.copy(self.position)):
            self.warn_once(
                "hardened",
                "harden() has put u in place of w already, and thresholding again "
                "could shrink it: use the network itself, model.net",
            )
        self._hardened = True
        try:
            self._overwrite()
            yield
        finally:
            for v, value in kept:
                v.assign(value)
            self._hardened = False

    def harden(self) -> None:
        """Overwrites w with u, for good.

        Afterwards use the network itself, and count its zeros with
        `rvsm_tf.summarize`: what an `RVSM` around it, `u` and `sparsity` say would
        threshold what is thresholded already.

        Warns:
            UserWarning: a weight that was pulled is frozen now, and stays dense.
        """
        self._overwrite()
        self._hardened_at = int(ops.copy(self.position))

    def _overwrite(self) -> None:
        kernels = (w for split in self.splits for w in split.kernels)
        frozen = [w.path for w in kernels if id(w) in self._pulled and not w.trainable]
        if frozen:
            self.warn_once(
                "frozen later",
                f"{', '.join(frozen)} was trained to be sparse, is frozen now, and so "
                "stays dense: call harden() before you freeze it",
            )
        for (split, w, followers), (_, _, u) in zip(self._parts(), self.twins()):
            w.assign(u)
            for v in followers:
                v.assign(split.penalty.follow(u, ops.copy(v)))

    def warn_once(self, what: str, message: str) -> None:
        """Warns of something, unless it was warned of before.

        Args:
            what: a name for it.
            message: one line that names the layer and a way out.
        """
        if what not in self._told:
            self._told.add(what)
            warnings.warn(message, stacklevel=4)

    def sparsity(self) -> float:
        """Returns the share of zeros in u over all trained split kernels, 0 to 1.

        It is 0 where none of them is trained.
        """
        u = [x for _, _, x in self.twins()]
        total = sum(int(ops.size(x)) for x in u)
        return sum(int(ops.sum(x == 0)) for x in u) / total if total else 0.0

    def lams(self) -> dict[str, float]:
        """Returns each λ by name: `lam`, and `lam_<key>` of splits with their own."""
        return {lam.name: float(value) for lam, value in self._current()}

    def gap(self) -> float:
        """Returns ‖w − u‖ over all split kernels."""
        squares = [ops.sum((_wide(w) - _wide(u)) ** 2) for _, w, u in self.twins()]
        return float(ops.sqrt(sum(squares))) if squares else 0.0

    def lagrangian(self, loss: float) -> float:
        """Returns f(w) + λ P(s u) + β/2 ‖s (w − u)‖², given f(w); s is the saliency."""
        lam = {id(lam): float(value) for lam, value in self._current()}
        value, half = float(loss), _scalar(self.beta) / 2
        for split, w, u in self.twins():
            scale = self._scale(w)
            value += lam[id(split.lam)] * float(split.penalty(scaled(u, scale)))
            value += half * float(ops.sum(scaled(_wide(w) - _wide(u), scale) ** 2))
        return value

    def _ratio(self, lam: Any) -> Any:
        """Returns the step λ/β of the proximal operator."""
        return ops.copy(lam) / ops.copy(self.beta)

    def _follow_gradients(self, movers: list[keras.optimizers.Optimizer]) -> None:
        """Sets what kernels are multiplied by to what the optimizers say of them."""
        if not self._scales:
            return
        due = ops.copy(self.position) % EVERY == 0
        for _, lam in self._schedules:
            moved = [
                (self._scales[id(w)], mean_squares(optimizer, w))
                for split, w in self.kernels
                if split.lam is lam and (optimizer := mover(movers, w)) is not None
            ]
            if moved:
                before = [ops.copy(scale) for scale, _ in moved]
                squares = [_wide(square) for _, square in moved]
                after = ops.cond(due, lambda s=squares: scales(s), lambda b=before: b)
                for (scale, _), value in zip(moved, after):
                    scale.assign(value)

    def _follow_schedules(self) -> None:
        """Sets λ and β to what their schedules say for the current position.

        A number's variable is left alone: whoever changes it by hand, during training
        or by loading a saved model, keeps that value.
        """
        for schedule, variable in (self._beta_schedule, self.beta), *self._schedules:
            if isinstance(schedule, TargetSparsity):
                self._meet(schedule, variable)
            elif isinstance(schedule, LearningRateSchedule):
                variable.assign(schedule(ops.copy(self.position)))

    def _current(self) -> list[tuple[keras.Variable, Any]]:
        """Returns each λ's variable, and its value for the weights as they are now.

        A target's λ is adjusted every few steps only; whoever looks at u in between
        gets the share of zeros that was asked for all the same.
        """
        return [
            (lam, self._solved(schedule, lam)())
            if isinstance(schedule, TargetSparsity) and self._governed(lam)
            else (lam, ops.copy(lam))
            for schedule, lam in self._schedules
        ]

    def _governed(self, lam: keras.Variable) -> list[tuple[Penalty, Any]]:
        return [
            (s.penalty, scaled(ops.copy(w), self._scale(w)))
            for s, w in self.kernels
            if s.lam is lam
        ]

    def _solved(self, target: TargetSparsity, lam: keras.Variable) -> Callable:
        """Returns a function that finds the λ with the zeros asked for now."""
        penalties, kernels = zip(*self._governed(lam))
        position, beta = ops.copy(self.position), ops.copy(self.beta)
        fit = self._fit_of(target)
        return lambda: _solve(target, position, beta, penalties, kernels, fit)

    def _fit_of(self, target: TargetSparsity) -> Any:
        return ops.copy(self.fit_steps) if target.follows_fit else 0

    def _meet(self, target: TargetSparsity, lam: keras.Variable) -> None:
        """Sets a target's λ when that is due."""
        if self._governed(lam):
            due = target.is_due(ops.copy(self.position), self._fit_of(target))
            solved = self._solved(target, lam)
            lam.assign(ops.cond(due, solved, lambda: ops.copy(lam)))


def _wide(x: Any) -> Any:
    return ops.cast(x, "float32")


def _follows_fit(schedule: Schedule) -> bool:
    return isinstance(schedule, TargetSparsity) and schedule.follows_fit


def _scalar(x: Any) -> float:
    """Returns a scalar tensor's or variable's value, also of a mirrored one."""
    return float(ops.copy(x))


def _start(schedule: Schedule) -> float:
    """Returns the value that a schedule starts from, before any training."""
    if isinstance(schedule, TargetSparsity):
        return 0.0
    if isinstance(schedule, LearningRateSchedule):
        return float(schedule(0))
    return schedule


def _twin(penalty: Penalty, w: Any, step: Any, scale: Any) -> Any:
    """Returns u of a kernel, in its type."""
    if scale is None:
        return penalty.prox(w, step)
    weighed = scaled(w, scale)
    # The quotient is exactly 1 where ℓ0 keeps a weight, which then stays as it is.
    kept = penalty.prox(weighed, step) / ops.where(weighed != 0, weighed, 1.0)
    return ops.cast(ops.where(kept != 0, _wide(w) * kept, 0.0), w.dtype)


@fused
def _pulls(
    penalty: Penalty, values: list[Any], step: Any, kappa: Any, scale: Any = None
) -> list[Any]:
    """Returns κ (w − u), in the type of w, for a kernel and for its followers."""
    w, *followers = values
    u = _twin(penalty, _wide(w), step, scale)
    twins = [u, *(penalty.follow(u, _wide(v)) for v in followers)]
    return [
        ops.cast(kappa * (_wide(v) - twin), v.dtype) for v, twin in zip(values, twins)
    ]


@fused
def _solve(
    target: TargetSparsity,
    position: Any,
    beta: Any,
    penalties: tuple[Penalty, ...],
    kernels: tuple[Any, ...],
    fit: Any = 0,
) -> Any:
    """Returns the λ that gives kernels the share of zeros asked for at a position."""
    total = float(sum(math.prod(w.shape) for w in kernels))

    def zeros(lam):
        counts = [p.zeros(w, lam / beta) for p, w in zip(penalties, kernels)]
        return ops.cast(sum(counts), "float32") / total

    return target.solve(target.share(position, fit), zeros)


def _subtract(variable: keras.Variable, amount: Any) -> None:
    update(variable, lambda v, a: v.assign_sub(a), amount)


def _assign(variable: keras.Variable, value: Any) -> None:
    update(variable, lambda v, a: v.assign(a), value)
