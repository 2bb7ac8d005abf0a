"""The processes of one training that `torchrun` started: each is a rank, and only rank 0 writes and reports.

`torchrun` says which rank a process is by environment variables. Without them there is one process, of rank 0.
"""

from __future__ import annotations

import os


def world_size() -> int:
    """Return the number of processes of this training."""
    return int(os.environ.get("WORLD_SIZE", 1))


def rank() -> int:
    """Return the number of this process among them, from 0."""
    return int(os.environ.get("RANK", 0)) if world_size() > 1 else 0


def local_rank() -> int:
    """Return the number of this process among those of its machine, from 0."""
    return int(os.environ.get("LOCAL_RANK", 0)) if world_size() > 1 else 0


def local_world_size() -> int:
    """Return the number of processes of this training on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", 1)) if world_size() > 1 else 1


def is_main() -> bool:
    """Return whether this process is of rank 0."""
    return rank() == 0
