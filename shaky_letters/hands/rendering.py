"""From a pen's way to the picture that a network sees, by way of pens and scanners.

A renderer makes a small picture as somebody might have it, and `canonical` makes of it
what it makes of any picture. Twins go through the same renderer with the same numbers.
"""

import dataclasses

import cv2
import numpy as np

from .. import canonical
from .motion import Motion, drift
from .writers import Writer

SIZE = 100
"""Width and height of the pictures, pixels."""

_SHIFT = 4  # OpenCV takes positions in 16ths of a pixel
_FINE = 3  # points of the grid that pens draw on, per pixel
_PIECE = 16  # samples that are drawn with one width


@dataclasses.dataclass(frozen=True)
class Rendering:
    """How a drawing gets onto a picture.

    Attributes:
        renderer: one of `RENDERERS`.
        side: larger side of the box around the drawing, pixels.
        pen: width of the pen's tip, seventieths of the drawing's larger side.
        pressure: see `Writer`.
        level: share of ink from which on a pixel is black.
        blur: of a scan, pixels.
        strength: of what is peculiar to the renderer, 0 to 1.
        blots: of ink, as shares of the way.
        seed: of its noise.
    """

    renderer: str
    side: float
    pen: float
    pressure: float
    level: float
    blur: float
    strength: float
    blots: tuple[float, ...]
    seed: int

    def __call__(self, motion: Motion) -> np.ndarray:
        """Returns the canonical picture: uint8, shape (128, 128, 1), ink 255 on 0."""
        return _RENDER[self.renderer](self, motion)


def rendering(
    renderer: str, pen: float, who: Writer, rng: np.random.Generator
) -> Rendering:
    """Draws what a renderer leaves open."""
    return Rendering(
        renderer=renderer,
        side=rng.uniform(52, 92),
        pen=pen,
        pressure=who.pressure,
        level=rng.uniform(0.38, 0.6),
        blur=rng.uniform(0.5, 1.1),
        strength=rng.uniform(0, 1),
        blots=tuple(rng.random(rng.poisson(who.blotting))),
        seed=int(rng.integers(2**31)),
    )


def _pen(how: Rendering, motion: Motion) -> np.ndarray:
    """A pen recording: the path alone is known."""
    return canonical.of_path(motion.x, motion.y, motion.pen_down)


def _aliased(how: Rendering, motion: Motion) -> np.ndarray:
    """Pixels that are black where the pen passed over their middle."""
    return _seen(_middles(_drawn(how, motion, SIZE, how.side)) > 0)


def _grey(how: Rendering, motion: Motion) -> np.ndarray:
    """Pixels as dark as the share of them that is ink."""
    return _seen(_shares(how, motion, SIZE, how.side))


def _smooth(how: Rendering, motion: Motion) -> np.ndarray:
    """A soft scan, made black and white."""
    soft = cv2.GaussianBlur(_shares(how, motion, SIZE, how.side), None, how.blur)
    return _seen(soft > how.level * soft.max())


def _thick(how: Rendering, motion: Motion) -> np.ndarray:
    """A thin line, thickened."""
    thin = _middles(_drawn(how, motion, SIZE, how.side, thinner=2.0))
    cross = cv2.MORPH_CROSS if how.strength < 0.6 else cv2.MORPH_RECT
    brush = cv2.getStructuringElement(cross, (3, 3))
    return _seen(cv2.dilate(thin, brush) > 0)


def _worn(how: Rendering, motion: Motion) -> np.ndarray:
    """A scan with uneven ink on grainy paper, made black and white; specks dropped."""
    rng = np.random.default_rng(how.seed)
    ink = _shares(how, motion, SIZE, how.side)
    clouds = rng.standard_normal(ink.shape, "float32")
    clouds = cv2.GaussianBlur(clouds, None, rng.uniform(0.7, 4))
    uneven = 1 + 0.18 * how.strength * clouds / clouds.std()
    grain = rng.uniform(0, 0.06) * rng.standard_normal(ink.shape, "float32")
    ink = cv2.GaussianBlur(ink, None, 0.8 * how.blur) * uneven + grain
    mask = (ink > 0.9 * how.level).astype("uint8")
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    area = stats[:, cv2.CC_STAT_AREA]
    keep = area > max(3, 0.02 * area[1:].max(initial=0))
    keep[0] = False
    return _seen(keep[labels] if keep.any() else ink)


def _digit(how: Rendering, motion: Motion) -> np.ndarray:
    """A tiny scan, as collections of digits have them, enlarged."""
    size = 28 if how.seed % 2 else 40
    side = 0.72 * size
    ink = _shares(how, motion, size, side, fine=6, broader=2.0 + 1.2 * how.strength)
    ink = cv2.GaussianBlur(ink, None, 0.5 * how.blur)
    way = cv2.INTER_CUBIC if how.seed % 3 else cv2.INTER_LINEAR
    large = SIZE if how.seed % 7 < 3 else 3 * SIZE
    ink = cv2.resize(ink, (large, large), interpolation=way)
    # At another level than half of the ink, each of its pixels shows.
    level = 0.25 + 0.5 * (how.seed % 101) / 100
    return _seen(ink > level * ink.max() if how.seed % 5 else ink)


