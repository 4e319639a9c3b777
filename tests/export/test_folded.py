"""A folded model goes through the command like any other."""

import keras
import numpy as np

from export import convert
from rvsm_tf import fold

L = keras.layers


def test_a_folded_model_is_exported_in_int8(tmp_path):
    stack = [keras.Input((20, 20, 1), name="image")]
    for i, filters in enumerate((4, 8), 1):
        stack += [
            L.Conv2D(filters, 3, padding="same", name=f"conv{i}"),
            L.MaxPooling2D(2, 2, padding="same", name=f"pool{i}"),
            L.ReLU(name=f"relu{i}"),
        ]
    stack += [L.Flatten(), L.Dense(2, activation="softmax")]
    folded = fold(keras.Sequential(stack))
    assert folded.get_layer("conv1").filters == 32
    assert folded.get_layer("conv2").filters == 16
    folded.save(tmp_path / "folded.keras")
    pictures = np.random.default_rng(0).random((48, 20, 20, 1)).round()
    np.savez(
        tmp_path / "images.npz",
        calibration=pictures,
        test=pictures,
        test_label=[0] * 48,
    )
    (row,) = convert.run(
        tmp_path / "folded.keras", tmp_path / "export", ("int8",), quiet=True
    )
    assert (tmp_path / "export" / row["file"]).exists()
    assert row["max_abs_diff"] < 0.05
