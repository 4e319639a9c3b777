"""λ and β over training: numbers, Keras schedules, or a target for the zeros."""

import dataclasses
import math
import numbers
from collections.abc import Callable
from typing import Any, TypeAlias

import keras
from keras import ops
from keras.optimizers.schedules import LearningRateSchedule

# λ is looked for between these powers of two, by halving the interval so often that
# what is left is far below one weight in a million.
_LOWEST, _HIGHEST, _HALVINGS = -60.0, 40.0, 28

# Of a fit that is followed: the share after which the target is reached, and how often
# λ is adjusted until then, at least.
# Chosen on validation images of MNIST: two networks, Adam and SGD, short fits and long.
_RAMP, _ADJUSTMENTS = 0.8, 40


@keras.saving.register_keras_serializable(package="rvsm_tf")
@dataclasses.dataclass(frozen=True)
class TargetSparsity:
    """Drives λ so that a given share of the split weights is zero at the end.

    The target rises as 1 − (1 − k/steps)³, fast at first, slowly towards the end (Zhu
    and Gupta, To prune or not to prune, 2017), and stays. Every few steps λ is set to
    the value whose threshold cuts off just that share of the weights: at the end
    nothing is left to chance. Where a `Group` penalty cuts off whole groups, the share
    is met up to one group, and not exceeded.

    Without `steps` the schedule follows the first `fit` of the model: the target is
    reached after 80 % of its steps, and what is left goes on learning.

    Args:
        target: share of zeros to reach among the weights that λ governs and that are
            trained, 0 to 1.
        steps: training steps (batches that update weights) until it is reached; None
            to follow the fit.
        every: steps between two adjustments of λ, at most; fewer in a short fit that
            is followed.

    Raises:
        ValueError: an argument is out of its range.

    Example:
        >>> target = rvsm.TargetSparsity(0.9, steps=100)
        >>> [round(float(target.share(step)), 2) for step in (0, 50, 100, 200)]
        [0.0, 0.79, 0.9, 0.9]
    """

    target: float
    steps: int | None = None
    every: int = 16

    def __post_init__(self):
        """Rejects arguments out of their range."""
        if not (_number(self.target) and 0 <= self.target <= 1):
            raise ValueError(
                f"target must be a share between 0 and 1, got {self.target!r}"
            )
        for name in ("steps", "every"):
            value = getattr(self, name)
            if name == "steps" and value is None:
                continue
            whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
            if not (whole and value >= 1):
                raise ValueError(
                    f"{name} must be a whole number of 1 or more, got {value!r}"
                )
            object.__setattr__(self, name, int(value))

    @property
    def follows_fit(self) -> bool:
        """Whether the fit decides after how many steps the target is reached."""
        return self.steps is None

    def share(self, step: Any, fit: Any = 0) -> Any:
        """Returns the share of zeros asked for after so many training steps.

        Args:
            step: how many have been made.
            fit: how many the fit makes, if it is followed; 0 if that is not known yet.
        """
        progress = ops.minimum(ops.cast(step, "float32") / self._ramp(fit), 1.0)
        return self.target * (1 - (1 - progress) ** 3)

    def is_due(self, step: Any, fit: Any = 0) -> Any:
        """Whether λ is adjusted after so many training steps.

        Args:
            step: how many have been made.
            fit: how many the fit makes, if it is followed; 0 if that is not known yet.
        """
        every = self.every
        if self.follows_fit:
            often = ops.cast(self._ramp(fit) / _ADJUSTMENTS, "int32")
            every = ops.clip(often, 1, every)
        return step % every == 0

    def _ramp(self, fit: Any) -> Any:
        """Returns the steps until the target is reached."""
        if not self.follows_fit:
            return self.steps
        return ops.maximum(_RAMP * ops.cast(fit, "float32"), 1.0)

    def solve(self, share: Any, zeros: Callable[[Any], Any]) -> Any:
        """Returns the largest λ that causes at most a share of zeros.

        Args:
            share: scalar, 0 to 1.
            zeros: function from λ to the share of zeros it causes, rising with λ.
        """

        def halve(_, interval):
            low, high = interval
            middle = (low + high) / 2
            # 288 of 320 may come out above 0.9 by float32's last digit.
            enough = zeros(2.0**middle) > share * (1 + 2e-7)
            return ops.where(enough, low, middle), ops.where(enough, middle, high)

        interval = (ops.cast(_LOWEST, "float32"), ops.cast(_HIGHEST, "float32"))
        low, _ = ops.fori_loop(0, _HALVINGS, halve, interval)
        return 2.0**low

    def get_config(self) -> dict:
        """Returns the constructor's arguments."""
        return dataclasses.asdict(self)

    @classmethod
    def from_config(cls, config: dict) -> "TargetSparsity":
        """Returns the target that `get_config` describes."""
        return cls(**config)


Schedule: TypeAlias = float | LearningRateSchedule | TargetSparsity
"""What λ can be; β can be the first two."""


def check_lam(lam: Schedule) -> Schedule:
    """Returns λ if it is a schedule, or a finite number of 0 or more.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(lam, (LearningRateSchedule, TargetSparsity)):
        return lam
    if not _number(lam) or not 0 <= lam < math.inf:
        raise ValueError(
            "lam must be a finite number of 0 or more, a Keras schedule or a "
            f"TargetSparsity, got {lam!r}"
        )
    return float(lam)


def check_beta(beta: float | LearningRateSchedule) -> float | LearningRateSchedule:
    """Returns β if it is a schedule, or a finite number greater than 0.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(beta, LearningRateSchedule):
        return beta
    if not _number(beta) or not 0 < beta < math.inf:
        raise ValueError(
            "beta must be a finite number greater than 0 or a Keras schedule, "
            f"got {beta!r}"
        )
    return float(beta)


def check_kappa(
    kappa: float | LearningRateSchedule | None,
) -> float | LearningRateSchedule | None:
    """Returns κ if it is None, a schedule, or a number above 0 and at most 1.

    Raises:
        ValueError: it is something else.
    """
    if isinstance(kappa, LearningRateSchedule):
        return kappa
    if kappa is not None and not (_number(kappa) and 0 < kappa <= 1):
        raise ValueError(
            f"kappa must be above 0 and at most 1, or a Keras schedule, got {kappa!r}"
        )
    return kappa


def _number(x: Any) -> bool:
    return isinstance(x, numbers.Real) and not isinstance(x, bool)
