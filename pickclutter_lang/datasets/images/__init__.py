"""Labeled images: datasets on disk, their splits, decoding."""
