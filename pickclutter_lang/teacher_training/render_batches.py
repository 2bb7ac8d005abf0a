"""Training batches from renders: scenes, object crops and object views, with captions and match targets."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.datasets.object_views import ObjectViewDataset
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.datasets.transforms.crops import (
    AffineCrops,
    crop_images,
    crop_masks,
    random_color_jitter,
)
from pickclutter_lang.datasets.transforms.resampling import bounding_square
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.kinds import find_kinds
from pickclutter_lang.language.captions import (
    Caption,
    absent_caption,
    attribute_words,
    caption_truth,
    composed_caption,
    named_object_caption,
    named_scene_caption,
    object_caption,
    scene_caption,
)
from pickclutter_lang.language.object_attributes import ObjectAttributes, attributes_of, attributes_of_instance
from pickclutter_lang.objects.catalog import all_objects, paper_catalog
from pickclutter_lang.objects.catalog_file import object_of_words
from pickclutter_lang.teacher_training.config import TeacherTrainConfig
from pickclutter_lang.teacher_training.data import IMAGE_SIZE, TeacherData, excluded_ids
from pickclutter_lang.teacher_training.trainable_teacher import Batch, SceneBatch, competing_captions
from pickclutter_lang.utils.constants import ROBOT_SEGMENT
from pickclutter_lang.utils.progress import track

# An object is visible from this fraction of the image's pixels on: 20 pixels of 160 x 160.
MIN_VISIBLE_FRACTION = 0.0008
_REGIONS_A_SCENE = 8
_LOW_RESOLUTION_FRACTION = 0.35
_ZOOMED_FRACTION = 0.25
_SMALLEST_FRACTION = 0.25
_MOST_HIDDEN = 0.6
_SYNONYM_PROBABILITY, _OTHER_COLOR_PROBABILITY = 0.3, 0.4


@dataclass(frozen=True)
class SceneImages:
    """Scenes in memory: `rgb` [N, S, S, 3], `segmentation` [N, S, S], and the objects [N][instance id - 1].

    `named` are the objects whose presence and absence captions assert, one of each name.
    """

    rgb: NDArray[np.uint8]
    segmentation: NDArray[np.uint8]
    objects: list[list[ObjectAttributes]]
    named: list[ObjectAttributes]

    @classmethod
    def load(
        cls,
        stores: Sequence[SceneStore],
        excluded: frozenset[str] = frozenset(),
        instances: Mapping[tuple[str, int], ObjectAttributes] | None = None,
    ) -> SceneImages:
        """Read the hand camera's images of stores of one image size.

        :param excluded: ids of objects that must not be in any scene
        :param instances: attributes of instances of kinds that are known already; others are made, which takes longer
        :raises InvalidArgumentError: when an excluded object is in a scene
        """
        objects = []
        for store in stores:
            actors = store.array("actors")
            if {store.manifest.actor_ids[a] for a in np.unique(actors[actors >= 0])} & excluded:
                raise InvalidArgumentError(
                    f"expected scenes without objects of Y_ood, which this teacher must not see, but {store.path} has "
                    "some; collect scenes with split=train"
                )
            objects += scene_objects(store, instances or {})
        rgb = np.concatenate([store.images("hand", "rgb") for store in stores])
        segmentation = np.concatenate([store.images("hand", "segmentation") for store in stores])
        named = {item.name: item for row in objects for item in row}
        paper = {item.name: attributes_of(item) for item in paper_catalog() if item.model_id not in excluded}
        named = paper if named.keys() <= paper.keys() else named
        segmentation = np.where(segmentation == ROBOT_SEGMENT, 0, segmentation).astype(np.uint8)
        return cls(rgb, segmentation, objects, list(named.values()))


def scene_objects(
    store: SceneStore, instances: Mapping[tuple[str, int], ObjectAttributes]
) -> list[list[ObjectAttributes]]:
    """Return the objects [N][instance id - 1] of the scenes of a store, distractors included.

    :param instances: attributes of instances of kinds that are known already, by name and seed
    """
    known = dict(instances)
    if not store.manifest.has_instances:  # the seed of a label is -1
        own = store.own_catalog
        items = [all_objects().find(i) for i in store.model_ids] if own is None else [e.catalog_object() for e in own]
        known |= {(name, -1): attributes_of(item) for name, item in zip(store.label_names, items, strict=True)}
    actors = store.array("actors")
    seeds = store.array("instances") if "instances" in store.manifest.fields else np.full_like(actors, -1)
    names = [*store.label_names, *store.manifest.distractor_kinds.values()]
    keys = [
        [(names[a], int(seed)) for a, seed in zip(*row, strict=True) if a >= 0]
        for row in zip(actors, seeds, strict=True)
    ]
    unknown = sorted({*chain(*keys)} - known.keys())
    for name, seed in track(unknown, "words of instances", transient=True):
        kind = find_kinds([name])[0]
        known[name, seed] = attributes_of_instance(kind.words(seed, kind.instance(seed)))
    return [[known[key] for key in row] for row in keys]


def object_of_row(row: Mapping[str, Any]) -> ObjectAttributes:
    """Return the attributes of an object of an `ObjectViewDataset`."""
    item = object_of_words(row)
    return attributes_of_instance(row) if item is None else attributes_of(item)


def visible_instances(segmentation: NDArray[np.uint8]) -> list[int]:
    """Return the instance ids of the visible objects in a segmentation [S, S]."""
    counts = np.bincount(segmentation.ravel(), minlength=2)
    return [n for n in range(1, len(counts)) if counts[n] >= MIN_VISIBLE_FRACTION * segmentation.size]


class _View(NamedTuple):
    """A view: row of a folder, and the object that it shows."""

    store: ObjectViewDataset
    row: int
    item: ObjectAttributes


class _Shown(NamedTuple):
    """The scenes of a batch: their `rows`, and `images` and `segmentation` as in `SceneBatch`.

    `contents` are the visible objects of each, `regions` (scene, instance id) some of them, which are `objects`.
    """

    rows: list[int]
    images: Tensor
    segmentation: Tensor
    regions: list[tuple[int, int]]
    contents: list[list[ObjectAttributes]]
    objects: list[ObjectAttributes]


class RenderBatchSampler:
    """Samples the batch of a step from (seed, step) only, so that a run resumes without a sampler state."""

    def __init__(self, data: TeacherData, config: TeacherTrainConfig) -> None:
        self.config = config
        excluded = excluded_ids(config.exclude_split)
        self.views = list[_View]()
        known: dict[tuple[str, int], ObjectAttributes] = {}
        for store in data.views:
            attributes = [object_of_row(row) for row in store.objects]
            rows = zip(store.objects, attributes, strict=True)
            known |= {(str(row["kind"]), int(row["seed"])): item for row, item in rows if "kind" in row}
            allowed = [row.get("model_id") not in excluded for row in store.objects]
            shown = enumerate(store.object_index.tolist())
            self.views += [_View(store, row, attributes[n]) for row, n in shown if allowed[n]]
        self.scenes = SceneImages.load(data.scenes, excluded, known) if data.scenes else None
        self.has_instances = bool(known)
        in_views = [view.item for view in self.views]
        self.in_scenes = self.scenes.named if self.scenes else []
        self.named_objects = [*{item.name: item for item in (*self.in_scenes, *in_views)}.values()]
        self.words = attribute_words([*self.in_scenes, *in_views])
        if self.scenes and config.min_crop_size > self.scenes.rgb.shape[1]:
            raise InvalidArgumentError(
                f"expected min_crop_size of at most the images' {self.scenes.rgb.shape[1]} pixels, "
                f"but got {config.min_crop_size}"
            )

    def batch(self, step: int) -> Batch:
        """Return the batch of a step."""
        rng = np.random.default_rng([self.config.seed, step])
        shown = self._shown_scenes(self.scenes, rng) if self.scenes else None
        size = int(rng.choice(self.config.crop_sizes))
        crops, in_crops = self._object_crops(self.scenes, shown.rows, size, rng) if self.scenes and shown else ([], [])
        views, in_views = self._views(size, rng)
        objects = [*(shown.objects if shown else ()), *in_crops, *in_views]
        scenes = self._scene_batch(shown, rng) if shown else None
        captions, columns = self._object_captions(objects, len(objects) - len(in_crops) - len(in_views), rng)
        if scenes:  # after the captions
            scenes = replace(scenes, images=self._augment(scenes.images, rng))
        images = simulate_low_resolution(
            torch.cat([*crops, views]), self.config.low_resolution, rng, _SMALLEST_FRACTION
        )
        targets = torch.from_numpy(caption_truth(captions, [[item] for item in objects]))
        return Batch(scenes, self._augment(images, rng), captions, targets, columns)

    def _scene_batch(self, shown: _Shown, rng: np.random.Generator) -> SceneBatch:
        """Caption scenes: one caption of each, and of each named object one of its presence and one of its absence."""
        named = self._competing_names(self.in_scenes, chain(*shown.contents), rng)
        captions = [scene_caption(objects, named, rng) for objects in shown.contents if objects]
        captions += [named_scene_caption(item, rng) for item in named]
        captions += [absent_caption(item, rng) for item in named]
        regions = torch.tensor(shown.regions, dtype=torch.int64).reshape(-1, 2)
        targets = torch.from_numpy(caption_truth(captions, shown.contents))
        return SceneBatch(shown.images, shown.segmentation, regions, captions, targets, len(named))

    def _shown_scenes(self, scenes: SceneImages, rng: np.random.Generator) -> _Shown:
        """Draw scenes and crop them."""
        rows = rng.integers(0, len(scenes.rgb), self.config.scene_batch_size)
        crops = self._scene_crops(scenes, rows, rng)
        images = crop_images(scenes.rgb[rows], crops, IMAGE_SIZE)
        images = simulate_low_resolution(images, _LOW_RESOLUTION_FRACTION, rng)
        segmentation = crop_masks(scenes.segmentation[rows], crops, IMAGE_SIZE)
        visible = [visible_instances(one.numpy()) for one in segmentation]
        regions = [
            (n, instance_id)
            for n, instance_ids in enumerate(visible)
            for instance_id in rng.permutation(instance_ids)[:_REGIONS_A_SCENE].tolist()
        ]
        objects = [scenes.objects[row] for row in rows]
        contents = [[objects[n][instance_id - 1] for instance_id in of_scene] for n, of_scene in enumerate(visible)]
        in_regions = [objects[n][instance_id - 1] for n, instance_id in regions]
        return _Shown(rows.tolist(), images, segmentation, regions, contents, in_regions)

    def _scene_crops(self, scenes: SceneImages, rows: NDArray[np.int64], rng: np.random.Generator) -> AffineCrops:
        """Sample crops between `min_crop_size` and the full image, near its center; half are rotated by quarter turns.

        Some zoom in on an object, so that small ones get more pixels.
        """
        full_size = scenes.rgb.shape[1]
        count = len(rows)
        side = rng.uniform(self.config.min_crop_size, full_size, count)
        slack = 0.06 * full_size
        center = (full_size - 1) / 2 + rng.uniform(-slack, slack, (count, 2))
        for n in range(round(_ZOOMED_FRACTION * count)):
            segmentation = scenes.segmentation[rows[n]]
            if instance_ids := visible_instances(segmentation):
                chosen = instance_ids[int(rng.integers(len(instance_ids)))]
                side[n] = rng.uniform(0.4, 0.9) * self.config.min_crop_size
                of_object = bounding_square(segmentation == chosen)[:2]
                center[n] = of_object + rng.uniform(-0.25, 0.25, 2) * side[n]
        quarters = rng.integers(0, 4, count) * (rng.random(count) < 0.5)
        angle = quarters * np.pi / 2 + rng.normal(0, 0.06, count)
        return AffineCrops(center, side, angle, rng.random(count) < 0.5)

    def _object_crops(
        self, scenes: SceneImages, rows: Sequence[int], size: int, rng: np.random.Generator
    ) -> tuple[list[Tensor], list[ObjectAttributes]]:
        """Crop visible objects of each scene with their surroundings; small objects are likelier."""
        chosen, centers, sides, objects = [], [], [], []
        for row in rows:
            segmentation = scenes.segmentation[row]
            visible = visible_instances(segmentation)
            if not visible:
                continue
            weights = np.bincount(segmentation.ravel())[visible] ** -0.5
            count = min(self.config.crops_per_scene, len(visible))
            for number in rng.choice(len(visible), count, replace=False, p=weights / weights.sum()).tolist():
                x, y, side = bounding_square(segmentation == visible[number])
                chosen.append(row)
                centers.append(np.array([x, y]) + rng.uniform(-0.1, 0.1, 2) * side)
                sides.append(side * rng.uniform(1.1, 1.8))
                objects.append(scenes.objects[row][visible[number] - 1])
        if not chosen:
            return [], []
        count = len(chosen)
        angle = rng.uniform(0, 2 * np.pi, count)
        mirrored = rng.random(count) < 0.5
        crops = AffineCrops(np.array(centers), np.array(sides), angle, mirrored)
        return [crop_images(scenes.rgb[chosen], crops, size)], objects

    def _views(self, size: int, rng: np.random.Generator) -> tuple[Tensor, list[ObjectAttributes]]:
        chosen = [self.views[n] for n in rng.integers(0, len(self.views), self.config.view_batch_size)]
        rgb, mask = (np.stack([getattr(view.store, name)[view.row] for view in chosen]) for name in ("rgb", "mask"))
        count = len(chosen)
        full_size = rgb.shape[1]
        center = (full_size - 1) / 2 + rng.uniform(-0.08, 0.08, (count, 2)) * full_size
        crops = AffineCrops(
            center, full_size * rng.uniform(0.9, 1.6, count), rng.uniform(0, 2 * np.pi, count), rng.random(count) < 0.5
        )
        images = crop_images(rgb, crops, size)
        masks = crop_masks(mask.astype(np.uint8), crops, size)[:, None].bool()
        if self.config.strong_augmentation:
            images = random_backgrounds(images, masks, rng)
        if self.config.occlusion:
            images = random_occluders(images, masks, self.config.occlusion, rng)
        return images, [view.item for view in chosen]

    def _augment(self, images: Tensor, rng: np.random.Generator) -> Tensor:
        return random_appearance(images, rng) if self.config.strong_augmentation else random_color_jitter(images, rng)

    def _competing_names(
        self, named: Sequence[ObjectAttributes], objects: Iterable[ObjectAttributes], rng: np.random.Generator
    ) -> list[ObjectAttributes]:
        """Return up to `max_names` of the named objects: all where they are few, else those in the batch and others."""
        if len(named) <= self.config.max_names:
            return list(named)
        names = {item.name for item in objects}
        shuffled = [named[n] for n in rng.permutation(len(named))]
        return sorted(shuffled, key=lambda item: item.name not in names)[: self.config.max_names]

    def _object_captions(
        self, objects: Sequence[ObjectAttributes], first: int, rng: np.random.Generator
    ) -> tuple[list[Caption], dict[str, slice]]:
        """One for each of half the objects, names of objects, so that similar ones compete, and attributes.

        Instances of kinds have a second one, of their name with what else is true, or with a color that may be false.

        :param first: of the objects that get captions of their own, since they are not in a scene of the batch
        """
        own = objects[first:]
        chosen = [own[n] for n in rng.permutation(len(own))[: (len(own) + 1) // 2]]
        captions = [object_caption(item, rng) for item in chosen]
        for item in chosen if self.has_instances else ():
            if item.colors:
                other = str(rng.choice(self.words["color"])) if rng.random() < _OTHER_COLOR_PROBABILITY else None
                captions.append(composed_caption(item, rng, other))
        competing = self._competing_names(self.named_objects, objects, rng)
        synonyms = _SYNONYM_PROBABILITY if self.has_instances else 0.0
        names = [named_object_caption(item, rng, synonyms) for item in competing]
        return competing_captions(captions, names, self.words, rng)


def random_appearance(images: Tensor, rng: np.random.Generator) -> Tensor:
    """Change light, tint, saturation and contrast of images [N, 3, H, W] in 0..1 strongly, and add noise.

    Renders have one light and clean colors; scans and photographs have many and none.
    """
    count = len(images)
    if count == 0:
        return images

    def drawn(spread: float, channels: int = 1) -> Tensor:
        return torch.from_numpy(np.exp(rng.normal(0, spread, (count, channels, 1, 1))).astype(np.float32))

    x = images * drawn(0.25) * drawn(0.07, 3)
    gray = x.mean(dim=1, keepdim=True)
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    x = gray + (x - gray) * drawn(0.3)
    x = mean + (x - mean) * drawn(0.2)
    noise = rng.standard_normal(x.shape, dtype=np.float32) * rng.uniform(0, 0.04, (count, 1, 1, 1)).astype(np.float32)
    return (x + torch.from_numpy(noise)).clamp(0, 1)


def random_backgrounds(images: Tensor, masks: Tensor, rng: np.random.Generator) -> Tensor:
    """Put objects on another ground: a plain color, blotches, or a part of another image of the batch.

    :param images: [N, 3, S, S] in 0..1
    :param masks: bool [N, 1, S, S], true on the object
    """
    count = len(images)
    size = images.shape[-1]
    cells = int(rng.integers(2, 9))
    blotches = rng.normal(0, 0.15, (count, 3, cells, cells)) * (rng.random((count, 1, 1, 1)) < 0.6)
    plain = rng.uniform(0, 0.95, (count, 1, 1, 1)) + rng.normal(0, 0.1, (count, 3, 1, 1)) + blotches
    ground = functional.interpolate(torch.from_numpy(plain.astype(np.float32)), size=(size, size), mode="bilinear")
    others = images[rng.permutation(count)].flip(3)
    from_others = torch.from_numpy(rng.random((count, 1, 1, 1)) < 0.3)
    ground = torch.where(from_others, others, ground.clamp(0, 1))
    kept = torch.from_numpy(rng.random((count, 1, 1, 1)) < 0.35)
    return torch.where(masks | kept, images, ground)


def random_occluders(images: Tensor, masks: Tensor, share: float, rng: np.random.Generator) -> Tensor:
    """Put another object of the batch before some objects, shifted so that it hides a part of them.

    Where it would hide more than 60% of an object, the object stays free.

    :param images: [N, 3, S, S] in 0..1
    :param masks: bool [N, 1, S, S], true on the object
    :param share: fraction of the images that get an occluder
    """
    count = len(images)
    angle, turned = rng.uniform(0, 2 * np.pi, (2, count))
    shift = 2 * rng.uniform(0.2, 0.5, count)  # an image spans -1 to 1
    theta = np.empty((count, 2, 3))
    theta[:, 0] = np.stack([np.cos(turned), -np.sin(turned), shift * np.cos(angle)], 1)
    theta[:, 1] = np.stack([np.sin(turned), np.cos(turned), shift * np.sin(angle)], 1)
    grid = functional.affine_grid(torch.from_numpy(theta).float(), list(images.shape), align_corners=False)
    others = torch.cat([images, masks.float()], dim=1)[torch.from_numpy(rng.permutation(count))]
    moved = functional.grid_sample(others, grid, align_corners=False)
    before = moved[:, 3:] > 0.5
    hidden = (before & masks).sum((1, 2, 3)) / masks.sum((1, 2, 3)).clamp(min=1)
    chosen = torch.from_numpy(rng.random(count) < share) & (hidden <= _MOST_HIDDEN)
    return torch.where(before & chosen[:, None, None, None], moved[:, :3], images)


def simulate_low_resolution(images: Tensor, share: float, rng: np.random.Generator, smallest: float = 0.5) -> Tensor:
    """Blur some of the images [N, 3, S, S], drawn from all, as if they had been rendered with fewer pixels.

    :param share: fraction of the images that is blurred
    :param smallest: fraction of the side that is left at least
    """
    count = math.floor(share * len(images))
    size = images.shape[-1]
    chosen = torch.from_numpy(rng.permutation(len(images)))[:count] if share else torch.zeros(0)
    if not len(chosen):
        return images
    small = int(rng.integers(round(smallest * size), round(0.85 * size)))
    coarse = functional.interpolate(images[chosen], size=(small, small), mode="bilinear", antialias=True)
    coarse = functional.interpolate(coarse, size=(size, size), mode="bilinear", antialias=True)
    return images.index_put((chosen,), coarse)
