"""A simulated camera: pen strokes on a sheet of paper, as a telephone sees them.

A sheet with strokes, and guide lines where it has any, lies on a table; it is seen at
an angle, lit from one side with somebody's shadow across it, blurred, and goes through
a sensor with noise and a white balance that is never quite right.
"""

import dataclasses
from typing import Any

import cv2
import numpy as np

from shaky_letters.raster import SIZE

PAPERS = ("plain", "ruled", "squared")

_WIDTH, _HEIGHT = 1200, 900  # of the photo
_SHEET = (1131, 1600)  # height and width of the sheet, A4, in pixels of its own
_GAMMA = 2.2

_INKS = {
    # What the ink leaves of the paper's light: red, green, blue.
    "black": (0.05, 0.05, 0.06),
    "blue": (0.06, 0.09, 0.32),
    "pencil": (0.28, 0.28, 0.29),
}
_LINES = {
    "blue": (0.55, 0.72, 0.86),
    "grey": (0.62, 0.62, 0.63),
    "red": (0.86, 0.60, 0.58),
}


@dataclasses.dataclass(frozen=True)
class Strokes:
    """A pen's way, in pixels of the training raster.

    Attributes:
        x, y: shape (n,), pixels to the right and downwards.
        pen_down: shape (n,), bool.
        width: diameter of the pen's tip, pixels.
    """

    x: np.ndarray
    y: np.ndarray
    pen_down: np.ndarray
    width: float

    @classmethod
    def of(cls, example: dict[str, Any]) -> "Strokes":
        """Returns those of an example of the generator's."""
        pen = example["strokes"]
        return cls(pen["x"], pen["y"], pen["pen_down"], example["pen_width"])


def photograph(strokes: Strokes, rng: np.random.Generator, paper: str) -> np.ndarray:
    """Takes a photo of strokes on paper.

    Args:
        strokes: what the pen drew.
        rng: of the ink, the paper's kind, the light and the camera.
        paper: one of `PAPERS`.

    Returns:
        uint8, shape (900, 1200, 3), RGB; the letter is wholly in it.
    """
    *place, matrix = _aimed(strokes, rng)
    sheet = _sheet(strokes, place, rng, paper)
    return _sensor(_lit(_seen(sheet, matrix, rng), rng), rng)


def inked(strokes: Strokes, rng: np.random.Generator) -> np.ndarray:
    """Returns where ink is in the photo that `photograph` takes with the same rng.

    Returns:
        bool, shape (900, 1200).
    """
    *place, matrix = _aimed(strokes, rng)
    drawn = cv2.warpPerspective(_drawn(strokes, *place), matrix, (_WIDTH, _HEIGHT))
    return drawn > 0.5


def jpeg(pixels: np.ndarray, quality: int) -> bytes:
    """Returns an RGB picture as a JPEG file's bytes."""
    _, file = cv2.imencode(
        ".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    return file.tobytes()


def _sheet(
    strokes: Strokes,
    place: tuple[float, np.ndarray],
    rng: np.random.Generator,
    paper: str,
) -> np.ndarray:
    """Returns the light that a sheet reflects: float32, shape (h, w, 3), 0 to 1."""
    ink = np.array(_INKS[rng.choice(list(_INKS))], "float32")
    ink **= np.float32(rng.uniform(0.8, 1.1))
    drawn = _drawn(strokes, *place)
    # A hand does not press equally everywhere, and paper has a grain.
    pressure = 1 - 0.25 * _clouds(_SHEET, rng, 90)
    grain = 1 - 0.15 * cv2.GaussianBlur(rng.random(_SHEET, "float32"), None, 1.0)
    sheet = ink ** (drawn * pressure * grain)[..., None]

    tint = np.array([0.93, 0.91, 0.86]) + rng.uniform(-0.04, 0.05, 3)
    sheet *= tint.astype("float32")
    sheet *= 1 - 0.03 * rng.random(_SHEET, "float32")[..., None]
    if paper != "plain":
        sheet *= _guides(place[0], paper, rng)
    return sheet


def _on_sheet(strokes: Strokes, scale: float, middle: np.ndarray) -> np.ndarray:
    """Returns where the pen was on the sheet, shape (n, 2)."""
    return (np.stack([strokes.x, strokes.y], 1) - SIZE / 2) * scale + middle


def _drawn(strokes: Strokes, scale: float, middle: np.ndarray) -> np.ndarray:
    """Returns how much of each pixel the pen covers: float32, 0 to 1."""
    drawn = np.zeros(_SHEET, "uint8")
    shift = 4  # OpenCV takes positions in 16ths of a pixel
    points = np.rint(_on_sheet(strokes, scale, middle) * 2**shift).astype("int32")
    width = max(1, round(strokes.width * scale))
    pen_down = np.asarray(strokes.pen_down, bool)
    for part in np.split(np.arange(len(points)), np.flatnonzero(~pen_down)):
        part = part[pen_down[part]]
        if len(part):
            part = np.append(part, part[-1])  # a dot is a line to itself
            cv2.polylines(drawn, [points[part]], False, 255, width, cv2.LINE_8, shift)
    return cv2.GaussianBlur(drawn, None, 0.7).astype("float32") / 255


def _guides(scale: float, paper: str, rng: np.random.Generator) -> np.ndarray:
    """Returns what printed lines leave of the light: float32, shape (h, w, 3)."""
    color = np.array(_LINES[rng.choice(list(_LINES))], "float32")
    color **= np.float32(rng.uniform(0.6, 1.2))
    pitch = scale * (rng.uniform(10, 16) if paper == "ruled" else rng.uniform(6, 10))
    width = scale * rng.uniform(0.25, 0.6)
    cover = np.zeros(_SHEET, "float32")
    for axis in (0, 1) if paper == "squared" else (0,):
        distance = np.arange(_SHEET[axis]) + pitch * rng.random()
        distance = np.abs((distance + pitch / 2) % pitch - pitch / 2)
        line = np.clip(width / 2 + 0.5 - distance, 0, 1).astype("float32")
        cover = np.maximum(cover, np.expand_dims(line, 1 - axis))
    return color ** cover[..., None]


def _clouds(shape: tuple[int, int], rng: np.random.Generator, size: int) -> np.ndarray:
    """Returns smooth noise, 0 to 1, with spots of about so many pixels."""
    small = rng.random([n // size + 2 for n in shape], "float32")
    return np.clip(cv2.resize(small, shape[::-1], interpolation=cv2.INTER_CUBIC), 0, 1)


def _stand(rng: np.random.Generator) -> np.ndarray:
    """Returns where the sheet's points fall in the photo: a homography, shape (3, 3).

    Every second photo is so close up that none of the sheet's edges is seen.
    """
    height, width = _SHEET
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)])
    view = np.c_[corners - [width / 2, height / 2], np.zeros(4)] / width
    # The camera looks at the sheet's middle, tilted, from so many widths away.
    away = 1.3
    turn, pitch, roll = np.radians(
        [rng.normal(0, 5), rng.uniform(-22, 22), rng.uniform(-12, 12)]
    )
    for angle, axes in ((turn, [0, 1]), (pitch, [1, 2]), (roll, [0, 2])):
        cos, sin = np.cos(angle), np.sin(angle)
        view[:, axes] = view[:, axes] @ np.array([[cos, sin], [-sin, cos]])
    seen = view[:, :2] * away / (away + view[:, 2:])
    room = np.array([_WIDTH, _HEIGHT]) / 2
    if rng.random() < 0.5:
        zoom = rng.uniform(0.86, 0.95) * (room / np.abs(seen).max(0)).min()
    else:
        zoom = rng.uniform(1.1, 1.3) * (room / np.abs(seen).min(0)).max()
    return cv2.getPerspectiveTransform(
        corners.astype("float32"), (seen * zoom + room).astype("float32")
    )


