"""Parts of a .tflite model, to compare."""

import numpy as np


def plain(value):
    """A part of a model as lists and numbers, which compare."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return value.tolist()
    if hasattr(value, "__dict__"):
        return {key: plain(item) for key, item in vars(value).items()}
    return value
