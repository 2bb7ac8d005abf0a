"""Order of samples in an epoch: shuffled batches, and batches balanced between few-shot and training samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pickclutter_lang.errors import InvalidArgumentError


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


def balanced_batches(
    n_few_shot: int, n_train: int, size: int, passes: int, key: Sequence[int]
) -> list[tuple[list[int], list[int]]]:
    """Return the batches (few-shot rows, training rows) of a fine-tuning epoch.

    Few-shot scenes fill half of a batch, or less where all of them fit or in the last one; training scenes fill the
    rest, as far as there are so many.

    :param passes: how often an epoch goes over the few-shot scenes
    :raises InvalidArgumentError: when the training scenes do not fill their part of one batch
    """
    half = min(size // 2, n_few_shot)
    rest = size - half
    if n_few_shot < 1 or n_train < rest:
        raise InvalidArgumentError(
            f"expected at least 1 few-shot and {rest} training images for batches of {size}, but got "
            f"{n_few_shot} and {n_train}"
        )
    rng = np.random.default_rng(list(key))
    batches = []
    for _ in range(passes):
        order = rng.permutation(n_few_shot)
        for first in range(0, n_few_shot, half):
            few_shot = order[first : first + half]
            train = rng.choice(n_train, min(size - len(few_shot), n_train), replace=False)
            batches.append((few_shot.tolist(), train.tolist()))
    return batches
