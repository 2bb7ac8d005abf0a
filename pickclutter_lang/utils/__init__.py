"""Helpers for every package above: files, locks, worker processes, progress, command lines, validation, statistics."""
