"""Penalties: what a weight costs, and what is left of it after thresholding.

A penalty P adds up a cost over the entries of a weight array. The splitting method
needs it through its proximal operator

    prox(w, step) = argmin_u  step · P(u) + ½ ‖w − u‖²,    step = λ/β,

which for every penalty here sets the entries with |w| at or below a threshold to zero
and leaves or shrinks the others. From many zeros with little shrinkage to the
opposite: ℓ0, transformed ℓ1 (TL1) with growing a, ℓ1. `Group` lets any of them decide
on whole units, inputs, channels or blocks instead of single weights.

Narrow types (bfloat16, float16) are computed in float32 and rounded once.
"""

import dataclasses
import math
import numbers
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.polynomial import Chebyshev, Polynomial

from .groups import Groups, check_groups, divide

_register = keras.saving.register_keras_serializable(package="rvsm_tf")


@dataclasses.dataclass(frozen=True)
class Penalty:
    """A penalty; one of single weights defines `_cost`, `threshold` and `_kept`.

    Instances are immutable, compare by value and can be saved with a model.
    """

    def __call__(self, w: Any) -> Any:
        """Returns P(w), the sum of the cost of all entries, as a float32 scalar."""
        return ops.sum(self._cost(ops.abs(_float(w))))

    def prox(self, w: Any, step: Any) -> Any:
        """argmin_u step · P(u) + ½ ‖w − u‖².

        Args:
            w: array or tensor of any shape and floating type.
            step: λ/β, a number or scalar tensor, at least 0.

        Returns:
            u, shape and type of w. Where |w| is at or below `threshold(step)` it is
            exactly +0.0; both minimisers are equally good at the threshold itself.
            NaN stays NaN: weights that diverged are no zeros.
        """
        w = ops.convert_to_tensor(w)
        wide, step = _float(w), _float(step)
        size = ops.abs(wide)
        cut = size <= self.threshold(step)
        # Entries that will be zero take a harmless size: no 0/0, no overflow.
        u = ops.sign(wide) * self._kept(ops.where(cut, 1.0, size), step)
        return _rounded(ops.where(cut, 0.0, u), w.dtype)

    def threshold(self, step: Any) -> Any:
        """Returns the largest |w| that `prox` sets to zero, as a float32 scalar."""
        raise NotImplementedError

    def zeros(self, w: Any, step: Any) -> Any:
        """Returns how many entries of w `prox` sets to zero, as an integer scalar."""
        cut = ops.abs(_float(w)) <= self.threshold(step)
        return ops.sum(ops.cast(cut, "int32"))  # count_nonzero warns on PyTorch

    def _cost(self, size: Any) -> Any:
        """Returns the cost of each entry, given its absolute value."""
        raise NotImplementedError

    def _kept(self, size: Any, step: Any) -> Any:
        """Returns |u| of entries above the threshold, given their |w|."""
        raise NotImplementedError

    def get_config(self) -> dict:
        """Returns the constructor's arguments."""
        return dataclasses.asdict(self)

    @classmethod
    def from_config(cls, config: dict) -> "Penalty":
        """Returns the penalty with these constructor arguments."""
        return cls(**config)


@_register
@dataclasses.dataclass(frozen=True)
class L0(Penalty):
    """ℓ0: the number of entries that are not zero.

    prox keeps w where |w| > √(2·step) and is zero elsewhere (hard thresholding).
    """

    def threshold(self, step: Any) -> Any:
        """√(2·step)."""
        return ops.sqrt(2.0 * _float(step))

    def _cost(self, size: Any) -> Any:
        return ops.cast(size > 0, "float32")

    def _kept(self, size: Any, step: Any) -> Any:
        return size


@_register
@dataclasses.dataclass(frozen=True)
class L1(Penalty):
    """ℓ1: the sum of absolute values.

    prox is sgn(w)·max(|w| − step, 0) (soft thresholding).
    """

    def threshold(self, step: Any) -> Any:
        """The step itself."""
        return _float(step)

    def _cost(self, size: Any) -> Any:
        return size

    def _kept(self, size: Any, step: Any) -> Any:
        return size - step


