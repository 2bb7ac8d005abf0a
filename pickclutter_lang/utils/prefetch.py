"""Computes the next batches in other processes while the network works on the current one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, get_worker_info

from pickclutter_lang.errors import PickClutterError, WorkerError

Result = TypeVar("Result")


class _Computed(Dataset["Result | PickClutterError"], Generic[Result]):
    def __init__(self, compute: Callable[[int], Result], count: int) -> None:
        self._compute, self._count = compute, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> Result | PickClutterError:
        if get_worker_info() is None:
            return self._compute(number)
        try:
            result = self._compute(number)
            _share(result)
            return result
        except PickClutterError as error:
            # From another process torch would put a traceback into its text.
            return error


def prefetch_map(compute: Callable[[int], Result], count: int, num_workers: int) -> Iterator[Result]:
    """Yield `compute(0)` to `compute(count - 1)`, in order.

    :param compute: depends on its argument alone, so that what is yielded does not depend on `num_workers`
    :param num_workers: processes forked to compute, each up to two results early; 0: in this one, when they are needed
    :raises PickClutterError: what `compute` raises; WorkerError when one of the processes was ended, or when the
        shared memory is too small for their results
    """
    loader: DataLoader[Result | PickClutterError] = DataLoader(
        _Computed(compute, count),
        batch_size=None,
        num_workers=num_workers,
        collate_fn=_unchanged,
        multiprocessing_context="fork" if num_workers else None,  # `compute` need not be pickled
        generator=torch.Generator(),  # the global one, which dropout draws from, stays as it is
    )
    try:
        for result in loader:
            if isinstance(result, PickClutterError):
                raise result
            yield result
    except RuntimeError as error:
        if "DataLoader worker (pid" not in str(error):
            raise
        raise WorkerError(
            f"a process that prepares images was ended ({error}); run the same command again with fewer num_workers "
            f"than {num_workers}, or with more memory or a larger /dev/shm"
        ) from error


def _share(value: Any) -> None:
    """Move all tensors of a nested value to shared memory.

    torch does it too, but in a thread whose errors nobody sees: where the memory is full, the reader waits for ever.

    :raises WorkerError: when the shared memory is full
    """
    for tensor in _tensors(value):
        try:
            tensor.share_memory_()
        except RuntimeError as error:
            raise WorkerError(
                f"the shared memory at /dev/shm takes no result, as where it is full ({str(error).splitlines()[0]}); "
                "set num_workers=0 or smaller batches, or give more (Docker: --shm-size=2g), and run it again"
            ) from error


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (Mapping, list, tuple)):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _tensors(item)
    elif hasattr(value, "__dict__"):
        yield from _tensors(vars(value))


def _unchanged(result: Any) -> Any:
    return result
