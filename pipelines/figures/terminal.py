"""A picture in the terminal: eight pixels to a Braille character."""

import numpy as np

# Dots of a Braille character, two across and four down, by their bits in Unicode.
_BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
_BLANK = 0x2800


def drawn(picture: np.ndarray) -> str:
    """Returns a picture as lines of text.

    Args:
        picture: uint8, shape (h, w, 1), ink above 0; h a multiple of 4, w of 2.

    Returns:
        h / 4 lines of up to w / 2 characters; blank lines above and below, and what is
        blank in front of all lines or behind one, are left out.
    """
    height, width, _ = picture.shape
    dots = (picture[..., 0] > 0).reshape(height // 4, 4, width // 2, 2)
    codes = _BLANK + (dots * _BITS[None, :, None, :]).sum((1, 3))
    rows, columns = (np.flatnonzero((codes > _BLANK).any(axis)) for axis in (1, 0))
    if not rows.size:
        return ""
    codes = codes[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    blank = chr(_BLANK)
    return "\n".join("".join(map(chr, line)).rstrip(blank) for line in codes)
