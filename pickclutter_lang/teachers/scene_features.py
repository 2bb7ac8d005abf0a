"""Teacher features of scenes: of the hand camera's images, and of single objects that are cropped from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.datasets.scene_images import SceneDataset
from pickclutter_lang.datasets.transforms.augmentation import AugmentationParams, flip_index, flip_variants
from pickclutter_lang.datasets.transforms.crops import object_crops
from pickclutter_lang.datasets.transforms.resampling import MARGIN, MIN_AREA_FRACTION
from pickclutter_lang.errors import TeacherError
from pickclutter_lang.teachers import FeatureCache, Teacher
from pickclutter_lang.utils.constants import ROBOT_SEGMENT


def teacher_features(teacher: Teacher, scenes: SceneDataset, cache: FeatureCache) -> Tensor:
    """Return the teacher's features of every flip of the hand camera's image.

    Student and teacher get the same flip, since flips change the arrangement of objects. The teacher gets no small
    shifts and no color jitter, since the student's feature should be invariant to them.

    :return: float32 [N, V, D], V as in `flip_variants`
    """
    parts = []
    for flip in flip_variants(scenes.config.augmentation.flips):
        transform_id = f"hand_rgb crop_size={scenes.crop_size} horizontal={flip.horizontal} vertical={flip.vertical}"
        images = partial(scenes.hand_images, params=flip)
        parts.append(cache.get_or_compute(teacher, range(len(scenes)), images, scenes.content_hash, transform_id))
    return torch.stack(parts, dim=1)


@dataclass(frozen=True)
class RegionFeatures:
    """The visible objects in the scenes of a store, and the teacher's features of each.

    `instance_ids` has for each of N scenes the values of its objects in the segmentation. `first` [N] is the row in
    `features` [M, V, D] of the first of them; the others follow. V as in `flip_variants`.
    """

    instance_ids: list[list[int]]
    first: list[int]
    features: Tensor

    def of(self, row: int, flip: int = 0) -> Tensor:
        """Return the features [n, D] of the objects of a scene, in the order of `instance_ids[row]`.

        :param flip: position in `flip_variants`
        """
        return self.features[self.first[row] : self.first[row] + len(self.instance_ids[row]), flip]


def encode_regions(teacher: Teacher, scenes: SceneDataset, cache: FeatureCache) -> RegionFeatures:
    """Return the teacher's features of all visible objects in the hand camera's images, one for each flip.

    :raises DatasetError: when the store holds no segmentation of the hand camera
    :raises TeacherError: for crops of objects alone, by a teacher that sees their surroundings
    """
    alone = teacher.for_objects() if scenes.config.region_crops == "object" else None
    if alone is None and scenes.config.region_crops == "object":
        raise TeacherError(
            "expected data.region_crops=context, since this teacher sees what surrounds an object; or a pocket teacher"
        )
    instance_ids: list[list[int]] = []
    objects: list[tuple[int, int]] = []
    first = []
    for row in range(len(scenes)):
        segments = scenes.segmentation([row])[0]
        visible = np.flatnonzero(np.bincount(segments.ravel()) >= MIN_AREA_FRACTION * segments.size)
        visible_ids = [instance_id for instance_id in visible.tolist() if 0 < instance_id < ROBOT_SEGMENT]
        first.append(len(objects))
        instance_ids.append(visible_ids)
        objects += [(row, instance_id) for instance_id in visible_ids]

    size = alone.image_size if alone else scenes.crop_size  # that of the images that the student sees
    transform_id = f"hand regions crop_size={scenes.crop_size} min_area={MIN_AREA_FRACTION} margin={MARGIN} size={size}"
    transform_id += " alone" if alone else ""
    features = []
    for flip in flip_variants(scenes.config.augmentation.flips):
        flipped = "".join(f" {name}" for name in ("horizontal", "vertical") if getattr(flip, name))
        crops = partial(_crop_batch, scenes, size if alone else None, flip)
        key = scenes.content_hash, transform_id + flipped
        features.append(cache.get_or_compute(alone or teacher, objects, crops, *key))
    return RegionFeatures(instance_ids, first, torch.stack(features, dim=1))


def _crop_batch(
    scenes: SceneDataset, size: int | None, flip: AugmentationParams, objects: Sequence[tuple[int, int]]
) -> NDArray[np.uint8]:
    """Return the crops of objects (row, instance id), as `object_crops`, flipped as the images of the student are."""
    rows, instance_ids = zip(*objects, strict=True)
    masks = scenes.segmentation(rows) == np.array(instance_ids)[:, None, None]
    crops = object_crops(scenes.hand_images(rows), masks, size)
    return crops[:, :: -1 if flip.vertical else 1, :: -1 if flip.horizontal else 1]


def region_coverage(
    scenes: SceneDataset,
    regions: RegionFeatures,
    rows: Sequence[int],
    augmentations: Sequence[AugmentationParams],
    cells: tuple[int, int],
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the coverage of a feature map's cells by the objects of some scenes, after augmentation.

    :param rows: n scenes
    :param augmentations: augmentation of each image
    :param cells: height h and width w of the map
    :return: image index of each of R objects, int64 [R]; the fraction of the object in each cell, [R, h * w] with
        sum 1; and the teacher's features [R, D] of their crops, flipped as the images are. Objects outside the
        augmented image are left out
    """
    segments = torch.from_numpy(scenes.segmentation(rows, augmentations))
    image_index = torch.tensor([n for n, row in enumerate(rows) for _ in regions.instance_ids[row]], dtype=torch.int64)
    instance_ids = torch.tensor(
        [instance_id for row in rows for instance_id in regions.instance_ids[row]], dtype=torch.uint8
    )
    masks = (segments[image_index] == instance_ids[:, None, None]).float()
    coverage = functional.adaptive_avg_pool2d(masks[:, None], cells).flatten(1)
    total = coverage.sum(dim=1, keepdim=True)
    visible = total[:, 0] > 0
    flips = scenes.config.augmentation.flips
    variants = zip(rows, augmentations, strict=True)
    features = torch.cat([regions.of(row, flip_index(params, flips)) for row, params in variants])
    return image_index[visible], (coverage / total.clamp(min=1e-9))[visible], features[visible]
