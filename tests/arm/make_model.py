"""Leaves a model as a run of training does, for tests/arm/run: make_model.py FOLDER.

The paper's network with random weights, 97 % of the dense kernel's exactly zero, and
scribbles. It knows no letters; what a file computes can be checked without training.
"""

import pathlib
import sys

import numpy as np

from commands.cli import quietly

# The first four test images go into the files, the others into golden.json.
CALIBRATION, TEST = 32, 12


def scribbles(count, rng):
    """Returns walks at random, a hundred pixels long or more, of ink on nothing."""
    images = np.zeros((count, 100, 100, 1), "float32")
    for image in images:
        steps = rng.integers(-1, 2, (rng.integers(100, 2000), 2))
        rows, columns = ((50 + steps.cumsum(axis=0)) % 100).T
        image[rows, columns] = 1
    return images


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    with quietly():
        from rvsm_tf import networks

        model = networks.paper_cnn()
    kernel = model.get_layer("dense").kernel
    values = np.asarray(kernel)
    size = np.abs(values)
    kernel.assign(np.where(size > np.quantile(size, 0.97), values, 0))
    model.save(folder / "model.keras")
    images = scribbles(CALIBRATION + TEST, np.random.default_rng(0))
    np.savez_compressed(
        folder / "images.npz", calibration=images[TEST:], test=images[:TEST]
    )
