"""Batches of an epoch: which samples are in each, and their preparation in other processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from pickclutter_lang.errors import InvalidArgumentError, PickClutterError, WorkerError
from pickclutter_lang.training.config import FewShotConfig

Batch = list[tuple[int, int]]
"""(source, row) of each image; grouped by source, the sources in order."""
Result = TypeVar("Result")
_UNLABELED_STREAM = 1


def shuffled_batches(count: int, size: int, key: Sequence[int]) -> list[list[int]]:
    """Return the batches of one epoch in an order sampled from `key`.

    A rest that fills no batch is left out of this epoch; another order leaves out others in the next.

    :raises InvalidArgumentError: when there are fewer than two scenes
    """
    if count < 2:
        raise InvalidArgumentError(f"expected at least 2 scenes to train on, but got {count}")
    size = min(size, count)
    order = np.random.default_rng(list(key)).permutation(count)
    return [order[first : first + size].tolist() for first in range(0, count - size + 1, size)]


def with_unlabeled(batches: Sequence[Sequence[int]], count: int, size: int, key: Sequence[int]) -> list[Batch]:
    """Return batches of (0, row) of training samples, each with (1, row) of unlabeled ones, drawn from `key`.

    :param batches: rows of the training samples
    :param count: unlabeled samples there are; 0: none
    :param size: of them in each batch, no sample twice, at most `count`
    """
    rng = np.random.default_rng([*key, _UNLABELED_STREAM])
    drawn = [rng.choice(count, min(size, count), replace=False).tolist() if count else [] for _ in batches]
    return [
        [*((0, row) for row in rows), *((1, row) for row in others)]
        for rows, others in zip(batches, drawn, strict=True)
    ]


def balanced_batches(n_train: int, n_few_shot: int, config: FewShotConfig, key: Sequence[int]) -> list[Batch]:
    """Return the batches of a fine-tuning epoch: (0, row) of training samples, then (1, row) of few-shot samples.

    Few-shot samples fill half of a batch, or less where all of them fit. An epoch passes `config.repeats` times over
    the samples that `config.epoch_over` names, each time in a new order. For each batch the others are drawn at
    random, no sample twice. The last batch of a pass has the rest: of few-shot samples with more training samples, as
    far as there are so many; of training samples with half a batch of few-shot samples, as in the paper's program.

    :param key: seeds the order: seed, phase, epoch
    :raises InvalidArgumentError: when the training samples do not fill their part of one batch
    """
    size = config.batch_size
    half = min(size // 2, n_few_shot)
    if n_few_shot < 1 or n_train < size - half:
        raise InvalidArgumentError(
            f"expected at least 1 few-shot and {size - half} training samples for batches of {size}, but got "
            f"{n_few_shot} and {n_train}; take smaller batches (few_shot.batch_size) or more samples"
        )
    rng = np.random.default_rng(list(key))
    drawn: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    for _ in range(config.repeats):
        if config.epoch_over == "training":
            parts = _parts(rng.permutation(n_train), size - half)
            drawn += [(seen, rng.choice(n_few_shot, half, replace=False)) for seen in parts]
        else:
            parts = _parts(rng.permutation(n_few_shot), half)
            drawn += [(rng.choice(n_train, min(size - len(few), n_train), replace=False), few) for few in parts]
    return [[*((0, row) for row in seen.tolist()), *((1, row) for row in few.tolist())] for seen, few in drawn]


def _parts(order: NDArray[np.int64], size: int) -> list[NDArray[np.int64]]:
    return [order[first : first + size] for first in range(0, len(order), size)]


def prefetch_map(compute: Callable[[int], Result], count: int, num_workers: int) -> Iterator[Result]:
    """Yield `compute(0)` to `compute(count - 1)`, in order.

    :param compute: depends only on its argument, so that what is yielded does not depend on `num_workers`
    :param num_workers: processes forked to compute, each up to two results early; 0: in this one, when they are needed
    :raises PickClutterError: what `compute` raises; WorkerError when one of the processes was ended, or when the
        shared memory is too small for their results
    """
    loader: DataLoader[Any] = DataLoader(
        _Computed(compute, shared=num_workers > 0),
        batch_size=None,
        sampler=range(count),
        num_workers=num_workers,
        collate_fn=lambda result: result,
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


class _Computed(Dataset[Any]):
    """Results, or the errors in their place: from another process torch would put a traceback into their texts."""

    def __init__(self, compute: Callable[[int], Any], shared: bool) -> None:
        self._compute, self._shared = compute, shared

    def __getitem__(self, number: int) -> Any:
        if not self._shared:
            return self._compute(number)
        try:
            result = self._compute(number)
        except PickClutterError as error:
            return error
        try:  # torch does it too, in a thread whose errors nobody sees: with a full memory the reader waits for ever
            for tensor in _tensors(result):
                tensor.share_memory_()
        except RuntimeError as error:
            return WorkerError(
                f"the shared memory at /dev/shm takes no result, as where it is full ({str(error).splitlines()[0]}); "
                "set num_workers=0 or smaller batches, or give more (Docker: --shm-size=2g), and run it again"
            )
        return result


def _tensors(value: Any) -> Iterator[Tensor]:
    """Yield all tensors of a nested value."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (Mapping, list, tuple)):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _tensors(item)
    elif hasattr(value, "__dict__"):
        yield from _tensors(vars(value))
