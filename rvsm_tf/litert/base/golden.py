"""Golden vectors: inputs with known outputs, by which a runtime tests itself.

An input is written down in one of two ways. A picture of ink, all of whose values are
0 or 1, is a text: its values in row-major order as bits, the first in the highest bit
of the first byte, compressed (raw DEFLATE), in base64. Any other input is a whole
number s that stands for values anybody can work out again: the inputs of the model
one after the other, in the order of their names, are

    value[i] = (2654435761 · (i + 1 + 40503 · s) mod 2³²) / 2³²        (float32)
"""

import base64
import zlib

import numpy as np

Shapes = dict[str, tuple[int, ...]]


def encode(ink: np.ndarray) -> str:
    """Returns a picture of ink, of any shape, as text.

    Args:
        ink: values 0 and 1.
    """
    packed = np.packbits(ink.ravel() > 0).tobytes()
    compressor = zlib.compressobj(9, wbits=-15)
    return base64.b64encode(compressor.compress(packed) + compressor.flush()).decode()


def decode(vector: str | int, shapes: Shapes) -> dict[str, np.ndarray]:
    """Returns the inputs that a vector stands for.

    Args:
        vector: what stands in the file.
        shapes: of each input, by name.

    Returns:
        float32 arrays by name.

    Raises:
        ValueError: the vector is a picture of another size.
    """
    names = sorted(shapes)
    sizes = [int(np.prod(shapes[name])) for name in names]
    if isinstance(vector, str):
        packed = zlib.decompress(base64.b64decode(vector), wbits=-15)
        if len(packed) != -(-sum(sizes) // 8):
            raise ValueError(
                f"a picture of {len(packed)} bytes does not fit an input of "
                f"{sum(sizes)} values"
            )
        bits = np.unpackbits(np.frombuffer(packed, np.uint8), count=sum(sizes))
        values = bits.astype("float32")
    else:
        i = np.arange(1, sum(sizes) + 1, dtype="uint64") + np.uint64(40503 * vector)
        values = ((i * np.uint64(2654435761) % np.uint64(2**32)) / 2**32).astype("f4")
    parts = np.split(values, np.cumsum(sizes)[:-1])
    return {n: p.reshape(shapes[n]) for n, p in zip(names, parts, strict=True)}
