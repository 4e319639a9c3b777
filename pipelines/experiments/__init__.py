"""What many runs have in common: names, files, progress, spread."""
