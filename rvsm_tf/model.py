"""RVSM: any Keras model, trained by relaxed variable splitting."""

from collections.abc import Callable
from typing import Any

import keras
from keras.optimizers.schedules import LearningRateSchedule

from . import backend
from .graph import set_weights
from .schedules import Schedule
from .selection import Selection, check_selection, key_of
from .splitting import Splitting


@keras.saving.register_keras_serializable(package="rvsm_tf")
class RVSM(keras.Model):
    """A network that trains by relaxed variable splitting.

    The only difference to training the network itself::

        model = rvsm.RVSM(net, {"dense": rvsm.TL1(a=0.1)}, lam=5e-4, beta=0.1)
        model.compile(...), model.fit(...)        # as always
        sparse = model.harden()

    Training moves the dense weights w; `evaluate` and `predict`, and so validation
    during `fit` and whatever watches it, use the sparse u in their place. Calling the
    model, like calling the network, uses w.

    Args:
        net: any Keras model: sequential, functional or subclassed.
        split: which kernels are split, and the penalty (and λ) of each, see
            `rvsm_tf.selection.Selection`.
        lam: λ, a number, a Keras schedule or a `TargetSparsity`.
        beta: β, a number or a Keras schedule. λ/β is the step of the thresholding.
        kappa: rate of the pull of w towards u, a number up to 1 or a Keras schedule;
            the learning rate times β if None.

    Raises:
        ValueError: net is no Keras model, or one of these; see `Splitting`, too, on
            building if the network is not built yet.
    """

    def __init__(
        self,
        net: keras.Model,
        split: Selection,
        lam: Schedule,
        beta: float | LearningRateSchedule,
        kappa: float | LearningRateSchedule | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if not isinstance(net, keras.Model) or isinstance(net, RVSM):
            raise ValueError(f"net must be a Keras model to be wrapped, got {net!r}")
        check_selection(split)
        self.net = net
        # Keras says to a model whose call asks for it whether this is training.
        self._call_has_training_arg = net._call_has_training_arg
        self._split = {key_of(layer, net): value for layer, value in split.items()}
        if len(self._split) < len(split):
            raise ValueError(f"a layer is named twice in {list(split)}")
        self._arguments = {"lam": lam, "beta": beta, "kappa": kappa}
        if net.built:
            self._make_splitting()
            self.built = True

    def _make_splitting(self) -> None:
        self._splitting = Splitting(self.net, self._split, **self._arguments)

    @property
    def splitting(self) -> Splitting:
        """The method's state: λ, β and the split kernels.

        Raises:
            ValueError: the network is not built yet.
        """
        if not self.built:
            raise ValueError(
                f"the network {self.net.name!r} has no weights yet: build it with "
                "net.build(input_shape), or fit the model, first"
            )
        return self._splitting

    def build(self, input_shape: Any) -> None:
        """Builds the network, and finds the kernels to split."""
        with backend.once():  # not again and again in the step that builds
            if not self.net.built:
                self.net(keras.tree.map_shape_structure(keras.KerasTensor, input_shape))
            self._make_splitting()

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Returns the network's output, computed with w."""
        if self._call_has_training_arg:
            return self.net(inputs, training=training)
        return self.net(inputs)

    def train_step(self, *arguments: Any) -> Any:
        """Makes one iteration of the method: Keras's own training step, and the pull.

        Args:
            *arguments: what Keras hands over: a batch; on JAX the state, that is the
                values of all variables, and a batch.

        Returns:
            the metrics by name; on JAX these and the state after the step.
        """
        if not self.built:
            x, _, _ = keras.utils.unpack_x_y_sample_weight(arguments[-1])
            self.build(keras.tree.map_structure(lambda t: (None, *t.shape[1:]), x))
        if backend.JAX:
            return self._stateless_train_step(*arguments)
        with self.splitting.step(self.optimizer):
            return super().train_step(*arguments)

    def _stateless_train_step(
        self, state: backend.Values, data: Any
    ) -> tuple[dict[str, Any], backend.Values]:
        variables = (
            self.trainable_variables,
            self.non_trainable_variables,
            self.optimizer.variables,
            self.metrics_variables,
        )

        def step():
            with self.splitting.step(self.optimizer):
                logs, after = super(RVSM, self).train_step(state, data)
                backend.assign(variables, after)
            return logs

        return backend.without_side_effects(step, variables, state)

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """Does what `keras.Model.evaluate` does, with the sparse model."""
        return self._hardened(super().evaluate, *args, **kwargs)

    def predict(self, *args: Any, **kwargs: Any) -> Any:
        """Does what `keras.Model.predict` does, with the sparse model."""
        return self._hardened(super().predict, *args, **kwargs)

    def test_on_batch(self, *args: Any, **kwargs: Any) -> Any:
        """Does what `keras.Model.test_on_batch` does, with the sparse model."""
        return self._hardened(super().test_on_batch, *args, **kwargs)

    def predict_on_batch(self, *args: Any, **kwargs: Any) -> Any:
        """Does what `keras.Model.predict_on_batch` does, with the sparse model."""
        return self._hardened(super().predict_on_batch, *args, **kwargs)

    def _hardened(self, method: Callable, *args: Any, **kwargs: Any) -> Any:
        # An unbuilt network is built inside the method, and has w = u until trained.
        if not self.built:
            return method(*args, **kwargs)
        with self.splitting.hardened():
            return method(*args, **kwargs)

    def harden(self) -> keras.Model:
        """Returns a plain Keras model: a copy of the network with u in place of w.

        Its zeros are exact and positive. The copy is not compiled; this model stays
        as it is and can go on training.

        Raises:
            ValueError: the network is not built, or its class cannot be copied.
        """
        try:
            copy = keras.models.clone_model(self.net)
        except (NotImplementedError, TypeError) as error:
            raise ValueError(
                f"cannot copy a {type(self.net).__name__}: give it get_config, or call "
                "model.splitting.harden(), which overwrites the network's own weights"
            ) from error
        with self.splitting.hardened():
            set_weights(copy, self.net.get_weights())
        return copy

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, serialized."""
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "net": serialize(self.net),
            "split": {
                key: [serialize(x) for x in value]
                if isinstance(value, tuple)
                else serialize(value)
                for key, value in self._split.items()
            },
            **{name: serialize(value) for name, value in self._arguments.items()},
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "RVSM":
        """Returns the model with this configuration."""

        def deserialize(value):
            return keras.saving.deserialize_keras_object(value, custom_objects)

        config = dict(config)
        for name in ("net", "lam", "beta", "kappa"):
            config[name] = deserialize(config[name])
        config["split"] = {
            key: tuple(deserialize(x) for x in value)
            if isinstance(value, list)
            else deserialize(value)
            for key, value in config["split"].items()
        }
        return cls(**config)