def _aimed(
    strokes: Strokes, rng: np.random.Generator
) -> tuple[float, np.ndarray, np.ndarray]:
    """Returns sheet pixels per raster pixel, the letter's middle, and `_stand`.

    People take another photo where the letter is not wholly in it.
    """
    while True:
        scale = rng.uniform(6.0, 8.5)
        middle = np.array(_SHEET[::-1]) / 2
        middle += rng.uniform(-0.35, 0.35, 2) * (middle - scale * SIZE / 2)
        matrix = _stand(rng)
        path = _on_sheet(strokes, scale, middle)[np.asarray(strokes.pen_down, bool)]
        x, y = cv2.perspectiveTransform(path[None], matrix)[0].T
        margin = scale * strokes.width
        if min(x.min(), y.min(), _WIDTH - x.max(), _HEIGHT - y.max()) > margin:
            return scale, middle, matrix


def _seen(
    sheet: np.ndarray, matrix: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Returns the sheet on a table, in perspective."""
    table = np.array([0.28, 0.19, 0.12]) * rng.uniform(0.4, 1.6)
    table = np.clip(table + rng.uniform(-0.05, 0.05, 3), 0.02, 1).astype("float32")
    wood = 1 - 0.4 * _clouds((_HEIGHT, _WIDTH), rng, 40)
    size = (_WIDTH, _HEIGHT)
    inside = cv2.warpPerspective(np.ones(_SHEET, "float32"), matrix, size)[..., None]
    # Where the photo is the coarser one, its pixels see the sheet's mean.
    sheet = cv2.GaussianBlur(sheet, None, 0.5)
    shown = cv2.warpPerspective(sheet, matrix, size)
    return table * wood[..., None] * (1 - inside) + shown * inside


def _lit(seen: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Returns a view in light that falls off to one side, with a shadow across it."""
    y, x = np.mgrid[-1 : 1 : _HEIGHT * 1j, -1 : 1 : _WIDTH * 1j].astype("float32")
    angle = rng.uniform(0, 2 * np.pi)
    toward = np.cos(angle) * x + np.sin(angle) * y
    light = np.exp(rng.uniform(0.1, 0.55) * toward)
    light *= 1 - rng.uniform(0, 0.15) * (x * x + y * y)
    if rng.random() < 0.7:
        angle, place = rng.uniform(0, 2 * np.pi), rng.uniform(-0.5, 0.5)
        edge = np.cos(angle) * x + np.sin(angle) * y - place
        edge += 0.3 * _clouds(x.shape, rng, 200)
        soft = rng.uniform(0.02, 0.25)
        light *= 1 - rng.uniform(0.2, 0.65) / (1 + np.exp(-edge / soft))
    lit = seen * (light / np.quantile(light, 0.9))[..., None].astype("float32")
    return cv2.GaussianBlur(lit, None, rng.uniform(0.6, 1.8))


def _sensor(lit: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Returns the photo that a sensor makes of light: uint8, RGB."""
    white = np.exp(rng.normal(0, 0.1, 3)).astype("float32")
    lit = lit * white * np.float32(rng.uniform(0.6, 0.95))
    # Photons arrive at random, the more of them the more so; and it is never dark.
    photons = rng.uniform(800, 6000)
    noise = np.sqrt(np.maximum(lit, 0) / photons + rng.uniform(0.001, 0.004) ** 2)
    lit = lit + noise * rng.standard_normal(lit.shape, "float32")
    return np.rint(255 * np.clip(lit, 0, 1) ** (1 / _GAMMA)).astype("uint8")
