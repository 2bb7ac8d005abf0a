"""Camera images as a student's input: crop, flip, color jitter, units; needs no torch.

How a training image is augmented is drawn for each separately. What is drawn depends on (seed, phase, epoch, store,
scene) only, not on batch or order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.datasets.config import AugmentationConfig
from pickclutter_lang.utils.constants import MAX_DEPTH_M


@dataclass(frozen=True)
class AugmentationParams:
    """How one image is augmented: flips, shift of the crop in pixels (down, right), brightness and contrast."""

    horizontal: bool = False
    vertical: bool = False
    shift: tuple[int, int] = (0, 0)
    brightness: float = 1.0
    contrast: float = 1.0


def sample_augmentation(config: AugmentationConfig, side: int, key: Sequence[int]) -> AugmentationParams:
    """Draw how one image is augmented.

    :param side: side of the crop in pixels; the shift is at most `config.shift` of it
    :param key: numbers >= 0 that seed the draw: seed, phase, epoch, store, scene
    """
    u = np.random.default_rng(list(key)).uniform(size=6)
    largest = config.shift * side
    return AugmentationParams(
        horizontal="horizontal" in config.flips and bool(u[0] < 0.5),
        vertical="vertical" in config.flips and bool(u[1] < 0.5),
        shift=(round((2 * u[2] - 1) * largest), round((2 * u[3] - 1) * largest)),
        brightness=1 + (2 * u[4] - 1) * config.brightness,
        contrast=1 + (2 * u[5] - 1) * config.contrast,
    )


def flip_variants(flips: Sequence[str]) -> list[AugmentationParams]:
    """Return the distinct flips that an augmentation can draw; `flip_index` gives the position in this list."""
    horizontal = [False, True] if "horizontal" in flips else [False]
    vertical = [False, True] if "vertical" in flips else [False]
    return [AugmentationParams(h, v) for v in vertical for h in horizontal]


def flip_index(params: AugmentationParams, flips: Sequence[str]) -> int:
    """Return the position of the flips of `params` in `flip_variants(flips)`."""
    return flip_variants(flips).index(AugmentationParams(params.horizontal, params.vertical))


def crop_and_flip(image: NDArray[np.generic], crop_size: int, params: AugmentationParams) -> NDArray[np.generic]:
    """Return the shifted center crop of an image, flipped; padded with border pixels.

    :param image: [S, S, ...]
    :param crop_size: side of the crop, at most S
    :return: [crop_size, crop_size, ...]
    """
    side = image.shape[0]
    start = (side - crop_size) // 2
    rows, columns = (np.clip(np.arange(crop_size) + start + by, 0, side - 1) for by in params.shift)
    if params.vertical:
        rows = rows[::-1]
    if params.horizontal:
        columns = columns[::-1]
    crop: NDArray[np.generic] = image.take(rows, axis=0).take(columns, axis=1)
    return crop


def color_jitter(
    images: NDArray[np.float32], gain: NDArray[np.float32], contrast: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Change the brightness of each image, then its contrast about its mean.

    :param images: N images in 0..1, channels first or last
    :param gain: factor of the brightness, and of each channel's, with four axes that fit `images`
    :param contrast: [N, 1, 1, 1]
    :return: N images in 0..1
    """
    bright = images * gain
    mean = bright.mean(axis=(1, 2, 3), dtype=np.float32, keepdims=True)
    out: NDArray[np.float32] = np.clip((bright - mean) * contrast + mean, 0, 1)
    return out


def stack_channels(
    images: Mapping[tuple[str, str], NDArray[np.generic]],
    crop_size: int,
    params: Sequence[AugmentationParams] | None = None,
) -> tuple[NDArray[np.float32], list[int]]:
    """Return the center crops of n images, float32 [n, crop_size, crop_size, K], and which channels are depth.

    Arguments and units are those of `crops.preprocess_images`. A student that acts has its input from here too.
    """
    count = len(next(iter(images.values())))
    chosen = params if params is not None else [AugmentationParams()] * count
    widths = [3 if kind == "rgb" else 1 for _, kind in images]
    out = np.empty((count, crop_size, crop_size, sum(widths)), np.float32)
    channel = 0
    for width, ((_, kind), stack) in zip(widths, images.items(), strict=True):
        for n, image in enumerate(stack):
            out[n, ..., channel : channel + width] = _prepare(
                crop_and_flip(image, crop_size, chosen[n]), kind, chosen[n]
            )
        channel += width
    return out, [sum(widths[:n]) for n, (_, kind) in enumerate(images) if kind == "depth"]


def _prepare(image: NDArray[np.generic], kind: str, params: AugmentationParams) -> NDArray[np.float32]:
    """Return a crop as floats [crop_size, crop_size, channels]: RGB in 0..1, depth in meters."""
    if kind == "depth":
        return np.minimum(image[..., None].astype(np.float32) / 1000, MAX_DEPTH_M)
    rgb = image.astype(np.float32) / 255
    if params.brightness == 1.0 and params.contrast == 1.0:
        return rgb
    gain, contrast = np.array([params.brightness, params.contrast], np.float32).reshape(2, 1, 1, 1, 1)
    jittered: NDArray[np.float32] = color_jitter(rgb[None], gain, contrast)[0]
    return jittered
