"""Images: generated ones and drawings of one's own, in splits and in batches."""
