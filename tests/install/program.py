"""What somebody does who has installed the library and has nothing else of it.

python program.py train FOLDER     a network is made sparse, cut and saved there
python program.py export FOLDER    it becomes .tflite files, given the extra for that
python program.py answer FOLDER    what was saved answers, with the library gone
"""

import importlib.util
import json
import pathlib
import subprocess
import sys

import keras
import numpy as np

BACKENDS = {"jax", "tensorflow", "torch"}
NETWORKS = ("sparse", "small")


def there(name):
    """Whether a package is installed."""
    return importlib.util.find_spec(name) is not None


def train(folder):
    import rvsm_tf as rvsm

    assert pathlib.Path(rvsm.__file__).is_relative_to(sys.prefix), rvsm.__file__
    assert not any(name.startswith("rvsm_tf.litert") for name in sys.modules)
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(512, 12, 12, 1)).astype("float32")
    y = (x[:, :6].mean((1, 2, 3)) > x[:, 6:].mean((1, 2, 3))).astype("int32")
    net = keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            keras.layers.Conv2D(8, 3, activation="relu", name="conv"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(32, activation="relu", name="dense"),
            keras.layers.Dense(2, activation="softmax", name="classes"),
        ]
    )
    units = rvsm.Group(rvsm.L0(), "units")
    model = rvsm.RVSM(net, {"dense": units}, rvsm.TargetSparsity(0.75))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=5, verbose=0)

    sparse = model.harden()
    small = rvsm.compact(sparse)
    summary = rvsm.summarize(sparse)
    print(summary)
    assert 0.7 < summary.sparsity < 0.75
    assert small.count_params() < sparse.count_params() / 3
    np.savez(folder / "given.npz", x=x)
    for name, network in zip(NETWORKS, (sparse, small)):
        network.save(folder / f"{name}.keras")
        np.savez(folder / f"{name}.npz", answers=network.predict(x, verbose=0))


def export(folder):
    model, images = folder / "small.keras", folder / "images.npz"
    command = [sys.executable, "-m", "rvsm_tf.litert", str(model)]
    given = [*command, "--images", str(images), "--output", str(folder / "files")]
    run = subprocess.run(given, cwd=folder, capture_output=True, text=True, check=False)
    if not there("ai_edge_litert"):
        assert run.returncode == 2, run
        last = run.stderr.splitlines()[-1]
        assert last.startswith("Error: no ")
        assert last.endswith("pip install 'rvsm_tf[litert]'")
        return

    from rvsm_tf import litert

    with np.load(folder / "given.npz") as arrays:
        x = arrays["x"]
    np.savez(images, calibration=x[:32], test=x[32:])
    run = subprocess.run(given, cwd=folder, capture_output=True, text=True, check=False)
    print(run.stdout, run.stderr)
    assert run.returncode == 0
    report = json.loads((folder / "files" / "report.json").read_text())
    files = {row["file"]: row for row in report if row["file"]}
    assert {"float32.tflite", "float16.tflite", "int8.tflite"} <= set(files)
    assert {path.name for path in (folder / "files").iterdir()} == {
        *("report.json", "golden.json", *files)
    }
    names = [row["format"] for row in files.values()]
    network = keras.saving.load_model(model)
    litert.convert(network, images, folder / "again", names, quiet=True)
    for name, row in files.items():
        content = (folder / "files" / name).read_bytes()
        assert row["label_agreement"] > 0.95, row
        assert content == (folder / "again" / name).read_bytes()


def answer(folder):
    assert not there("rvsm_tf")
    with np.load(folder / "given.npz") as given:
        x = given["x"]
    for name in NETWORKS:
        network = keras.saving.load_model(folder / f"{name}.keras")
        with np.load(folder / f"{name}.npz") as expected:
            answers = network.predict(x, verbose=0)
            np.testing.assert_allclose(answers, expected["answers"], atol=1e-5)
    print(f"{keras.backend.backend()}: trained and cut; loaded without the library")


if __name__ == "__main__":
    # Nobody needs a backend but the one in use.
    assert {name for name in BACKENDS if there(name)} == {keras.backend.backend()}
    what = {"train": train, "export": export, "answer": answer}[sys.argv[1]]
    what(pathlib.Path(sys.argv[2]))
