"""Training batches from renders: scene crops, object crops and object views, with captions and match targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

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
from pickclutter_lang.language.object_attributes import ObjectAttributes
from pickclutter_lang.teacher_training.batch import Batch
from pickclutter_lang.teacher_training.compositions import Composition, held_out_phrases
from pickclutter_lang.teacher_training.config import TeacherTrainConfig
from pickclutter_lang.teacher_training.render_sources import (
    ObjectViews,
    SceneImages,
    object_window,
    visible_instances,
)

_REGIONS_A_SCENE = 8
_LOW_RESOLUTION_FRACTION = 0.35
_ZOOMED_FRACTION = 0.25
_SMALLEST_FRACTION = 0.25
_PROMPTS_PER_TYPE = 14
_SYNONYM_PROBABILITY, _OTHER_COLOR_PROBABILITY = 0.3, 0.4


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
        self.held_out_phrases = held_out_phrases(views.held_out)
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
            other = self._other_color(item, rng) if rng.random() < _OTHER_COLOR_PROBABILITY else None
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

    def _other_color(self, item: ObjectAttributes, rng: np.random.Generator) -> str:
        """Draw a color to say of an object, true or not, but none that is held out with its name."""
        held_out = self.views.held_out
        allowed = [word for word in self.words["color"] if Composition(item.name, "color", word) not in held_out]
        return str(rng.choice(allowed))


def _coarse(images: Tensor, share: float, rng: np.random.Generator, smallest: float = 0.5) -> Tensor:
    """Blur some images, drawn from all; arguments as of `simulate_low_resolution`, which blurs the first."""
    if not share:
        return images
    order = torch.from_numpy(rng.permutation(len(images)))
    return simulate_low_resolution(images[order], share, rng, smallest)[order.argsort()]
