"""What the machine does well: the arithmetic and the compiler training runs with."""

import contextlib
import dataclasses
import os
import pathlib
import platform
from collections.abc import Iterator

import keras
import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Device:
    """Where training runs.

    Attributes:
        name: in words, for people.
        gpu: whether it is one.
        precision: the Keras dtype policy that is fastest here without harm.
        jit_compile: Keras's argument of that name. XLA's convolutions are several
            times slower than TensorFlow's own on a CPU.
    """

    name: str
    gpu: bool
    precision: str
    jit_compile: bool | str


def words() -> str:
    """Returns the machine in words, as results name it."""
    found = detect()
    if found.gpu:
        return f"an {found.name} GPU"
    return f"{os.cpu_count()} cores of an {found.name} processor, no GPU"


@contextlib.contextmanager
def computing_in(precision: str) -> Iterator[None]:
    """Makes layers that are built inside the block compute in a precision."""
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy("float32")


def detect() -> Device:
    """Returns the device that TensorFlow will use."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        details = tf.config.experimental.get_device_details(gpus[0])
        # bfloat16 in hardware since the Ampere generation.
        modern = details.get("compute_capability", (0, 0)) >= (8, 0)
        return Device(
            name=details.get("device_name", "GPU"),
            gpu=True,
            precision="mixed_bfloat16" if modern else "float32",
            jit_compile="auto",
        )
    info = _processor()
    # Without these instructions bfloat16 is emulated, and slower than float32.
    native = not info["flags"].isdisjoint({"avx512_bf16", "amx_bf16"})
    return Device(
        name=info["name"],
        gpu=False,
        precision="mixed_bfloat16" if native else "float32",
        jit_compile=False,
    )


def _processor() -> dict:
    """Returns the processor's name and instruction set flags, as far as known."""
    fields = {}
    source = pathlib.Path("/proc/cpuinfo")
    if source.exists():
        for line in source.read_text("utf-8").splitlines():
            key, _, value = line.partition(":")
            fields.setdefault(key.strip(), value.strip())
    return {
        "name": fields.get("model name") or platform.processor() or platform.machine(),
        "flags": set(fields.get("flags", "").split()),
    }
