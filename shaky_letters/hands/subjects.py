"""What is written: letters, digits, words and figures as pen paths, before any hand.

Paths are those of `strokes`: tuples of strokes, y pointing down; their size does not
matter.
"""

from collections.abc import Callable

import numpy as np
from scipy.interpolate import CubicSpline

from ..strokes import LETTERS, Path, alphabet, digits, resample, shape, spiral
from .writers import any_of


def draw(
    rng: np.random.Generator, alphabets: tuple[str, ...], shares: dict[str, float]
) -> tuple[str, Path]:
    """Draws what is written.

    Args:
        rng: draws it.
        alphabets: that letters and words are written in; see `strokes.alphabet`.
        shares: how often each kind comes, by name; together 1.

    Returns:
        the kind's name, and the path.
    """
    kind = any_of(rng, shares)
    return kind, SUBJECTS[kind](rng, alphabets)


def _letter(rng: np.random.Generator, alphabets: tuple[str, ...]) -> Path:
    return _any(alphabets, rng)[LETTERS[rng.integers(len(LETTERS))]]


def _digit(rng: np.random.Generator, alphabets: tuple[str, ...]) -> Path:
    glyphs = digits()
    return glyphs[rng.integers(len(glyphs))]


def _word(rng: np.random.Generator, alphabets: tuple[str, ...]) -> Path:
    """Two to four letters side by side, the first one possibly a capital."""
    glyphs, path, right = _any(alphabets, rng), [], 0.0
    gap = rng.uniform(8, 25)
    for place in range(rng.integers(2, 5)):
        capital = place == 0 and rng.random() < 0.4
        letter = LETTERS[rng.integers(26) + 26 * capital]
        x = np.concatenate(glyphs[letter])[:, 0]
        moved = np.array([right - x.min(), rng.normal(0, 3)])
        path += [stroke + moved for stroke in glyphs[letter]]
        right += np.ptp(x) + gap
    return tuple(path)


def _shape(rng: np.random.Generator, alphabets: tuple[str, ...]) -> Path:
    return shape(rng)[1]


def _spiral(rng: np.random.Generator, alphabets: tuple[str, ...]) -> Path:
    return spiral(rng)


def _wave(rng: np.random.Generator, alphabets: tuple[str, ...]) -> Path:
    """Two to six waves or zigzags along a line, of one height or growing."""
    along = np.linspace(0, 1, 300)
    phase = 2 * np.pi * rng.uniform(2, 6) * along + rng.uniform(0, 2 * np.pi)
    up = np.sin(phase)
    form = rng.integers(3)
    if form == 1:
        up = np.arcsin(up) * 2 / np.pi
    elif form == 2:
        up *= 0.4 + along
    size = rng.uniform(120, 250), rng.uniform(15, 50)
    return (resample(np.stack([along * size[0], up * size[1]], 1)),)


def _loops(rng: np.random.Generator, alphabets: tuple[str, ...]) -> Path:
    """A row of loops, as of written l and e."""
    angle = np.linspace(0, 2 * np.pi * rng.uniform(2, 6), 400)
    radius, width = rng.uniform(20, 45), rng.uniform(0.4, 1)
    advance = rng.uniform(2.5, 9)
    x = advance * angle + radius * width * np.cos(angle)
    return (resample(np.stack([x, radius * np.sin(angle)], 1)),)


def _scribble(rng: np.random.Generator, alphabets: tuple[str, ...]) -> Path:
    """A smooth line through random points, as a signature's."""
    count = rng.integers(4, 12)
    steps = rng.normal((rng.uniform(0, 20), 0), 30, (count, 2))
    curve = CubicSpline(np.arange(count), np.cumsum(steps, axis=0))
    return (resample(curve(np.linspace(0, count - 1, 60 * count))),)


def _zigzag(rng: np.random.Generator, alphabets: tuple[str, ...]) -> Path:
    """Straight lines through random points: corners, and no tremor."""
    return (resample(rng.uniform(0, 100, (rng.integers(2, 7), 2))),)


def _ring(rng: np.random.Generator, alphabets: tuple[str, ...]) -> Path:
    """An oval, closed or not quite, or drawn twice around."""
    angle = np.linspace(0, 2 * np.pi * rng.uniform(0.9, 2.3), 200)
    growth = 1 + rng.normal(0, 0.06) * angle / (2 * np.pi)
    axes, start = rng.uniform(20, 50, 2), rng.uniform(0, 2 * np.pi)
    x = axes[0] * np.cos(angle + start)
    y = axes[1] * np.sin(angle + start)
    return (resample(np.stack([x, y], 1) * growth[:, None]),)


def _any(alphabets: tuple[str, ...], rng: np.random.Generator) -> dict[str, Path]:
    return alphabet(alphabets[rng.integers(len(alphabets))])


SUBJECTS: dict[str, Callable[[np.random.Generator, tuple[str, ...]], Path]] = {
    "letter": _letter,
    "digit": _digit,
    "word": _word,
    "shape": _shape,
    "spiral": _spiral,
    "wave": _wave,
    "loops": _loops,
    "scribble": _scribble,
    "zigzag": _zigzag,
    "ring": _ring,
}
"""What draws each kind, by its name."""
