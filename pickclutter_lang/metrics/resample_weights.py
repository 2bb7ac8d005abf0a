"""How often each unit of a factor is drawn in the resamples of a bootstrap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pickclutter_lang.metrics.weighted import Floats


def unit_weights(rng: np.random.Generator, count: int, units: int, resampled: bool) -> Floats:
    """Return how often each of some units is drawn, [count, units]; all once where they are not resampled."""
    if not resampled or units == 1:
        return np.ones((count, units))
    return np.asfortranarray(rng.multinomial(units - 1, [1 / units] * units, size=count), dtype=float)


def union_weights(
    rng: np.random.Generator, count: int, units: Mapping[int, Sequence[int] | Sequence[str]]
) -> dict[int, Floats]:
    """Return how often the units of each split are drawn from those of all splits together, split -> [count, units].

    Of U units, U (n - 1) / n are drawn where the smallest split has n: the variance of a mean over n stays unbiased.
    A split of which none is drawn, as happens to small ones, draws from its own.
    """
    if not units:
        return {}
    union = sorted({unit for own in units.values() for unit in own})
    place = {unit: n for n, unit in enumerate(union)}
    fewest = min(map(len, units.values()))
    weights = rng.multinomial(round(len(union) * (fewest - 1) / fewest), [1 / len(union)] * len(union), size=count)
    places = {split: [place[unit] for unit in own] for split, own in units.items()}
    found = {split: np.asfortranarray(weights[:, columns], dtype=float) for split, columns in places.items()}
    for of_split in found.values():
        empty = ~of_split.any(axis=1)
        of_split[empty] = unit_weights(rng, int(empty.sum()), of_split.shape[1], True)
    return found
