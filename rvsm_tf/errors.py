"""What an error says, for a message of one's own."""

import re


def in_one_line(error: Exception) -> str:
    """Returns the paragraph of an error's message that says what was wrong.

    Keras wraps what a layer's call raises in a headline and a list of arguments, and
    prints it in bold.
    """
    text = re.sub(r"\x1b\[\d*m", "", str(error))
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", text)]
    headline = "Exception encountered when calling"
    said = [x for x in paragraphs if x and not x.startswith(headline)]
    return said[0].rstrip(".") if said else type(error).__name__
