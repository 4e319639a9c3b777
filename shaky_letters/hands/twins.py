"""A pair of twins: one drawing, without tremor and with it; all else is the same."""

import dataclasses
import functools
from typing import Any

import numpy as np

from ..strokes import Path
from . import rendering, strangers, tremor
from .motion import Motion, follow
from .rendering import RENDERERS, Rendering
from .subjects import draw
from .tremor import AMPLITUDE, Tremor
from .writers import Writer, any_of, writer

WRITERS = 600
"""Writers of a split."""

SHARES = {
    "letter": 0.31,
    "digit": 0.15,
    "word": 0.13,
    "shape": 0.08,
    "spiral": 0.12,
    "wave": 0.06,
    "loops": 0.04,
    "scribble": 0.05,
    "zigzag": 0.03,
    "ring": 0.03,
}
"""How often each kind is written."""

_SHARES = (0.21, 0.16, 0.13, 0.12, 0.07, 0.07, 0.12, 0.07, 0.05)
_RENDERERS = dict(zip(RENDERERS, _SHARES, strict=True))

ALL_RENDERERS = (*RENDERERS, *strangers.RENDERERS)

FINER = {"word": 0.5, "wave": 0.7, "loops": 0.7}
"""Share of a pen's width that kinds are written with which have much in little room."""

_LEAST = {"digit": 4.0}
"""Smallest amplitude that is written for a renderer: a tiny scan shows no less."""


@dataclasses.dataclass(frozen=True)
class Written:
    """A path that one hand wrote, in time.

    Attributes:
        meant: as the hand means it, without jitter and tremor.
        regular: with the jitter that every hand has.
        shaky: with the same jitter, and a tremor.
        tremor: which one.
        how: the pen, and the way onto a picture.
    """

    meant: Motion
    regular: Motion
    shaky: Motion
    tremor: Tremor
    how: Rendering


def written(
    path: Path,
    who: Writer,
    renderer: str,
    pen: float,
    amplitude: tuple[float, float],
    rng: np.random.Generator,
) -> Written:
    """Writes a path with a given pen, and with a tremor of an amplitude in a range."""
    how = rendering.rendering(renderer, pen, who, rng)
    shaking = tremor.tremor(rng, who.pace, amplitude)
    meant = follow(path, who, rng)
    shaky = tremor.shake(meant, shaking, rng)
    restless = [tremor.jitter(meant, who.jitter, rng) for _ in range(2)]
    return Written(meant, meant.moved(*restless), shaky.moved(*restless), shaking, how)


@functools.lru_cache(maxsize=1)  # its two examples come one after the other
def pair(
    seed: int, stream: int, number: int, alphabets: tuple[str, ...], strange: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns the regular and the shaky example of a pair.

    Args:
        seed: of the set.
        stream: of the split.
        number: of the pair; it depends on these three alone.
        alphabets: see `strokes.alphabet`.
        strange: whether it is one of `strangers`.

    Returns:
        two dictionaries with image, kind, renderer, pen_width, tremor_amplitude and
        tremor_hz. What the tremor is stands in both, so that a regular drawing can be
        counted with its twin.
    """
    rng = np.random.default_rng([seed, stream, number])
    kind, path = draw(rng, alphabets, SHARES)
    if strange:
        how = strangers.stranger(rng, FINER.get(kind, 1.0))
        pictures = strangers.twins(strangers.written(path, rng), how, rng)
        known = how.renderer, how.pen, how.amplitude, 0.0
    else:
        pictures, known = _twins(kind, path, seed, stream, rng)
    names = "renderer", "pen_width", "tremor_amplitude", "tremor_hz"
    told = {"kind": kind, **dict(zip(names, known, strict=True))}
    regular, shaky = ({"image": picture, **told} for picture in pictures)
    return regular, shaky


def _twins(
    kind: str, path: Path, seed: int, stream: int, rng: np.random.Generator
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[str, float, float, float]]:
    """Returns two pictures, and the renderer, the pen's width and the tremor."""
    who = _writer(seed, stream, int(rng.integers(WRITERS)))
    renderer = any_of(rng, _RENDERERS)
    least = _LEAST.get(renderer, AMPLITUDE[0])
    if tremor.largest(who.pace) < least:
        renderer, least = "grey", AMPLITUDE[0]
    # Words have finer lines than a letter of the same width.
    finer = FINER.get(kind, 1.0)
    pen = float(np.clip(who.pen * np.exp(rng.normal(0, 0.15)) * finer, 0.7, 9))
    made = written(path, who, renderer, pen, (least, AMPLITUDE[1]), rng)
    pictures = made.how(made.regular), made.how(made.shaky)
    return pictures, (renderer, pen, made.tremor.amplitude, made.tremor.hz)


@functools.lru_cache(maxsize=WRITERS)
def _writer(seed: int, stream: int, number: int) -> Writer:
    """Returns a writer of a split by number."""
    return writer(np.random.default_rng([seed, stream, WRITERS, number]))
