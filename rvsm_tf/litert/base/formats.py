"""The forms in which a model is written: a table with a row for each.

Some are not among them: int8 arithmetic together with scattered zeros, float16
together with blocks, and what TensorFlow's converter makes of sparse int8 weights in
float arithmetic. The runtime crashes on them, or answers garbage.
`tests/rvsm_tf/litert` builds them to see that they would be refused.
"""

import dataclasses
from collections.abc import Iterable

from .cli import InputError


@dataclasses.dataclass(frozen=True)
class Format:
    """A form in which a model is written.

    Attributes:
        name: for people, in report.json and in the file's name.
        how: what TensorFlow's converter writes ("float32", "float16" or "int8"), and
            what is done to that, one after the other: "narrowed" to four bits,
            "rounded" to coarse steps, "packed" without its zeros.
        holds: what is in the file.
        when: which models it is written for; others are refused with a reason.
        tolerance: by how much an output may differ from Keras's, as a share of Keras's
            largest.
        self_test: by how much two sound runtimes may differ on one file, as a share of
            the same.
        stray: share of the examples that may differ by more. Of fewer than a hundred
            one may, if any: no share of them is measured any finer.
    """

    name: str
    how: tuple[str, ...]
    holds: str
    when: str
    tolerance: float
    self_test: float
    stray: float

    @property
    def sparse(self) -> bool:
        """Whether it is packed from another format."""
        return self.how[-1] == "packed"

    @property
    def dense(self) -> "Format":
        """The format that it is packed from, or itself."""
        how = self.how[:-1] if self.sparse else self.how
        return next(row for row in FORMATS.values() if row.how == how)

    @property
    def calibrated(self) -> bool:
        """Whether its ranges are taken from examples."""
        return self.how[0] == "int8"


_FLOAT = {"self_test": 1e-4, "stray": 0.0}
# int4 needs no more than int8, whose weights are rounded too: of six trained models'
# answers, at most 0.4 % strayed further in either.
_INTEGER = {"tolerance": 0.1, "self_test": 0.02, "stray": 0.01}
# The weights alone are rounded, and what computes with them is float32.
_STORED = {"tolerance": 0.05, "self_test": 1e-4, "stray": 0.01}

_ROWS = (
    Format(
        "float32",
        ("float32",),
        holds="all weights",
        when="always",
        tolerance=1e-4,
        **_FLOAT,
    ),
    Format(
        "float16",
        ("float16",),
        holds="all weights in two bytes each, float32 arithmetic",
        when="always",
        tolerance=1e-2,
        **_FLOAT,
    ),
    Format(
        "int8",
        ("int8", "rounded"),
        holds="all weights, int8 arithmetic, float input and output; rounded as "
        "coarsely as changes no answer, so that it zips small",
        when="there are examples to calibrate with",
        **_INTEGER,
    ),
    Format(
        "int4",
        ("int8", "narrowed", "rounded"),
        holds="as `int8`, large dense layers in 4 bits, two to a byte",
        when="as `int8`, and a dense layer has 1,000 weights or more",
        **_INTEGER,
    ),
    Format(
        "float32-sparse",
        ("float32", "packed"),
        holds="the weights that are not zero, in the smallest layout that is safe, of "
        "three",
        when="that is smaller than `float32`",
        tolerance=1e-4,
        **_FLOAT,
    ),
    Format(
        "int8-sparse",
        ("int8", "rounded", "packed"),
        holds="blocks of 16 inputs that are not zero, int8 arithmetic",
        when="that is smaller than `int8`",
        **_INTEGER,
    ),
    Format(
        "int8w",
        ("float32", "stored"),
        holds="kernels in bytes, float32 arithmetic",
        when="a kernel has 256 weights or more",
        **_STORED,
    ),
    Format(
        "int8w-sparse",
        ("float32", "stored", "packed"),
        holds="as `int8w`, of each kernel only the weights that are not zero, "
        "convolutions' too; unpacked when the file is loaded",
        when="that is smaller than `int8w`",
        **_STORED,
    ),
)

FORMATS = {row.name: row for row in _ROWS}
"""The formats by name, in the order in which they are written and reported."""

BEST = "best"
"""Named among formats: only the smallest and the fastest of them are kept."""


def known(names: Iterable[str]) -> tuple[str, ...]:
    """Returns names of formats, and `BEST`, if there are such.

    Raises:
        InputError: there is no such format.
    """
    names = tuple(names)
    for name in names:
        if name not in (*FORMATS, BEST):
            raise InputError(
                f"no format {name!r}: choose from {', '.join((*FORMATS, BEST))}"
            )
    return names
