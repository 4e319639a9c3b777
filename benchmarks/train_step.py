"""How long a training step takes, and what the splitting adds to it.

python -m benchmarks.train_step --output docs/results

Ways to train the paper's network on batches of the same size, timed in turns within
one run: Keras as it comes (`fit` with its defaults) and with XLA, the loop of
`pipelines.train` without and with the splitting, and magnitude pruning by
tensorflow-model-optimization. Keras and tfmot train the network as the paper writes
it, ReLU before pooling; Keras also `networks.paper_cnn`, which pools first.

Prints milliseconds per step, median and range over the rounds, and the median of the
ratios within a round with its standard error.
"""

import pathlib
import statistics
import time
from collections.abc import Callable

import click

from commands.cli import quietly

from . import page

BATCH = 64


def stopwatch(callback_class: type) -> object:
    """Returns a callback that knows the mean time of a step, the first left out."""

    class Stopwatch(callback_class):
        def on_train_begin(self, logs=None):
            self.ends = []

        def on_train_batch_end(self, batch, logs=None):
            self.ends.append((batch, time.perf_counter()))

        @property
        def milliseconds(self):
            (first, start), (last, end) = self.ends[0], self.ends[-1]
            return 1000 * (end - start) / (last - first)

    return Stopwatch()


def contestants(steps: int) -> dict[str, Callable[[], float]]:
    """Returns, by name, functions that train some steps and return ms per step."""
    with quietly():
        import keras
        import numpy as np
        import tensorflow_model_optimization as tfmot
        import tf_keras

        import rvsm_tf as rvsm
        from pipelines.devices import device
        from pipelines.images import data
        from pipelines.images.images import Images
        from pipelines.recipe.recipe import steps_at_once
        from pipelines.training.magnitude import twin

    here = device.detect()
    rng = np.random.default_rng(0)
    count = BATCH * steps
    images = Images(
        (255 * (rng.random((count, 100, 100, 1)) < 0.05)).astype("uint8"),
        rng.integers(0, 2, count),
    )
    as_float = images.image.astype("float32") / 255

    def tuned_fit(model):
        watch = stopwatch(keras.callbacks.Callback)
        model.fit(
            batches, steps_per_epoch=steps, callbacks=[watch], shuffle=False, verbose=0
        )
        return watch.milliseconds

    def compiled(model, **arguments):
        model.compile(
            keras.optimizers.Adam(1e-3),
            "sparse_categorical_crossentropy",
            metrics=["accuracy"],
            **arguments,
        )
        return model

    batches = data.training_batches(images, BATCH, 0, range(1))

    def split(penalty, lam=5e-4):
        return rvsm.RVSM(
            rvsm.networks.paper_cnn(), {"dense": penalty}, lam, 0.1, kappa=1e-3
        )

    as_written = compiled(_paper_order())
    default = compiled(rvsm.networks.paper_cnn())
    xla = compiled(rvsm.networks.paper_cnn(), jit_compile=True)
    target = rvsm.TargetSparsity(0.97, steps=1000)
    with device.computing_in(here.precision):
        loops = {
            "tuned loop": rvsm.networks.paper_cnn(),
            "tuned loop, RVSM with TL1": split(rvsm.TL1(a=0.1)),
            "tuned loop, RVSM with ℓ0": split(rvsm.L0()),
            "tuned loop, RVSM with TL1, target 97 %": split(rvsm.TL1(a=0.1), target),
        }
    loops["tuned loop in float32"] = rvsm.networks.paper_cnn()
    for model in loops.values():
        compiled(
            model,
            jit_compile=here.jit_compile,
            steps_per_execution=steps_at_once(steps),
        )
    schedule = tfmot.sparsity.keras.PolynomialDecay(0.0, 0.97, 0, 1000)
    pruned, _ = twin(rvsm.networks.paper_cnn(), ["dense"], schedule)
    pruned.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])

    def default_fit(model):
        watch = stopwatch(keras.callbacks.Callback)
        model.fit(
            as_float, images.label, batch_size=BATCH, callbacks=[watch], verbose=0
        )
        return watch.milliseconds

    def pruned_fit():
        watch = stopwatch(tf_keras.callbacks.Callback)
        update = tfmot.sparsity.keras.UpdatePruningStep()
        callbacks = [watch, update]
        pruned.fit(
            as_float, images.label, batch_size=BATCH, callbacks=callbacks, verbose=0
        )
        return watch.milliseconds

    return {
        "Keras's default fit, layers as in the paper": lambda: default_fit(as_written),
        "Keras's default fit": lambda: default_fit(default),
        "Keras's fit with jit_compile=True": lambda: default_fit(xla),
        **{name: (lambda m=m: tuned_fit(m)) for name, m in loops.items()},
        "tfmot magnitude pruning": pruned_fit,
    }


def _paper_order():
    """Returns the paper's network with its layers in the paper's order."""
    import keras

    layers = keras.layers
    stack = [layers.Input((100, 100, 1))]
    for _ in range(3):
        stack.append(layers.Conv2D(32, 3, padding="same", activation="relu"))
        stack.append(layers.MaxPooling2D(2, 2, padding="same"))
    stack += [
        layers.Flatten(),
        layers.Dense(128, activation="relu", dtype="float32"),
        layers.Dense(2, activation="softmax", dtype="float32"),
    ]
    return keras.Sequential(stack)


@click.command()
@click.option("--steps", default=16, show_default=True, help="Steps per turn.")
@click.option("--rounds", default=31, show_default=True, help="Turns of each.")
@click.option("--output", type=click.Path(path_type=pathlib.Path), metavar="DIR")
def main(steps: int, rounds: int, output: pathlib.Path | None) -> None:
    """Print ms per training step, and ratios, of several ways to train."""
    ways = contestants(steps)
    for way in ways.values():
        way()  # compiles
    times = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            times[name].append(way())
    rows = []
    print(f"{'':44}{'ms/step':>8} {'range':>15} {'÷ tuned loop':>16}")
    for name, measured in times.items():
        ratios = [a / b for a, b in zip(measured, times["tuned loop"], strict=True)]
        ratio = statistics.median(ratios)
        # A median's standard error is 1.25 times a mean's.
        error = 1.25 * statistics.stdev(ratios) / len(ratios) ** 0.5
        row = {
            "method": name,
            "ms_per_step": round(statistics.median(measured), 2),
            "ms_lowest": round(min(measured), 2),
            "ms_highest": round(max(measured), 2),
            "ratio_to_tuned": round(ratio, 3),
            "standard_error": round(error, 3),
        }
        rows.append(row)
        span = f"{row['ms_lowest']:.1f}-{row['ms_highest']:.1f}"
        print(
            f"{name:44}{row['ms_per_step']:8.1f} {span:>15} {ratio:8.3f} ± {error:.3f}"
        )
    if output:
        page.write(
            output,
            "train_step",
            "A training step",
            f"python -m benchmarks.train_step --steps {steps} --rounds {rounds} "
            f"--output {output}",
            "The paper's network, batches of 64, all ways in turns within one run. "
            "Milliseconds per step: median, lowest and highest over the rounds. "
            "Ratio: median of the ratios to the tuned loop within a round, with its "
            "standard error. `paper_cnn` pools before ReLU, with the same result to "
            "the bit; the paper, and whoever follows it, writes it the other way.",
            rows,
        )


if __name__ == "__main__":
    main()
