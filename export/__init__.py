"""From a hardened .keras file to .tflite files that were run before they were kept.

What does so is `rvsm_tf.litert`; here are the commands, which know of runs, and the
runtimes that a checkout has. What a device needs is found under this folder's name as
well, as under `commands`: importing `rvsm_tf` takes Keras along, which no device has.
"""

import os

from commands import BASE

__path__.append(str(BASE))

# TensorFlow's C++ side prints a page of start-up notes otherwise.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
