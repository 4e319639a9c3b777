"""What a network answers to images."""

import keras
import numpy as np

from ..devices import device
from ..images import data
from ..images.images import Images


def classify(model: keras.Model, images: Images) -> np.ndarray:
    """Returns the model's answer to each image, a class's number, shape (n,)."""
    return outputs(model, images).argmax(-1)


def outputs(model: keras.Model, images: Images) -> np.ndarray:
    """Returns what a model gives for each image, shape (n, …)."""
    model.jit_compile = device.detect().jit_compile
    return model.predict(data.batches(images), verbose=0)
