"""Quarter turns: a network that answers to a picture however the sheet lies."""

from typing import Any

import keras
from keras import ops

COUNT = 4
"""The quarter turns of a picture, the one by nothing among them."""


@keras.saving.register_keras_serializable(package="rvsm_tf")
class QuarterTurns(keras.layers.Layer):
    """Each picture in its four quarter turns; in training as it is.

    What is shown in training may be turned before it comes here, which costs a quarter.

    Input shape: (n, side, side, channels). Output shape: (4 n, side, side, channels),
    all pictures as they are, then all turned once, and so on.

    Example:
        >>> picture = np.array([[1.0, 2.0], [3.0, 4.0]]).reshape(1, 2, 2, 1)
        >>> np.asarray(rvsm.turns.QuarterTurns()(picture))[1, ..., 0].tolist()
        [[2.0, 4.0], [1.0, 3.0]]
    """

    def call(self, x: Any, training: bool = False) -> Any:
        """Returns the pictures in their turns, one turn after the other."""
        if training:
            return x
        across = ops.transpose(x, (0, 2, 1, 3))
        upside_down = ops.flip(ops.flip(x, 1), 2)
        turned = [x, ops.flip(across, 1), upside_down, ops.flip(across, 2)]
        return ops.concatenate(turned, axis=0)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Returns the shape for one picture or any number, which is not known."""
        return (None, *input_shape[1:])


@keras.saving.register_keras_serializable(package="rvsm_tf")
class MeanOverTurns(keras.layers.Layer):
    """The mean of what is seen in the four `QuarterTurns`; in training what is seen.

    Input shape: (4 n, …). Output shape: (n, …).

    Example:
        >>> seen = np.array([[1.0], [2.0], [3.0], [6.0]])
        >>> np.asarray(rvsm.turns.MeanOverTurns()(seen)).tolist()
        [[3.0]]
    """

    def call(self, x: Any, training: bool = False) -> Any:
        """Returns the mean for each picture."""
        if training:
            return x
        each = ops.reshape(x, (COUNT, -1, *x.shape[1:]))
        return ops.mean(each, axis=0)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Returns the shape for one picture or any number, which is not known."""
        return (None, *input_shape[1:])