@_register
@dataclasses.dataclass(frozen=True)
class TL1(Penalty):
    """Transformed ℓ1: Σ (a+1)|w| / (a+|w|), between ℓ0 (a → 0) and ℓ1 (a → ∞).

    The proximal operator is Zhang and Xin's closed form (Minimization of transformed
    L1 penalty, 2017, theorem 3.1),

        |u| = 2/3 (a+|w|) cos(φ/3) − 2a/3 + |w|/3,   φ = arccos(1 − 2s),
        s   = 27/4 · step·a(a+1) / (a+|w|)³,

    written so that nothing cancels for large a or small step, and so that no
    trigonometric function is evaluated per weight, which took most of the time:

        |u| = |w| − (a+|w|)·y(s),   y(s) = 4/3 sin²(arcsin(√s)/3).

    Args:
        a: from 1e-30 to 1e30.

    Raises:
        ValueError: a is not a number in that range.
    """

    a: float = 1.0

    def __post_init__(self):
        """Rejects what is not a positive number that float32 can hold."""
        number = isinstance(self.a, numbers.Real) and not isinstance(self.a, bool)
        if not (number and 1e-30 <= self.a <= 1e30):
            raise ValueError(
                f"a must be a positive, finite number, got {self.a!r} (float32 takes "
                "1e-30 to 1e30)"
            )
        object.__setattr__(self, "a", float(self.a))

    def threshold(self, step: Any) -> Any:
        """step·(a+1)/a while step ≤ a²/(2(a+1)), else √(2·step·(a+1)) − a/2."""
        a, step = self.a, _float(step)
        return ops.where(
            step <= a / (a + 1) * a / 2,
            step * (1 + 1 / a),
            ops.sqrt(2 * step * (a + 1)) - a / 2,
        )

    def _cost(self, size: Any) -> Any:
        return (self.a + 1) * size / (self.a + size)

    def _kept(self, size: Any, step: Any) -> Any:
        a, total = self.a, self.a + size
        each = 1 / total  # one division, and no cube that could overflow
        s = 6.75 * step * (a * each) * ((a + 1) * each) * each
        # Never negative: rounding could make it so where u is as good as zero.
        return ops.maximum(size - total * _shrinkage(ops.minimum(s, 1.0)), 0.0)


def _shrinkage_series() -> list[float]:
    """Returns h's coefficients in y(s) = s·h(√(1−s)), highest power first.

    With v = √(1−s), h has no singularity nearer to [0, 1] than v = −1, so that ten
    Chebyshev terms give all of float32's digits.
    """

    def h(v: np.ndarray) -> np.ndarray:
        angle = np.arccos(v)
        return 4 / 3 * (np.sin(angle / 3) / np.sin(angle)) ** 2

    series = Chebyshev.interpolate(h, 9, domain=[0, 1])
    return series.convert(kind=Polynomial).coef[::-1].tolist()


_SHRINKAGE = _shrinkage_series()


def _shrinkage(s: Any) -> Any:
    """Returns y(s) = 4/3 sin²(arcsin(√s)/3) for s in [0, 1]."""
    v = ops.sqrt(1 - s)
    total, *rest = _SHRINKAGE
    for coefficient in rest:
        total = total * v + coefficient
    return s * total


