"""The teacher's features of the objects in a store's images, each cut out on its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.datasets.scene_images import SceneDataset
from pickclutter_lang.datasets.transforms.augmentation import AugmentationParams
from pickclutter_lang.datasets.transforms.squares import (
    CROP_SIZE,
    MARGIN,
    MIN_AREA_FRACTION,
    bounding_square,
    crop_squares,
)
from pickclutter_lang.teachers import FeatureCache, Teacher
from pickclutter_lang.utils.constants import ROBOT_SEGMENT

_BATCH_SIZE = 64


@dataclass(frozen=True)
class RegionFeatures:
    """The objects that are seen in the scenes of a store, and the teacher's feature of each.

    `slots` has for each scene the values of its objects in the segmentation, `first` [N] the row in
    `features` [M, D] of the first of them; the others follow.
    """

    instance_ids: list[list[int]]
    first: list[int]
    features: Tensor

    def of(self, row: int) -> Tensor:
        """Return the features [n, D] of the objects of a scene, in the order of `slots[row]`."""
        return self.features[self.first[row] : self.first[row] + len(self.instance_ids[row])]


def encode_regions(teacher: Teacher, scenes: SceneDataset, cache: FeatureCache) -> RegionFeatures:
    """Return the teacher's features of all objects that are seen in the hand camera's images.

    :raises DatasetError: when the store holds no segmentation of the hand camera
    """
    instance_ids: list[list[int]] = []
    windows: list[tuple[int, float, float, float]] = []
    first = []
    for row in range(len(scenes)):
        segments = scenes.segmentation([row])[0]
        seen = np.flatnonzero(np.bincount(segments.ravel()) >= MIN_AREA_FRACTION * segments.size)
        own = [instance_id for instance_id in seen.tolist() if 0 < instance_id < ROBOT_SEGMENT]
        first.append(len(windows))
        instance_ids.append(own)
        windows += [(row, *bounding_square(segments == instance_id)) for instance_id in own]

    def batches() -> Iterator[NDArray[np.uint8]]:
        for start in range(0, len(windows), _BATCH_SIZE):
            yield _crop_batch(scenes, windows[start : start + _BATCH_SIZE])

    view = f"hand crops view={scenes.crop_size} share={MIN_AREA_FRACTION} margin={MARGIN} side={CROP_SIZE}"
    features = cache.get_or_compute(teacher, batches, len(windows), scenes.content_hash, view)
    return RegionFeatures(instance_ids, first, features)


def _crop_batch(scenes: SceneDataset, windows: Sequence[tuple[int, float, float, float]]) -> NDArray[np.uint8]:
    return crop_squares(scenes.hand_images([row for row, *_ in windows]), [place for _, *place in windows])


def region_coverage(
    scenes: SceneDataset,
    crops: RegionFeatures,
    rows: Sequence[int],
    draws: Sequence[AugmentationParams],
    cells: tuple[int, int],
) -> tuple[Tensor, Tensor, Tensor]:
    """Return where the objects of some scenes lie on a map of features, as their images are shown.

    :param rows: n scenes
    :param draws: what is done to each image
    :param cells: height h and width w of the map
    :return: which of the n images each object is in, int64 [R]; how much of it lies in each cell, [R, h * w] with
        sum 1; and the teacher's features [R, D]. Objects that were moved out of the image are left out
    """
    segments = torch.from_numpy(scenes.segmentation(rows, draws))
    owners = torch.tensor([n for n, row in enumerate(rows) for _ in crops.instance_ids[row]], dtype=torch.int64)
    instance_ids = torch.tensor(
        [instance_id for row in rows for instance_id in crops.instance_ids[row]], dtype=torch.uint8
    )
    masks = (segments[owners] == instance_ids[:, None, None]).float()
    coverage = functional.adaptive_avg_pool2d(masks[:, None], cells).flatten(1)
    total = coverage.sum(dim=1, keepdim=True)
    seen = total[:, 0] > 0
    features = torch.cat([crops.of(row) for row in rows])
    return owners[seen], (coverage / total.clamp(min=1e-9))[seen], features[seen]
