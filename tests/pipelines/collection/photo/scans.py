"""Scans of lines whose place is known, and what is found of them."""

import cv2
import numpy as np
from skimage.measure import label

from pipelines.collection.photo import ink
from shaky_letters import canonical


def noisy(picture):
    picture = picture + np.random.default_rng(0).normal(0, 2, picture.shape)
    return np.clip(np.rint(picture), 0, 255).astype("uint8")


def agreement(found, expected):
    """Intersection over union."""
    found, expected = found > 0, expected > 0
    return (found & expected).sum() / (found | expected).sum()


def sheet(path, dark=90, thick=3, noise=3.0, paper=240, shape=(256, 256)):
    """A line on noisy paper, scanned small, and where it is.

    Args:
        path: its points, pixels.
        dark: how much darker than the paper it is, of 255: one number, or one a point.
    """
    fine, shift = 4, 4
    points = np.rint(np.asarray(path) * fine * 2**shift).astype("int32")
    share = np.zeros([n * fine for n in shape], "float32")
    for a, b, level in zip(points, points[1:], np.broadcast_to(dark, len(points))):
        cv2.line(share, a, b, float(level), thick * fine, cv2.LINE_8, shift)
    share = cv2.resize(share, shape[::-1], interpolation=cv2.INTER_AREA)
    gray = paper - share + np.random.default_rng(0).normal(0, noise, shape)
    gray = np.clip(np.rint(gray), 0, 255).astype("uint8")
    return np.repeat(gray[..., None], 3, axis=2), np.asarray(path)


def wave(low=40, high=216, count=400):
    x = np.linspace(low, high, count)
    return np.stack([x, 128 + 70 * np.sin((x - low) / 14)], 1)


def found_of(pixels, path):
    """Which share of a path is found, of what is found lies on it, and the pieces."""
    mask = ink.find(pixels, canonical.SIZE).mask
    assert mask.shape == pixels.shape[:2]
    away = cv2.distanceTransform((~mask).astype("uint8"), cv2.DIST_L2, 5)
    x, y = np.clip(np.rint(path).astype(int), 0, np.array(mask.shape)[::-1] - 1).T
    line = np.ones(mask.shape, "uint8")
    line[y, x] = 0
    off = cv2.distanceTransform(line, cv2.DIST_L2, 5)[mask]
    return (away[y, x] < 2).mean(), (off < 6).mean(), label(mask, connectivity=2).max()
