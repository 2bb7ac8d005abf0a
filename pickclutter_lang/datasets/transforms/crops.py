"""Crops in torch: preprocessing for a student, and crops of any place, size and rotation with their augmentation.

The crop of a student's image is cut by whole pixels, so that no pixel changes. All other crops are interpolated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.datasets.transforms.augmentation import AugmentationParams, color_jitter, stack_channels
from pickclutter_lang.datasets.transforms.resampling import MARGIN, MIN_CROP_SIDE, bounding_square, object_crop


def preprocess_images(
    images: Mapping[tuple[str, str], NDArray[np.generic]],
    crop_size: int,
    size: int,
    params: Sequence[AugmentationParams] | None = None,
) -> Tensor:
    """Return images for a student.

    :param images: (camera, kind) -> n of them, in the order of the channels: `rgb` uint8 [n, S, S, 3], `depth` uint16
        [n, S, S] in millimeters (0 = nothing)
    :param crop_size: side in pixels of the center crop, at most S
    :param size: side to which it is resized
    :param params: how each of the n is augmented; None: not at all
    :return: float32 [n, K, size, size], channels last in memory: RGB in 0..1, depth in meters (0 = nothing, at most 2)
    """
    out, depths = stack_channels(images, crop_size, params)
    return _resize(torch.from_numpy(out).permute(0, 3, 1, 2), size, depths)


def _resize(images: Tensor, size: int, depths: Sequence[int]) -> Tensor:
    """Resize as `resampling.resize_channels` does for a student that acts: equal up to rounding, and fast on many."""
    if size == images.shape[-1]:
        return images
    smooth = functional.interpolate(images, size=(size, size), mode="bilinear", antialias=True)
    if depths:
        near = functional.interpolate(images, size=(size, size), mode="nearest-exact")
        smooth[:, depths] = near[:, depths]
    return smooth.contiguous(memory_format=torch.channels_last)


@dataclass(frozen=True)
class AffineCrops:
    """A square crop for each of N images.

    `center` [N, 2] (x, y) and `size` [N], its side, in pixels; `angle` [N] in radians; `mirrored` [N].
    """

    center: NDArray[np.float64]
    size: NDArray[np.float64]
    angle: NDArray[np.float64]
    mirrored: NDArray[np.bool_]

    @classmethod
    def upright(cls, center: NDArray[np.float64], size: NDArray[np.float64]) -> AffineCrops:
        """Return crops that are neither rotated nor mirrored."""
        return cls(center, size, np.zeros(len(size)), np.zeros(len(size), bool))

    def sampling_grid(self, shape: tuple[int, ...], size: int) -> Tensor:
        """Return where the pixels of the crops lie, in images of a shape [N, H, W, ...].

        :return: [N, size, size, 2], in the form that `grid_sample` reads
        """
        height, width = shape[1:3]
        half = self.size / 2
        cos, sin = np.cos(self.angle) * half, np.sin(self.angle) * half
        flip = np.where(self.mirrored, -1.0, 1.0)
        scale = np.array([2 / width, 2 / height])
        theta = np.empty((len(half), 2, 3))
        theta[:, 0, 0], theta[:, 0, 1] = cos * flip * scale[0], -sin * scale[0]
        theta[:, 1, 0], theta[:, 1, 1] = sin * flip * scale[1], cos * scale[1]
        theta[:, :, 2] = (self.center + 0.5) * scale - 1
        wanted = [len(half), 1, size, size]
        return functional.affine_grid(torch.from_numpy(theta).float(), wanted, align_corners=False)


def crop_images(images: NDArray[np.uint8], crops: AffineCrops, size: int) -> Tensor:
    """Crop images [N, H, W, 3] and resize the crops, bilinear; padded with border pixels.

    :return: float32 [N, 3, size, size] in 0..1
    """
    x = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    grid = crops.sampling_grid(images.shape, size)
    return functional.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)


def crop_masks(segmentation: NDArray[np.uint8], crops: AffineCrops, size: int) -> Tensor:
    """Crop segmentations [N, H, W] and resize the crops, nearest pixel; padded with 0.

    :return: uint8 [N, size, size]
    """
    grid = crops.sampling_grid(segmentation.shape, size)
    x = torch.from_numpy(segmentation)[:, None].float()
    cropped = functional.grid_sample(x, grid, mode="nearest", padding_mode="zeros", align_corners=False)
    return cropped[:, 0].round().to(torch.uint8)


def random_color_jitter(images: Tensor, rng: np.random.Generator) -> Tensor:
    """Change brightness, contrast and tint of each image [N, 3, H, W] in 0..1, as drawn from `rng`."""
    count = len(images)
    gain = rng.uniform(0.75, 1.25, (count, 1, 1, 1)) * rng.uniform(0.95, 1.05, (count, 3, 1, 1))
    contrast = rng.uniform(0.8, 1.2, (count, 1, 1, 1))
    return torch.from_numpy(color_jitter(images.numpy(), gain.astype(np.float32), contrast.astype(np.float32)))


def crop_squares(
    images: NDArray[np.uint8], squares: Sequence[Sequence[float]], size: int | None = None
) -> NDArray[np.uint8]:
    """Return a crop of each of N images [N, H, W, 3] around a square (see `bounding_square`), for a teacher.

    The crop of a small object is not widened to `MIN_CROP_SIDE`: a teacher has no mask and would name its neighbors.

    :param size: side S of the crops; None: H, so that no crop has fewer pixels than its part of the image
    :return: uint8 [N, S, S, 3]
    """
    x, y, side = np.array(squares).T
    crops = crop_images(images, AffineCrops.upright(np.stack([x, y], axis=1), MARGIN * side), size or images.shape[1])
    return (crops * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()


def object_crops(images: NDArray[np.uint8], masks: NDArray[np.bool_], size: int | None) -> NDArray[np.uint8]:
    """Return the crop of an object by its mask [N, H, W] in each of N images [N, H, W, 3], for a teacher.

    :param size: side S of crops of the object alone (see `resampling.object_crop`). None: crops as large as the images,
        with what surrounds the object (see `crop_squares`)
    :return: uint8 [N, S, S, 3]
    """
    if size is None:
        return crop_squares(images, [bounding_square(mask) for mask in masks])
    crops = np.stack([object_crop(image, mask, size) for image, mask in zip(images, masks, strict=True)])
    return np.asarray((crops * 255).round(), np.uint8)


def crops_around(squares: NDArray[np.float64]) -> AffineCrops:
    """Return upright crops, with a margin, around the squares [N, 3] (x, y, side) of objects, for a crop classifier.

    Their side is at least `MIN_CROP_SIDE`; the mask tells the object from its neighbors.
    """
    return AffineCrops.upright(squares[:, :2], np.maximum(MARGIN * squares[:, 2], MIN_CROP_SIDE))


def rand_augment(image: Tensor, rng: np.random.Generator) -> Tensor:
    """Return an image, uint8 [3, H, W], after torchvision's RandAugment(2, 9), as in the paper's program."""
    from torchvision.transforms import v2  # takes seconds, and few runs change images so

    with torch.random.fork_rng(devices=[]):  # torchvision draws from torch's global generator
        torch.default_generator.manual_seed(int(rng.integers(2**62)))
        changed: Tensor = v2.RandAugment(2, 9)(image)
    return changed
