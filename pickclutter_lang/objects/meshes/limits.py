"""Limits that the command line and the files of names share."""

MIN_DENSITY, MAX_DENSITY = 1.0, 25_000.0
"""Of objects, kg/m^3."""
