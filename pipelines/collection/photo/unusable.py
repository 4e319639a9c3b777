"""Why a file holds no drawing."""


class Unusable(Exception):
    """A file holds no drawing; the message says why, to be read after the file's name.

    It is about the file, not about the program: "is empty: zero bytes", say.
    """