@_register
@dataclasses.dataclass(frozen=True)
class Group(Penalty):
    """A penalty on the groups of a kernel, which become zero as a whole.

    With n entries in each group g, and r_g = ‖w_g‖/√n their root mean square,

        P(w) = Σ_g n · p(r_g),

    p being what the penalty of single weights costs an entry. A group of n equal
    entries so costs what it would without groups, the same λ/β cuts off groups of any
    size, and with ℓ1 it is the group lasso, Σ √n ‖w_g‖ (Yuan and Lin, Model selection
    and estimation in regression with grouped variables, 2006).

    With `TargetSparsity` the share of zeros is met up to one group: it is not exceeded,
    and one group more would exceed it.

    Args:
        penalty: what decides on r_g: `L0()`, `L1()` or `TL1(a)`.
        groups: "units", "inputs", "channels", ("channels", how many) or a block of
            (rows, columns), see `rvsm_tf.groups`. The number of channels may be left
            out where the penalty is given to `RVSM` or `Splitting`.

    Raises:
        ValueError: the penalty is not one of single weights, or groups is something
            else; when used, the kernel cannot be divided like that.
    """

    penalty: Penalty
    groups: Groups

    def __post_init__(self):
        """Rejects arguments that are not a penalty of single weights and groups."""
        if not isinstance(self.penalty, Penalty) or isinstance(self.penalty, Group):
            raise ValueError(
                "penalty must be one of single weights, such as rvsm_tf.L0(), "
                f"got {self.penalty!r}"
            )
        object.__setattr__(self, "groups", check_groups(self.groups))

    def __call__(self, w: Any) -> Any:
        """Returns P(w) as a float32 scalar."""
        _, r, n = self._divided(w)
        return n * self.penalty(r)

    def prox(self, w: Any, step: Any) -> Any:
        """argmin_u step · P(u) + ½ ‖w − u‖².

        It goes group by group: u_g = w_g · prox_p(r_g)/r_g.

        Args:
            w: array or tensor of any floating type, of a shape that can be divided.
            step: λ/β, a number or scalar tensor, at least 0.

        Returns:
            u, shape and type of w. Groups with r_g at or below `threshold(step)` are
            exactly +0.0.

        Raises:
            ValueError: w cannot be divided into these groups.
        """
        w = ops.convert_to_tensor(w)
        view, r, _ = self._divided(w)
        kept = self.penalty.prox(r, step)
        # The quotient is exactly 1 where ℓ0 keeps a group, which then stays as it is.
        u = view * (kept / ops.where(r > 0, r, 1.0))
        return _rounded(ops.reshape(u, w.shape), w.dtype)

    def threshold(self, step: Any) -> Any:
        """Returns the largest r_g that `prox` sets to zero, as a float32 scalar."""
        return self.penalty.threshold(step)

    def zeros(self, w: Any, step: Any) -> Any:
        """Returns how many entries of w `prox` sets to zero, as an integer scalar.

        A group above the threshold by no more than rounding counts as zero: r_g comes
        out a little different where its sum is compiled differently. A λ chosen by
        this number then cuts off no group too many there.
        """
        _, r, n = self._divided(w)
        return n * self.penalty.zeros(r * (1 - 4e-7 * (n - 1) ** 0.5), step)

    def follow(self, u: Any, v: Any) -> Any:
        """Returns a vector that is +0.0 where a group of u is zero, and elsewhere v.

        Args:
            u: what `prox` returned, groups being "units" or "inputs".
            v: one value for each group, such as the units' biases.
        """
        _, inside = divide(u.shape, self.groups)
        return ops.where(ops.any(u != 0, axis=inside), v, ops.zeros_like(v))

    def _divided(self, w: Any) -> tuple[Any, Any, int]:
        """Returns w in float32, viewed so that groups lie along axes; r; and n."""
        shape, inside = divide(w.shape, self.groups)
        view = ops.reshape(_float(w), shape)
        # Relative to its largest entry, no square of a group overflows or vanishes.
        largest = ops.max(ops.abs(view), axis=inside, keepdims=True)
        relative = view / ops.where(largest > 0, largest, 1.0)
        square = ops.mean(relative * relative, axis=inside, keepdims=True)
        n = math.prod(shape[axis] for axis in inside)
        return view, largest * ops.sqrt(square), n

    def get_config(self) -> dict:
        """Returns the constructor's arguments, serialized."""
        penalty = keras.saving.serialize_keras_object(self.penalty)
        named = isinstance(self.groups, str)
        groups = self.groups if named else list(self.groups)
        return {"penalty": penalty, "groups": groups}

    @classmethod
    def from_config(cls, config: dict) -> "Group":
        """Returns the penalty with these constructor arguments."""
        penalty = keras.saving.deserialize_keras_object(config["penalty"])
        return cls(penalty, config["groups"])


_PENALTIES = {"l0": L0, "l1": L1, "tl1": TL1}


def get(name: "str | Penalty", **arguments: float) -> Penalty:
    """Returns the penalty of that name: `get("tl1", a=0.1)`.

    Args:
        name: "l0", "l1" or "tl1", or a penalty, which is returned as it is.
        **arguments: of the penalty's constructor.

    Raises:
        ValueError: there is no such penalty, or it does not take these arguments.
    """
    if isinstance(name, Penalty):
        if arguments:
            raise ValueError(f"{name!r} has its arguments already, got {arguments!r}")
        return name
    if name not in _PENALTIES:
        raise ValueError(f"unknown penalty {name!r}: choose from l0, l1, tl1")
    cls = _PENALTIES[name]
    unknown = arguments.keys() - {field.name for field in dataclasses.fields(cls)}
    if unknown:
        raise ValueError(f"penalty {name!r} takes no argument {min(unknown)!r}")
    return cls(**arguments)


def _float(x: Any) -> Any:
    """Returns x as a float32 tensor."""
    return ops.cast(x, "float32")


def _rounded(u: Any, dtype: Any) -> Any:
    """Returns u in this type, with no -0.0: what is not zero can round to it."""
    u = ops.cast(u, dtype)
    return ops.where(u == 0, ops.zeros_like(u), u)
