import itertools

import cv2
import numpy as np
import pytest
from skimage.measure import euler_number

from pipelines.collection.photo import ink
from shaky_letters import canonical
from shaky_letters.fit import fit
from shaky_letters.raster import rasterize
from tests.pipelines.collection.photo.scans import agreement, found_of, sheet, wave


def test_a_scanners_frame_is_no_part_of_a_small_drawing():
    pixels, path = sheet(wave(), 60, 3)
    pixels[:, :9] = pixels[-6:] = 4
    recall, precision, pieces = found_of(pixels, path)
    assert (recall, precision, pieces) == (1, 1, 1)


@pytest.mark.parametrize("sides", [2, 4])
def test_of_a_plot_the_line_alone_is_found(sides):
    shape, (left, top, right, bottom) = (480, 640), (80, 58, 576, 427)
    pixels = np.full((*shape, 3), 255, "uint8")
    corners = [(left, top), (left, bottom), (right, bottom), (right, top), (left, top)]
    for a, b in itertools.pairwise(corners[: sides + 1]):
        cv2.line(pixels, a, b, (0, 0, 0), 1)
    for tick in range(left, right, 60):
        cv2.line(pixels, (tick, bottom), (tick, bottom + 4), (0, 0, 0), 1)
        place = (tick - 8, bottom + 20)
        cv2.putText(pixels, "10", place, cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0))
    for tick in range(top + 20, bottom, 60):
        cv2.line(pixels, (left - 4, tick), (left, tick), (0, 0, 0), 1)
    angle = np.linspace(0, 6 * np.pi, 900)
    radius = 4 + 150 * angle / angle[-1]
    path = np.stack(
        [328 + 1.3 * radius * np.cos(angle), 240 + radius * np.sin(angle)], 1
    )
    points = np.rint(path * 16).astype("int32")
    cv2.polylines(pixels, [points], False, (31, 119, 180), 1, cv2.LINE_AA, 4)
    assert found_of(pixels, path) == (1, 1, 1)
    x, y, _ = fit(*path.T, np.ones(900, bool), canonical.SIDE, canonical.SIZE)
    expected = rasterize(x, y, np.ones(900, bool), canonical.PEN, canonical.SIZE)
    drawn = ink.find(pixels, canonical.SIZE).picture
    assert agreement(drawn, expected) > 0.6
    assert euler_number(drawn[..., 0] > 0) == 1
