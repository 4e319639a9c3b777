"""Somebody's own drawings: a folder of scans, photos and pen recordings."""

ON_ERROR = ("skip", "stop")
"""What becomes of a file without a drawing: it is named and left out, or refused."""
