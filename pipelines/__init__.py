"""The programs: `python -m pipelines.train`, `python -m pipelines.evaluate`."""

import os

# TensorFlow's C++ side prints a page of start-up notes otherwise.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
