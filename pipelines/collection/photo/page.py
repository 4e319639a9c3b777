"""A sheet of paper on a table: where it ends, and how it looks from straight above."""

from collections.abc import Iterator

import cv2
import numpy as np

_SMALL = 320  # pixels of the larger side; enough to see a sheet
_RISES = (0.08, 0.12, 0.18, 0.25)  # of the logarithm from pixel to pixel, on a sheet
_BRUSH = np.ones((3, 3), "uint8")
_SHARE = 0.2  # of the photo that a sheet covers at least
_STEP = 0.2  # by which a sheet is brighter than the table, in its logarithm
_BLACK = 1.0  # the same, where what is beside it can be no shadow
_TINT = 0.2  # by which the table is redder or bluer, in its logarithm
_FAR = 34  # pixels outside a sheet that are looked at; strokes are narrower
_BESIDE = 8  # pixels from the photo's sides, where no edge is looked for
_EDGE = 0.012  # of a sheet's side that its edge's blur takes, left out


def flatten(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Cuts a sheet out of a photo and takes the perspective out of it.

    Args:
        pixels: uint8, shape (h, w, 3), RGB.

    Returns:
        The sheet alone, and its corners in the photo, float64, shape (4, 2), from the
        upper left one clockwise. The photo as it was, and None, where there are no
        four corners to be seen.
    """
    corners = find_corners(pixels)
    if corners is None:
        return pixels, None
    return straighten(pixels, corners), corners


def straighten(pixels: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Returns a sheet alone, as from straight above: like `pixels`, of another shape.

    Args:
        pixels: of the photo, shape (h, w) or (h, w, 3).
        corners: see `find_corners`.
    """
    width, height = sides(corners, pixels.shape)
    target = np.array([(0, 0), (width, 0), (width, height), (0, height)])
    inset = _EDGE * max(width, height)
    matrix = cv2.getPerspectiveTransform(
        corners.astype("float32"), (target - inset).astype("float32")
    )
    size = (round(width - 2 * inset), round(height - 2 * inset))
    return cv2.warpPerspective(pixels, matrix, size, flags=cv2.INTER_CUBIC)


def find_corners(pixels: np.ndarray) -> np.ndarray | None:
    """Returns the corners of a bright sheet, or None.

    A sheet is a region that four straight lines bound, well inside the photo; along
    each of them brightness rises at once, as it does not at the edge of a shadow.
    """
    light, scale = _light(pixels)
    best, corners = _STEP, None
    for outline in _outlines(light):
        found = _four(outline, light.shape)
        if found is None:
            continue
        step = min(_rises(light, found))
        if step > best:
            best, corners = step, found
    if corners is None:
        return None
    # Pixel centres of the small picture to those of the photo.
    return (corners + 0.5) / scale - 0.5


def find_part(pixels: np.ndarray) -> np.ndarray | None:
    """Returns where a sheet is that a photo shows a part of: bool, shape (h, w).

    None where no edge of a sheet is seen. Unlike in `find_corners`, the photo's own
    sides may bound the sheet, and it may have any number of corners. What lies beside a
    single edge must be of another colour or black, or else it is the sheet in shadow;
    two edges with a corner between them are a sheet's, as shadows are convex.
    """
    light, _ = _light(pixels)
    size = light.shape[::-1]
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype("float32")
    tint = np.log((small[..., 0] + 4) / (small[..., 2] + 4))
    best, part = 0.0, None
    for outline in _outlines(light):
        hull = cv2.convexHull(outline)
        corners = cv2.approxPolyDP(hull, 0.01 * cv2.arcLength(hull, True), True)[:, 0]
        if cv2.contourArea(hull, oriented=True) < 0:
            corners = corners[::-1]
        ends = np.stack([corners, np.roll(corners, -1, axis=0)])
        # Both ends of an edge of the photo lie there; what is short is a corner's.
        beside = (ends < _BESIDE) | (ends >= np.array(size) - _BESIDE)
        edges = ~beside.all(0).any(1)
        edges &= np.hypot(*(ends[1] - ends[0]).T) > 0.05 * _SMALL
        corners = corners.astype("float64")
        steps, tints = _rises(light, corners), np.array(_steps(tint, corners))
        other = (steps > _BLACK) | (np.abs(tints) > _TINT)
        sure = (steps > _STEP) & (other | (edges.sum() > 1))
        area = cv2.contourArea(hull)
        if edges.any() and sure[edges].all() and area > best:
            best, part = area, hull
    if part is None:
        return None
    inside = np.zeros_like(light, "uint8")
    cv2.drawContours(inside, [part], -1, 1, cv2.FILLED)
    inside = cv2.erode(inside, _BRUSH, iterations=3, borderValue=1)
    size = pixels.shape[1::-1]
    return cv2.resize(inside, size, interpolation=cv2.INTER_NEAREST) > 0


def sides(corners: np.ndarray, shape: tuple[int, ...]) -> tuple[float, float]:
    """Returns the width and height of a sheet that is seen in perspective, pixels.

    Their ratio is that of the sheet, from the corners and the photo's middle, which the
    lens looks through (Zhang and He 2007, "Whiteboard scanning and image
    enhancement", section 3); where the sheet's sides look parallel, which leaves it
    open how far the camera was, that of the sides as they look.
    """
    middle = np.array([shape[1] / 2, shape[0] / 2])
    upper, right, lower, left = (
        np.hypot(*(corners[i] - corners[(i + 1) % 4])) for i in range(4)
    )
    width, height = (upper + lower) / 2, (left + right) / 2
    m1, m2, m4, m3 = np.c_[corners - middle, np.ones(4)]
    k2 = np.cross(m1, m4) @ m3 / (np.cross(m2, m4) @ m3)
    k3 = np.cross(m1, m4) @ m2 / (np.cross(m3, m4) @ m2)
    n2, n3 = k2 * m2 - m1, k3 * m3 - m1
    ratio = width / height
    if abs(n2[2] * n3[2]) > 1e-3:
        focal = -(n2[0] * n3[0] + n2[1] * n3[1]) / (n2[2] * n3[2])
        if (0.4 * max(shape)) ** 2 < focal < (4 * max(shape)) ** 2:
            lens = np.array([1, 1, focal])
            seen = np.sqrt((n2 * n2 / lens).sum() / (n3 * n3 / lens).sum())
            # Nobody's camera stands so askew that a side looks twice too short.
            ratio = seen if 0.5 < seen / ratio < 2 else ratio
    size = np.sqrt(width * height)
    return size * np.sqrt(ratio), size / np.sqrt(ratio)


def _light(pixels: np.ndarray) -> tuple[np.ndarray, float]:
    """Returns the logarithm of a small picture's brightness, and how small it is."""
    scale = _SMALL / max(pixels.shape[:2])
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.log(small.min(2).astype("float32") + 4), scale


def _outlines(light: np.ndarray) -> Iterator[np.ndarray]:
    """Yields outlines of regions that may be a sheet, int32, shape (n, 1, 2).

    They are those in which brightness changes little from pixel to pixel. A shadow may
    make a part of the sheet darker than the table, but not all at once.
    """
    smooth = cv2.GaussianBlur(light, None, 1)
    rise = cv2.morphologyEx(smooth, cv2.MORPH_GRADIENT, _BRUSH)
    for most in _RISES:
        calm = cv2.morphologyEx((rise < most).astype("uint8"), cv2.MORPH_OPEN, _BRUSH)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(calm, connectivity=4)
        for i in range(1, count):
            if stats[i, cv2.CC_STAT_AREA] < _SHARE / 2 * light.size:
                continue
            # An edge's slope is not part of the region, but half of it of the sheet.
            region = cv2.dilate((labels == i).astype("uint8"), _BRUSH, iterations=2)
            outlines, _ = cv2.findContours(
                region, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
            )
            outline = max(outlines, key=cv2.contourArea)
            area = cv2.contourArea(outline)
            # Ink covers little of a sheet; a table has one in its middle.
            if area > _SHARE * light.size and region.sum() > 0.6 * area:
                yield outline


def _four(outline: np.ndarray, shape: tuple[int, int]) -> np.ndarray | None:
    """Returns the corners of an outline that has four, well inside the picture."""
    hull = cv2.convexHull(outline)
    corners = cv2.approxPolyDP(hull, 0.03 * cv2.arcLength(hull, True), True)[:, 0]
    if len(corners) != 4 or corners.min() < 1:
        return None
    if (corners >= np.array(shape[::-1]) - 1).any():
        return None
    # Each side through the outline's points along it, without those at its ends.
    corners = corners.astype("float64")
    lines, points = [], outline[:, 0].astype("float64")
    for a, b in zip(corners, np.roll(corners, -1, axis=0)):
        along = (b - a) / np.hypot(*(b - a))
        foot = (points - a) @ along / np.hypot(*(b - a))
        off = (points - a) @ np.array([-along[1], along[0]])
        near = points[(np.abs(off) < 6) & (foot > 0.08) & (foot < 0.92)]
        if len(near) < 0.5 * np.hypot(*(b - a)):
            return None
        vx, vy, x, y = cv2.fitLine(
            near.astype("float32"), cv2.DIST_HUBER, 0, 0.01, 0.01
        )[:, 0]
        off = np.abs((near - [x, y]) @ np.array([-vy, vx]))
        if np.quantile(off, 0.9) > 1.5:
            return None
        lines.append(np.cross([x, y, 1], [x + vx, y + vy, 1]))
    crossings = [np.cross(lines[i - 1], lines[i]) for i in range(4)]
    if min(abs(c[2]) for c in crossings) < 1e-9:
        return None
    corners = np.array([c[:2] / c[2] for c in crossings])
    # Clockwise, the one nearest to the upper left first.
    middle = corners.mean(0)
    order = np.argsort(np.arctan2(*(corners - middle).T[::-1]))
    corners = corners[order]
    return np.roll(corners, -np.argmin(corners.sum(1)), axis=0)


def _steps(values: np.ndarray, corners: np.ndarray) -> list[float]:
    """Returns by how much values rise into each side; 0 if not at once and all along.

    Args:
        values: float32, shape (h, w).
        corners: clockwise, shape (n, 2).
    """
    steps = []
    for a, b in zip(corners, np.roll(corners, -1, axis=0)):
        inward = np.array([-(b - a)[1], (b - a)[0]]) / np.hypot(*(b - a))
        along = a + np.linspace(0.05, 0.95, 60)[:, None] * (b - a)
        near, far = (
            _at(values, along + d * inward) - _at(values, along - d * inward)
            for d in (2.5, 6.0)
        )
        step = np.median(near)
        sharp = abs(step) > 0.7 * abs(np.median(far))
        most = np.quantile(near * np.sign(step), 0.15) > 0
        steps.append(float(step) if sharp and most else 0.0)
    return steps


def _rises(light: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Returns the steps of brightness into each side, from what stays dark outside.

    Beyond a thick stroke there is paper again: the inside of an O is no sheet.
    """
    beyond = []
    for a, b in zip(corners, np.roll(corners, -1, axis=0)):
        inward = np.array([-(b - a)[1], (b - a)[0]]) / np.hypot(*(b - a))
        along = a + np.linspace(0.05, 0.95, 60)[:, None] * (b - a)
        inside = _at(light, along + 6 * inward)
        outside = [_at(light, along - d * inward) for d in range(4, _FAR, 3)]
        beyond.append(np.median(inside - np.max(outside, axis=0)))
    return np.minimum(_steps(light, corners), beyond)


def _at(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Returns the values at points, shape (n, 2); beyond the sides, those there."""
    x, y = points.T.astype("float32")
    return cv2.remap(
        image, x[None], y[None], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )[0]
