"""The contact sheet: every drawing as it is, and as the network sees it."""

import functools
import pathlib
import textwrap
from collections.abc import Sequence

import cv2
import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from commands.files import replacing

from .collection import Collection, Entry

FOLDER = "sheets"
"""In a run's folder."""

_SIDE = 150  # pixels of a picture on the sheet
_GAP, _TEXT = 12, 30
_TILE = 2 * _SIDE + 2 * _GAP, _SIDE + _TEXT + _GAP
_COLUMNS, _ROWS = 5, 8
_INK, _GREY, _FRAME, _WRONG = "#1f2933", "#5c6773", "#d0d7de", "#d9480f"


def write(collection: Collection, parts: Sequence[str], output: pathlib.Path) -> int:
    """Writes the contact sheets of a folder's drawings as PNG files.

    Args:
        collection: the drawings; what was left out stands at the end, with the reason.
        parts: a word for each drawing, such as its split.
        output: a run's folder; the sheets go into a folder in it.

    Returns:
        how many sheets there are.
    """
    folder = output / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    classes = collection.found.classes
    tiles = [
        _tile(entry, f"{classes[entry.item.label]}, {part}")
        for entry, part in zip(collection.entries, parts, strict=True)
    ]
    tiles += [_reason(left.file.name, left.reason) for left in collection.skipped]
    each = _COLUMNS * _ROWS
    pages = [tiles[i : i + each] for i in range(0, len(tiles), each)]
    for number, page in enumerate(pages, 1):
        with replacing(folder / f"{number:03}.png") as draft:
            _page(page).save(draft, "PNG")
    return len(pages)


def _page(tiles: list[Image.Image]) -> Image.Image:
    width, height = _TILE
    columns = min(_COLUMNS, len(tiles))
    rows = -(-len(tiles) // columns)
    page = Image.new("RGB", (columns * width + _GAP, rows * height + _GAP), "white")
    for i, tile in enumerate(tiles):
        page.paste(tile, (_GAP + i % columns * width, _GAP + i // columns * height))
    return page


def _tile(entry: Entry, words: str) -> Image.Image:
    """Returns what a person sees, and beside it what the network sees."""
    tile = Image.new("RGB", _TILE, "white")
    after = 255 - entry.drawn.picture[..., 0]
    before = entry.drawn.before
    if before is None:
        _paste(tile, 0, None, "pen recording")
    else:
        _paste(tile, 0, _fitted(before))
    _paste(tile, _SIDE, cv2.resize(after, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA))
    _write(tile, entry.item.file.name, words)
    return tile


def _reason(name: str, reason: str) -> Image.Image:
    """Returns a tile for a file that was left out."""
    tile = Image.new("RGB", _TILE, "white")
    _paste(tile, 0, None, "left out")
    lines = textwrap.wrap(_shown(reason), 22)[:9]
    place = (_SIDE + 8, 4)
    ImageDraw.Draw(tile).multiline_text(place, "\n".join(lines), _WRONG, _font(12))
    _write(tile, name, "")
    return tile


def _fitted(pixels: np.ndarray) -> np.ndarray:
    """Returns a picture of any shape in the middle of a square one."""
    height, width = pixels.shape[:2]
    scale = _SIDE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    square = np.full((_SIDE, _SIDE, 3), 255, "uint8")
    left, top = (_SIDE - size[0]) // 2, (_SIDE - size[1]) // 2
    square[top : top + size[1], left : left + size[0]] = small
    return square


def _paste(
    tile: Image.Image, left: int, pixels: np.ndarray | None, word: str = ""
) -> None:
    draw = ImageDraw.Draw(tile)
    if pixels is not None:
        tile.paste(Image.fromarray(pixels).convert("RGB"), (left, 0))
    else:
        middle = left + _SIDE // 2, _SIDE // 2
        draw.text(middle, word, _GREY, _font(13), anchor="mm")
    draw.rectangle((left, 0, left + _SIDE - 1, _SIDE - 1), outline=_FRAME)


def _write(tile: Image.Image, name: str, words: str) -> None:
    font, draw = _font(12), ImageDraw.Draw(tile)
    width = 2 * _SIDE
    for line, (text, fill) in enumerate(((name, _INK), (words, _GREY))):
        draw.text((0, _SIDE + 2 + 14 * line), _cut(text, font, width), fill, font)


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    """Returns matplotlib's own font: Pillow's has few letters beyond English."""
    file = pathlib.Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"
    return ImageFont.truetype(str(file), size)


def _shown(text: str) -> str:
    """Returns a text as one line: what cannot be printed is a question mark."""
    return "".join(c if c.isprintable() else "?" for c in text)


def _cut(text: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    """Returns as much of a text as has room, its middle left out."""
    text = _shown(text)
    while font.getlength(text) > width:
        keep = (len(text) - 4) // 2
        text = f"{text[:keep]}...{text[-keep:]}"
    return text
