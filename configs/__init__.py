"""Presets of hydra: a folder for each group. The defaults are those of the dataclasses."""
