"""A pen's path as a picture."""

import numpy as np

from shaky_letters import canonical
from shaky_letters.fit import PEN, fit
from shaky_letters.raster import SIZE, rasterize

from .path import Path, check


def draw(path: Path, size: int = SIZE) -> np.ndarray:
    """Draws a path in the middle of a picture.

    Args:
        path: the pen's way.
        size: of the picture: `raster.SIZE` for the paper's, `canonical.SIZE` for what
            the tablet draws, too.

    Returns:
        uint8, shape (size, size, 1), ink 255 on 0.

    Raises:
        Unusable: the pen was never down, or only at one point.
    """
    check(path)
    if size == canonical.SIZE:
        return canonical.of_path(path.x, path.y, path.pen_down)
    x, y, _ = fit(path.x, path.y, path.pen_down)
    return rasterize(x, y, path.pen_down, PEN)
