"""The peer: tensorflow-model-optimization's magnitude pruning, as its guide says."""

import pathlib
from typing import Any

import numpy as np

from commands.cli import quietly
from commands.files import replacing
from pipelines.config import TrainConfig

RAMP = 0.6
"""Share of training after which all zeros are there, as in our own target."""


def network() -> Any:
    """Returns the paper's network in tf_keras, layers in the paper's order."""
    import tf_keras

    from .train_step import paper_order

    return paper_order(tf_keras.layers, tf_keras.Sequential)


def weights(
    config: TrainConfig, sparsity: float, folder: pathlib.Path
) -> list[np.ndarray]:
    """Returns the weights of the paper's network after magnitude pruning.

    They start as ours do, and see the same batches for as many steps, in the same
    precision.

    Args:
        config: data set, batch size, epochs and seed.
        sparsity: of the dense kernel at the end.
        folder: keeps them; what it has is not trained again.
    """
    file = folder / "weights.npz"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        trained = _train(config, sparsity)
        with replacing(file) as draft, open(draft, "wb") as stream:
            np.savez(stream, *trained)
    with np.load(file) as arrays:
        return list(arrays.values())


def _train(config: TrainConfig, sparsity: float) -> list[np.ndarray]:
    with quietly():
        import tensorflow_model_optimization as tfmot
        import tf_keras

        import rvsm_tf as rvsm
        from pipelines import data, device

        from .train_step import paper_order

    tf_keras.mixed_precision.set_global_policy(device.detect().precision)
    prune_low_magnitude = tfmot.sparsity.keras.prune_low_magnitude
    images = data.load(data.prepare(config.dataset), "train")
    steps = len(images) // config.batch_size * config.epochs
    schedule = tfmot.sparsity.keras.PolynomialDecay(
        0.0, sparsity, 0, round(RAMP * steps)
    )
    model = paper_order(
        tf_keras.layers,
        tf_keras.Sequential,
        lambda dense: prune_low_magnitude(dense, schedule),
    )
    start = rvsm.networks.paper_cnn(seed=config.seed).get_weights()
    tfmot.sparsity.keras.strip_pruning(model).set_weights(start)
    model.compile(
        tf_keras.optimizers.Adam(
            tf_keras.optimizers.schedules.CosineDecay(1e-3, steps)
        ),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    model.fit(
        data.training_batches(
            images, config.batch_size, config.seed, range(config.epochs)
        ),
        steps_per_epoch=steps // config.epochs,
        epochs=config.epochs,
        callbacks=[tfmot.sparsity.keras.UpdatePruningStep()],
        verbose=2,
    )
    tf_keras.mixed_precision.set_global_policy("float32")
    return tfmot.sparsity.keras.strip_pruning(model).get_weights()
