import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from pipelines.collection.photo import picture
from pipelines.collection.photo.unusable import Unusable

# Upright, it is dark in the upper left corner alone.
UPRIGHT = np.full((40, 60, 3), 230, "uint8")
UPRIGHT[:10, :20] = (20, 30, 60)
GRAY = UPRIGHT[..., 0]


def file_of(folder, image, name="picture", **options):
    path = folder / name
    options.setdefault("format", "PNG")
    image.save(path, **options)
    return path


def looks_like(read, expected, tolerance):
    assert read.dtype == np.uint8
    assert read.shape == expected.shape
    difference = np.abs(read.astype(int) - expected.astype(int))
    assert difference.mean() <= tolerance


@pytest.mark.parametrize("name", ["drawing.jpg", "drawing.png", "drawing"])
@pytest.mark.parametrize(
    ("form", "tolerance"), [("PNG", 0), ("JPEG", 3), ("TIFF", 0), ("BMP", 0)]
)
def test_the_content_counts_and_not_the_name(tmp_path, form, tolerance, name):
    path = file_of(tmp_path, Image.fromarray(UPRIGHT), name, format=form)
    looks_like(picture.read(path), UPRIGHT, tolerance)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF"])
@pytest.mark.parametrize(
    ("orientation", "stored"),
    [
        # What stands in the file for the picture to be upright: EXIF 2.32, 4.6.4.
        (1, lambda p: p),
        (2, lambda p: p[:, ::-1]),
        (3, lambda p: p[::-1, ::-1]),
        (4, lambda p: p[::-1]),
        (5, lambda p: p.transpose(1, 0, 2)),
        (6, lambda p: np.rot90(p, 1)),
        (7, lambda p: np.rot90(p, 2).transpose(1, 0, 2)),
        (8, lambda p: np.rot90(p, -1)),
    ],
)
def test_a_picture_is_turned_as_it_was_held(tmp_path, form, orientation, stored):
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(np.ascontiguousarray(stored(UPRIGHT)))
    path = file_of(tmp_path, image, format=form, exif=exif)
    looks_like(picture.read(path), UPRIGHT, 3)


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
@pytest.mark.parametrize("bits", [12, 14, 16])
def test_sixteen_bits_are_scaled_by_what_they_hold(tmp_path, form, bits):
    deep = (GRAY / 255 * (2**bits - 1)).astype("uint16")
    path = file_of(tmp_path, Image.fromarray(deep), format=form)
    looks_like(picture.read(path), np.repeat(GRAY[..., None], 3, 2), 1)


def test_what_is_black_stays_black_in_sixteen_bits(tmp_path):
    deep = Image.fromarray(np.full((20, 20), 90, "uint16"))
    assert picture.read(file_of(tmp_path, deep)).max() < 10


@pytest.mark.parametrize(
    ("values", "scale"), [("float32", 1 / 255), ("float32", 1.0), ("int32", 300)]
)
def test_other_depths_of_tiff_files(tmp_path, values, scale):
    image = Image.fromarray((GRAY.astype("float64") * scale).astype(values))
    read = picture.read(file_of(tmp_path, image, format="TIFF"))
    # Of whole numbers without an upper end the brightest is white.
    assert read[:10, :20].max() < 40
    assert read[20:].min() > 200


def test_pixels_that_are_no_numbers(tmp_path):
    image = Image.fromarray(np.full((20, 20), np.nan, "float32"))
    with pytest.raises(Unusable, match="no numbers"):
        picture.read(file_of(tmp_path, image, format="TIFF"))


@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_the_printers_colours(tmp_path, form):
    image = Image.fromarray(UPRIGHT).convert("CMYK")
    looks_like(picture.read(file_of(tmp_path, image, format=form)), UPRIGHT, 4)


def test_palettes_and_bits(tmp_path):
    image = Image.fromarray(UPRIGHT)
    looks_like(picture.read(file_of(tmp_path, image.quantize(8))), UPRIGHT, 1)
    bits = Image.fromarray(GRAY).convert("1", dither=Image.Dither.NONE)
    white = np.where(UPRIGHT.max(2, keepdims=True) > 128, 255, 0).repeat(3, 2)
    for form in ("PNG", "TIFF", "BMP"):
        path = file_of(tmp_path, bits, format=form)
        looks_like(picture.read(path), white.astype("uint8"), 0)
    path = file_of(tmp_path, bits, format="TIFF", compression="group4")
    looks_like(picture.read(path), white.astype("uint8"), 0)


def test_ink_on_nothing_is_ink_on_white(tmp_path):
    alpha = np.zeros((40, 60, 4), "uint8")  # transparent black
    alpha[:10, :20] = (20, 30, 60, 255)
    expected = np.full_like(UPRIGHT, 255)
    expected[:10, :20] = (20, 30, 60)
    image = Image.fromarray(alpha)
    for form in ("PNG", "TIFF"):
        looks_like(picture.read(file_of(tmp_path, image, format=form)), expected, 0)
    covers = np.where(GRAY < 99, 255, 0).astype("uint8")
    half = Image.fromarray(np.stack([0 * GRAY, covers], 2))
    assert half.mode == "LA"
    read = picture.read(file_of(tmp_path, half))
    assert read[0, 0].tolist() == [0, 0, 0]
    assert read[-1, -1].tolist() == [255, 255, 255]


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_white_ink_on_nothing_is_ink_on_black(tmp_path, form):
    alpha = np.full((40, 60, 4), 255, "uint8")
    alpha[..., 3] = 0
    alpha[:10, :20, 3] = 255
    alpha[10, :20, 3] = 100  # a soft edge
    expected = np.zeros_like(UPRIGHT)
    expected[:10, :20] = 255
    expected[10, :20] = 100
    read = picture.read(file_of(tmp_path, Image.fromarray(alpha), format=form))
    looks_like(read, expected, 0)


