"""The processes of one training that `torchrun` started: each is a rank, and rank 0 alone writes and reports.

`torchrun` says which rank a process is by environment variables. Without them there is one process, of rank 0.
"""

from __future__ import annotations

import os

from pickclutter_lang.errors import InvalidArgumentError

RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE = "RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"


def world_size() -> int:
    """Return the number of processes of this training.

    :raises InvalidArgumentError: when the environment variable is no number above 0
    """
    return _number(WORLD_SIZE, 1)


def rank() -> int:
    """Return the number of this process among them, from 0.

    :raises InvalidArgumentError: when the environment variable is no number from 0 to the last process
    """
    number = _number(RANK, 0) if world_size() > 1 else 0
    if number >= world_size():
        raise InvalidArgumentError(f"expected {RANK} to be below {WORLD_SIZE}={world_size()}, but got {number}")
    return number


def local_rank() -> int:
    """Return the number of this process among those of its machine, from 0."""
    return _number(LOCAL_RANK, 0) if world_size() > 1 else 0


def local_world_size() -> int:
    """Return the number of processes of this training on this machine."""
    return _number(LOCAL_WORLD_SIZE, 1) if world_size() > 1 else 1


def is_main() -> bool:
    """Return whether this process is of rank 0."""
    return rank() == 0


def own_slice() -> slice:
    """Return which rows of a batch this process computes; all of them where it is the only one."""
    return slice(rank(), None, world_size())


def own_rows(count: int) -> range:
    """Return the numbers of the rows, of `count`, that this process computes."""
    return range(count)[own_slice()]


def _number(name: str, smallest: int) -> int:
    text = os.environ.get(name, str(smallest))
    if not text.isdecimal() or int(text) < smallest:
        raise InvalidArgumentError(
            f"expected the environment variable {name} to be a number from {smallest} on, as torchrun sets it, but got "
            f"{text!r}; unset it, or start by torchrun"
        )
    return int(text)
