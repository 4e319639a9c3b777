"""How fast the device trains, with and without the splitting, for growing batches.

python -m benchmarks.gpu --output docs/results
KERAS_BACKEND=jax python -m benchmarks.gpu --output docs/results

The batch lies on the device already: what is timed is the training step alone, in turns
within one run, on Keras's backend, TensorFlow or JAX (which then need not be beside
TensorFlow). Beside it the device's ceiling: the rate of a large matrix product in the
same precision, and the share of it that a step reaches.

A machine without a GPU runs it too; small batches say what there is to say there.
"""

import os
import pathlib
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import click

from commands.cli import Command, Number, quietly

from . import page

BATCHES = (64, 256, 1024, 4096, 16384)

_STEP_GFLOP = 3 * 2 * 0.0324
"""Per image: 32.4 million multiply-adds forward, twice as many backward."""

_PLAIN = "without splitting"

_PRODUCT = {True: 8192, False: 1024}  # side of the matrices, on a GPU and without


class Step:
    """A compiled training step on one batch that lies on the device.

    Args:
        model: compiled and built.
        x: images.
        y: labels.
    """

    def __init__(self, model: Any, x: Any, y: Any):
        import keras

        self._batch, self._state = (x, y), None
        self._step = _compiled(model.train_step, model.jit_compile)
        if keras.backend.backend() == "jax":
            import jax

            model.optimizer.build(model.trainable_variables)
            variables = (
                model.trainable_variables,
                model.non_trainable_variables,
                model.optimizer.variables,
                model.metrics_variables,
            )
            self._state = jax.tree.map(lambda v: v.value, variables)

    def milliseconds(self, times: int) -> float:
        """Makes the step so many times; returns the time of one."""
        import keras

        start = time.perf_counter()
        for _ in range(times):
            if self._state is None:
                logs = self._step(self._batch)
            else:
                logs, self._state = self._step(self._state, self._batch)
        keras.ops.convert_to_numpy(logs["loss"])  # waits for the device
        return 1000 * (time.perf_counter() - start) / times


def _compiled(function: Callable, xla: bool) -> Callable:
    import keras

    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    import tensorflow as tf

    return tf.function(function, jit_compile=xla, autograph=False)


def contestants(batch: int, precision: str) -> dict[tuple[bool, str], Step]:
    """Returns the steps that are timed for one size of the batch.

    They go by whether XLA compiles them, which it always does on JAX, and a name.
    """
    import keras
    import numpy as np

    import rvsm_tf as rvsm

    rng = np.random.default_rng(0)
    images = rng.random((batch, 100, 100, 1), "float32") < 0.05
    x = keras.ops.convert_to_tensor(images.astype("float32"))
    y = keras.ops.convert_to_tensor(rng.integers(0, 2, batch))
    target = rvsm.TargetSparsity(0.97, steps=1000)
    splits = {
        _PLAIN: None,
        "RVSM, ℓ0": (rvsm.L0(), 5e-4),
        "RVSM, TL1": (rvsm.TL1(a=0.1), 5e-4),
        "RVSM, TL1, target 97 %": (rvsm.TL1(a=0.1), target),
    }
    jax = keras.backend.backend() == "jax"
    found = {}
    for xla in (True,) if jax else (False, True):
        for name, split in splits.items():
            keras.config.set_dtype_policy(precision)
            model = rvsm.networks.paper_cnn()
            if split:
                penalty, lam = split
                model = rvsm.RVSM(model, {"dense": penalty}, lam, 0.1, kappa=1e-3)
            keras.config.set_dtype_policy("float32")
            model.compile(
                keras.optimizers.Adam(1e-3),
                "sparse_categorical_crossentropy",
                jit_compile=xla,
            )
            model.train_on_batch(x[:2], y[:2])  # builds what is built at the first use
            found[xla, name] = Step(model, x, y)
    return found


