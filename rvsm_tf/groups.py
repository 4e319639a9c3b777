"""Groups: how a kernel is divided into parts that become zero as a whole.

A zero weight makes a file smaller; only zeros that lie together make it faster, because
a whole unit, filter, channel or block can be left out. Which entries belong together is
said by one of

    "units"           columns of a Dense kernel (inputs, units), filters of a Conv
                      kernel (…, in, out): one group per index of the last axis
    "inputs"          rows of a Dense kernel, input channels of a Conv kernel: one group
                      per index of the axis before the last
    "channels"        rows of a Dense kernel behind a Flatten, all those that belong to
                      one feature map; ("channels", 32) where their number is known.
                      Flatten lets channels vary fastest: row i belongs to i mod 32
    (rows, columns)   blocks of the Dense kernel, such as (16, 1): a 1×16 block of
                      TFLite, whose kernels are transposed

Each of them is a reshaped view of the kernel, of which some axes run inside a group.
"""

import numbers
from typing import Any

Groups = str | tuple[str, int] | tuple[int, int]
"""How a kernel is divided; see the module."""


def check_groups(groups: Any) -> Groups:
    """Returns groups, numbers and lists made into ints and tuples.

    Raises:
        ValueError: it is none of what the module's text names.
    """
    if isinstance(groups, str) and groups in ("units", "inputs", "channels"):
        return groups
    if isinstance(groups, (tuple, list)) and len(groups) == 2:
        first, second = groups
        if _count(second) and _is(first, "channels"):
            return "channels", int(second)
        if _count(second) and _count(first):
            return int(first), int(second)
    raise ValueError(
        "groups must be 'units', 'inputs', 'channels', ('channels', 32) for 32 feature "
        f"maps, or a block of (rows, columns) such as (16, 1), got {groups!r}"
    )


def divide(
    shape: tuple[int, ...], groups: Groups
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Returns the shape to view a kernel in, and the axes that run inside a group.

    Raises:
        ValueError: a kernel of this shape cannot be divided like that.
    """
    shape = tuple(shape)
    if len(shape) < 2:
        raise ValueError(
            f"groups {groups!r} need a kernel of two or more dimensions, got shape "
            f"{shape}"
        )
    if groups == "channels":
        raise ValueError(
            "the number of channels is not known outside a network: put the penalty "
            "into rvsm_tf.RVSM or rvsm_tf.Splitting, which look it up, or say "
            "groups=('channels', 32)"
        )
    if isinstance(groups, str):
        axis = len(shape) - (1 if groups == "units" else 2)
        return shape, tuple(i for i in range(len(shape)) if i != axis)
    if len(shape) != 2:
        raise ValueError(
            f"groups {groups!r} need a kernel (inputs, units) as Dense layers have, "
            f"got shape {shape}: a convolution has 'units' and 'inputs'"
        )
    rows, columns = shape
    high, wide = groups
    if isinstance(high, str):  # ("channels", how many)
        if rows % wide:
            raise ValueError(
                f"a kernel of shape {shape} has {rows} rows, no multiple of {wide} "
                "channels"
            )
        return (rows // wide, wide, columns), (0, 2)
    if rows % high or columns % wide:
        raise ValueError(
            f"a kernel of shape {shape} does not divide into blocks of {high} × {wide}"
            ": its dimensions must be multiples of the block's"
        )
    return (rows // high, high, columns // wide, wide), (1, 3)


def _count(x: Any) -> bool:
    return isinstance(x, numbers.Integral) and not isinstance(x, bool) and int(x) > 0


def _is(x: Any, name: str) -> bool:
    return isinstance(x, str) and x == name
