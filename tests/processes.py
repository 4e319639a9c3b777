"""Other processes: what they are given, and waiting for them."""

import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).parents[1]

# Compiling takes most of the time, and nobody waits for what it makes.
FAST = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"

# Of code for `run_python`, which is given ROOT: TensorFlow with two virtual devices.
TWO_DEVICES = """import sys
sys.path.insert(0, sys.argv[1])
import keras, numpy as np, tensorflow as tf
import rvsm_tf as rvsm

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(
    cpu, [tf.config.LogicalDeviceConfiguration()] * 2
)
"""


def on_backend(name):
    """Returns the environment of a process on one of Keras's backends."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    here = {"KERAS_BACKEND": name, "TF_CPP_MIN_LOG_LEVEL": "3", "XLA_FLAGS": FAST}
    return {**os.environ, **here, "PYTHONPATH": path}


def run_python(code, *arguments):
    """Runs code in a fresh Python, and returns what it prints."""
    result = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": ""},
        cwd="/",
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def alive(pid):
    """Whether a process runs; one that ended and was not waited for does not."""
    try:
        status = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def until(condition, seconds=600):
    """Returns when a condition holds; fails where it does not in that time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
