"""From a hardened .keras file to .tflite files that were run before they were kept."""

import os

# TensorFlow's C++ side prints a page of start-up notes otherwise.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
