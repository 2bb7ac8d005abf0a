"""What the pocket teacher is trained on: windows of scenes, crops and views, with captions and their truth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pickclutter_lang.datasets.transforms.affine_crops import (
    AffineCrops,
    color_jitter_batch,
    crop_images,
    crop_masks,
    simulate_low_resolution,
)
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.attribute_prompts import attribute_words, sample_attribute_prompts
from pickclutter_lang.language.captions import (
    Caption,
    absent_caption,
    caption_truth,
    named_object_caption,
    named_scene_caption,
    object_caption,
    scene_caption,
)
from pickclutter_lang.language.object_attributes import ObjectAttributes, attributes_of
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.teacher_training.batch import Batch
from pickclutter_lang.teacher_training.config import TeacherTrainConfig
from pickclutter_lang.teacher_training.render_sources import (
    ObjectViews,
    SceneImages,
    excluded_ids,
    object_window,
    visible_instances,
)

_REGIONS_A_SCENE = 8
_LOW_RESOLUTION_FRACTION = 0.35
_CLOSE_FRACTION = 0.25
_PROMPTS_PER_TYPE = 14


class RenderBatchSampler:
    """Draws the batch of a step from (seed, step) alone, so that a run resumes without remembering anything."""

    def __init__(self, scenes: SceneImages, views: ObjectViews, config: TeacherTrainConfig, image_size: int) -> None:
        self.scenes, self.views, self.config, self.image_size = scenes, views, config, image_size
        excluded = excluded_ids(config.exclude_split)
        self.in_scenes = [attributes_of(item) for item in paper_catalog() if item.model_id not in excluded]
        known = {thing.name: thing for thing in views.objects if thing.name}
        self.named_objects = list({**{thing.name: thing for thing in self.in_scenes}, **known}.values())
        self.words = attribute_words([*self.in_scenes, *views.objects])
        if config.min_crop_size > scenes.rgb.shape[1]:
            raise InvalidArgumentError(
                f"expected view of at most the images' {scenes.rgb.shape[1]} pixels, but got {config.min_crop_size}"
            )

    def batch(self, step: int) -> Batch:
        """Return the batch of a step."""
        rng = np.random.default_rng([self.config.seed, step])
        rows = rng.integers(0, len(self.scenes.rgb), self.config.scene_batch_size)
        windows = self._scene_windows(rows, rng)
        images = simulate_low_resolution(
            crop_images(self.scenes.rgb[rows], windows, self.image_size), _LOW_RESOLUTION_FRACTION, rng
        )
        segmentation = crop_masks(self.scenes.segmentation[rows], windows, self.image_size)
        seen = [visible_instances(segmentation[n].numpy()) for n in range(len(rows))]
        regions = [
            (n, instance_id)
            for n, instance_ids in enumerate(seen)
            for instance_id in rng.permutation(instance_ids)[:_REGIONS_A_SCENE].tolist()
        ]
        contents = [
            [self.scenes.objects[row][instance_id - 1] for instance_id in instance_ids]
            for row, instance_ids in zip(rows, seen, strict=True)
        ]
        size = int(rng.choice(self.config.crop_sizes))
        crops, crop_things = self._crops(rows, size, rng)
        views, view_things = self._views(size, rng)
        region_things = [self.scenes.objects[rows[n]][instance_id - 1] for n, instance_id in regions]
        object_things = [*region_things, *crop_things, *view_things]
        scene_phrases = self._scene_captions(contents, rng)
        object_phrases, kinds = self._object_captions([*crop_things, *view_things], rng)
        return Batch(
            scenes=color_jitter_batch(images, rng),
            segmentation=segmentation,
            regions=torch.tensor(regions, dtype=torch.int64).reshape(-1, 2),
            objects=color_jitter_batch(torch.cat([crops, views]), rng),
            scene_texts=[p.text for p in scene_phrases],
            scene_targets=torch.from_numpy(caption_truth(scene_phrases, contents)),
            object_texts=[p.text for p in object_phrases],
            object_targets=torch.from_numpy(caption_truth(object_phrases, [[t] for t in object_things])),
            names=len(self.in_scenes),
            attribute_slices=kinds,
            tags=[tag for p in object_phrases[kinds["name"].start :] for tag in p.clauses[0].tags],
        )

    def _scene_windows(self, rows: NDArray[np.int64], rng: np.random.Generator) -> AffineCrops:
        """Between the smallest window and the whole image, about its middle; half of them turned by quarters.

        Some are closer, about an object, so that small ones are seen with more pixels.
        """
        whole, count = self.scenes.rgb.shape[1], len(rows)
        side = rng.uniform(self.config.min_crop_size, whole, count)
        slack = 0.06 * whole
        center = (whole - 1) / 2 + rng.uniform(-slack, slack, (count, 2))
        for n in range(round(_CLOSE_FRACTION * count)):
            instance_ids = visible_instances(self.scenes.segmentation[rows[n]])
            if instance_ids:
                middle, _ = object_window(
                    self.scenes.segmentation[rows[n]], instance_ids[int(rng.integers(len(instance_ids)))]
                )
                side[n] = rng.uniform(0.4, 0.9) * self.config.min_crop_size
                center[n] = middle + rng.uniform(-0.25, 0.25, 2) * side[n]
        quarters = rng.integers(0, 4, count) * (rng.random(count) < 0.5)
        angle = quarters * np.pi / 2 + rng.normal(0, 0.06, count)
        return AffineCrops(center, side, angle, rng.random(count) < 0.5)

    def _crops(
        self, rows: NDArray[np.int64], size: int, rng: np.random.Generator
    ) -> tuple[Tensor, list[ObjectAttributes]]:
        """Cut one seen object out of each scene, with what is around it; the fewer its pixels, the likelier."""
        chosen, centers, sides, things = [], [], [], []
        for row in rows.tolist():
            seen = visible_instances(self.scenes.segmentation[row])
            if not seen:
                continue
            weights = np.bincount(self.scenes.segmentation[row].ravel())[seen] ** -0.5
            instance_id = seen[int(rng.choice(len(seen), p=weights / weights.sum()))]
            center, side = object_window(self.scenes.segmentation[row], instance_id)
            chosen.append(row)
            centers.append(center + rng.uniform(-0.1, 0.1, 2) * side)
            sides.append(side * rng.uniform(1.1, 1.8))
            things.append(self.scenes.objects[row][instance_id - 1])
        count = len(chosen)
        windows = AffineCrops(
            np.array(centers).reshape(-1, 2),
            np.array(sides),
            rng.uniform(0, 2 * np.pi, count),
            rng.random(count) < 0.5,
        )
        return crop_images(self.scenes.rgb[chosen], windows, size), things

    def _views(self, size: int, rng: np.random.Generator) -> tuple[Tensor, list[ObjectAttributes]]:
        chosen = rng.integers(0, len(self.views.rgb), self.config.view_batch_size)
        count, whole = len(chosen), self.views.rgb.shape[1]
        center = (whole - 1) / 2 + rng.uniform(-0.08, 0.08, (count, 2)) * whole
        windows = AffineCrops(
            center, whole * rng.uniform(0.9, 1.6, count), rng.uniform(0, 2 * np.pi, count), rng.random(count) < 0.5
        )
        images = crop_images(self.views.rgb[chosen], windows, size)
        return images, [self.views.objects[n] for n in chosen]

    def _scene_captions(
        self, contents: Sequence[Sequence[ObjectAttributes]], rng: np.random.Generator
    ) -> list[Caption]:
        """One for each scene, and the name of every object: present in some scenes, and absent from the others."""
        phrases = [scene_caption(things, self.in_scenes, rng) for things in contents if things]
        phrases += [named_scene_caption(thing, rng) for thing in self.in_scenes]
        return phrases + [absent_caption(thing, rng) for thing in self.in_scenes]

    def _object_captions(
        self, things: Sequence[ObjectAttributes], rng: np.random.Generator
    ) -> tuple[list[Caption], dict[str, slice]]:
        """One for each of half the objects, the name of every object, so that like ones compete, and attributes."""
        chosen = rng.permutation(len(things))[: (len(things) + 1) // 2]
        phrases = [object_caption(things[n], rng) for n in chosen]
        of_kind = {"name": [named_object_caption(thing, rng) for thing in self.named_objects]}
        of_kind |= sample_attribute_prompts(self.words, _PROMPTS_PER_TYPE, rng)
        kinds = {}
        for kind, asked in of_kind.items():
            kinds[kind] = slice(len(phrases), len(phrases) + len(asked))
            phrases += asked
        return phrases, kinds
