"""Writes raster.json: strokes in, pictures out, for every implementation to agree on.

    python -m mobile_demo.web.tests.make_raster

The file is committed and is not made anew by the tests: the pytest of the same name and
raster.test.ts compare shaky_letters/raster.py and canonical.py, and src/raster.ts and
fit.ts, with what it holds. It is written again only when the definition itself is
changed.

    {"raster": [{"name", "width", "strokes": [{"x": […], "y": […]}, …], "ink"}, …],
     "fit": [the same; `ink` is canonical.of_path(), `width` is canonical.PEN]}

`ink` is written as golden vectors are, see docs/reading.md: the picture's 128 x 128
pixels as bits, compressed, in base64.
"""

import json
import pathlib

import numpy as np

from export import golden
from shaky_letters.canonical import PEN, SIZE, of_path
from shaky_letters.raster import rasterize
from shaky_letters.shaky_letters_dataset_builder import Builder, example

from .recordings import Strokes, strokes_of

FILE = pathlib.Path(__file__).with_name("raster.json")


def path_of(strokes: Strokes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns strokes as one path, with a sample in the air after each of them."""
    x = np.array([v for s in strokes for v in [*s["x"], s["x"][-1]]], "float64")
    y = np.array([v for s in strokes for v in [*s["y"], s["y"][-1]]], "float64")
    down = [d for s in strokes for d in [True] * len(s["x"]) + [False]]
    return x, y, np.array(down, bool)


def written(config: str, split: str, i: int) -> tuple[Strokes, float]:
    """Returns every fourth sample of an example's strokes, and the pen's width."""
    subject = {c.name: c for c in Builder.BUILDER_CONFIGS}[config]
    made = example(subject, subject.splits()[split], i)
    pen = {name: column[::4] for name, column in made["strokes"].items()}
    columns = {axis: pen[axis] for axis in "xy"}
    return strokes_of(columns, pen["pen_down"]), made["pen_width"]


def line(*points: tuple[float, float]) -> dict[str, list[float]]:
    """Returns a stroke through points."""
    return {"x": [x for x, _ in points], "y": [y for _, y in points]}


def raster_cases() -> dict[str, tuple[Strokes, float]]:
    """Returns strokes and a width by name."""
    near, far = -0.5, SIZE + 0.5
    corners = [(near, near), (far, near), (far, far), (near, far), (near, near)]
    unit = 1 / 64
    return {
        "regular letter": written("letters", "test", 0),
        "shaky letter": written("letters", "test", 1),
        "regular letter, broad tip": written("letters", "test_unseen", 4),
        "shaky letter, broad tip": written("letters", "test_unseen", 7),
        "regular shape": written("shapes", "test", 2),
        "shaky shape": written("shapes", "test", 3),
        "dot between four pixels": ([line((50, 50))], 2.0),
        "dot in a pixel's middle": ([line((50.5, 50.5))], 5.0),
        "dots, one of them outside": ([line((x, x)) for x in (0, 30, 127, 132)], 4.0),
        "nothing inside": ([line((-20, 30), (-20, 60)), line((300, 300))], 3.0),
        "along the picture's edge": ([line(*corners)], 3.0),
        "across the whole picture": ([line((-300, -210.25), (400, 333.5))], 5.0),
        "corner to corner": ([line((0, 0), (128, 128)), line((128, 0), (0, 128))], 2.0),
        "one point many times": ([line(*[(40.3, 60.7)] * 5, (41, 60))], 3.0),
        "shorter than a unit": ([line((20, 20), (20 + unit / 2, 20), (21, 20))], 2.5),
        # Positions of x.5 units go to the even neighbour. With these widths the tip's
        # edge then passes through pixels' middles: a unit more or less shows.
        "half a unit, even below": ([line((128.5 * unit, 9), (128.5 * unit, 80))], 3.0),
        "half a unit, odd below": ([line((127.5 * unit, 9), (127.5 * unit, 80))], 3.0),
        "half a unit, negative": ([line((-1.5 * unit, 9), (-1.5 * unit, 80))], 33 / 32),
        "half a unit, in y": (
            [line((x, (128.5 + 64 * x) * unit)) for x in range(5, 95, 6)],
            3.0,
        ),
        "half a unit of the tip": ([line((9, 50), (90, 50))], 193 / 64),
        "half a unit of the tip, odd": ([line((9, 50), (90, 50))], 195 / 64),
    }


def fit_cases() -> dict[str, Strokes]:
    """Returns strokes on a tablet by name."""
    rng = np.random.default_rng(0)
    letter, _ = written("letters", "test", 5)
    spiral = np.linspace(0, 5 * np.pi, 80)
    return {
        "letter on a pad of 640": scaled(letter, 6.4, 0),
        "letter far away": scaled(letter, 1e6 / 3, -1e8),
        "tiny letter": scaled(letter, 1e-3, 0.7),
        "spiral": [
            line(*zip(spiral * np.cos(spiral) * 17.3, spiral * np.sin(spiral) * 17.3))
        ],
        "upright line": [line((311.7, 40.1), (311.7, 600.9))],
        "level line and a dot": [line((1 / 3, 7), (600, 7)), line((77.7, 93.1))],
        "scribble": [line(*rng.uniform(0, 640, (40, 2)).tolist()) for _ in range(2)],
    }


def scaled(strokes: Strokes, scale: float, offset: float) -> Strokes:
    """Returns strokes in another unit, from another corner."""
    return [
        {axis: [v * scale + offset for v in values] for axis, values in stroke.items()}
        for stroke in strokes
    ]


def main() -> None:
    """Writes the file."""
    cases = {"raster": [], "fit": []}
    for name, (strokes, width) in raster_cases().items():
        ink = golden.encode(rasterize(*path_of(strokes), width, SIZE))
        cases["raster"].append(
            {"name": name, "width": width, "strokes": strokes, "ink": ink}
        )
    for name, strokes in fit_cases().items():
        ink = golden.encode(of_path(*path_of(strokes)))
        cases["fit"].append(
            {"name": name, "width": PEN, "strokes": strokes, "ink": ink}
        )
    lines = {
        key: ",\n".join(json.dumps(case) for case in some)
        for key, some in cases.items()
    }
    text = ",\n".join(f'"{key}": [\n{some}\n]' for key, some in lines.items())
    FILE.write_text(f"{{\n{text}\n}}\n", "utf-8")


if __name__ == "__main__":
    main()
