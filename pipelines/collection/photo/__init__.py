"""A photo or a scan of a drawing: from pixels to the picture that the network sees."""
