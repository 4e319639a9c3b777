"""The packages that the extra `litert` installs."""

import importlib.util

PACKAGES = ("tensorflow", "ai_edge_litert", "flatbuffers", "click")


def check() -> None:
    """Makes sure that they are there.

    Raises:
        ImportError: one is not; the message says how to install it.
    """
    lacking = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if lacking:
        raise ImportError(
            f"no {', '.join(lacking)} here: pip install 'rvsm_tf[litert]'"
        )
