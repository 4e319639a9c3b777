"""The kernels of the layers that a run splits."""

import keras

import rvsm_tf as rvsm


def named(model: keras.Model, patterns: list[str]) -> list[keras.Variable]:
    """Returns the kernels of the layers that names or patterns stand for.

    Raises:
        ValueError: one of them stands for no layer with a kernel.
    """
    # The library selects kernels for a penalty; any finds the same ones.
    chosen = rvsm.selection.select(model, dict.fromkeys(patterns, rvsm.L0()))
    return [kernel for selection in chosen for kernel in selection.kernels]
