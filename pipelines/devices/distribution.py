"""Several devices, or several machines, that train one model together.

Each device has a copy of the model and takes an equal part of every batch; gradients
are averaged. The batches are those of training on one device, and so is the result, up
to rounding.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf

from commands.cli import InputError

from . import tf_config

# What TensorFlow says when another worker is gone, or was when this one spoke to it.
_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.InternalError,  # it has started anew, and does something else
)


class LostWorker(Exception):
    """Another worker is gone, and TensorFlow cannot go on without it."""


class Workers(tf.distribute.MultiWorkerMirroredStrategy):
    """TensorFlow's strategy, as Keras 3 needs it.

    Keras has whole batches reduced, to learn their shapes, and metrics along a batch
    dimension that they do not have (keras-team/keras#20585); TensorFlow takes neither.
    """

    def reduce(self, reduce_op: Any, value: Any, axis: int | None) -> Any:
        """Returns the values of all replicas reduced to one, in any structure."""

        def reduced(v):
            scalar = self.experimental_local_results(v)[0].shape.rank == 0
            return super(Workers, self).reduce(reduce_op, v, None if scalar else axis)

        return tf.nest.map_structure(reduced, value)


def _workers() -> Workers:
    """Waits for the other workers, and returns the strategy.

    Raises:
        InputError: this worker's port is not free.
    """
    try:
        return Workers()
    except tf.errors.UnknownError as error:
        if "Could not start gRPC server" not in str(error):
            raise
        raise InputError(
            f"cannot listen at {tf_config.own()!r}, this worker's address in "
            f"{tf_config.VARIABLE}: another program has the port, maybe an earlier run"
        ) from None


class Distribution:
    """How training is spread; to be made before TensorFlow computes anything.

    Args:
        name: one of `devices.DISTRIBUTIONS`, or None for one device.

    Attributes:
        leads: whether this process writes the run's files; of several workers one does.

    Raises:
        InputError: TF_CONFIG does not describe a cluster and this worker's place in it,
            or this worker's port is not free.
    """

    def __init__(self, name: str | None):
        self._several = name == "multiworker"
        self.leads = tf_config.leads(name)
        if name == "mirrored":
            gpus = tf.config.list_logical_devices("GPU")
            devices = gpus or tf.config.list_logical_devices("CPU")
            self._strategy = tf.distribute.MirroredStrategy([d.name for d in devices])
        elif self._several:
            self._strategy = _workers()
        else:
            self._strategy = tf.distribute.get_strategy()

    def scope(self) -> contextlib.AbstractContextManager:
        """Returns the context in which models to be trained are made.

        All workers make the same ones in it, or they would wait for each other.
        """
        return self._strategy.scope()

    @property
    def devices(self) -> int:
        """How many there are, of all workers together."""
        return self._strategy.num_replicas_in_sync

    def check(self, batch_size: int) -> None:
        """Makes sure that a batch can be divided.

        Raises:
            InputError: it cannot.
        """
        if batch_size % self.devices:
            near = self.devices * max(1, round(batch_size / self.devices))
            raise InputError(
                f"--batch-size {batch_size} cannot be divided among {self.devices} "
                f"devices: {near} can"
            )

    def spread(self, batches: tf.data.Dataset, batch_size: int) -> Any:
        """Returns the batches, each divided evenly among the devices.

        Args:
            batches: of images and labels, batch_size of them in each.
            batch_size: of all devices together.
        """
        if self.devices == 1:
            return batches
        each = batch_size // self.devices

        def of_worker(context: tf.distribute.InputContext) -> tf.data.Dataset:
            here = self.devices // context.num_input_pipelines
            first = context.input_pipeline_id * here * each

            @tf.autograph.experimental.do_not_convert
            def own(*batch: tf.Tensor) -> tuple[tf.Tensor, ...]:
                parts = [x[first : first + here * each] for x in batch]
                return tuple(tf.reshape(x, (here, each, *x.shape[1:])) for x in parts)

            return batches.map(own).unbatch().prefetch(tf.data.AUTOTUNE)

        return self._strategy.distribute_datasets_from_function(of_worker)

    def agree(self, epoch: int) -> None:
        """Makes sure that all workers have read the same checkpoint.

        One that was killed just before the leader saved an epoch has read the one
        before.

        Raises:
            LostWorker: they have not.
        """
        if self._several:
            mean = self._strategy.reduce("MEAN", tf.constant(float(epoch)), axis=None)
            if float(mean) != epoch:
                raise LostWorker(f"others begin with another epoch than {epoch}")

    def prepare(self, model: keras.Model) -> None:
        """Makes a compiled model ready to be fit on all devices."""
        if self.devices > 1:
            model.steps_per_execution = 1  # TensorFlow's loop over several breaks

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Notices in the block that another worker is gone.

        Raises:
            LostWorker: it is.
        """
        try:
            yield
        except _LOST as error:
            if not self._several:
                raise
            raise LostWorker(str(error).partition("\n")[0]) from error
