"""Crops of the objects in a store's scenes, out of the hand camera's images, with mask and label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pickclutter_lang.datasets.scene_images import SceneDataset
from pickclutter_lang.datasets.transforms.affine_crops import AffineCrops, crop_images, crop_masks, random_color_jitter
from pickclutter_lang.datasets.transforms.object_squares import bounding_square
from pickclutter_lang.datasets.transforms.squares import crops_around

_MIN_PIXELS = 30
_AT_ONCE = 64
_SHIFT, _LARGER, _SMALLER = 0.08, 0.25, 0.2  # shares of the side; logarithms of the factors


class ObjectCropDataset:
    """The objects in the scenes of a store of which enough pixels are visible, with their labels."""

    def __init__(self, scenes: SceneDataset, label_indices: Sequence[int]) -> None:
        """Find them.

        :param label_indices: labels; objects of others are left out
        :raises DatasetError: when the store holds no segmentation of the hand camera, or not which objects are in a
            scene
        """
        self._scenes = scenes
        scenes.segmentation([0])  # from then on in memory, where they fit
        rows: list[int] = []
        instance_ids: list[int] = []
        labels: list[int] = []
        squares: list[tuple[float, float, float]] = []
        for first in range(0, len(scenes), _AT_ONCE):
            chosen = range(first, min(first + _AT_ONCE, len(scenes)))
            segmentation, ids_of = self._images("segmentation", chosen), scenes.instance_ids(chosen, label_indices)
            for row, image, ids in zip(chosen, segmentation, ids_of, strict=True):
                pixels = np.bincount(image.ravel(), minlength=256)
                for label in np.flatnonzero((ids > 0) & (pixels[ids] >= _MIN_PIXELS)).tolist():
                    rows.append(row)
                    instance_ids.append(int(ids[label]))
                    labels.append(label)
                    squares.append(bounding_square(image == ids[label]))
        self._rows, self._instance_ids = np.array(rows, int), np.array(instance_ids, np.uint8)
        self._squares = np.array(squares, float).reshape(-1, 3)
        self.labels = torch.tensor(labels, dtype=torch.int64)
        """The label of each object [M], a position in `label_indices`."""

    def __len__(self) -> int:
        return len(self._rows)

    def load(self, objects: Sequence[int], size: int, rng: np.random.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Return crops [n, 3, S, S] in 0..1 of objects and their masks, [n, S, S] of 0 and 1.

        :param size: side S
        :param rng: rotates, mirrors, shifts, resizes and color-jitters them; None: as they are
        """
        chosen = np.array(objects, int)
        crops = crops_around(self._squares[chosen])
        if rng is not None:
            crops = _augmented(crops, rng)
        rows = self._rows[chosen].tolist()
        images = crop_images(self._images("rgb", rows), crops, size)
        segmentation = crop_masks(self._images("segmentation", rows), crops, size)
        masks = (segmentation == torch.from_numpy(self._instance_ids[chosen])[:, None, None]).float()
        return (images if rng is None else random_color_jitter(images, rng)), masks

    def _images(self, kind: str, rows: Sequence[int]) -> NDArray[np.uint8]:
        return self._scenes.load_images("hand", kind, rows).astype(np.uint8, copy=False)


def _augmented(crops: AffineCrops, rng: np.random.Generator) -> AffineCrops:
    count = len(crops.size)
    side = crops.size * np.exp(rng.uniform(-_SMALLER, _LARGER, count))
    center = crops.center + rng.uniform(-_SHIFT, _SHIFT, (count, 2)) * side[:, None]
    return AffineCrops(center, side, rng.uniform(-np.pi, np.pi, count), rng.random(count) < 0.5)
