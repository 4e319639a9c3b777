"""One point of a sweep, trained wherever Ray puts it."""

import pathlib
import tempfile
from typing import Any

from commands.cli import quietly

from ..run.config import TrainConfig
from ..training.launch import run


def train(config: TrainConfig, cpus: int) -> dict[str, Any]:
    """Trains a point, in a process that does nothing else.

    Args:
        config: the point.
        cpus: cores that TensorFlow may use.

    Returns:
        what `pipelines.train` writes into metrics.json, and the machine in words.

    Raises:
        InputError: something in the configuration is wrong.
        OSError: the machine's disk does not take the run's files.
    """
    with quietly():
        import tensorflow as tf

        from ..devices import device

    tf.config.threading.set_intra_op_parallelism_threads(cpus)
    tf.config.threading.set_inter_op_parallelism_threads(cpus)
    for gpu in tf.config.list_physical_devices("GPU"):
        # TensorFlow would take all memory, and leave none to others on the same GPU.
        tf.config.experimental.set_memory_growth(gpu, True)
    with tempfile.TemporaryDirectory(prefix="rvsm_tf-sweep-") as folder:
        metrics = run(config, pathlib.Path(folder), quiet=True)
    return {**metrics, "machine": device.words()}
