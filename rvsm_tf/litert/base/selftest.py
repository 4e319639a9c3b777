"""Runs the golden vectors of exported files on this machine's runtime.

python -m rvsm_tf.litert.base.selftest FOLDER

In a checkout, python -m export.selftest FOLDER needs NumPy and ai-edge-litert alone, so
that it also runs where nothing else does. Exits with 1 where an answer is wrong, with 2
where a file is damaged or missing.
"""

import json
import pathlib
import sys

import numpy as np

from . import card, check, golden, runtime


def differences(folder: pathlib.Path) -> dict[tuple[str, str], tuple[float, float]]:
    """Returns how far each file's answers are from the golden ones.

    Args:
        folder: what an export wrote, `golden.json` included.

    Returns:
        by file name and delegate ("on" or "off"): the largest difference, and the
        tolerance.

    Raises:
        ValueError: a file is damaged.
        FileNotFoundError: one is missing.
    """
    vectors = check.unseal(json.loads((folder / "golden.json").read_text("utf-8")))
    found = {}
    for name, expected in vectors["files"].items():
        card.verify((folder / name).read_bytes())
        for delegate in runtime.MODES:
            runner = runtime.interpreter(folder / name, delegate).get_signature_runner()
            shapes = {
                key: tuple(detail["shape"])
                for key, detail in runner.get_input_details().items()
            }
            outputs = []
            for vector in vectors["inputs"]:
                result = runner(**golden.decode(vector, shapes))
                outputs.append(next(iter(result.values())).ravel().copy())
            known = np.asarray(expected["outputs"])
            gap = np.abs(np.stack(outputs)[:, : known.shape[1]] - known)
            # NaN is as wrong as can be, and no number is larger than NaN.
            worst = float(np.where(np.isfinite(gap), gap, np.inf).max())
            found[name, delegate] = worst, expected["tolerance"]
    return found


def is_sound(file: pathlib.Path, shapes: golden.Shapes) -> bool:
    """Returns whether this machine's runtime answers the golden vectors in a file.

    Args:
        file: that an export wrote.
        shapes: of one example, by input.

    Raises:
        ValueError: it is damaged, or takes other inputs.
        RuntimeFailure: the runtime refuses it, or dies of it.
    """
    inside = card.read(file.read_bytes())["golden"]
    vectors = [golden.decode(vector, shapes) for vector in inside["inputs"]]
    inputs = {name: np.concatenate([v[name] for v in vectors]) for name in shapes}
    outputs = runtime.run(file, "on", inputs).outputs.reshape(len(vectors), -1)
    known = np.asarray(inside["outputs"], "float64")
    gap = np.abs(outputs[:, : known.shape[1]] - known)
    return bool((gap <= inside["tolerance"]).all())  # not so where it is NaN


def main(folder: str) -> int:
    """Prints a line for each file; returns the exit code."""
    wrong = False
    try:
        found = differences(pathlib.Path(folder))
    except (ValueError, FileNotFoundError) as error:
        print(f"Error: {folder!r} is damaged: {error}", file=sys.stderr)
        return 2
    for (name, delegate), (gap, tolerance) in found.items():
        wrong |= gap > tolerance
        verdict = "WRONG" if gap > tolerance else "ok"
        print(f"{name:24} delegate {delegate:3}  difference {gap:.1e}  {verdict}")
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
