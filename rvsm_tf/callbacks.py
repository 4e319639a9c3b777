"""What the method does during training, in Keras's logs."""

from typing import Any

import keras

from .model import RVSM


class RVSMCallback(keras.callbacks.Callback):
    """Adds the method's figures to the logs of every epoch.

    `sparsity` (share of exact zeros in the split kernels, 0 to 1), `gap` (‖w − u‖),
    `lam` (and `lam_<name>` of splits with a λ of their own) and `lagrangian` (the
    epoch's training loss + λ P(u) + β/2 ‖w − u‖²).

    The progress bar, `History` and `CSVLogger` show them, and so does every callback
    that stands after this one in the list, `TensorBoard` and `ModelCheckpoint`
    included: put it first.

    Example:
        >>> net = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        >>> model = rvsm.RVSM(net, {"*": rvsm.L0()}, rvsm.TargetSparsity(0.5))
        >>> model.compile("sgd", "mse")
        >>> x = np.ones((8, 4))
        >>> history = model.fit(x, x[:, :1], callbacks=[rvsm.RVSMCallback()], verbose=0)
        >>> sorted(history.history)
        ['gap', 'lagrangian', 'lam', 'loss', 'sparsity']
    """

    def set_model(self, model: keras.Model) -> None:
        """Accepts an RVSM model.

        Raises:
            TypeError: the model is something else.
        """
        if not isinstance(model, RVSM):
            raise TypeError(
                "RVSMCallback needs a model that trains by variable splitting: wrap "
                f"the network in rvsm_tf.RVSM, got {type(model).__name__}"
            )
        super().set_model(model)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Adds the figures of the weights as they are now."""
        if logs is None:
            return
        splitting = self.model.splitting
        logs["sparsity"] = splitting.sparsity()
        logs["gap"] = splitting.gap()
        logs.update(splitting.lams())
        logs["lagrangian"] = splitting.lagrangian(logs["loss"])
