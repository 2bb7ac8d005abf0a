"""The order of samples in an epoch: shuffled batches, and batches that hold few-shot samples too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pickclutter_lang.errors import InvalidArgumentError


def shuffled_batches(count: int, size: int, key: Sequence[int]) -> list[list[int]]:
    """Return the batches of one epoch in an order drawn from `key`.

    A rest that fills no batch is left out of this epoch; another order leaves out others in the next.

    :raises InvalidArgumentError: when there are fewer than two scenes
    """
    if count < 2:
        raise InvalidArgumentError(f"expected at least 2 scenes to train on, but got {count}")
    size = min(size, count)
    order = np.random.default_rng(list(key)).permutation(count)
    return [order[first : first + size].tolist() for first in range(0, count - size + 1, size)]


def balanced_batches(
    few: int, many: int, size: int, passes: int, key: Sequence[int]
) -> list[tuple[list[int], list[int]]]:
    """Return the batches (few-shot rows, training rows) of a fine-tuning epoch.

    Few-shot scenes fill half of a batch, or less where all of them fit or in the last one; training scenes fill the
    rest, as far as there are so many.

    :param passes: how often an epoch goes over the few-shot scenes
    :raises InvalidArgumentError: when the training scenes do not fill their part of one batch
    """
    half = min(size // 2, few)
    rest = size - half
    if few < 1 or many < rest:
        raise InvalidArgumentError(
            f"expected at least 1 few-shot and {rest} training images for batches of {size}, but got {few} and {many}"
        )
    rng = np.random.default_rng(list(key))
    batches = []
    for _ in range(passes):
        order = rng.permutation(few)
        for first in range(0, few, half):
            own = order[first : first + half]
            batches.append((own.tolist(), rng.choice(many, min(size - len(own), many), replace=False).tolist()))
    return batches
