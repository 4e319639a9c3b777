"""A picture file, as scanners, telephones and people leave them, to pixels."""

import io
import pathlib
import warnings

import cv2
import numpy as np
from PIL import (
    BmpImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
)

from commands.cli import quietly

from .unusable import Unusable

LARGEST = 2000
"""Larger side of the pixels that are read; larger pictures are reduced, pixels."""

SMALLEST = 8
"""Smaller side of a picture that is looked at, pixels."""

_WHITE = 240  # of 255; nothing that is brighter is seen on white
_INK_COVERS = 0.5  # of a picture, at most; what covers more is paper
_MOST = 500e6  # pixels; a small file may unfold to any number of them

# How files begin, and what reads them. Those alone: other formats' readers have had
# holes, and a name says nothing. `Image.open` would refuse what is huge.
_READERS = {
    b"\x89PNG\r\n\x1a\n": PngImagePlugin.PngImageFile,
    b"\xff\xd8\xff": JpegImagePlugin.jpeg_factory,
    b"II*\0": TiffImagePlugin.TiffImageFile,
    b"MM\0*": TiffImagePlugin.TiffImageFile,
    b"II+\0": TiffImagePlugin.TiffImageFile,
    b"MM\0+": TiffImagePlugin.TiffImageFile,
    b"BM": BmpImagePlugin.BmpImageFile,
}

STARTS = tuple(_READERS)
"""The first bytes of each kind of picture, whatever its name ends with."""

_ORIENTATION = 0x0112  # the EXIF tag; what turns the picture upright, by its value
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

_DEEP = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")
_FLAT = (
    "1",
    "L",
    "LA",
    "La",
    "P",
    "PA",
    "RGB",
    "RGBA",
    "RGBa",
    "RGBX",
    "CMYK",
    "YCbCr",
)


def read(file: pathlib.Path) -> np.ndarray:
    """Reads a PNG, JPEG, TIFF or BMP file, whatever its name says it is.

    It is turned upright as its EXIF data say; what is transparent is white, or black
    under white ink; of several pages the first is read.

    Returns:
        uint8, shape (h, w, 3), RGB, no side above `LARGEST`.

    Raises:
        Unusable: the file is none of them, damaged, cut off, too large or too small.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise Unusable(f"cannot be read: {error.strerror}") from error
    if not content:
        raise Unusable("is empty: zero bytes")
    readers = [r for start, r in _READERS.items() if content.startswith(start)]
    if not readers:
        raise Unusable(
            "is no PNG, JPEG, TIFF or BMP picture, whatever its name says: convert it"
        )
    failure = None
    # Pillow warns of metadata that it does not understand, and libtiff prints.
    with warnings.catch_warnings(), quietly():
        warnings.simplefilter("ignore")
        try:
            return _pixels(readers[0](io.BytesIO(content)))
        # Pillow trusts what it reads: a damaged file makes it raise nearly anything.
        except Exception as error:
            failure = error
    if isinstance(failure, Unusable):
        raise failure
    if "truncated" in str(failure).lower() or isinstance(failure, EOFError):
        raise Unusable(f"is cut off after {len(content):,} bytes") from failure
    raise Unusable("is damaged: save or copy it again") from failure


def _pixels(image: ImageFile.ImageFile) -> np.ndarray:
    width, height = image.size
    if width * height > _MOST:
        raise Unusable(
            f"is {width:,} × {height:,} pixels: more than {_MOST / 1e6:.0f} million"
        )
    if image.mode not in _DEEP + _FLAT:
        raise Unusable(
            f"has colours of a kind that is not read, {image.mode}: save it as PNG"
        )
    # A JPEG is decoded at half, a quarter or an eighth of its size for less.
    share = min(1.0, LARGEST / max(width, height))
    image.draft(None, (round(width * share), round(height * share)))
    image.load()
    upright = _upright(image)
    pixels = _deep(upright) if image.mode in _DEEP else _flat(upright)
    scale = LARGEST / max(pixels.shape)
    if scale < 1:
        size = [max(1, round(side * scale)) for side in pixels.shape[1::-1]]
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    if min(pixels.shape[:2]) < SMALLEST:
        raise Unusable(f"is {width:,} × {height:,} pixels: too small to hold a drawing")
    return pixels


def _upright(image: Image.Image) -> Image.Image:
    """Returns a picture reduced to about `LARGEST`, turned as it was held."""
    try:
        turn = _UPRIGHT.get(image.getexif().get(_ORIENTATION))
    except Exception:  # see `read`; the picture itself is whole
        turn = None
    factor = max(image.size) // LARGEST
    if image.mode == "1":
        image = image.convert("L")
    elif image.mode in ("P", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
    if factor > 1 and image.mode not in _DEEP:
        image = image.reduce(factor)
    return image if turn is None else image.transpose(turn)


def _flat(image: Image.Image) -> np.ndarray:
    """Returns eight bits a colour, on white where the picture is transparent.

    White ink, which nobody would see there, is put on black.
    """
    if "A" not in image.mode and "a" not in image.mode:
        return np.array(image.convert("RGB"))
    image = image.convert("RGBA")
    covered = np.array(image.getchannel("A")).mean() / 255
    pixels = _on("white", image)
    if 0 < covered < _INK_COVERS and pixels.min() > _WHITE:
        return _on("black", image)
    return pixels


def _on(color: str, image: Image.Image) -> np.ndarray:
    paper = Image.new("RGBA", image.size, color)
    return np.array(Image.alpha_composite(paper, image).convert("RGB"))


def _deep(image: Image.Image) -> np.ndarray:
    """Returns eight bits of a grey picture that has more, or fractions."""
    gray = np.asarray(image)
    if gray.dtype.kind == "f":
        if not np.isfinite(gray).all():
            raise Unusable("has pixels that are no numbers")
        top = max(1.0, float(gray.max()))
    else:
        # Twelve bits of a scanner's or a camera's often stand in sixteen.
        most = int(gray.max())
        top = next((2**n - 1 for n in (12, 14, 16) if most < 2**n), most)
    gray = np.clip(gray.astype("float32") * (255 / top), 0, 255)
    return np.repeat(np.rint(gray).astype("uint8")[..., None], 3, axis=2)
