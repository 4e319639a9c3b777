"""Writes a hardened model as .tflite files that were run before they were kept.

python -m rvsm_tf.litert MODEL.keras --images FILE.npz --output DIR
"""

import sys

from . import convert, extra

try:
    extra.check()
except ImportError as error:
    print(f"Error: {error}", file=sys.stderr)
    sys.exit(2)

from .base.cli import quietly
from .base.command import command

# What TensorFlow's converter prints while it is imported says nothing to people.
with quietly():
    from .report import table

main = command("MODEL.keras", convert, table)

if __name__ == "__main__":
    main()
