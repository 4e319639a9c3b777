"""The penalty as a part of the loss: what the splitting is compared with."""

import keras

import rvsm_tf as rvsm


@keras.saving.register_keras_serializable(package="rvsm_pipelines")
class Penalized(keras.regularizers.Regularizer):
    """λ P(w), added to the loss of the network that has the kernel w.

    The gradient pulls a weight to zero, but past it as well: none stays there.

    Args:
        penalty: P.
        lam: λ.
    """

    def __init__(self, penalty: rvsm.penalties.Penalty, lam: float):
        self.penalty, self.lam = penalty, lam

    def __call__(self, w: keras.KerasTensor) -> keras.KerasTensor:
        """Returns λ P(w), a scalar."""
        return self.lam * self.penalty(w)

    def get_config(self) -> dict:
        """Returns the constructor's arguments."""
        penalty = keras.saving.serialize_keras_object(self.penalty)
        return {"penalty": penalty, "lam": self.lam}

    @classmethod
    def from_config(cls, config: dict) -> "Penalized":
        """Returns the regularizer with these constructor arguments."""
        penalty = keras.saving.deserialize_keras_object(config["penalty"])
        return cls(penalty, config["lam"])
