"""Per-image augmentation that depends on (seed, phase, epoch, store, scene) alone, not on batch or order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.datasets.config import AugmentationConfig


@dataclass(frozen=True)
class AugmentationParams:
    """What is done to one image: flips, shift of the window in pixels (down, right), brightness and contrast."""

    horizontal: bool = False
    vertical: bool = False
    shift: tuple[int, int] = (0, 0)
    brightness: float = 1.0
    contrast: float = 1.0


def sample_augmentation(config: AugmentationConfig, side: int, key: Sequence[int]) -> AugmentationParams:
    """Draw what is done to one image.

    :param side: side of the window in pixels; the shift is at most `settings.shift` of it
    :param key: numbers >= 0 that name the image and the time: seed, phase, epoch, store, scene
    """
    u = np.random.default_rng(list(key)).uniform(size=6)
    reach = config.shift * side
    return AugmentationParams(
        horizontal="horizontal" in config.flips and bool(u[0] < 0.5),
        vertical="vertical" in config.flips and bool(u[1] < 0.5),
        shift=(round((2 * u[2] - 1) * reach), round((2 * u[3] - 1) * reach)),
        brightness=1 + (2 * u[4] - 1) * config.brightness,
        contrast=1 + (2 * u[5] - 1) * config.contrast,
    )


def flip_variants(flips: Sequence[str]) -> list[AugmentationParams]:
    """Return the distinct flips that an augmentation can draw; `flip_index` gives the position in this list."""
    horizontal = [False, True] if "horizontal" in flips else [False]
    vertical = [False, True] if "vertical" in flips else [False]
    return [AugmentationParams(h, v) for v in vertical for h in horizontal]


def flip_index(draw: AugmentationParams, flips: Sequence[str]) -> int:
    """Return the position of a draw's flips in `flip_variants(flips)`."""
    return flip_variants(flips).index(AugmentationParams(draw.horizontal, draw.vertical))


def crop_and_flip(image: NDArray[np.generic], view: int, draw: AugmentationParams) -> NDArray[np.generic]:
    """Cut the (shifted) central window out of a image and flip it; border pixels fill what lies outside.

    :param image: [S, S, ...]
    :param view: side of the window, at most S
    :return: [view, view, ...]
    """
    side = image.shape[0]
    start = (side - view) // 2
    rows, columns = (np.clip(np.arange(view) + start + by, 0, side - 1) for by in draw.shift)
    if draw.vertical:
        rows = rows[::-1]
    if draw.horizontal:
        columns = columns[::-1]
    window: NDArray[np.generic] = image[rows[:, None], columns[None, :]]
    return window


def color_jitter(rgb: NDArray[np.float32], draw: AugmentationParams) -> NDArray[np.float32]:
    """Change brightness, then contrast about the image's mean.

    :param rgb: [S, S, 3] in 0..1
    :return: [S, S, 3] in 0..1
    """
    if draw.brightness == 1.0 and draw.contrast == 1.0:
        return rgb
    bright = rgb * np.float32(draw.brightness)
    mean = bright.mean(dtype=np.float32)
    out: NDArray[np.float32] = np.clip((bright - mean) * np.float32(draw.contrast) + mean, 0, 1)
    return out
