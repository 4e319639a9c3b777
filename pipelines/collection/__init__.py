"""Somebody's own drawings: a folder of scans, photos and pen recordings."""
