"""Training batches from renders: scenes, object crops and object views, with captions and match targets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pickclutter_lang.datasets.object_views import ObjectViewDataset
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.datasets.transforms.crops import (
    AffineCrops,
    crop_images,
    crop_masks,
    random_appearance,
    random_backgrounds,
    random_color_jitter,
    random_occluders,
    simulate_low_resolution,
)
from pickclutter_lang.datasets.transforms.resampling import bounding_square
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.captions import (
    Caption,
    absent_caption,
    attribute_words,
    caption_truth,
    composed_caption,
    named_object_caption,
    named_scene_caption,
    object_caption,
    sample_attribute_prompts,
    scene_caption,
)
from pickclutter_lang.language.object_attributes import ObjectAttributes, attributes_from_dict, attributes_of
from pickclutter_lang.objects.catalog import all_objects, paper_catalog, select_objects
from pickclutter_lang.objects.catalog_file import object_of_words
from pickclutter_lang.objects.kinds import find_kinds
from pickclutter_lang.objects.object_sets import MAX_INSTANCES
from pickclutter_lang.teacher_training.config import TeacherTrainConfig
from pickclutter_lang.teacher_training.trainable_teacher import Batch
from pickclutter_lang.utils.constants import ROBOT_SEGMENT
from pickclutter_lang.utils.progress import track

# An object is visible from this fraction of the image's pixels on: 20 pixels of 160 x 160.
MIN_VISIBLE_FRACTION = 0.0008
_REGIONS_A_SCENE = 8
_LOW_RESOLUTION_FRACTION = 0.35
_ZOOMED_FRACTION = 0.25
_SMALLEST_FRACTION = 0.25
_PROMPTS_PER_TYPE = 14
_SYNONYM_PROBABILITY, _OTHER_COLOR_PROBABILITY = 0.3, 0.4


def excluded_ids(exclude: str) -> frozenset[str]:
    """Return the ids of the objects that a teacher must not see (`ood`: those of Y_ood; `none`: none)."""
    return frozenset(item.model_id for item in paper_catalog() if item.split == exclude)


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
        folders: Sequence[str],
        excluded: frozenset[str] = frozenset(),
        instances: Mapping[tuple[str, int], ObjectAttributes] | None = None,
    ) -> SceneImages:
        """Read the hand camera's images of stores of one image size.

        :param excluded: ids of objects that must not be in any scene
        :param instances: attributes of instances of kinds that are known already; others are made, which takes longer
        :raises InvalidArgumentError: when the stores' images differ in size, an excluded object is in a scene, or an
            instance that is for evaluation alone
        """
        stores = [SceneStore.open(folder) for folder in folders]
        sizes = {store.image_size for store in stores}
        if len(sizes) != 1:
            raise InvalidArgumentError(f"expected scene stores of one image_size, but got {sorted(sizes)}")
        objects = []
        for folder, store in zip(folders, stores, strict=True):
            actors = store.array("actors")
            if "instances" in store.manifest.fields:
                check_training_instances(store.array("instances").ravel().tolist(), folder)
            present_excluded = {store.manifest.actor_ids[a] for a in np.unique(actors[actors >= 0])} & excluded
            if present_excluded:
                raise InvalidArgumentError(
                    f"expected scenes without {', '.join(sorted(present_excluded))}, but they are in {folder}; "
                    f"this teacher must not see them: collect scenes with split=train"
                )
            objects += scene_objects(store, instances or {})
        rgb = np.concatenate([store.images("hand", "rgb") for store in stores])
        segmentation = np.concatenate([store.images("hand", "segmentation") for store in stores])
        named = {item.name: item for row in objects for item in row}
        paper = [attributes_of(item) for item in paper_catalog() if item.model_id not in excluded]
        named = named if set(named) - {item.name for item in paper} else {item.name: item for item in paper}
        segmentation = np.where(segmentation == ROBOT_SEGMENT, 0, segmentation).astype(np.uint8)
        return cls(rgb, segmentation, objects, list(named.values()))


def scene_objects(
    store: SceneStore, instances: Mapping[tuple[str, int], ObjectAttributes]
) -> list[list[ObjectAttributes]]:
    """Return the objects [N][instance id - 1] of the scenes of a store, distractors included."""
    actors = store.array("actors")
    seeds = store.array("instances") if "instances" in store.manifest.fields else np.full_like(actors, -1)
    names = [*store.label_names, *store.manifest.distractor_kinds.values()]
    keys = [
        [(names[a], int(seed)) for a, seed in zip(*row, strict=True) if a >= 0]
        for row in zip(actors, seeds, strict=True)
    ]
    known = dict(instances) | _labels_without_instances(store)
    for key in track(sorted({key for row in keys for key in row} - known.keys()), "words of instances", transient=True):
        known[key] = instance_attributes(*key)
    return [[known[key] for key in row] for row in keys]


def _labels_without_instances(store: SceneStore) -> dict[tuple[str, int], ObjectAttributes]:
    """Return the attributes of labels by name and -1; nothing where the labels are kinds."""
    if store.manifest.has_instances:
        return {}
    own = store.own_catalog
    items = [all_objects().find(i) for i in store.model_ids] if own is None else [e.catalog_object() for e in own]
    return {(name, -1): attributes_of(item) for name, item in zip(store.label_names, items, strict=True)}


def instance_attributes(name: str, seed: int) -> ObjectAttributes:
    """Return the attributes of an instance of a kind."""
    kind = find_kinds([name])[0]
    return attributes_from_dict(kind.words(seed, kind.instance(seed)))


def check_training_instances(seeds: Iterable[int], where: str) -> None:
    """Raise `InvalidArgumentError` for instances of kinds that are for evaluation alone."""
    held_out = [seed for seed in seeds if seed >= MAX_INSTANCES]
    if held_out:
        raise InvalidArgumentError(
            f"expected instances of kinds with seeds below {MAX_INSTANCES} to train on, but {where} has {held_out[0]}, "
            f"which is for evaluation alone"
        )


@dataclass(frozen=True)
class ObjectViews:
    """Views in memory: `rgb` [M, S, S, 3], `mask` [M, S, S], the object of each; `instances` of kinds by their seed."""

    rgb: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    objects: list[ObjectAttributes]
    instances: dict[tuple[str, int], ObjectAttributes]

    @classmethod
    def load(cls, folders: Sequence[str], excluded: frozenset[str] = frozenset()) -> ObjectViews:
        """Read folders of views of one image size.

        :param excluded: ids of objects whose views are left out
        :raises InvalidArgumentError: when their images differ in size, or show objects or instances that no teacher may
            see
        """
        stores = [ObjectViewDataset.open(folder) for folder in folders]
        sizes = {store.rgb.shape[1] for store in stores}
        if len(sizes) != 1:
            raise InvalidArgumentError(f"expected views of one size, but got {sorted(sizes)}")
        kept_out = frozenset(select_objects("kept_out").model_ids)
        images, masks, objects = [], [], []
        instances: dict[tuple[str, int], ObjectAttributes] = {}
        for folder, store in zip(folders, stores, strict=True):
            ids = [row.get("model_id") for row in store.objects]
            if kept_out & set(ids):
                raise InvalidArgumentError(
                    f"expected views to train on, but those in {folder} show objects that are never trained on"
                )
            attributes = [object_of_row(row) for row in store.objects]
            rows = [n for n, object_number in enumerate(store.object_index) if ids[object_number] not in excluded]
            keys = {(str(row["kind"]), int(row["seed"])): n for n, row in enumerate(store.objects) if "kind" in row}
            check_training_instances((seed for _, seed in keys), folder)
            instances |= {key: attributes[n] for key, n in keys.items()}
            images.append(store.rgb[rows])
            masks.append(store.mask[rows])
            objects += [attributes[store.object_index[n]] for n in rows]
        return cls(np.concatenate(images), np.concatenate(masks), objects, instances)


def object_of_row(row: Mapping[str, Any]) -> ObjectAttributes:
    """Return the attributes of an object of an `ObjectViewDataset`."""
    if "own" in row:
        return attributes_of(object_of_words(row))
    if "model_id" in row:
        return attributes_of(all_objects().find(str(row["model_id"])))
    return attributes_from_dict(row)


def visible_instances(segmentation: NDArray[np.uint8]) -> list[int]:
    """Return the instance ids of the visible objects in a segmentation [S, S]."""
    counts = np.bincount(segmentation.ravel(), minlength=2)
    return [n for n in range(1, len(counts)) if counts[n] >= MIN_VISIBLE_FRACTION * segmentation.size]


def object_window(segmentation: NDArray[np.uint8], instance_id: int) -> tuple[NDArray[np.float64], float]:
    """Return center (x, y) and side, in pixels, of the smallest upright square around an object.

    :param instance_id: value of the object in `segmentation` [S, S]
    """
    *center, side = bounding_square(segmentation == instance_id)
    return np.array(center), side


@dataclass(frozen=True)
class _ShownScenes:
    """The scenes of a batch: their `rows` [B], `images` [B, 3, S, S] and `segmentation` [B, S, S].

    `contents` [B] are the visible objects of each, `regions` (scene, instance id) some of them, of `region_objects`.
    """

    rows: NDArray[np.int64]
    images: Tensor
    segmentation: Tensor
    regions: list[tuple[int, int]]
    contents: list[list[ObjectAttributes]]
    region_objects: list[ObjectAttributes]

    @classmethod
    def none(cls, size: int) -> _ShownScenes:
        """Return no scene, of images of `size` pixels."""
        images, segmentation = torch.zeros(0, 3, size, size), torch.zeros(0, size, size, dtype=torch.uint8)
        return cls(np.zeros(0, np.int64), images, segmentation, [], [], [])


class RenderBatchSampler:
    """Samples the batch of a step from (seed, step) alone, so that a run resumes without a sampler state."""

    def __init__(
        self, scenes: SceneImages | None, views: ObjectViews, config: TeacherTrainConfig, image_size: int
    ) -> None:
        self.scenes, self.views, self.config, self.image_size = scenes, views, config, image_size
        self.in_scenes = scenes.named if scenes else []
        named_in_views = {item.name: item for item in views.objects if item.name}
        self.named_objects = list({**{item.name: item for item in self.in_scenes}, **named_in_views}.values())
        self.words = attribute_words([*self.in_scenes, *views.objects])
        if scenes and config.min_crop_size > scenes.rgb.shape[1]:
            raise InvalidArgumentError(
                f"expected min_crop_size of at most the images' {scenes.rgb.shape[1]} pixels, "
                f"but got {config.min_crop_size}"
            )

    def batch(self, step: int) -> Batch:
        """Return the batch of a step."""
        rng = np.random.default_rng([self.config.seed, step])
        shown = self._scenes(self.scenes, rng) if self.scenes else _ShownScenes.none(self.image_size)
        size = int(rng.choice(self.config.crop_sizes))
        object_crops, crop_objects = torch.zeros(0, 3, size, size), list[ObjectAttributes]()
        if self.scenes:
            object_crops, crop_objects = self._object_crops(self.scenes, shown.rows, size, rng)
        views, view_objects = self._views(size, rng)
        all_objects_in_batch = [*shown.region_objects, *crop_objects, *view_objects]
        in_scenes = self._competing_names(self.in_scenes, [item for row in shown.contents for item in row], rng)
        scene_captions = self._scene_captions(shown.contents, in_scenes, rng)
        object_captions, attribute_slices = self._object_captions(all_objects_in_batch, len(shown.regions), rng)
        objects, share = torch.cat([object_crops, views]), self.config.low_resolution
        return Batch(
            scenes=self._augment(shown.images, rng),
            segmentation=shown.segmentation,
            regions=torch.tensor(shown.regions, dtype=torch.int64).reshape(-1, 2),
            objects=self._augment(_coarse(objects, share, rng, _SMALLEST_FRACTION), rng),
            scene_texts=[p.text for p in scene_captions],
            scene_targets=torch.from_numpy(caption_truth(scene_captions, shown.contents)),
            object_texts=[p.text for p in object_captions],
            object_targets=torch.from_numpy(caption_truth(object_captions, [[t] for t in all_objects_in_batch])),
            names=len(in_scenes),
            attribute_slices=attribute_slices,
            tags=[tag for p in object_captions[attribute_slices["name"].start :] for tag in p.predicates[0].tags],
        )

    def _scenes(self, scenes: SceneImages, rng: np.random.Generator) -> _ShownScenes:
        """Draw scenes and crop them."""
        rows = rng.integers(0, len(scenes.rgb), self.config.scene_batch_size)
        crops = self._scene_crops(scenes, rows, rng)
        images = _coarse(crop_images(scenes.rgb[rows], crops, self.image_size), _LOW_RESOLUTION_FRACTION, rng)
        segmentation = crop_masks(scenes.segmentation[rows], crops, self.image_size)
        visible = [visible_instances(segmentation[n].numpy()) for n in range(len(rows))]
        regions = [
            (n, instance_id)
            for n, instance_ids in enumerate(visible)
            for instance_id in rng.permutation(instance_ids)[:_REGIONS_A_SCENE].tolist()
        ]
        objects = [scenes.objects[row] for row in rows]
        contents = [
            [of_scene[instance_id - 1] for instance_id in instance_ids]
            for of_scene, instance_ids in zip(objects, visible, strict=True)
        ]
        region_objects = [objects[n][instance_id - 1] for n, instance_id in regions]
        return _ShownScenes(rows, images, segmentation, regions, contents, region_objects)

    def _scene_crops(self, scenes: SceneImages, rows: NDArray[np.int64], rng: np.random.Generator) -> AffineCrops:
        """Sample crops between `min_crop_size` and the full image, near its center; half are rotated by quarter turns.

        Some zoom in on an object, so that small ones get more pixels.
        """
        full_size, count = scenes.rgb.shape[1], len(rows)
        side = rng.uniform(self.config.min_crop_size, full_size, count)
        slack = 0.06 * full_size
        center = (full_size - 1) / 2 + rng.uniform(-slack, slack, (count, 2))
        for n in range(round(_ZOOMED_FRACTION * count)):
            instance_ids = visible_instances(scenes.segmentation[rows[n]])
            if instance_ids:
                chosen = instance_ids[int(rng.integers(len(instance_ids)))]
                object_center, _ = object_window(scenes.segmentation[rows[n]], chosen)
                side[n] = rng.uniform(0.4, 0.9) * self.config.min_crop_size
                center[n] = object_center + rng.uniform(-0.25, 0.25, 2) * side[n]
        quarters = rng.integers(0, 4, count) * (rng.random(count) < 0.5)
        angle = quarters * np.pi / 2 + rng.normal(0, 0.06, count)
        return AffineCrops(center, side, angle, rng.random(count) < 0.5)

    def _object_crops(
        self, scenes: SceneImages, rows: NDArray[np.int64], size: int, rng: np.random.Generator
    ) -> tuple[Tensor, list[ObjectAttributes]]:
        """Crop visible objects of each scene with their surroundings; small objects are likelier."""
        chosen, centers, sides, objects = [], [], [], []
        for row in rows.tolist():
            visible = visible_instances(scenes.segmentation[row])
            if not visible:
                continue
            weights = np.bincount(scenes.segmentation[row].ravel())[visible] ** -0.5
            count = min(self.config.crops_per_scene, len(visible))
            for number in rng.choice(len(visible), count, replace=False, p=weights / weights.sum()).tolist():
                center, side = object_window(scenes.segmentation[row], visible[number])
                chosen.append(row)
                centers.append(center + rng.uniform(-0.1, 0.1, 2) * side)
                sides.append(side * rng.uniform(1.1, 1.8))
                objects.append(scenes.objects[row][visible[number] - 1])
        count = len(chosen)
        object_crops = AffineCrops(
            np.array(centers).reshape(-1, 2),
            np.array(sides),
            rng.uniform(0, 2 * np.pi, count),
            rng.random(count) < 0.5,
        )
        return crop_images(scenes.rgb[chosen], object_crops, size), objects

    def _views(self, size: int, rng: np.random.Generator) -> tuple[Tensor, list[ObjectAttributes]]:
        chosen = rng.integers(0, len(self.views.rgb), self.config.view_batch_size)
        count, full_size = len(chosen), self.views.rgb.shape[1]
        center = (full_size - 1) / 2 + rng.uniform(-0.08, 0.08, (count, 2)) * full_size
        crops = AffineCrops(
            center, full_size * rng.uniform(0.9, 1.6, count), rng.uniform(0, 2 * np.pi, count), rng.random(count) < 0.5
        )
        images = crop_images(self.views.rgb[chosen], crops, size)
        if self.config.strong_augmentation or self.config.occlusion:
            masks = crop_masks(self.views.mask[chosen].astype(np.uint8), crops, size)[:, None].bool()
            if self.config.strong_augmentation:
                images = random_backgrounds(images, masks, rng)
            if self.config.occlusion:
                images = random_occluders(images, masks, self.config.occlusion, rng)
        return images, [self.views.objects[n] for n in chosen]

    def _augment(self, images: Tensor, rng: np.random.Generator) -> Tensor:
        return random_appearance(images, rng) if self.config.strong_augmentation else random_color_jitter(images, rng)

    def _competing_names(
        self, named: Sequence[ObjectAttributes], objects: Sequence[ObjectAttributes], rng: np.random.Generator
    ) -> list[ObjectAttributes]:
        """Return up to `max_names` of the named objects: all where they are few, else those in the batch and others."""
        if len(named) <= self.config.max_names:
            return list(named)
        names = {item.name for item in objects}
        shuffled = [named[n] for n in rng.permutation(len(named))]
        return sorted(shuffled, key=lambda item: item.name not in names)[: self.config.max_names]

    def _scene_captions(
        self,
        contents: Sequence[Sequence[ObjectAttributes]],
        in_scenes: Sequence[ObjectAttributes],
        rng: np.random.Generator,
    ) -> list[Caption]:
        """One for each scene, and for each object one of presence and one of absence by name."""
        captions = [scene_caption(objects, in_scenes, rng) for objects in contents if objects]
        captions += [named_scene_caption(item, rng) for item in in_scenes]
        return captions + [absent_caption(item, rng) for item in in_scenes]

    def _object_captions(
        self, all_objects: Sequence[ObjectAttributes], first: int, rng: np.random.Generator
    ) -> tuple[list[Caption], dict[str, slice]]:
        """One for each of half the objects, names of objects, so that similar ones compete, and attributes.

        Instances of kinds have a second one, of their name with what else is true, or with a color that may be false.

        :param first: of the objects that get captions of their own, since they are not in a scene of the batch
        """
        objects = all_objects[first:]
        chosen = rng.permutation(len(objects))[: (len(objects) + 1) // 2]
        captions = [object_caption(objects[n], rng) for n in chosen]
        of_kinds = [objects[n] for n in chosen if self.views.instances and objects[n].name and objects[n].colors]
        for item in of_kinds:
            other = str(rng.choice(self.words["color"])) if rng.random() < _OTHER_COLOR_PROBABILITY else None
            captions.append(composed_caption(item, rng, other))
        competing = self._competing_names(self.named_objects, all_objects, rng)
        synonyms = _SYNONYM_PROBABILITY if self.views.instances else 0.0
        by_type = {"name": [named_object_caption(item, rng, synonyms) for item in competing]}
        by_type |= sample_attribute_prompts(self.words, _PROMPTS_PER_TYPE, rng)
        attribute_slices = {}
        for attribute_type, prompts in by_type.items():
            attribute_slices[attribute_type] = slice(len(captions), len(captions) + len(prompts))
            captions += prompts
        return captions, attribute_slices


def _coarse(images: Tensor, share: float, rng: np.random.Generator, smallest: float = 0.5) -> Tensor:
    """Blur some images, drawn from all; arguments as of `simulate_low_resolution`, which blurs the first."""
    if not share:
        return images
    order = torch.from_numpy(rng.permutation(len(images)))
    return simulate_low_resolution(images[order], share, rng, smallest)[order.argsort()]
