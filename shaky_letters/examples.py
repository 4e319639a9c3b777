"""Example i of a split: what is written, with which hand, and the picture of it."""

import dataclasses
import io
from typing import Any

import cv2
import numpy as np

from .config import ShakyLettersConfig, SplitConfig
from .fit import PEN, fit
from .hands.twins import pair
from .pen import Trajectory, write
from .raster import UNITS, quantize, rasterize
from .strokes import LETTERS, Path, alphabet, shape, spiral

CLASSES = ("regular", "shaky")

KINDS = ("letter", "shape", "spiral")
"""Of drawings."""

_SHARE = (0.5, 0.25, 0.25)


def example(config: ShakyLettersConfig, split: SplitConfig, i: int) -> dict[str, Any]:
    """Returns example i of a split; it depends on the seed, the split and i alone."""
    label = i % 2
    if config.subject == "hands":
        number = config.seed, split.stream, i // 2
        twins = pair(*number, split.alphabets, split.strange)
        return {**twins[label], "label": label, "pair": i // 2}
    rng = np.random.default_rng([config.seed, split.stream, i])
    path, subject = _subject(config.subject, split, rng)
    pen = write(path, split.hands, bool(label), rng)
    if config.subject == "drawings":
        pen = _as_on_tablet(pen)
    return {
        "image": rasterize(pen.x, pen.y, pen.pen_down, pen.pen_width),
        "label": label,
        **subject,
        "pen_width": pen.pen_width,
        "tremor_hz": pen.tremor_hz,
        "tremor_amplitude": pen.tremor_amplitude,
        "strokes": {
            "x": pen.x.astype("float32"),  # exact: whole 64ths of a pixel
            "y": pen.y.astype("float32"),
            "t": pen.t.astype("float32"),
            "pen_down": pen.pen_down,
        },
    }


def stored(config: ShakyLettersConfig, split: SplitConfig, i: int) -> dict[str, Any]:
    """Returns example i of a split with its picture as a PNG file."""
    made = example(config, split, i)
    # OpenCV compresses a picture in a tenth of the time that TFDS would take.
    _, png = cv2.imencode(".png", made["image"])
    return {**made, "image": io.BytesIO(png.tobytes())}


def _subject(
    subject: str, split: SplitConfig, rng: np.random.Generator
) -> tuple[Path, dict[str, str]]:
    """Returns what is written, and its name or names as features."""
    if subject == "drawings":
        kind = KINDS[rng.choice(len(KINDS), p=_SHARE)]
        if kind == "spiral":
            return spiral(rng), {"kind": kind}
        path, _ = _subject(f"{kind}s", split, rng)
        return path, {"kind": kind}
    if subject == "shapes":
        name, path = shape(rng)
        return path, {"shape": name}
    letter = LETTERS[rng.integers(len(LETTERS))]
    source = split.alphabets[rng.integers(len(split.alphabets))]
    return alphabet(source)[letter], {"letter": letter, "alphabet": source}


def _as_on_tablet(pen: Trajectory) -> Trajectory:
    """Returns a recording as the tablet fits it into the picture."""
    x, y, scale = fit(pen.x, pen.y, pen.pen_down)
    return dataclasses.replace(
        pen,
        x=quantize(x) / UNITS,
        y=quantize(y) / UNITS,
        pen_width=PEN,
        tremor_amplitude=pen.tremor_amplitude * scale,
    )
