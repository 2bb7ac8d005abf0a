"""The objects of a store's scenes, each cut out of the hand camera's image on its own, with its mask and label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pickclutter_lang.datasets.scene_images import SceneDataset
from pickclutter_lang.datasets.transforms.affine_crops import AffineCrops, color_jitter_batch, crop_images, crop_masks
from pickclutter_lang.datasets.transforms.squares import bounding_square, crops_around

_FEWEST_PIXELS = 30
_AT_ONCE = 64
_SHIFT, _LARGER, _SMALLER = 0.08, 0.25, 0.2  # shares of the side; logarithms of the factors


class ObjectCropDataset:
    """The objects in the scenes of a store of which enough is seen, with their labels."""

    def __init__(self, scenes: SceneDataset, columns: Sequence[int]) -> None:
        """Find them.

        :param columns: label columns; what is none of these is left out
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
            segments, there = self._images("segmentation", chosen), scenes.instance_ids(chosen, columns)
            for row, image, own in zip(chosen, segments, there, strict=True):
                pixels = np.bincount(image.ravel(), minlength=256)
                for label in np.flatnonzero((own > 0) & (pixels[own] >= _FEWEST_PIXELS)).tolist():
                    rows.append(row)
                    instance_ids.append(int(own[label]))
                    labels.append(label)
                    squares.append(bounding_square(image == own[label]))
        self._rows, self._instance_ids = np.array(rows, int), np.array(instance_ids, np.uint8)
        self._squares = np.array(squares, float).reshape(-1, 3)
        self.labels = torch.tensor(labels, dtype=torch.int64)
        """The label of each object [M], a position in `columns`."""

    def __len__(self) -> int:
        return len(self._rows)

    def load(self, objects: Sequence[int], size: int, rng: np.random.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Return images [n, 3, S, S] in 0..1 of objects and where they are on them, [n, S, S] of 0 and 1.

        :param size: side S
        :param rng: turns, mirrors, moves, resizes and relights them; None: as they are
        """
        chosen = np.array(objects, int)
        windows = crops_around(self._squares[chosen])
        if rng is not None:
            windows = _varied(windows, rng)
        rows = self._rows[chosen].tolist()
        images = crop_images(self._images("rgb", rows), windows, size)
        cut = crop_masks(self._images("segmentation", rows), windows, size)
        masks = (cut == torch.from_numpy(self._instance_ids[chosen])[:, None, None]).float()
        return (images if rng is None else color_jitter_batch(images, rng)), masks

    def _images(self, kind: str, rows: Sequence[int]) -> NDArray[np.uint8]:
        return self._scenes.load_images("hand", kind, rows).astype(np.uint8, copy=False)


def _varied(windows: AffineCrops, rng: np.random.Generator) -> AffineCrops:
    count = len(windows.size)
    side = windows.size * np.exp(rng.uniform(-_SMALLER, _LARGER, count))
    center = windows.center + rng.uniform(-_SHIFT, _SHIFT, (count, 2)) * side[:, None]
    return AffineCrops(center, side, rng.uniform(-np.pi, np.pi, count), rng.random(count) < 0.5)