def _photo(how: Rendering, motion: Motion) -> np.ndarray:
    """A sheet photographed askew in uneven light, its ink found against the paper."""
    rng = np.random.default_rng(how.seed)
    ink = _shares(how, motion, SIZE, how.side)
    corners = np.float32([[0, 0], [SIZE, 0], [SIZE, SIZE], [0, SIZE]])
    askew = corners + rng.uniform(-4, 4, (4, 2)).astype("float32")
    view = cv2.getPerspectiveTransform(corners, askew)
    ink = cv2.GaussianBlur(cv2.warpPerspective(ink, view, ink.shape), None, how.blur)
    light = 1 - how.strength * rng.uniform(0, 0.5) * np.linspace(0, 1, SIZE)
    if how.seed % 2:
        light = light[:, None]
    noise = rng.uniform(0, 0.03) * rng.standard_normal(ink.shape, "float32")
    paper = (light * (1 - 0.8 * ink) + noise).astype("float32")
    bright = cv2.GaussianBlur(cv2.dilate(paper, np.ones((25, 25), "uint8")), None, 8)
    found = np.clip((bright - paper) / (0.8 * bright), 0, 1)
    return _seen(found > how.level * found.max())


def _ruled(how: Rendering, motion: Motion) -> np.ndarray:
    """A scan on ruled paper: with the lines, some ink was taken out."""
    rng = np.random.default_rng(how.seed)
    ink = _shares(how, motion, SIZE, how.side)
    mask = (cv2.GaussianBlur(ink, None, how.blur) > how.level).astype("uint8")
    first, apart = rng.uniform(1, 15), rng.uniform(12, 40)
    for row in np.arange(first, SIZE - 2, apart).astype("int64"):
        # What crosses a line shows above and below it, and stays.
        line = slice(row, row + 1 + how.seed % 2)
        crossing = mask[row - 1] | mask[line.stop]
        mask[line] &= cv2.dilate(crossing[None], np.ones((1, 3), "uint8"))
    return _seen(mask if mask.any() else ink)


_RENDER = {
    "pen": _pen,
    "aliased": _aliased,
    "smooth": _smooth,
    "grey": _grey,
    "thick": _thick,
    "worn": _worn,
    "digit": _digit,
    "photo": _photo,
    "ruled": _ruled,
}

RENDERERS = tuple(_RENDER)


def _seen(ink: np.ndarray) -> np.ndarray:
    return canonical.of_ink(ink.astype("float32"))[0]


def _middles(fine: np.ndarray) -> np.ndarray:
    """Returns what the fine grid has in the middle of each pixel."""
    middle = slice(_FINE // 2, None, _FINE)
    return fine[middle, middle]


def _shares(
    how: Rendering, motion: Motion, size: int, side: float, fine: int = _FINE, **pen
) -> np.ndarray:
    """Returns how much of each pixel is ink: float32, shape (size, size), 0 to 1."""
    drawn = _drawn(how, motion, size, side, fine, **pen)
    share = cv2.resize(drawn, (size, size), interpolation=cv2.INTER_AREA)
    return share.astype("float32") / 255


def _drawn(
    how: Rendering,
    motion: Motion,
    size: int,
    side: float,
    fine: int = _FINE,
    thinner: float = 0.0,
    broader: float = 0.0,
) -> np.ndarray:
    """Draws with a round pen on a fine grid: uint8, ink 255 on 0.

    Args:
        how: with which pen.
        motion: where it goes.
        size: of the picture, pixels.
        side: of the drawing, pixels.
        fine: points of the grid per pixel.
        thinner: pixels by which the pen is thinner.
        broader: pixels that it has at least.
    """
    down = motion.pen_down
    points = np.stack([motion.x, motion.y], 1)
    low, high = points[down].min(0), points[down].max(0)
    scale = side / max((high - low).max(), 1e-6)
    points = ((points - (low + high) / 2) * scale + size / 2) * fine - 0.5
    points = np.rint(points * 2**_SHIFT).astype("int32")
    width = max(how.pen * scale - thinner, broader, 0.6) * fine
    canvas = np.zeros((size * fine, size * fine), "uint8")
    widths = np.full(len(points), width)
    if how.pressure:
        rng = np.random.default_rng(how.seed)
        widths *= np.exp(drift(len(points), 25, how.pressure, rng))
    for stroke in _strokes(down):
        step = _PIECE if how.pressure else len(stroke)
        for first in range(0, len(stroke), step):
            part = stroke[first : first + step + 1]
            thick = max(1, round(widths[part[0]]))
            line = [points[np.append(part, part[-1])]]  # a dot is a line to itself
            cv2.polylines(canvas, line, False, 255, thick, cv2.LINE_8, _SHIFT)
    for blot in how.blots:
        place = points[np.flatnonzero(down)[int(blot * down.sum())]]
        half = round(width * (0.6 + 0.8 * blot) * 2**_SHIFT)
        cv2.circle(canvas, place.tolist(), half, 255, cv2.FILLED, cv2.LINE_8, _SHIFT)
    return canvas


def _strokes(pen_down: np.ndarray) -> list[np.ndarray]:
    """Returns the samples of each stroke."""
    down = np.flatnonzero(pen_down)
    return np.split(down, np.flatnonzero(np.diff(down) > 1) + 1) if len(down) else []
