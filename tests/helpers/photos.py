"""Photos of objects on a plain ground."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def photo(
    side: int, *objects: tuple[float, float, float], ground: int = 200
) -> tuple[NDArray[np.uint8], list[NDArray[np.bool_]]]:
    """Return a noisy photo of disks (center and radius, as fractions of the side) in uneven light, and their masks."""
    rng, (v, u) = np.random.default_rng(side), np.mgrid[:side, :side] / side
    image = np.repeat((ground + 20 * u + 5 * v)[..., None], 3, axis=2)
    masks = list[NDArray[np.bool_]]()
    for n, (x, y, radius) in enumerate(objects):
        masks.append((u - x) ** 2 + (v - y) ** 2 < radius**2)
        image[masks[-1]] = np.roll([180, 40, 30 + 60 * n], n) + 30 * (np.sin(40 * u) > 0)[masks[-1]][:, None]
    return np.clip(image + rng.normal(0, 2, image.shape), 0, 255).astype(np.uint8), masks
