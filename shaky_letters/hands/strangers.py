"""Twins by other rules, for the split that training does not know.

Nothing of motion, tremor, pen or renderer is shared with the rest of the set. A tremor
is noise through a resonator, along the line's length instead of in time. Ink is the
distance from the line, made dark by rules of its own; Pillow draws, where OpenCV does
elsewhere.
"""

import dataclasses

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from scipy.ndimage import distance_transform_edt, gaussian_filter1d
from scipy.signal import lfilter

from .. import canonical
from ..strokes import Path

RENDERERS = ("marker", "pencil", "fax", "stamp")

_STEP = 0.5  # between samples along a line, seventieths of the drawing
_SIDE = 70.0
_SIZE = 100  # of the pictures, pixels


@dataclasses.dataclass(frozen=True)
class Stranger:
    """How a pair of twins is written.

    Attributes:
        amplitude: peak deflection of the shaky one, seventieths of the drawing.
        wavelength: of its tremor along the line, in the same.
        sharpness: of the resonance, 0 to 1: noise or nearly a sine.
        sideways: share of the deflection that goes across the line.
        pen: width of the pen's tip, in the same.
        side: larger side of the drawing, pixels.
        renderer: one of `RENDERERS`.
    """

    amplitude: float
    wavelength: float
    sharpness: float
    sideways: float
    pen: float
    side: float
    renderer: str


def stranger(rng: np.random.Generator, finer: float = 1.0) -> Stranger:
    """Draws how a pair is written.

    Args:
        rng: draws it.
        finer: share of a pen's width that this kind of drawing is written with.
    """
    return Stranger(
        amplitude=float(0.8 * (5 / 0.8) ** rng.random()),
        wavelength=rng.uniform(3.5, 13),
        sharpness=rng.uniform(0.9, 0.985),
        sideways=rng.uniform(0.6, 1),
        pen=float(8 ** rng.random()) * finer,
        side=rng.uniform(58, 90),
        renderer=RENDERERS[rng.integers(len(RENDERERS))],
    )


