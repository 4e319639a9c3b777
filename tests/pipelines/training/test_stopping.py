import keras
import numpy as np
import pytest

from pipelines.training import stopping
from pipelines.training.stopping import Stopping


def rows(*losses):
    return [{"val_loss": loss} for loss in losses]


@pytest.mark.parametrize(
    ("losses", "start", "best", "over"),
    [
        ((0.5,), 0, 1, False),
        ((0.5, 0.4, 0.6), 0, 2, False),
        ((0.5, 0.4, 0.6, 0.4), 0, 2, True),  # no better is no progress
        ((0.1, 0.4, 0.6, 0.3), 1, 4, False),  # what came before the phase is forgotten
        ((0.1, 0.2, 0.6, 0.3), 1, 2, True),
    ],
)
def test_training_ends_two_epochs_after_the_best(losses, start, best, over):
    assert stopping.best(rows(*losses), start) == best
    assert stopping.over(rows(*losses), start, patience=2) is over


def test_before_a_phase_nothing_is_over():
    assert not stopping.over(rows(0.1, 0.2), start=2, patience=1)


class Told:
    """A history whose losses are given beforehand."""

    def __init__(self, losses):
        self._losses, self.rows = losses, []

    def __call__(self, epoch):
        self.rows = rows(*self._losses[: epoch + 1])


def test_the_best_epochs_weights_are_kept(tmp_path):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    history = Told([0.5, 0.2, 0.3, 0.4, 0.1])
    callback = Stopping(tmp_path, 2, history, 0)
    begun = []

    class Mark(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            begun.append(epoch)

        def on_epoch_end(self, epoch, logs=None):
            self.model.layers[0].set_weights([np.full((1, 1), epoch), np.zeros(1)])
            history(epoch)

    one = np.zeros((1, 1))
    model.fit(one, one, epochs=5, callbacks=[Mark(), callback], verbose=0)
    assert begun == [0, 1, 2, 3]  # the fourth is the second without progress
    kernel, _ = stopping.read_best(tmp_path).layers[0].get_weights()
    assert kernel.item() == 1
