"""Many trainings over a grid of options, on this machine or a Ray cluster."""
