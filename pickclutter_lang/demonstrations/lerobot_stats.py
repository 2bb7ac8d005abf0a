"""Statistics of the features of a LeRobot data set: of one episode, and of all."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

QUANTILES = {"q01": 0.01, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q99": 0.99}
Stats = dict[str, list[Any]]
"""`min`, `max`, `mean`, `std`, `count` and `q01` to `q99` of a feature; of images for each channel, in 0..1."""


def number_stats(values: NDArray[Any]) -> Stats:
    """Return statistics of values [N, d] over the first axis."""
    numbers = values.astype(float)
    found = {
        "min": numbers.min(0),
        "max": numbers.max(0),
        "mean": numbers.mean(0),
        "std": numbers.std(0),
        **{name: np.quantile(numbers, share, axis=0) for name, share in QUANTILES.items()},
    }
    return {**{name: value.tolist() for name, value in found.items()}, "count": [len(values)]}


def histogram(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return how often each value of each channel occurs in images [N, H, W, C], as [C, 256]."""
    return np.stack([np.bincount(images[..., n].ravel(), minlength=256) for n in range(images.shape[-1])])


def image_stats(counts: NDArray[np.int64], images: int) -> Stats:
    """Return statistics of images from the histogram [C, 256] of all their pixels, each as [C, 1, 1].

    :param images: how many they are
    """
    values, total = np.arange(256) / 255, counts.sum(1)
    mean = counts @ values / total
    reached = counts.cumsum(1) / total[:, None]
    found = {
        "min": values[(counts > 0).argmax(1)],
        "max": values[255 - (counts[:, ::-1] > 0).argmax(1)],
        "mean": mean,
        "std": np.sqrt((counts * (values - mean[:, None]) ** 2).sum(1) / total),
        **{name: values[(reached >= share).argmax(1)] for name, share in QUANTILES.items()},
    }
    return {**{name: value.reshape(-1, 1, 1).tolist() for name, value in found.items()}, "count": [images]}
