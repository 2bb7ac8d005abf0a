"""What the network is shown next, computed in other processes while it works."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import torch
from torch.utils.data import DataLoader, Dataset

Result = TypeVar("Result")


class _Computed(Dataset[Result]):
    def __init__(self, compute: Callable[[int], Result], count: int) -> None:
        self._compute, self._count = compute, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> Result:
        return self._compute(number)


def computed_ahead(compute: Callable[[int], Result], count: int, num_workers: int) -> Iterator[Result]:
    """Yield `compute(0)` to `compute(count - 1)`, in order.

    :param compute: depends on its argument alone, so that what is yielded does not depend on `num_workers`
    :param num_workers: processes forked to compute, each two results ahead; 0: in this one, when they are asked for
    """
    loader: DataLoader[Result] = DataLoader(
        _Computed(compute, count),
        batch_size=None,
        num_workers=num_workers,
        collate_fn=_unchanged,
        multiprocessing_context="fork" if num_workers else None,  # `compute` need not be pickled
        generator=torch.Generator(),  # the global one, which dropout draws from, stays as it is
    )
    yield from loader


def _unchanged(result: Any) -> Any:
    return result
