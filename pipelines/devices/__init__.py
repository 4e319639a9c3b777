"""What training runs on: a processor, a GPU, several, several machines."""

DISTRIBUTIONS = ("mirrored", "multiworker")
"""All devices of this machine together, or several machines."""
