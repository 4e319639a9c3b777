"""Training steps that are a network's own: GANs, VAEs, distillation.

Keras's `fit` calls the methods of the model that it is called on. Where a network's
class overrides what a step consists of (`train_step`, `compute_loss`, `compile`, …),
the model around it hands these calls on to the network, and keeps the loops (`fit`,
`evaluate`, …) to itself.
"""

from collections.abc import Iterator
from typing import Any

import keras
from keras.optimizers import Optimizer

from . import backend
from .graph import definer
from .inside import StateBuilder, from_keras

STEPS = (
    *("compile", "train_step", "test_step", "predict_step", "compute_loss"),
    *("compute_loss_and_updates", "compute_metrics", "get_metrics_result", "metrics"),
    *("reset_metrics", "get_compile_config", "compile_from_config"),
)
"""Methods that a network may have of its own: they are called."""

LOOPS = (
    *("fit", "evaluate", "predict", "train_on_batch", "test_on_batch"),
    *("predict_on_batch", "make_train_function", "make_test_function"),
    "make_predict_function",
)
"""Methods that it may not: those of the model around it run."""


class Trainer(StateBuilder):
    """A model around a network, that trains by the network's own steps if it has any.

    Args:
        net: the network.

    Raises:
        ValueError: the network has a loop of its own, which would not run.
    """

    def __init__(self, net: keras.Model, **kwargs: Any):
        # Inputs go to the network as they come: its own policy is what counts.
        policy = {"dtype": net.dtype_policy, "autocast": False}
        super().__init__(**{**policy, **kwargs})
        loops = _own(net, LOOPS)
        if loops:
            raise ValueError(
                f"{net.name!r} is a {type(net).__name__} with a {loops[0]} of its own, "
                "which would not run: wrap keras.Model(net.input, net.output) where "
                "it has a graph, or call it inside `with splitting.step(optimizer)` "
                "of an rvsm_tf.Splitting"
            )
        self.net = net
        self._by_net = bool(_own(net, STEPS))

    @property
    def optimizers(self) -> list[Optimizer]:
        """The optimizers that update weights: several in a GAN."""
        if not self._by_net:
            return [self.optimizer]
        found = _optimizers(list(vars(self.net).values()))
        return list({id(optimizer): optimizer for optimizer in found}.values())

    @property
    def output_names(self) -> list[str]:
        """The names of the network's outputs, by which losses may be given."""
        return self.net.output_names  # an AttributeError if it has none

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Does what the network's own `compile` does, or `keras.Model.compile`."""
        if not self._by_net:
            super().compile(*args, **kwargs)
            return
        self.net.compile(*args, **kwargs)
        self._compiled_as_net()

    def _compiled_as_net(self) -> None:
        net = self.net
        super().compile(
            optimizer=getattr(net, "optimizer", None),
            run_eagerly=net.run_eagerly,
            steps_per_execution=net.steps_per_execution,
            jit_compile=net.jit_compile,
        )

    def get_compile_config(self) -> dict[str, Any]:
        """Returns what `compile` was given, serialized."""
        if self._by_net:
            return self.net.get_compile_config()
        return super().get_compile_config()

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles the model as `get_compile_config` says."""
        if self._by_net:
            self.net.compile_from_config(config)
            if self.net.compiled:
                self._compiled_as_net()
            return
        self.compile(**keras.saving.deserialize_keras_object(config))
        if self.built:
            self.optimizer.build(self.trainable_variables)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """The metrics that `fit` and `evaluate` show."""
        return self.net.metrics if self._by_net else super().metrics

    def reset_metrics(self) -> None:
        """Does what the network's own `reset_metrics` does, or Keras's."""
        if self._by_net:
            self.net.reset_metrics()
        else:
            super().reset_metrics()

    def get_metrics_result(self) -> dict[str, Any]:
        """Returns the metrics' values by name."""
        if self._by_net:
            return self.net.get_metrics_result()
        return super().get_metrics_result()

    def train_step(self, *arguments: Any) -> Any:
        """Makes the network's own training step, or Keras's."""
        return self._made("train_step", arguments)

    def test_step(self, *arguments: Any) -> Any:
        """Makes the network's own test step, or Keras's."""
        return self._made("test_step", arguments)

    def predict_step(self, *arguments: Any) -> Any:
        """Makes the network's own prediction step, or Keras's."""
        return self._made("predict_step", arguments)

    def _made(self, name: str, arguments: tuple) -> Any:
        if not self._by_net:
            return getattr(super(), name)(*arguments)
        if not backend.JAX:
            return getattr(self.net, name)(*arguments)
        # On JAX a step takes the values of the model's variables; the network has
        # fewer than the model around it.
        state, data = arguments
        predicts = name == "predict_step"

        def step():
            theirs = _variables(self.net, name)
            values = tuple([v.value for v in kind] for kind in theirs)
            result, after = getattr(self.net, name)(values, data)
            backend.assign(theirs, (values[0], after) if predicts else after)
            return result

        mine = _variables(self, name)
        result, after = backend.without_side_effects(step, mine, state)
        return result, after[1] if predicts else after

    def also_built(self) -> keras.Model | None:
        """Returns the network, whose metrics are its own, if it makes the steps."""
        return self.net if self._by_net else None


def _optimizers(value: Any) -> Iterator[Optimizer]:
    """Yields the optimizers in a value: itself, or what a container holds."""
    if isinstance(value, Optimizer):
        yield value
    elif isinstance(value, (list, tuple, set, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _optimizers(item)


def _own(net: keras.Model, names: tuple[str, ...]) -> list[str]:
    """Returns which of some methods the network's class, and not Keras, defines."""
    return [
        name
        for name in names
        if name in vars(net)
        or (hasattr(type(net), name) and not from_keras(definer(net, name)))
    ]


def _variables(model: keras.Model, step: str) -> tuple[list[keras.Variable], ...]:
    """Returns the variables whose values Keras's JAX trainer hands to a step."""
    found = [model.trainable_variables, model.non_trainable_variables]
    if step == "train_step":
        found.append(model.optimizer.variables)
    if step != "predict_step":
        found.append(model.metrics_variables)
    return tuple(found)
