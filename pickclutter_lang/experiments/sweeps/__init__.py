"""Sweeps: many runs planned, trained in child processes, and aggregated over seeds."""
