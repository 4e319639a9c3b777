"""Many trainings over a grid of options, on this machine or a Ray cluster."""

import os

# Ray would report home, and print what its nodes have to say when one dies.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".")
