"""What the pocket teacher is trained on: windows of scenes, crops and views, with captions and their truth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.attributes import attribute_words, draw_questions
from pickclutter_lang.language.captions import (
    Phrase,
    absent_phrase,
    match,
    named_object_phrase,
    named_scene_phrase,
    object_phrase,
    scene_phrase,
)
from pickclutter_lang.language.things import Thing, thing_of
from pickclutter_lang.objects.catalogue import paper_catalogue
from pickclutter_lang.pretraining.batch import Batch
from pickclutter_lang.pretraining.config import TeacherTrainSettings
from pickclutter_lang.pretraining.pictures import Scenes, Views, excluded_ids, object_window, seen_slots
from pickclutter_lang.training.windows import Windows, coarsen, cut_labels, cut_rgb, relight

_REGIONS_A_SCENE = 8
_COARSE_SHARE = 0.35
_CLOSE_SHARE = 0.25
_WORDS_A_KIND = 14


class TeacherData:
    """Draws the batch of a step from (seed, step) alone, so that a run resumes without remembering anything."""

    def __init__(self, scenes: Scenes, views: Views, settings: TeacherTrainSettings, image_size: int) -> None:
        self.scenes, self.views, self.settings, self.image_size = scenes, views, settings, image_size
        excluded = excluded_ids(settings.exclude)
        self.in_scenes = [thing_of(item) for item in paper_catalogue() if item.model_id not in excluded]
        known = {thing.name: thing for thing in views.things if thing.name}
        self.nameable = list({**{thing.name: thing for thing in self.in_scenes}, **known}.values())
        self.words = attribute_words([*self.in_scenes, *views.things])
        if settings.view > scenes.rgb.shape[1]:
            raise InvalidArgumentError(
                f"expected view of at most the pictures' {scenes.rgb.shape[1]} pixels, but got {settings.view}"
            )

    def batch(self, step: int) -> Batch:
        """Return the batch of a step."""
        rng = np.random.default_rng([self.settings.seed, step])
        rows = rng.integers(0, len(self.scenes.rgb), self.settings.scene_batch)
        windows = self._scene_windows(rows, rng)
        pictures = coarsen(cut_rgb(self.scenes.rgb[rows], windows, self.image_size), _COARSE_SHARE, rng)
        segmentation = cut_labels(self.scenes.segmentation[rows], windows, self.image_size)
        seen = [seen_slots(segmentation[n].numpy()) for n in range(len(rows))]
        regions = [
            (n, slot) for n, slots in enumerate(seen) for slot in rng.permutation(slots)[:_REGIONS_A_SCENE].tolist()
        ]
        contents = [
            [self.scenes.things[row][slot - 1] for slot in slots] for row, slots in zip(rows, seen, strict=True)
        ]
        size = int(rng.choice(self.settings.object_sizes))
        crops, crop_things = self._crops(rows, size, rng)
        views, view_things = self._views(size, rng)
        region_things = [self.scenes.things[rows[n]][slot - 1] for n, slot in regions]
        object_things = [*region_things, *crop_things, *view_things]
        scene_phrases = self._scene_phrases(contents, rng)
        object_phrases, kinds = self._object_phrases([*crop_things, *view_things], rng)
        return Batch(
            scenes=relight(pictures, rng),
            segmentation=segmentation,
            regions=torch.tensor(regions, dtype=torch.int64).reshape(-1, 2),
            objects=relight(torch.cat([crops, views]), rng),
            scene_texts=[p.text for p in scene_phrases],
            scene_truth=torch.from_numpy(match(scene_phrases, contents)),
            object_texts=[p.text for p in object_phrases],
            object_truth=torch.from_numpy(match(object_phrases, [[t] for t in object_things])),
            names=len(self.in_scenes),
            kinds=kinds,
            tags=[tag for p in object_phrases[kinds["name"].start :] for tag in p.clauses[0].tags],
        )

    def _scene_windows(self, rows: NDArray[np.int64], rng: np.random.Generator) -> Windows:
        """Between the smallest window and the whole picture, about its middle; half of them turned by quarters.

        Some are closer, about an object, so that small ones are seen with more pixels.
        """
        whole, count = self.scenes.rgb.shape[1], len(rows)
        side = rng.uniform(self.settings.view, whole, count)
        slack = 0.06 * whole
        centre = (whole - 1) / 2 + rng.uniform(-slack, slack, (count, 2))
        for n in range(round(_CLOSE_SHARE * count)):
            slots = seen_slots(self.scenes.segmentation[rows[n]])
            if slots:
                middle, _ = object_window(self.scenes.segmentation[rows[n]], slots[int(rng.integers(len(slots)))])
                side[n] = rng.uniform(0.4, 0.9) * self.settings.view
                centre[n] = middle + rng.uniform(-0.25, 0.25, 2) * side[n]
        quarters = rng.integers(0, 4, count) * (rng.random(count) < 0.5)
        angle = quarters * np.pi / 2 + rng.normal(0, 0.06, count)
        return Windows(centre, side, angle, rng.random(count) < 0.5)

    def _crops(self, rows: NDArray[np.int64], size: int, rng: np.random.Generator) -> tuple[Tensor, list[Thing]]:
        """Cut one seen object out of each scene, with what is around it; the fewer its pixels, the likelier."""
        chosen, centres, sides, things = [], [], [], []
        for row in rows.tolist():
            seen = seen_slots(self.scenes.segmentation[row])
            if not seen:
                continue
            weights = np.bincount(self.scenes.segmentation[row].ravel())[seen] ** -0.5
            slot = seen[int(rng.choice(len(seen), p=weights / weights.sum()))]
            centre, side = object_window(self.scenes.segmentation[row], slot)
            chosen.append(row)
            centres.append(centre + rng.uniform(-0.1, 0.1, 2) * side)
            sides.append(side * rng.uniform(1.1, 1.8))
            things.append(self.scenes.things[row][slot - 1])
        count = len(chosen)
        windows = Windows(
            np.array(centres).reshape(-1, 2),
            np.array(sides),
            rng.uniform(0, 2 * np.pi, count),
            rng.random(count) < 0.5,
        )
        return cut_rgb(self.scenes.rgb[chosen], windows, size), things

    def _views(self, size: int, rng: np.random.Generator) -> tuple[Tensor, list[Thing]]:
        chosen = rng.integers(0, len(self.views.rgb), self.settings.view_batch)
        count, whole = len(chosen), self.views.rgb.shape[1]
        centre = (whole - 1) / 2 + rng.uniform(-0.08, 0.08, (count, 2)) * whole
        windows = Windows(
            centre, whole * rng.uniform(0.9, 1.6, count), rng.uniform(0, 2 * np.pi, count), rng.random(count) < 0.5
        )
        pictures = cut_rgb(self.views.rgb[chosen], windows, size)
        return pictures, [self.views.things[n] for n in chosen]

    def _scene_phrases(self, contents: Sequence[Sequence[Thing]], rng: np.random.Generator) -> list[Phrase]:
        """One for each scene, and the name of every object: present in some scenes, and absent from the others."""
        phrases = [scene_phrase(things, self.in_scenes, rng) for things in contents if things]
        phrases += [named_scene_phrase(thing, rng) for thing in self.in_scenes]
        return phrases + [absent_phrase(thing, rng) for thing in self.in_scenes]

    def _object_phrases(
        self, things: Sequence[Thing], rng: np.random.Generator
    ) -> tuple[list[Phrase], dict[str, slice]]:
        """One for each of half the objects, the name of every object, so that like ones compete, and attributes."""
        chosen = rng.permutation(len(things))[: (len(things) + 1) // 2]
        phrases = [object_phrase(things[n], rng) for n in chosen]
        of_kind = {"name": [named_object_phrase(thing, rng) for thing in self.nameable]}
        of_kind |= draw_questions(self.words, _WORDS_A_KIND, rng)
        kinds = {}
        for kind, asked in of_kind.items():
            kinds[kind] = slice(len(phrases), len(phrases) + len(asked))
            phrases += asked
        return phrases, kinds
