"""RVSM: any Keras model, trained by relaxed variable splitting."""

import contextlib
import pathlib
from collections.abc import Callable
from typing import Any

import keras
from keras.optimizers.schedules import LearningRateSchedule

from . import agreement, backend, loops
from .copying import copied
from .inside import (
    ask_for_training_like,
    asks_for_training,
    inner_layers,
    is_inside_another,
)
from .naming import key_of
from .optimizers import is_several
from .saliency import MAGNITUDE, check_saliency
from .schedules import Schedule
from .selection import Selection, check_selection
from .splitting import Splitting
from .trainer import Trainer
from .watch import Watch


@keras.saving.register_keras_serializable(package="rvsm_tf")
class RVSM(Trainer):
    """A network that trains by relaxed variable splitting.

    Training moves the dense weights w; `evaluate` and `predict`, and so validation
    during `fit` and whatever watches it, use the sparse u in their place. Calling the
    model, like calling the network, uses w. A training step of the network's own
    (`train_step`, `compute_loss`, `compile`, …) is the one that is made.

    Args:
        net: any Keras model: sequential, functional or subclassed.
        split: which kernels are split: a dictionary from a layer, its name or path, a
            pattern of these (`"conv*"`), or a weight behind its layer
            (`"*/embeddings"`), to a penalty, or a pair of a penalty and a λ of its own.
        lam: λ, a number, a Keras schedule or a `TargetSparsity`.
        beta: β, a number or a Keras schedule. λ/β is the step of the thresholding.
        kappa: rate of the pull of w towards u, a number up to 1 or a Keras schedule;
            if None the learning rate times β, or, with a target that follows the fit,
            what brings w close to u in it.
        saliency: what a weight counts for when it is decided which become zero:
            "magnitude", or "fisher", magnitude times the root mean square of its
            gradients, which Adam and its kin keep; see `rvsm_tf.saliency`.

    Raises:
        ValueError: net is no Keras model, or one of these, or holds one, or has a
            `fit` of its own; see `Splitting`, too, on building if the network is not
            built yet. When called, it is inside another model.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(256, 8))
        >>> y = x.sum(axis=1, keepdims=True)
        >>> net = keras.Sequential([keras.Input((8,)), keras.layers.Dense(32, "relu"),
        ...                         keras.layers.Dense(1)])
        >>> model = rvsm.RVSM(net, {"*": rvsm.L0()}, rvsm.TargetSparsity(0.5))
        >>> model.compile("adam", "mse")
        >>> history = model.fit(x, y, epochs=4, verbose=0)
        >>> sparse = model.harden()
        >>> sum(k.zeros for k in rvsm.summarize(sparse).kernels)  # of 8 · 32 + 32
        144
    """

    def __init__(
        self,
        net: keras.Model,
        split: Selection,
        lam: Schedule,
        beta: float | LearningRateSchedule = 0.1,
        kappa: float | LearningRateSchedule | None = None,
        saliency: str = MAGNITUDE,
        **kwargs: Any,
    ):
        if not isinstance(net, keras.Model) or isinstance(net, RVSM):
            raise ValueError(f"net must be a Keras model to be wrapped, got {net!r}")
        for layer in inner_layers(net):
            if isinstance(layer, RVSM):
                raise ValueError(
                    f"{net.name!r} has an RVSM inside, {layer.name!r}: build it of "
                    "the network in there, and wrap the whole"
                )
        check_selection(split)
        super().__init__(net, **kwargs)
        # Keras says to a model whose call asks for it whether this is training.
        ask_for_training_like(self, net)
        self._split = {key_of(layer, net): value for layer, value in split.items()}
        if len(self._split) < len(split):
            raise ValueError(f"a layer is named twice in {list(split)}")
        self._arguments: dict[str, Any] = {
            "lam": lam,
            "beta": beta,
            "kappa": kappa,
            "saliency": check_saliency(saliency),
        }
        self._fit_begun: tuple[int | None] | None = None
        self._inputs: Callable[[], Any] = lambda: agreement.symbolic_inputs(net)
        # A network may never be called as a whole, as a GAN.
        inside = inner_layers(net)
        if net.built or (inside and all(layer.built for layer in inside)):
            self._make_splitting()
            self.built = True

    def _make_splitting(self) -> None:
        self._splitting = Splitting(self.net, self._split, **self._arguments)
        self._watch = Watch(self._splitting)
        if self._fit_begun:
            self._splitting.follow(*self._fit_begun)

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

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the model as Keras does, with w.

        Raises:
            ValueError: the model is inside another one, which would train and predict
                with dense weights.
        """
        flat = keras.tree.flatten((args, kwargs))
        is_symbolic = any(isinstance(x, keras.KerasTensor) for x in flat)
        if is_symbolic or is_inside_another(self):
            raise ValueError(
                f"{self.name!r} is an RVSM inside another model, which would train and "
                "predict with its dense weights: wrap the outermost model in RVSM"
            )
        return super().__call__(*args, **kwargs)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Returns the network's output, computed with w."""
        symbolic = keras.tree.map_structure(_symbolic, inputs)
        self._inputs = lambda: symbolic
        if asks_for_training(self):
            return self.net(inputs, training=training)
        return self.net(inputs)

    def train_step(self, *arguments: Any) -> Any:
        """Makes one iteration of the method: the training step, and the pull.

        The step is Keras's own, or the network's if its class has one.

        Args:
            *arguments: what Keras hands over: a batch; on JAX the state, that is the
                values of all variables, and a batch.

        Returns:
            the metrics by name; on JAX these and the state after the step.
        """
        if not self.built:
            x, _, _ = keras.utils.unpack_x_y_sample_weight(arguments[-1])
            self.build(keras.tree.map_structure(lambda t: (None, *t.shape[1:]), x))
        if is_several(self.optimizer):
            with backend.once():
                self.optimizer.build(self.trainable_variables)
        if backend.JAX:
            return self._stateless_train_step(*arguments)
        with self.splitting.step(*self.optimizers):
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
            with self.splitting.step(*self.optimizers):
                logs, after = super(RVSM, self).train_step(state, data)
                backend.assign(variables, after)
            return logs

        return backend.without_side_effects(step, variables, state)

    def fit(self, *args: Any, **kwargs: Any) -> Any:
        """Does what `keras.Model.fit` does, by the method.

        Warns:
            UserWarning: of what cannot end well, see `rvsm_tf.watch`.
        """
        first = loops.argument(super().fit, args, kwargs, "initial_epoch") or 0
        watching = loops.Fitting(self._begin_fit, self._end_fit, self.optimizer, first)
        return loops.call(super().fit, args, kwargs, last=watching)

    def _begin_fit(self, steps: int | None) -> None:
        self._fit_begun = (steps,)
        if self.built:
            self.splitting.follow(steps)
            self._watch.begin(steps)

    def _end_fit(self) -> None:
        self._watch.end()

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """Does what `keras.Model.evaluate` does, with the sparse model."""
        return self._hardened_loop(super().evaluate, args, kwargs)

    def predict(self, *args: Any, **kwargs: Any) -> Any:
        """Does what `keras.Model.predict` does, with the sparse model."""
        return self._hardened_loop(super().predict, args, kwargs)

    def _hardened_loop(self, method: Callable, args: tuple, kwargs: dict) -> Any:
        with contextlib.ExitStack() as stack:

            def begin():
                stack.enter_context(self._sparse())

            first, last = loops.Testing(ends=stack.close), loops.Testing(begins=begin)
            return loops.call(method, args, kwargs, first, last)

    def test_on_batch(self, *args: Any, **kwargs: Any) -> Any:
        """Does what `keras.Model.test_on_batch` does, with the sparse model."""
        with self._sparse():
            return super().test_on_batch(*args, **kwargs)

    def predict_on_batch(self, *args: Any, **kwargs: Any) -> Any:
        """Does what `keras.Model.predict_on_batch` does, with the sparse model."""
        with self._sparse():
            return super().predict_on_batch(*args, **kwargs)

    def _sparse(self) -> contextlib.AbstractContextManager:
        # An unbuilt network is built inside the loop, and has no weights yet.
        return self.splitting.hardened() if self.built else contextlib.nullcontext()

    def harden(self) -> keras.Model:
        """Returns a plain Keras model: a copy of the network with u in place of w.

        Its zeros are exact and positive. The copy is not compiled; this model stays
        as it is and can go on training. The copy was tried: it answers made-up inputs
        like the network with u in place of w.

        Raises:
            ValueError: the network is not built; or a layer's class cannot be copied,
                or its copy is not what it was, and the message names the layer. Then
                `model.splitting.harden()` overwrites the network's own weights.

        Warns:
            UserWarning: the network takes no made-up inputs, and the copy was not
                tried.
        """
        with self.splitting.hardened():
            inputs = self._inputs()
            try:
                copy = copied(self.net, inputs)
            except ValueError as error:
                raise ValueError(
                    f"{error}; or call model.splitting.harden(), which overwrites the "
                    "network's own weights"
                ) from error
            agreement.check(self.net, copy, inputs)
        return copy

    def export(self, *args: Any, **kwargs: Any) -> Any:
        """Does what `keras.Model.export` does, with the sparse model."""
        with self.splitting.hardened():
            return self.net.export(*args, **kwargs)

    def save(self, filepath: Any, *args: Any, **kwargs: Any) -> None:
        """Does what `keras.Model.save` does: the dense weights, and the training.

        Raises:
            ValueError: the file is one of Keras's old format, which has no place for
                it.
        """
        if pathlib.Path(str(filepath)).suffix in (".h5", ".hdf5"):
            raise ValueError(
                f"an RVSM in training is saved as .keras, got {str(filepath)!r}; what "
                "harden() returns can be saved as either"
            )
        super().save(filepath, *args, **kwargs)

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


def _symbolic(tensor: Any) -> keras.KerasTensor | None:
    """Returns a tensor's shape and type; None if they are not known, or it is none."""
    shape = getattr(tensor, "shape", None)
    if shape is None or getattr(shape, "rank", 0) is None:
        return None
    return keras.KerasTensor(shape, keras.backend.standardize_dtype(tensor.dtype))
