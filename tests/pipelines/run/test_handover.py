"""What a run leaves for export is what export reads."""

import numpy as np

import rvsm_tf as rvsm
from pipelines.images.images import Images
from pipelines.run import handover
from pipelines.run.config import TrainConfig
from rvsm_tf.litert import source
from shaky_letters.examples import CLASSES


def pictures(count, seed):
    rng = np.random.default_rng(seed)
    ink = (rng.random((count, 100, 100, 1)) < 0.05).astype("uint8") * 255
    return Images(ink, rng.integers(0, 2, count))


def test_export_finds_examples_and_a_description_beside_the_model(tmp_path):
    train, test = pictures(600, 0), pictures(30, 1)
    metrics = {
        **{"sparsity": 0.9000001, "test_accuracy": 0.99, "test_large_accuracy": 0.98},
        **{"epochs": 30, "seed": 7, "device": "some processor"},
    }
    rvsm.networks.paper_cnn().save(tmp_path / "model.keras")
    handover.write(tmp_path, TrainConfig(), CLASSES, metrics, train, test)
    found = source.read(tmp_path / "model.keras")
    # As the network takes them: ink 1.0 on 0.0.
    np.testing.assert_array_equal(found.test.inputs["image"], test.image / 255)
    np.testing.assert_array_equal(found.test.label, test.label)
    calibration = found.calibration.inputs["image"]
    np.testing.assert_array_equal(calibration, train.image[:500] / 255)
    assert found.about["labels"] == ["regular", "shaky"]
    assert found.about["preprocessing"]["line_width"] == [2.0, 4.0]
    assert found.about["training"] == {
        **{"dataset": "letters", "penalty": "tl1", "a": 0.1, "sparsity": 0.9},
        **{"test_accuracy": 0.99, "test_large_accuracy": 0.98, "epochs": 30, "seed": 7},
    }
