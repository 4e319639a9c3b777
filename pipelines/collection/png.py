"""What a network sees of drawings, as PNG files."""

import pathlib

from PIL import Image

from commands.files import replacing

from .drawn import Drawn


def write(folder: pathlib.Path, number: int, file: pathlib.Path, drawn: Drawn) -> None:
    """Writes a drawing's picture, named by a number and the file that it comes from."""
    part = f"-{drawn.part + 1}" if drawn.part else ""
    with replacing(folder / f"{number:05}-{file.stem}{part}.png") as draft:
        Image.fromarray(drawn.picture[..., 0]).save(draft, "PNG")
