import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from tests.rvsm_tf.litert.conftest import make_tflite, tflite_files  # noqa: F401, fixtures
