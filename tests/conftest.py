"""The order of files: what takes longest begins first, and no core waits at the end."""

import pathlib

# Minutes of the slow tier, longest first.
LONGEST = (
    "rvsm_tf/sweep/test_backends.py",
    "faults/test_kills.py",
    "export/test_convert.py",
    "pipelines/test_own.py",
    "pipelines/recipe/test_structure.py",
    "pipelines/sweep/test_sweep_ray.py",
    "pipelines/devices/test_distribution.py",
    "pipelines/test_train.py",
    "pipelines/reproduce/test_reproduce.py",
)


def pytest_collection_modifyitems(items):
    tests = pathlib.Path(__file__).parent
    rank = {tests / name: k for k, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path, len(rank)))
