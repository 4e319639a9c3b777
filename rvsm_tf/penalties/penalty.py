"""What a weight costs, and what is left of it after thresholding.

A penalty P adds up a cost over the entries of a weight array. The splitting method
needs it through its proximal operator

    prox(w, step) = argmin_u  step · P(u) + ½ ‖w − u‖²,    step = λ/β,

which for every penalty here sets the entries with |w| at or below a threshold to zero
and leaves or shrinks the others. A penalty of single weights is a class in a file of
its own: its cost, its threshold, what it keeps, and a name to be found under.

Narrow types (bfloat16, float16) are computed in float32 and rounded once.
"""

import dataclasses
import numbers
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

_REGISTERED: dict[str, type["Penalty"]] = {}


def register(name: str) -> Callable[[type["Penalty"]], type["Penalty"]]:
    """Returns a class decorator: the penalty is found under a name, and saved by Keras.

    Args:
        name: by which `get` finds it, such as "mcp".

    Raises:
        ValueError: another class has the name.

    Example:
        >>> import dataclasses
        >>> @rvsm.penalties.register("l2")
        ... @dataclasses.dataclass(frozen=True)
        ... class L2(rvsm.Penalty):
        ...     def cost(self, size):
        ...         return size**2
        ...
        ...     def threshold(self, step):
        ...         return keras.ops.zeros(())
        ...
        ...     def kept(self, size, step):
        ...         return size / (1 + 2 * step)
        >>> rvsm.penalties.get("l2")
        L2()
    """

    def named(cls):
        taken = _REGISTERED.get(name, cls)
        if (taken.__module__, taken.__name__) != (cls.__module__, cls.__name__):
            raise ValueError(f"the penalty {name!r} is {taken.__name__} already")
        _REGISTERED[name] = cls  # the same one again where a notebook's cell runs twice
        package = cls.__module__.partition(".")[0]
        return keras.saving.register_keras_serializable(package=package)(cls)

    return named


def names() -> tuple[str, ...]:
    """Returns the names of all penalties of single weights.

    Example:
        >>> "mcp" in rvsm.penalties.names()
        True
    """
    return tuple(_REGISTERED)


def parameters(name: str) -> tuple[str, ...]:
    """Returns what a penalty's constructor takes.

    Args:
        name: one of `names()`.

    Example:
        >>> rvsm.penalties.parameters("tl1")
        ('a',)
    """
    return tuple(field.name for field in dataclasses.fields(_REGISTERED[name]))


def get(name: "str | Penalty", **arguments: float) -> "Penalty":
    """Returns the penalty of a name.

    Args:
        name: one of `names()`, or a penalty, which is returned as it is.
        **arguments: of the penalty's constructor.

    Raises:
        ValueError: there is no such penalty, or it does not take these arguments.

    Example:
        >>> rvsm.penalties.get("tl1", a=0.1)
        TL1(a=0.1)
    """
    if isinstance(name, Penalty):
        if arguments:
            raise ValueError(f"{name!r} has its arguments already, got {arguments!r}")
        return name
    if name not in _REGISTERED:
        raise ValueError(
            f"unknown penalty {name!r}: choose from {', '.join(_REGISTERED)}"
        )
    unknown = arguments.keys() - set(parameters(name))
    if unknown:
        raise ValueError(f"penalty {name!r} takes no argument {min(unknown)!r}")
    return _REGISTERED[name](**arguments)


@dataclasses.dataclass(frozen=True)
class Penalty:
    """A penalty; one of single weights defines `cost`, `threshold` and `kept`.

    Instances are immutable, compare by value and can be saved with a model.

    Example:
        >>> issubclass(rvsm.TL1, rvsm.Penalty), rvsm.TL1(a=1) == rvsm.TL1(a=1.0)
        (True, True)
    """

    def __call__(self, w: Any) -> Any:
        """Returns P(w), the sum of the cost of all entries, as a float32 scalar."""
        return ops.sum(self.cost(ops.abs(as_float(w))))

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
        wide, step = as_float(w), as_float(step)
        size = ops.abs(wide)
        cut = size <= self.threshold(step)
        # Entries that will be zero take a harmless size: no 0/0, no overflow.
        u = ops.sign(wide) * self.kept(ops.where(cut, 1.0, size), step)
        return rounded(ops.where(cut, 0.0, u), w.dtype)

    def threshold(self, step: Any) -> Any:
        """Returns the largest |w| that `prox` sets to zero, as a float32 scalar."""
        raise NotImplementedError

    def zeros(self, w: Any, step: Any) -> Any:
        """Returns how many entries of w `prox` sets to zero, as an integer scalar."""
        cut = ops.abs(as_float(w)) <= self.threshold(step)
        return ops.sum(ops.cast(cut, "int32"))  # count_nonzero warns on PyTorch

    def follow(self, u: Any, v: Any) -> Any:
        """Returns v, a vector beside w: without groups no unit is zero as a whole."""
        return v

    def cost(self, size: Any) -> Any:
        """Returns the cost of each entry, given its absolute value."""
        raise NotImplementedError

    def kept(self, size: Any, step: Any) -> Any:
        """Returns |u| of entries above the threshold, given their |w|."""
        raise NotImplementedError

    def get_config(self) -> dict:
        """Returns the constructor's arguments."""
        return dataclasses.asdict(self)

    @classmethod
    def from_config(cls, config: dict) -> "Penalty":
        """Returns the penalty that `get_config` describes."""
        return cls(**config)


@dataclasses.dataclass(frozen=True)
class Shaped(Penalty):
    """A penalty whose shape is a size a, beyond which weights are spared.

    Args:
        a: from 1e-30 to 1e30.

    Raises:
        ValueError: a is not a number in that range.

    Example:
        >>> rvsm.SCAD().a, rvsm.SCAD(a=0.5).a
        (1.0, 0.5)
    """

    a: float = 1.0

    def __post_init__(self):
        """Rejects a size that is no positive number, or none that float32 can hold."""
        number = isinstance(self.a, numbers.Real) and not isinstance(self.a, bool)
        if not (number and 1e-30 <= self.a <= 1e30):
            raise ValueError(
                f"a must be a positive, finite number, got {self.a!r} (float32 takes "
                "1e-30 to 1e30)"
            )
        object.__setattr__(self, "a", float(self.a))


def as_float(x: Any) -> Any:
    """Returns x as a float32 tensor."""
    return ops.cast(x, "float32")


def rounded(u: Any, dtype: Any) -> Any:
    """Returns u in a type, with no -0.0: what is not zero can round to it."""
    u = ops.cast(u, dtype)
    return ops.where(u == 0, ops.zeros_like(u), u)
