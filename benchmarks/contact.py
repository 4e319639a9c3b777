"""Contact sheets: pictures of one size, in rows."""

import pathlib
from collections.abc import Sequence

import cv2
import numpy as np

from commands.files import replacing


def tiled(cells: Sequence[np.ndarray], across: int) -> np.ndarray:
    """Returns pictures in rows, white where the last row has none.

    Args:
        cells: uint8, shape (h, w, 3) each; at least one.
        across: how many are in a row.

    Returns:
        uint8, shape (h * rows, w * across, 3).
    """
    full = [*cells, *[np.full_like(cells[0], 255)] * (-len(cells) % across)]
    rows = [full[i : i + across] for i in range(0, len(full), across)]
    return np.concatenate([np.concatenate(row, axis=1) for row in rows])


def write(file: pathlib.Path, sheet: np.ndarray) -> None:
    """Writes a sheet, uint8, RGB, as PNG."""
    with replacing(file) as draft:
        draft.write_bytes(cv2.imencode(".png", sheet[..., ::-1])[1].tobytes())
