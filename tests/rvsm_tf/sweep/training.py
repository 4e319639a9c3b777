"""Training a network of the table with a feature of the table."""

import dataclasses

import keras
import numpy as np
import pytest
from keras import ops

import rvsm_tf as rvsm

from .features import BATCH, EPOCHS, FEATURES, Feature
from .networks import NETWORKS, Network
from .own import OWN

KINDS = {**NETWORKS, **OWN}
BACKEND = keras.backend.backend()

if BACKEND == "tensorflow":
    import tensorflow as tf

    # To optimize graphs that run a few times takes longer than to run them.
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


@dataclasses.dataclass(frozen=True)
class Case:
    """A network and a way to train it, by their names."""

    network: str
    feature: str | None = None

    def __str__(self):
        return f"{self.network}, {self.feature or 'as it is'}"

    @property
    def of_network(self) -> Network:
        return KINDS[self.network]

    @property
    def of_feature(self) -> Feature:
        return FEATURES[self.feature] if self.feature else Feature()

    @property
    def here(self) -> bool:
        """Whether this backend has what it takes."""
        return all(
            BACKEND in part.backends for part in (self.of_network, self.of_feature)
        )

    def compile(self, model, **further):
        """Compiles a model as the case says, or as further arguments do."""
        network, feature = self.of_network, self.of_feature
        how = {"jit_compile": False, **network.compiling(), **feature.compiling}
        how |= further
        if BACKEND != "tensorflow":
            del how["jit_compile"]
        some = {name: feature.optimizer() for name in network.optimizers}
        model.compile(**some, **how)
        return model

    def rvsm(self, net, penalty, *numbers):
        """Returns the model around a network; numbers are λ, β and κ."""
        split = {key: penalty for key in self.of_network.split}
        return rvsm.RVSM(net, split, *numbers, **self.of_feature.wrapping)

    def train(self, wrap, folder, validates=True, **compiling):
        """Returns the network made, the trained model and the logs of its epochs.

        Args:
            wrap: function of the network; what it returns is trained.
            folder: where there is none yet.
            validates: whether `fit` evaluates, if its callbacks need not have it.
            **compiling: arguments of `compile` that stand in for the case's.
        """
        network, feature = self.of_network, self.of_feature
        keras.config.set_dtype_policy(feature.policy)
        keras.utils.set_random_seed(0)
        x, y = network.x, network.y
        fit = {
            "batch_size": BATCH,
            "epochs": EPOCHS,
            "shuffle": False,
            "verbose": 0,
            **({"x": x} if y is None else feature.fitting(x, y)),
        }
        callbacks = feature.callbacks(folder)
        if network.validates and (validates or callbacks):
            fit["validation_data"] = (x, x if y is None else y)
            fit["validation_batch_size"] = BATCH
        folder.mkdir()
        if callbacks:
            fit["callbacks"] = callbacks
        return feature.train(
            lambda: self.compile(wrap(network.make()), **compiling), fit, folder
        )


CASES = [
    case
    for case in (
        *map(Case, KINDS),
        *(
            Case(network, name)
            for name, feature in FEATURES.items()
            # JAX compiles for longer than it trains: there, each feature once.
            for network in feature.networks[: 1 if BACKEND == "jax" else None]
        ),
    )
    if case.here
]
cases = pytest.mark.parametrize("case", CASES, ids=str)
measured = pytest.mark.parametrize(
    "case", [case for case in CASES if case.of_feature.measures], ids=str
)


def weights(net):
    """Returns the values of a network's weights by their paths in it."""
    found = {}
    for v in net.weights:
        path = v.path.rpartition(f"{net.name}/")[2]
        assert path not in found
        found[path] = ops.convert_to_numpy(ops.cast(v, "float32"))
    return found


def assert_close(found, expected, rtol, message=""):
    for a, b in zip(
        keras.tree.flatten(found), keras.tree.flatten(expected), strict=True
    ):
        a, b = (np.asarray(t, "float32") for t in (a, b))
        np.testing.assert_allclose(a, b, rtol, rtol / 10, err_msg=message)
