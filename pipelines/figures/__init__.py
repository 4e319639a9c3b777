"""Figures of a run and of a classifier: scores, tables, pictures."""
