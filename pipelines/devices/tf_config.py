"""The machines that train together, as TensorFlow has them named: TF_CONFIG."""

import json
import os
from typing import Any

from commands.cli import InputError

VARIABLE = "TF_CONFIG"

_EXAMPLE = (
    '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, '
    '"task": {"type": "worker", "index": 0}}'
)


def read() -> dict[str, Any]:
    """Returns what TF_CONFIG says: who the workers are, and which one this is.

    Raises:
        InputError: it does not say that.
    """
    given = os.environ.get(VARIABLE, "")
    try:
        config = json.loads(given)
        workers, task = config["cluster"]["worker"], config["task"]
        sound = set(config["cluster"]) == {"worker"} and task["type"] == "worker"
        sound = sound and all(":" in address for address in workers)
        sound = sound and task["index"] in range(len(workers))
    except (ValueError, KeyError, TypeError):
        sound = False
    if not sound:
        raise InputError(
            f"--distribute multiworker: {VARIABLE} is {given!r}; it has to be such as "
            f"{_EXAMPLE}, with an index of its own for each worker"
        )
    return config


def own() -> str:
    """Returns this worker's address."""
    config = read()
    return config["cluster"]["worker"][config["task"]["index"]]


def others() -> list[str]:
    """Returns the addresses of the other workers."""
    return [each for each in read()["cluster"]["worker"] if each != own()]


def leads(distribute: str | None) -> bool:
    """Whether this process writes the run's files; of several workers one does."""
    return distribute != "multiworker" or read()["task"]["index"] == 0
