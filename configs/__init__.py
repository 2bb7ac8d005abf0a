"""Hydra configuration groups and presets."""
