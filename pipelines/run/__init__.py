"""A run: what to train, training it, and the folder that it leaves."""
