"""Trains small networks on Keras's backend, whichever it is, and saves what came out.

python cases.py FILE.npz    (KERAS_BACKEND says which)
"""

import os
import sys

if os.environ["KERAS_BACKEND"] == "jax":
    sys.modules["tensorflow"] = None  # nothing of ours may need it

import keras
import numpy as np
from keras import layers
from keras.optimizers import SGD, Adam, LossScaleOptimizer
from keras.optimizers.schedules import PolynomialDecay

import rvsm_tf as rvsm

rng = np.random.default_rng(7)
X = rng.normal(size=(32, 6)).astype("float32")
Y = (np.tanh(X @ rng.normal(size=(6, 3))) + 0.1).astype("float32")


def network(built=True):
    first = [keras.Input((6,))] if built else []
    return keras.Sequential(
        [
            *first,
            layers.Dense(8, use_bias=False, name="dense"),
            layers.BatchNormalization(name="norm"),
            layers.Activation("tanh"),
            layers.Dense(3, name="out"),
        ],
        name="net",
    )


def constrained():
    net = network()
    net.get_layer("out").kernel.constraint = keras.constraints.UnitNorm(axis=0)
    return net


TARGET = rvsm.TargetSparsity(0.5, 8, every=3)
SPLITS = {
    "numbers": ({"dense": rvsm.TL1(a=0.1)}, 0.02, 0.5, None),
    "schedules": (
        {"dense": rvsm.L1(), "out": (rvsm.L0(), TARGET)},
        PolynomialDecay(0.01, 8, 0.05),
        PolynomialDecay(1.0, 8, 0.2),
        PolynomialDecay(0.1, 8, 0.01),
    ),
    "units": ({"dense": rvsm.Group(rvsm.L0(), "units")}, TARGET, 0.5, 0.2),
}
CASES = {
    "numbers": (network, lambda: SGD(0.1, momentum=0.9)),
    "schedules": (network, lambda: Adam(PolynomialDecay(0.01, 8))),
    "units": (constrained, lambda: Adam(0.01, gradient_accumulation_steps=2)),
    "unbuilt": (lambda: network(built=False), lambda: SGD(0.1)),
    # The first steps overflow float16, and are skipped: no gradient, no pull.
    "float16": (network, lambda: LossScaleOptimizer(SGD(0.1), 2.0**18)),
}


def start(net):
    """Gives a network weights that do not depend on the backend."""
    rng = np.random.default_rng(1)
    for variable in net.weights:
        if "norm" in variable.path:
            ones = variable.name in ("gamma", "moving_variance")
            variable.assign(np.full(variable.shape, float(ones)))
        else:
            variable.assign(rng.normal(0, 0.3, variable.shape))


def train(name, epochs=2):
    make, optimizer = CASES[name]
    keras.config.set_dtype_policy("mixed_float16" if name == "float16" else "float32")
    net = make()
    model = rvsm.RVSM(net, *SPLITS.get(name, SPLITS["numbers"]))
    if not net.built:
        model.compile(optimizer(), "mse")
        model.fit(X, Y, batch_size=8, epochs=1, verbose=0)  # builds; weights come below
    start(net)
    model.compile(optimizer(), "mse", metrics=["mae"])
    model.splitting.position.assign(0)
    logs = model.fit(
        X,
        Y,
        batch_size=8,
        epochs=epochs,
        shuffle=False,
        verbose=0,
        validation_data=(X, Y),
        callbacks=[rvsm.RVSMCallback()],
    ).history
    return model, logs


def main(file):
    found = {}
    for name in CASES:
        model, logs = train(name)
        sparse = model.harden()
        for i, w in enumerate(model.net.get_weights()):
            found[f"{name}/w{i}"] = w
        for i, u in enumerate(sparse.get_weights()):
            found[f"{name}/u{i}"] = u
        for key, values in logs.items():
            found[f"{name}/{key}"] = np.asarray(values, "float64")
        found[f"{name}/position"] = np.asarray(model.splitting.position)
        found[f"{name}/predict"] = model.predict(X, verbose=0)
        found[f"{name}/hardened"] = sparse.predict(X, verbose=0)
        found[f"{name}/evaluate"] = np.asarray(model.evaluate(X, Y, verbose=0))
        found[f"{name}/on batch"] = np.asarray(model.train_on_batch(X, Y)[0])
    # Saved in the middle of training and loaded, it goes on as if it had not been.
    once, _ = train("schedules")
    twice, _ = train("schedules", epochs=1)
    saved = file.replace(".npz", ".keras")
    twice.save(saved)
    loaded = keras.saving.load_model(saved)
    loaded.fit(X, Y, batch_size=8, shuffle=False, verbose=0)
    for i, (a, b) in enumerate(zip(once.get_weights(), loaded.get_weights())):
        found[f"resumed/{i}"] = np.asarray([a, b])
    np.savez(file, **found)


if __name__ == "__main__":
    main(sys.argv[1])
