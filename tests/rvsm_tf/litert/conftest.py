import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import pytest
import tensorflow as tf
from keras import layers


@pytest.fixture(scope="session")
def make_tflite(tmp_path_factory):
    """Writes a .tflite file of a network 6 → units → 2, with random weights."""

    def make(path, units):
        net = keras.Sequential(
            [
                keras.Input((6,)),
                layers.Dense(units, "relu"),
                layers.Dense(2, "softmax"),
            ]
        )
        folder = tmp_path_factory.mktemp("saved_model")
        archive = keras.export.ExportArchive()
        archive.track(net)
        signature = [tf.TensorSpec((1, 6), "float32")]
        archive.add_endpoint("serve", net.call, signature)
        archive.write_out(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(str(folder))
        path.write_bytes(converter.convert())
        return path

    return make


@pytest.fixture(scope="session")
def tflite_files(make_tflite, tmp_path_factory):
    """Three small .tflite files in one folder: middle, small, large."""
    folder = tmp_path_factory.mktemp("tflite")
    units = {"middle": 64, "small": 4, "large": 512}
    return [make_tflite(folder / f"{name}.tflite", n) for name, n in units.items()]
