"""Around Keras's loops: what has to happen where `fit`, `evaluate`, `predict` begin.

Callbacks see those moments, on every backend, and some of them exchange weights
(`SwapEMAWeights`). What is put in place here comes last when a loop begins and goes
first when it ends, so that theirs is what it works on.
"""

import inspect
from collections.abc import Callable
from typing import Any

import keras

from .optimizers import batches_per_step


class Testing(keras.callbacks.Callback):
    """Calls a function when a test or a prediction begins, and when it ends.

    Args:
        begins: called when it begins; None for nothing.
        ends: called when it ends; None for nothing.
    """

    def __init__(
        self,
        begins: Callable[[], Any] | None = None,
        ends: Callable[[], Any] | None = None,
    ):
        super().__init__()
        self._begins, self._ends = begins, ends

    def on_test_begin(self, logs: Any = None) -> None:
        """Calls the function for the beginning of a test."""
        if self._begins:
            self._begins()

    def on_test_end(self, logs: Any = None) -> None:
        """Calls the function for the end of a test."""
        if self._ends:
            self._ends()

    on_predict_begin, on_predict_end = on_test_begin, on_test_end


class Fitting(keras.callbacks.Callback):
    """Tells the number of steps when a fit begins, and when it has ended.

    Args:
        begins: called with the number of steps that update weights, None if Keras does
            not know how many batches there are.
        ends: called when all epochs are over.
        optimizer: that updates weights, perhaps only every few batches.
        first: the epoch that the fit begins with.
    """

    def __init__(
        self,
        begins: Callable[[int | None], Any],
        ends: Callable[[], Any],
        optimizer: Any,
        first: int,
    ):
        super().__init__()
        self._begins, self._ends = begins, ends
        self._every = batches_per_step(optimizer)
        self._first, self._epochs = first, 0

    def on_train_begin(self, logs: Any = None) -> None:
        """Tells how many steps of the fit update weights."""
        epochs, batches = (self.params.get(name) for name in ("epochs", "steps"))
        if epochs is None or batches is None:
            self._begins(None)
        else:
            self._begins(max(0, epochs - self._first) * batches // self._every)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Counts the epochs that there were."""
        self._epochs += 1

    def on_train_end(self, logs: Any = None) -> None:
        """Tells that the fit has ended, if it had an epoch."""
        if self._epochs:
            self._ends()


def argument(method: Callable, args: tuple, kwargs: dict[str, Any], name: str) -> Any:
    """Returns what a call gives for an argument, None if it gives nothing."""
    return inspect.signature(method).bind(*args, **kwargs).arguments.get(name)


def call(
    method: Callable,
    args: tuple,
    kwargs: dict[str, Any],
    first: keras.callbacks.Callback | None = None,
    last: keras.callbacks.Callback | None = None,
) -> Any:
    """Calls `fit`, `evaluate` or `predict` with one more callback at either end."""
    bound = inspect.signature(method).bind(*args, **kwargs)
    given = bound.arguments.get("callbacks")
    before, behind = ([c] if c else [] for c in (first, last))
    if not isinstance(given, keras.callbacks.CallbackList):
        some = keras.tree.flatten(given) if given is not None else []
        bound.arguments["callbacks"] = [*before, *some, *behind]
        return method(*bound.args, **bound.kwargs)
    for callback in (*before, *behind):
        callback.set_model(given.model)
        callback.set_params(given.params)
    kept = list(given.callbacks)
    given.callbacks[:] = [*before, *kept, *behind]
    try:
        return method(*bound.args, **bound.kwargs)
    finally:
        given.callbacks[:] = kept
