"""Augmented crops of single images for training, center crops for evaluation, and the teacher's features of both."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.transforms import RandomResizedCrop, v2

from pickclutter_lang.datasets.images.dataset import ImageSource
from pickclutter_lang.datasets.transforms.crops import rand_augment
from pickclutter_lang.experiments.images.config import ImageCropConfig
from pickclutter_lang.teachers import FeatureCache, Teacher
from pickclutter_lang.training.batches import prefetch_map
from pickclutter_lang.training.parallel import own_slice

_FIXED = 1  # distinguishes the keys of fixed crops from those of an epoch
_VERSION = 1  # of the sampling and cutting of crops
_Part = tuple[tuple[int, int, int, int], bool]
"""A part of an image: top, left, height and width in pixels, and whether it is mirrored."""


class ImageCrops:
    """Preprocesses images: with augmentation for training, without it for evaluation.

    Everything random depends only on the key of an image: not on its batch, nor on the order, nor on the process.
    """

    def __init__(
        self, images: ImageSource, config: ImageCropConfig, size: int, center: int | None = None, num_workers: int = 0
    ) -> None:
        """Set up the crops.

        :param size: side S of the student's input, in pixels
        :param center: side of the center crop for evaluation, in pixels; by default the full image
        :param num_workers: see `prefetch_map`
        """
        self.images, self.config, self.size = images, config, size
        self.center_crop = center or images.image_size
        self.num_workers = num_workers

    def eval_images(self, rows: Sequence[int]) -> Tensor:
        """Return images without augmentation, uint8 [n, 3, S, S]."""
        cropped = v2.functional.center_crop(_channels_first(self.images.load(rows)), [self.center_crop] * 2)
        resized: Tensor = v2.functional.resize(cropped, [self.size] * 2, antialias=True)
        return resized

    def eval_batches(self, rows: Sequence[int], size: int) -> Iterator[Tensor]:
        """Yield the images of `eval_images` in batches of at most `size`."""
        batches = [list(rows[first : first + size]) for first in range(0, len(rows), size)]
        return prefetch_map(lambda number: self.eval_images(batches[number]), len(batches), self.num_workers)

    def train_images(
        self, rows: Sequence[int], key: Sequence[int], size: int | None = None
    ) -> tuple[Tensor, list[int]]:
        """Return augmented images, uint8 [n, 3, S, S], and the number of each one's fixed crop.

        Without fixed crops that is 0. Of several processes each gets only the images of its `own_slice`.

        :param key: numbers >= 0 that seed the augmentation: seed, phase, epoch, batch
        :param size: side, by default S
        """
        generators = [np.random.default_rng([*key, row]) for row in rows]
        crops = [int(rng.integers(self.config.fixed_crops)) if self.config.fixed_crops else 0 for rng in generators]
        images = []
        own = range(len(rows))[own_slice()]
        for image, n in zip(_channels_first(self.images.load([rows[n] for n in own])), own, strict=True):
            if self.config.rand_augment:
                image = rand_augment(image, generators[n])
            fixed = self.config.fixed_crops
            part = self._fixed_crop(rows[n], crops[n]) if fixed else self._sample_crop(generators[n])
            images.append(_cut(image, part, size or self.size))
        return torch.stack(images), crops

    def crop_features(self, teacher: Teacher, cache: FeatureCache, rows: Sequence[int]) -> Tensor:
        """Return the teacher's features [n, V, D] of the fixed crops of some images, V at least 1."""
        chosen = hashlib.sha256(np.asarray(rows, np.int64).tobytes()).hexdigest()[:16]
        how = f"smallest={self.config.min_crop_area} flip={self.config.flip} version={_VERSION} upright"

        def features(crop: int) -> Tensor:
            view = f"side={self.images.image_size} rows={chosen} crop={crop} {how}"
            images = partial(self.fixed_crops, crop=crop, size=teacher.image_size)
            return cache.get_or_compute(teacher, rows, images, self.images.content_hash, view)

        return torch.stack([features(crop) for crop in range(self.config.fixed_crops)], dim=1)

    def image_features(self, teacher: Teacher, cache: FeatureCache) -> Tensor:
        """Return the teacher's features [N, D] of all images, not cropped."""
        rows = range(len(self.images.ids))
        view = f"side={self.images.image_size} whole upright"
        return cache.get_or_compute(teacher, rows, self.images.load, self.images.content_hash, view)

    def fixed_crops(self, rows: Sequence[int], crop: int, size: int) -> NDArray[np.uint8]:
        """Return a fixed crop of each of some images, [n, size, size, 3]."""
        images = zip(_channels_first(self.images.load(rows)), rows, strict=True)
        parts = [_cut(image, self._fixed_crop(row, crop), size) for image, row in images]
        return torch.stack(parts).permute(0, 2, 3, 1).numpy()

    def _fixed_crop(self, row: int, crop: int) -> _Part:
        return self._sample_crop(np.random.default_rng([_FIXED, row, crop]))

    def _sample_crop(self, rng: np.random.Generator) -> _Part:
        side = self.images.image_size
        with torch.random.fork_rng(devices=[]):  # torchvision draws from torch's global generator
            torch.default_generator.manual_seed(int(rng.integers(2**62)))
            box: tuple[int, int, int, int] = RandomResizedCrop.get_params(
                torch.empty(3, side, side), [self.config.min_crop_area, 1.0], [3 / 4, 4 / 3]
            )
        return box, self.config.flip and bool(rng.random() < 0.5)


def _cut(image: Tensor, part: _Part, size: int) -> Tensor:
    """Return a part of an image [3, H, W], resized to [3, size, size], uint8."""
    box, mirrored = part
    cut: Tensor = v2.functional.resized_crop(image, *box, [size, size], antialias=True)
    return v2.functional.horizontal_flip(cut) if mirrored else cut


def _channels_first(images: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(images).permute(0, 3, 1, 2)
