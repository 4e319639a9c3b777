"""The generator's recordings as the app's strokes; for the scripts beside this file."""

import numpy as np

Strokes = list[dict[str, list[float]]]


def strokes_of(columns: dict[str, np.ndarray], pen_down: np.ndarray) -> Strokes:
    """Returns a recording's strokes: its maximal runs of samples with the pen down.

    Args:
        columns: by name, such as "x", "y" and "t", shape (n,).
        pen_down: shape (n,), bool.
    """
    edges = np.flatnonzero(np.diff(pen_down, prepend=False, append=False))
    return [
        {name: values[a:b].tolist() for name, values in columns.items()}
        for a, b in zip(edges[::2], edges[1::2])
    ]
