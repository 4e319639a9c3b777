"""Makes sure that a wheel holds the library alone, and asks for Keras and NumPy alone.

python tests/install/contents.py WHEEL
"""

import pathlib
import sys
import zipfile
from email import message_from_bytes

from packaging.requirements import Requirement

ROOT = pathlib.Path(__file__).parents[2]
EXTRAS = {
    *("docs", "gpu", "jax", "lint", "litert", "programs", "sweep", "test", "torch"),
}

if __name__ == "__main__":
    wheel = pathlib.Path(sys.argv[1])
    sources = {
        str(path.relative_to(ROOT))
        for pattern in ("*.py", "*.mjs", "py.typed")
        for path in (ROOT / "rvsm_tf").rglob(pattern)
    }
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (metadata,) = (name for name in names if name.endswith("/METADATA"))
        head = message_from_bytes(archive.read(metadata))
    beside = {name for name in names if name.startswith(metadata.split("/")[0])}
    assert "rvsm_tf/py.typed" in sources
    assert names - beside == sources, (names - beside) ^ sources

    needs = [Requirement(line) for line in head.get_all("Requires-Dist")]
    always = [need for need in needs if not need.marker]
    assert {need.name for need in always} == {"keras", "numpy"}, always
    # Caps live in the lock files.
    bounds = {bound.operator for need in always for bound in need.specifier}
    assert bounds == {">=", "!="}, always
    assert set(head.get_all("Provides-Extra")) == EXTRAS
    print(
        f"{wheel.name}: {len(sources)} files of rvsm_tf; {', '.join(map(str, always))}"
    )
