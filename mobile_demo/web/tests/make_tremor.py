"""Makes tremor.json, beside this file: recordings whose tremor is known.

    python -m mobile_demo.web.tests.make_tremor

It holds the first 18 letters and the first 10 shapes of `shaky_letters`' "test_unseen"
splits, every other one shaky: the pen-down strokes in pixels of the 100 x 100 picture
and seconds, and the tremor's frequency (Hz) and amplitude (pixels), 0 without tremor.
"""

import json
import pathlib
from typing import Any

from shaky_letters.raster import SIZE
from shaky_letters.shaky_letters_dataset_builder import ShakyLettersConfig, example

from .recordings import strokes_of

COUNTS = {"letters": 18, "shapes": 10}
FILE = pathlib.Path(__file__).with_name("tremor.json")


def record(subject: str, i: int) -> dict[str, Any]:
    """Returns one recording, rounded to what the file holds."""
    config = ShakyLettersConfig(name=subject, subject=subject)
    made = example(config, config.splits()["test_unseen"], i)
    pen = made["strokes"]
    columns = {axis: pen[axis].astype("float64").round(2) for axis in "xyt"}
    return {
        "hz": round(made["tremor_hz"], 3),
        "amplitude": round(made["tremor_amplitude"], 3),
        "width": SIZE,
        "height": SIZE,
        "strokes": strokes_of(columns, pen["pen_down"]),
    }


if __name__ == "__main__":
    made = [record(subject, i) for subject, n in COUNTS.items() for i in range(n)]
    FILE.write_text(json.dumps(made, separators=(",", ":")) + "\n")
