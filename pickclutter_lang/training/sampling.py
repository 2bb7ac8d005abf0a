"""Order of samples in an epoch: shuffled batches, and batches balanced between few-shot and training samples."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.training.config import FewShotConfig
from pickclutter_lang.training.trainer import Batch

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


def draw_others(count: int, taken: Collection[int], size: int, rng: np.random.Generator) -> list[int]:
    """Draw from the rows below `count` that are not taken, no row twice, at most `size`.

    They are never listed: that would take time by `count` for each batch.
    """
    left_out = np.sort(np.array([*taken], np.int64))
    drawn = rng.choice(count - len(left_out), min(size, count - len(left_out)), replace=False)
    # Of the rows that are left, number k is row k and as many further as are left out up to there.
    rows: list[int] = (drawn + np.searchsorted(left_out - np.arange(len(left_out)), drawn, side="right")).tolist()
    return rows


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
    batches = []
    for _ in range(config.repeats):
        if config.epoch_over == "training":
            for seen in _parts(rng.permutation(n_train), size - half):
                batches.append(_batch(seen, rng.choice(n_few_shot, half, replace=False)))
        else:
            for few_shot in _parts(rng.permutation(n_few_shot), half):
                batches.append(_batch(rng.choice(n_train, min(size - len(few_shot), n_train), replace=False), few_shot))
    return batches


def _parts(order: NDArray[np.int64], size: int) -> Iterator[NDArray[np.int64]]:
    for first in range(0, len(order), size):
        yield order[first : first + size]


def _batch(seen: NDArray[np.int64], few_shot: NDArray[np.int64]) -> Batch:
    return [*((0, row) for row in seen.tolist()), *((1, row) for row in few_shot.tolist())]
