"""Any penalty, deciding on whole groups of weights."""

import dataclasses
import math
from typing import Any

import keras
from keras import ops

from ..groups import Groups, check_groups, divide
from .penalty import Penalty, as_float, rounded


@keras.saving.register_keras_serializable(package="rvsm_tf")
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
        penalty: what decides on r_g: `L0()`, `TL1(a)` or another of single weights.
        groups: "units" (columns of a Dense kernel, filters of a convolution), "inputs"
            (rows, input channels), "channels" (the rows of a Dense layer behind a
            Flatten that belong to one feature map), ("channels", how many) or a block
            of (rows, columns). The number of channels may be left out where the penalty
            is given to `RVSM` or `Splitting`.

    Raises:
        ValueError: the penalty is not one of single weights, or groups is something
            else; when used, the kernel cannot be divided like that.

    Example:
        >>> penalty = rvsm.Group(rvsm.L0(), "units")
        >>> kernel = np.array([[0.1, 0.5], [0.1, 0.0]])  # 2 inputs, 2 units
        >>> np.asarray(penalty.prox(kernel, step=0.02))
        array([[0. , 0.5],
               [0. , 0. ]])
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
        return rounded(ops.reshape(u, w.shape), w.dtype)

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
        view = ops.reshape(as_float(w), shape)
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
        """Returns the penalty that `get_config` describes."""
        penalty = keras.saving.deserialize_keras_object(config["penalty"])
        return cls(penalty, config["groups"])