def ceiling(precision: str, gpu: bool) -> float:
    """Returns the rate of a large matrix product, in TFLOP/s."""
    import keras
    import numpy as np

    side, kind = _PRODUCT[gpu], precision.removeprefix("mixed_")
    values = np.random.default_rng(0).standard_normal((side, side), "float32")
    a = keras.ops.cast(keras.ops.convert_to_tensor(values), kind)
    product = _compiled(lambda x: keras.ops.matmul(x, x) * 0.01, xla=False)
    _wait(product(a))
    rates = []
    for _ in range(5):
        start, x = time.perf_counter(), a
        for _ in range(10):
            x = product(x)
        _wait(x)
        rates.append(10 * 2 * side**3 / (time.perf_counter() - start) / 1e12)
    return statistics.median(rates)


def _wait(product: Any) -> None:
    """Waits until a matrix is there."""
    import keras

    # As float32: NumPy makes nothing of a single bfloat16.
    keras.ops.convert_to_numpy(keras.ops.cast(product[0, 0], "float32"))


def device() -> tuple[str, bool]:
    """Returns the device in words, and whether it is a GPU."""
    import keras

    if keras.backend.backend() == "jax":
        import jax

        first = jax.devices()[0]
        if first.platform == "gpu":
            return f"an {first.device_kind} GPU", True
        return f"{os.cpu_count()} cores of a processor, no GPU", False
    from pipelines.devices.device import detect, words

    return words(), detect().gpu


@click.command(cls=Command, context_settings={"show_default": True})
@click.option("--steps", type=Number(1, whole=True), default=20, help="Per turn.")
@click.option("--rounds", type=Number(2, whole=True), default=7, help="Turns of each.")
@click.option(
    "--largest", type=Number(64, whole=True), default=BATCHES[-1], help="Batch."
)
@click.option(
    "--precision",
    type=click.Choice(("float32", "mixed_bfloat16", "mixed_float16")),
    default="mixed_bfloat16",
)
@click.option("--output", type=click.Path(path_type=pathlib.Path), metavar="DIR")
def main(
    steps: int,
    rounds: int,
    largest: int,
    precision: str,
    output: pathlib.Path | None,
) -> None:
    """Print ms per training step and images per second, for growing batches."""
    with quietly():
        import keras
    backend = keras.backend.backend()
    machine, gpu = device()
    peak = ceiling(precision, gpu)
    rows = []
    for batch in (b for b in BATCHES if b <= largest):
        print(f"batch {batch}: compiling", file=sys.stderr)
        ways = contestants(batch, precision)
        times = {way: [] for way in ways}
        for step in ways.values():
            step.milliseconds(2)  # compiles
        for number in range(1, rounds + 1):
            print(f"batch {batch}: round {number} of {rounds}", file=sys.stderr)
            for way, step in ways.items():
                times[way].append(step.milliseconds(steps))
        for (xla, name), measured in times.items():
            found = statistics.median(measured)
            rate = batch / found * 1000
            plain = times[xla, _PLAIN]
            ratio = statistics.median(a / b for a, b in zip(measured, plain))
            rows.append(
                {
                    "batch": batch,
                    "xla": xla,
                    "step": name,
                    "ms_per_step": round(found, 3),
                    "ms_lowest": round(min(measured), 3),
                    "ms_highest": round(max(measured), 3),
                    "ratio": round(ratio, 3),
                    "images_per_second": round(rate),
                    "share_of_ceiling": round(rate * _STEP_GFLOP / 1000 / peak, 3),
                }
            )
            print("  ".join(str(value) for value in rows[-1].values()))
    if output:
        page.write(
            output,
            f"gpu-{backend}",
            f"Training steps on the device, Keras on {backend}",
            f"KERAS_BACKEND={backend} python -m benchmarks.gpu --steps {steps} "
            f"--rounds {rounds} --largest {largest} --precision {precision} "
            f"--output {output}",
            f"Precision {precision}; the batch lies on the device. Ratio to the step "
            "without splitting of the same batch and compiler. The ceiling is "
            f"{peak:.2f} TFLOP/s, that of a matrix product; a step counts 194 MFLOP "
            "per image.",
            rows,
            machine,
        )


if __name__ == "__main__":
    main()
