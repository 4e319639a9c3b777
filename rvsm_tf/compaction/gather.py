"""A gather in front of a Dense layer, where only some of its inputs live.

Behind a Flatten the rows of a kernel that are zero lie scattered over channels and
places, and no channel can be cut for them. A gather picks the inputs that are read,
and the kernel keeps their rows alone. Picking costs time too, so it must pay.
"""

import dataclasses

import keras
import numpy as np

from ..graph import Call

SAVED_PER_INPUT = 300
"""How many weights a gather must save for each input that it picks.

LiteRT on x86 with AVX-512, one thread, delegate on, medians of 31 rounds in turns,
while another program kept a core or so of two busy;
microseconds that a gather saves, and size of a file with this layer alone:

| inputs × units → picked | saved per input | float32 | int8 | float32 file | int8 |
|---|---|---|---|---|---|
| 5,408 × 128 → 3,245 | 85 | +2.9 | −8.2 | 2,770 → 1,676 kB | 695 → 432 kB |
| 5,408 × 128 → 1,622 | 299 | +19.6 | −0.3 | 2,770 → 838 kB | 695 → 217 kB |
| 5,408 × 128 → 541 | 1,152 | +27.8 | +4.5 | 2,770 → 280 kB | 695 → 75 kB |
| 2,704 × 32 → 811 | 75 | −1.3 | −2.6 | 347 → 108 kB | 88 → 31 kB |
| 2,704 × 32 → 270 | 288 | +1.3 | −0.5 | 347 → 37 kB | 88 → 12 kB |
| 2,704 × 32 → 135 | 609 | +2.0 | 0.0 | 347 → 19 kB | 88 → 7 kB |
| 5,408 × 16 → 270 | 304 | +4.0 | −0.6 | 347 → 20 kB | 88 → 7 kB |
| 1,352 × 16 → 135 | 144 | +0.6 | −0.5 | 88 → 10 kB | 23 → 5 kB |
| 1,352 × 16 → 68 | 302 | +0.9 | −0.3 | 88 → 6 kB | 23 → 3 kB |

To pick an input takes 3.5 ns, to multiply a weight 0.045 ns in float32 and 0.012 ns in
int8: a gather breaks even at 80 weights an input in float32, at 300 in int8. There one
number for both is faster in float32 and even in int8, but for a few tenths of a
microsecond in narrow layers.
"""


@dataclasses.dataclass(frozen=True)
class Gather:
    """Picks inputs; what it makes is Keras's own, `keras.ops.take`.

    Attributes:
        inputs: their numbers.
    """

    inputs: tuple[int, ...]

    def __call__(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """Returns the inputs that are picked, given all."""
        return keras.ops.take(x, self.inputs, axis=-1)


def picked(call: Call, kernel: np.ndarray) -> tuple[int, ...] | None:
    """Returns the inputs of a Dense layer to gather, None if that does not pay.

    Args:
        call: the use of the layer. Only what reads tensors (batch, inputs) gets a
            gather.
        kernel: what is left of the layer's kernel, inputs × units.
    """
    if len(call.input_shapes[0]) != 2:
        return None
    live = (kernel != 0).any(1)
    live[0] |= not live.any()  # a layer needs an input
    saved = np.count_nonzero(~live) * kernel.shape[1]
    if saved < max(1, SAVED_PER_INPUT * np.count_nonzero(live)):
        return None
    return tuple(np.flatnonzero(live).tolist())