@pytest.mark.parametrize("covered", [0, 39])
def test_white_paper_on_nothing_stays_white(tmp_path, covered):
    alpha = np.full((40, 60, 4), 255, "uint8")
    alpha[covered:, ..., 3] = 0
    read = picture.read(file_of(tmp_path, Image.fromarray(alpha)))
    assert read.min() == 255


def test_a_palette_with_a_transparent_colour(tmp_path):
    image = Image.fromarray((GRAY > 99).astype("uint8"))
    image.putpalette([0, 0, 0, 10, 10, 10])
    read = picture.read(file_of(tmp_path, image, transparency=1))
    assert read[0, 0].tolist() == [0, 0, 0]
    assert read[-1, -1].tolist() == [255, 255, 255]


def test_of_several_pages_the_first_is_read(tmp_path):
    first, second = (Image.fromarray(p) for p in (UPRIGHT, 255 - UPRIGHT))
    path = file_of(
        tmp_path, first, format="TIFF", save_all=True, append_images=[second]
    )
    looks_like(picture.read(path), UPRIGHT, 0)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF"])
def test_what_is_large_is_reduced(tmp_path, form):
    large = Image.fromarray(UPRIGHT).resize((6000, 3999), Image.Resampling.NEAREST)
    path = file_of(tmp_path, large, format=form)
    expected = np.asarray(large.resize((2000, 1333), Image.Resampling.BOX))
    looks_like(picture.read(path), expected, 3)


def test_a_hundred_megapixels(tmp_path):
    path = file_of(tmp_path, Image.new("L", (12_000, 8_400), 200), format="JPEG")
    read = picture.read(path)
    assert read.shape == (1400, 2000, 3)
    assert np.abs(read.astype(int) - 200).max() <= 2


def png_that_claims(width, height):
    def chunk(name, data):
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            chunk(b"IDAT", zlib.compress(bytes(1000))),
            chunk(b"IEND", b""),
        ]
    )


def lab():
    to_lab = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )
    file = io.BytesIO()
    ImageCms.applyTransform(Image.fromarray(UPRIGHT), to_lab).save(file, "TIFF")
    return file.getvalue()


def small(form, size=(5, 3)):
    file = io.BytesIO()
    Image.new("RGB", size).save(file, form)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty: zero bytes"),
        (b"subject,group\n1,0\n", "no PNG, JPEG, TIFF or BMP picture"),
        (small("GIF", (60, 60)), "whatever its name says"),
        (png_that_claims(30_000, 20_000), "30,000 × 20,000 pixels: more than 500 mi"),
        (png_that_claims(400, 300), "is cut off|is damaged"),
        (small("PNG"), "is 5 × 3 pixels: too small"),
        (b"BM", "is damaged|is cut off"),
        (b"\x89PNG\r\n\x1a\n", "is damaged|is cut off"),
        (b"\xff\xd8\xff", "is damaged|is cut off"),
        (b"II*\0", "is damaged|is cut off"),
        (lab(), "colours of a kind that is not read, LAB"),
    ],
)
def test_each_reason_for_a_refusal(tmp_path, content, words):
    path = tmp_path / "drawing.png"
    path.write_bytes(content)
    with pytest.raises(Unusable, match=words):
        picture.read(path)


def test_what_cannot_be_opened(tmp_path):
    with pytest.raises(Unusable, match="cannot be read: Is a directory"):
        picture.read(tmp_path)
    with pytest.raises(Unusable, match="cannot be read: No such file"):
        picture.read(tmp_path / "nothing.png")


def saved(form, **options):
    rng = np.random.default_rng(0)
    noisy = np.clip(UPRIGHT + rng.normal(0, 20, UPRIGHT.shape), 0, 255)
    file = io.BytesIO()
    Image.fromarray(noisy.astype("uint8")).save(file, form, **options)
    return file.getvalue()


KINDS = {
    "png": saved("PNG"),
    "jpeg": saved("JPEG"),
    "progressive": saved("JPEG", progressive=True),
    "tiff": saved("TIFF"),
    "lzw": saved("TIFF", compression="tiff_lzw"),
    "tiff-jpeg": saved("TIFF", compression="jpeg"),
    "deflate": saved("TIFF", compression="tiff_adobe_deflate"),
    "bmp": saved("BMP"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_read_by_half(tmp_path, kind):
    path, whole = tmp_path / "picture", KINDS[kind]
    path.write_bytes(whole)
    expected = picture.read(path)
    for end in np.linspace(1, len(whole) - 1, 60).astype(int):
        path.write_bytes(whole[:end])
        try:
            read = picture.read(path)
        except Unusable:
            continue
        # What was cut off held no pixels: an end marker, or what describes them.
        np.testing.assert_array_equal(read, expected)


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_gives_pixels_or_a_reason(tmp_path, kind, capfd):
    rng = np.random.default_rng(1)
    path = tmp_path / "picture"
    for round_ in range(150):
        damaged = np.frombuffer(KINDS[kind], "uint8").copy()
        # The first bytes say what the rest is; every second time they are hit.
        reach = len(damaged) if round_ % 2 else min(200, len(damaged))
        places = rng.integers(0, reach, rng.integers(1, 4))
        damaged[places] ^= (1 << rng.integers(0, 8, len(places))).astype("uint8")
        path.write_bytes(damaged.tobytes())
        try:
            read = picture.read(path)
        except Unusable:
            continue
        assert read.dtype == np.uint8
        assert read.ndim == 3
        assert max(read.shape) <= picture.LARGEST
    assert capfd.readouterr() == ("", "")
