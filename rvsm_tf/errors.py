"""What an error says, for a message of one's own."""

import re


def in_one_line(error: Exception) -> str:
    """Returns the line of an error's message that says what was wrong.

    Keras wraps what a layer's call raises in a headline and a list of arguments, and
    prints it in bold.
    """
    text = re.sub(r"\x1b\[\d*m", "", str(error))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    said = [x for x in lines if not x.startswith("Exception encountered when calling")]
    return said[0] if said else type(error).__name__
