"""Faint ink, and ink at the picture's side."""

import cv2
import numpy as np
import pytest

from pipelines.collection.photo import ink
from pipelines.collection.photo.unusable import Unusable
from shaky_letters import canonical
from tests.pipelines.collection.photo.scans import found_of, noisy, sheet, wave


@pytest.mark.parametrize(
    ("dark", "thick", "noise"), [(18, 3, 3), (18, 8, 3), (40, 2, 3), (12, 4, 1)]
)
def test_a_faint_pencil_is_ink(dark, thick, noise):
    recall, precision, pieces = found_of(*sheet(wave(), dark, thick, noise))
    assert recall > 0.99
    assert precision == 1
    assert pieces == 1


@pytest.mark.parametrize("faint", [24, 35])
@pytest.mark.parametrize("thick", [2, 5])
def test_the_faint_half_of_a_line_is_as_broad_as_the_dark_one(faint, thick):
    path = wave()
    dark = np.interp(np.arange(len(path)), [190, 210], [120, faint])
    pixels, path = sheet(path, dark, thick)
    recall, precision, pieces = found_of(pixels, path)
    assert (recall, precision, pieces) == (1, 1, 1)
    drawn = ink.find(pixels, canonical.SIZE).picture
    left, right = (np.count_nonzero(half) for half in np.split(drawn, 2, axis=1))
    assert right == pytest.approx(left, rel=0.15)


def test_a_drawing_cropped_to_its_box_is_whole():
    angle = np.linspace(0, 6 * np.pi, 900)
    radius = 20 + 107 * angle / angle[-1]
    path = np.stack([128 + radius * f(angle) for f in (np.cos, np.sin)], 1)
    recall, precision, pieces = found_of(*sheet(path, 60, 3))
    assert recall > 0.99
    assert precision == 1
    assert pieces == 1


@pytest.mark.parametrize("side", range(4))
def test_a_stroke_along_the_pictures_side_is_ink(side):
    x = np.linspace(0, 255, 600)
    # A tub: down, along 40 % of the picture's side, and up.
    path = np.stack([x, 254 - 200 * np.clip(np.abs(x - 128) / 50 - 1, 0, 1)], 1)
    pixels, path = sheet(path, 60, 3)
    for _ in range(side):
        pixels, path = np.rot90(pixels), np.stack([path[:, 1], 255 - path[:, 0]], 1)
    recall, precision, pieces = found_of(np.ascontiguousarray(pixels), path)
    assert recall > 0.99
    assert precision == 1
    assert pieces == 1


def test_turns_that_cross_stay_one_piece():
    angle = np.linspace(0, 8 * np.pi, 1200)
    path = np.stack(
        [128 + 90 * np.cos(angle), 128 + 90 * np.sin(angle * 1.25 + 0.3)], 1
    )
    # Each time it comes by it is half as dark: a dark line crosses faint ones.
    dark = np.where(np.arange(1200) // 300 % 2, 30, 110)
    pixels, _ = sheet(path, dark, 3)
    recall, precision, pieces = found_of(pixels, path)
    assert recall > 0.99
    assert precision == 1
    assert pieces == 1


@pytest.mark.parametrize("tint", [(1, 1, 1), (1, 0.93, 0.7)])
def test_paper_that_is_yellow_or_crumpled_is_no_ink(tint):
    pixels, path = sheet(wave(), 60, 3)
    rng = np.random.default_rng(1)
    folds = cv2.resize(rng.random((9, 9), "float32"), (256, 256))
    crumpled = pixels * (0.9 + 0.1 * folds[..., None]) * np.array(tint)
    recall, precision, pieces = found_of(np.rint(crumpled).astype("uint8"), path)
    assert recall > 0.99
    assert precision == 1
    assert pieces == 1
    bare = np.rint(240 * (0.9 + 0.1 * folds[..., None]) * np.array(tint))
    with pytest.raises(Unusable, match="shows no ink"):
        ink.find(noisy(bare), canonical.SIZE)


@pytest.mark.parametrize("noise", [1, 3, 8])
def test_bare_paper_is_refused_whatever_its_grain(noise):
    pixels, _ = sheet(wave(), 0, 3, noise)
    with pytest.raises(Unusable, match="shows no ink"):
        ink.find(pixels, canonical.SIZE)


def test_what_lies_along_the_side_far_from_a_drawing_is_a_tables_edge():
    pixels, path = sheet(wave(90, 166), 60, 3)
    pixels[-4:, 100:] = 60
    assert found_of(pixels, path) == (1, 1, 1)
