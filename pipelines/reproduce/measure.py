"""What the tables and figures need to know of a finished run."""

import pathlib
from typing import Any

import keras
import numpy as np

import rvsm_tf as rvsm
from commands.files import read_json

from ..images import data
from ..recipe.recipe import Recipe
from ..run.answers import outputs
from ..run.config import TrainConfig
from ..run.folder import METRICS, read_history
from ..run.model import read_model
from .plan import SHARES

EDGES = np.linspace(-9.0, 1.0, 101)
"""Of the histograms' bins, as powers of ten."""

_DECADES = 5


def figures(config: TrainConfig, folder: pathlib.Path) -> dict[str, Any]:
    """Measures what the tables say of a finished run.

    Args:
        config: the run's.
        folder: the run's, finished.

    Returns:
        accuracies and shares from 0 to 1:

        - sparsity, test_accuracy, test_unseen_accuracy, test_large_accuracy, epochs,
          train_seconds, device, precision: from metrics.json.
        - history: for each epoch accuracy (of training), val_accuracy (of test, the
          sparse model) and sparsity.
        - scales: share of the dense kernel's weights below 10^-1, 10^-2, …
        - smallest: the smallest |w| in it that is not zero; None if all are.
        - histogram: how many |w| lie in each of the bins between `EDGES`; what is
          smaller but not zero is in the first.
        - sign_changes: by convolution, from the initial weights to the last.
        - cut: for a method without exact zeros, by share of the smallest |w| set to
          zero, accuracy on test_large.
    """
    metrics = read_json(folder / METRICS)
    rows = read_history(folder, config.epochs)
    model = read_model(folder / "model.keras")
    kept = ("test_accuracy", "test_unseen_accuracy", "test_large_accuracy")
    size = np.abs(_kernel(model, "dense")).ravel()
    found = {
        **{key: metrics[key] for key in ("sparsity", *kept, "epochs")},
        **{key: metrics[key] for key in ("train_seconds", "device", "precision")},
        "history": {
            key: [round(row[key], 5) for row in rows]
            for key in ("accuracy", "val_accuracy", "sparsity")
        },
        "scales": rvsm.scales(size, 0.1, _DECADES),
        "smallest": float(size[size > 0].min()) if size.any() else None,
        "histogram": np.histogram(
            np.log10(size[size > 0]).clip(EDGES[0], EDGES[-1]), EDGES
        )[0].tolist(),
    }
    # The first convolutions' initial weights depend on the seed alone.
    before = Recipe(config, None, config.batch_size, False).network()
    found["sign_changes"] = {
        name: rvsm.sign_changes(_kernel(before, name), _kernel(model, name))
        for name in ("conv1", "conv2", "conv3")
    }
    if config.method == "loss":
        found["cut"] = _cut(config, model)
    return found


def _cut(config: TrainConfig, model: keras.Model) -> dict[str, float]:
    """Sets the smallest weights to zero, ever more of them; returns the accuracies."""
    images = data.load(data.prepare(config.dataset, quiet=True), "test_large")
    layer = model.get_layer("dense")
    at = model.layers.index(layer)
    # Nearly all of the time goes into what comes before the layer, once for all shares.
    before = keras.Sequential([*model.inputs, *model.layers[:at]])
    after = keras.Sequential(model.layers[at:])
    features = keras.ops.convert_to_tensor(outputs(before, images))
    kernel, found = np.array(layer.kernel), {}
    for share in SHARES:
        limit = np.quantile(np.abs(kernel), share)
        layer.kernel.assign(np.where(np.abs(kernel) > limit, kernel, 0))
        right = np.asarray(after(features)).argmax(-1) == images.label
        found[str(share)] = float(right.mean())
    return found


def _kernel(model: keras.Model, layer: str) -> np.ndarray:
    return np.asarray(model.get_layer(layer).kernel)