def twins(
    calm: list[np.ndarray], how: Stranger, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the canonical pictures of a drawing without tremor and with it.

    Args:
        calm: what `written` returned.
        how: the tremor and the ink.
        rng: draws their course.
    """
    seed = int(rng.integers(2**31))
    shaky = [_shaken(stroke, how, rng) for stroke in calm]
    return _picture(calm, how, seed), _picture(shaky, how, seed)


def written(path: Path, rng: np.random.Generator) -> list[np.ndarray]:
    """Returns strokes as somebody writes them: other proportions, a bowed line.

    Each is of shape (n, 2), y pointing down; the drawing is 70 large.
    """
    points = np.concatenate(path)
    middle, scale = points.mean(0), _SIDE / np.ptp(points, axis=0).max()
    squeeze = np.exp(rng.normal(0, 0.12, 2))
    lean, bow = rng.normal(0, 0.15), rng.normal(0, 0.0015)
    strokes = []
    for stroke in path:
        x, y = ((stroke - middle) * scale * squeeze).T
        line = np.stack([x + lean * y, y + bow * x * x], 1)
        steps = np.hypot(*np.diff(line, axis=0).T)
        along = np.append(0, np.cumsum(steps))
        at = np.arange(0, along[-1] + _STEP, _STEP)
        line = np.stack([np.interp(at, along, axis) for axis in line.T], 1)
        # A hand's own unsteadiness is slow, and small.
        slow = gaussian_filter1d(rng.standard_normal(line.shape), 24, axis=0)
        strokes.append(line + slow * 24**0.5 * rng.uniform(0, 0.9))
    return strokes


def _shaken(line: np.ndarray, how: Stranger, rng: np.random.Generator) -> np.ndarray:
    """Returns a stroke with tremor: white noise through a resonator of second order."""
    n, warm = len(line), 400
    angle = 2 * np.pi * _STEP / how.wavelength
    noise = rng.standard_normal((2, n + warm))
    poles = [1, -2 * how.sharpness * np.cos(angle), how.sharpness**2]
    waves = lfilter([1], poles, noise, axis=1)[:, warm:]
    # A steady part and what the resonator makes of noise; peaks are the amplitude's.
    waves /= np.sqrt(2) * waves.std(axis=1, keepdims=True) + 1e-9
    waves = how.amplitude * np.clip(waves, -1.2, 1.2)
    heading = np.gradient(gaussian_filter1d(line, 5, axis=0), axis=0)
    heading /= np.hypot(*heading.T)[:, None] + 1e-9
    across = np.stack([-heading[:, 1], heading[:, 0]], 1)
    other = np.sqrt(1 - how.sideways**2)
    return (
        line
        + how.sideways * waves[0, :, None] * across
        + (other * waves[1, :, None] * heading)
    )


def _picture(strokes: list[np.ndarray], how: Stranger, seed: int) -> np.ndarray:
    points = np.concatenate(strokes)
    low, high = points.min(0), points.max(0)
    scale = how.side / (high - low).max()
    strokes = [(s - (low + high) / 2) * scale + _SIZE / 2 for s in strokes]
    ink = _INK[how.renderer](strokes, how.pen * scale, np.random.default_rng(seed))
    return canonical.of_ink(ink.astype("float32"))[0]


def _marker(strokes, width, rng):
    """Ink that runs: dark in the middle, its edge soft and uneven."""
    away = _away(strokes, 2)
    edge = _noise(away.shape, 6, rng) * 0.25
    ink = 1 / (1 + np.exp((away - width + edge) / 0.7))
    return np.asarray(
        Image.fromarray((ink * 255).astype("uint8")).resize((_SIZE, _SIZE), Image.BOX)
    ) / np.float32(255)


def _pencil(strokes, width, rng):
    """Graphite on grain: gaps that a soft threshold leaves."""
    away = _away(strokes, 2)
    tooth = _noise(away.shape, 1.2, rng)
    ink = np.clip(width + 0.5 - away, 0, 1) * np.clip(0.85 + 0.25 * tooth, 0, 1)
    soft = Image.fromarray((ink * 255).astype("uint8"))
    soft = soft.filter(ImageFilter.GaussianBlur(1.2)).resize((_SIZE, _SIZE), Image.BOX)
    soft = np.asarray(soft) / np.float32(255)
    return soft > 0.45 * soft.max()


def _fax(strokes, width, rng):
    """Lines of Pillow's, without anti-aliasing, at the picture's own size."""
    page = Image.new("L", (2 * _SIZE, 2 * _SIZE))
    pen = ImageDraw.Draw(page)
    for stroke in strokes:
        points = [tuple(2 * p) for p in stroke]
        pen.line(points, 255, max(1, round(2 * width)), "curve")
    return np.asarray(page.resize((_SIZE, _SIZE), Image.NEAREST)) > 0


def _stamp(strokes, width, rng):
    """Discs side by side, drawn large and made small."""
    page = Image.new("L", (4 * _SIZE, 4 * _SIZE))
    pen = ImageDraw.Draw(page)
    for stroke in strokes:
        for x, y in 4 * stroke:
            half = 2 * width * rng.uniform(0.95, 1.05)
            pen.ellipse((x - half, y - half, x + half, y + half), 255)
    return np.asarray(page.resize((_SIZE, _SIZE), Image.LANCZOS)) / np.float32(255)


_INK = {"marker": _marker, "pencil": _pencil, "fax": _fax, "stamp": _stamp}


def _away(strokes: list[np.ndarray], fine: int) -> np.ndarray:
    """Returns each point's distance from the line, half a grid point each."""
    paper = np.ones((_SIZE * fine, _SIZE * fine), bool)
    points = np.floor(np.concatenate(strokes) * fine).astype("int64")
    x, y = np.clip(points, 0, _SIZE * fine - 1).T
    paper[y, x] = False
    return distance_transform_edt(paper)


def _noise(shape, spread, rng):
    """Returns noise of one scale, of about unit size."""
    noise = gaussian_filter1d(rng.standard_normal(shape), spread, axis=0)
    noise = gaussian_filter1d(noise, spread, axis=1)
    return noise / noise.std()
