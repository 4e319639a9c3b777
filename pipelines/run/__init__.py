"""A run: its configuration, its folder, and what its network answers."""
