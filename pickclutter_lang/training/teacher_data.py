"""What the pocket teacher is trained on: windows of scenes, crops and views, with captions and their truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.captions import (
    Phrase,
    absent_phrase,
    match,
    named_object_phrase,
    named_scene_phrase,
    object_phrase,
    scene_phrase,
)
from pickclutter_lang.language.things import Thing, thing_of, thing_of_words
from pickclutter_lang.objects.catalogue import paper_catalogue
from pickclutter_lang.scenes import SceneStore
from pickclutter_lang.scenes.schema import ROBOT_SEGMENT
from pickclutter_lang.scenes.views import ViewStore
from pickclutter_lang.training.teacher_config import TeacherTrainSettings
from pickclutter_lang.training.windows import Windows, coarsen, cut_labels, cut_rgb, relight

# An object counts as seen from this share of the picture's pixels on: 20 pixels of 160 x 160.
SEEN_SHARE = 0.0008
NAMES = len(paper_catalogue())
"""Objects of the catalogue: so many texts at the end of a batch's name them, in order."""
_REGIONS_A_SCENE = 8
_PHRASES_A_SCENE = 2
_COARSE_SHARE = 0.35


@dataclass(frozen=True)
class Scenes:
    """Scenes in memory: `rgb` [N, S, S, 3], `segmentation` [N, S, S], and the thing [N][slot] of each actor."""

    rgb: NDArray[np.uint8]
    segmentation: NDArray[np.uint8]
    things: list[list[Thing]]

    @classmethod
    def load(cls, folders: Sequence[str]) -> Scenes:
        """Read the hand camera's pictures of stores of one picture size.

        :raises InvalidArgumentError: when the stores' pictures differ in size
        """
        stores = [SceneStore.open(folder) for folder in folders]
        sizes = {store.image_size for store in stores}
        if len(sizes) != 1:
            raise InvalidArgumentError(f"expected scene stores of one image_size, but got {sorted(sizes)}")
        catalogue = paper_catalogue()
        things = []
        for store in stores:
            column = [thing_of(catalogue.find(model_id)) for model_id in store.model_ids]
            things += [[column[a] for a in row if a >= 0] for row in store.array("actors")]
        rgb = np.concatenate([store.images("hand", "rgb") for store in stores])
        segmentation = np.concatenate([store.images("hand", "segmentation") for store in stores])
        return cls(rgb, np.where(segmentation == ROBOT_SEGMENT, 0, segmentation).astype(np.uint8), things)


@dataclass(frozen=True)
class Views:
    """Views in memory: `rgb` [M, S, S, 3] and the thing of each."""

    rgb: NDArray[np.uint8]
    things: list[Thing]

    @classmethod
    def load(cls, folders: Sequence[str]) -> Views:
        """Read folders of views of one picture size.

        :raises InvalidArgumentError: when their pictures differ in size
        """
        stores = [ViewStore.open(folder) for folder in folders]
        sizes = {store.rgb.shape[1] for store in stores}
        if len(sizes) != 1:
            raise InvalidArgumentError(f"expected views of one size, but got {sorted(sizes)}")
        things = []
        for store in stores:
            known = [thing_of_row(row) for row in store.things]
            things += [known[n] for n in store.thing]
        return cls(np.concatenate([store.rgb for store in stores]), things)


def thing_of_row(row: Mapping[str, Any]) -> Thing:
    """Return what may be said of a thing of a `ViewStore`."""
    if "model_id" in row:
        return thing_of(paper_catalogue().find(str(row["model_id"])))
    return thing_of_words(row)


@dataclass(frozen=True)
class Batch:
    """What one step sees; pictures are float32 in 0..1.

    `scenes` [B, 3, S, S]; `regions` int64 [R, 2] (scene, slot + 1) with `segmentation` uint8 [B, S, S]; `objects`
    [K, 3, s, s], crops and views. `scene_truth` [B, P] and `object_truth` [R + K, Q] say which phrases hold. The last
    2 * NAMES scene texts say of each object of the catalogue that it is there, then that it is not; the last NAMES
    object texts name them.
    """

    scenes: Tensor
    segmentation: Tensor
    regions: Tensor
    objects: Tensor
    scene_texts: list[str]
    scene_truth: Tensor
    object_texts: list[str]
    object_truth: Tensor


class TeacherData:
    """Draws the batch of a step from (seed, step) alone, so that a run resumes without remembering anything."""

    def __init__(self, scenes: Scenes, views: Views, settings: TeacherTrainSettings, image_size: int) -> None:
        self.scenes, self.views, self.settings, self.image_size = scenes, views, settings, image_size
        self._catalogue = [thing_of(item) for item in paper_catalogue()]
        if settings.view > scenes.rgb.shape[1]:
            raise InvalidArgumentError(
                f"expected view of at most the pictures' {scenes.rgb.shape[1]} pixels, but got {settings.view}"
            )

    def batch(self, step: int) -> Batch:
        """Return the batch of a step."""
        rng = np.random.default_rng([self.settings.seed, step])
        rows = rng.integers(0, len(self.scenes.rgb), self.settings.scene_batch)
        windows = self._scene_windows(rng, len(rows))
        pictures = coarsen(cut_rgb(self.scenes.rgb[rows], windows, self.image_size), _COARSE_SHARE, rng)
        segmentation = cut_labels(self.scenes.segmentation[rows], windows, self.image_size)
        seen = [self._seen(segmentation[n].numpy()) for n in range(len(rows))]
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
        object_phrases = self._object_phrases(object_things, rng)
        return Batch(
            scenes=relight(pictures, rng),
            segmentation=segmentation,
            regions=torch.tensor(regions, dtype=torch.int64).reshape(-1, 2),
            objects=relight(torch.cat([crops, views]), rng),
            scene_texts=[p.text for p in scene_phrases],
            scene_truth=torch.from_numpy(match(scene_phrases, contents)),
            object_texts=[p.text for p in object_phrases],
            object_truth=torch.from_numpy(match(object_phrases, [[t] for t in object_things])),
        )

    def _scene_windows(self, rng: np.random.Generator, count: int) -> Windows:
        """Between the smallest window and the whole picture, about its middle; half of them turned by quarters."""
        whole = self.scenes.rgb.shape[1]
        side = rng.uniform(self.settings.view, whole, count)
        slack = 0.06 * whole
        centre = (whole - 1) / 2 + rng.uniform(-slack, slack, (count, 2))
        quarters = rng.integers(0, 4, count) * (rng.random(count) < 0.5)
        angle = quarters * np.pi / 2 + rng.normal(0, 0.06, count)
        return Windows(centre, side, angle, rng.random(count) < 0.5)

    def _seen(self, segmentation: NDArray[np.uint8]) -> list[int]:
        counts = np.bincount(segmentation.ravel(), minlength=2)
        return [n for n in range(1, len(counts)) if counts[n] >= SEEN_SHARE * segmentation.size]

    def _crops(self, rows: NDArray[np.int64], size: int, rng: np.random.Generator) -> tuple[Tensor, list[Thing]]:
        """Cut one seen object out of each scene, with what is around it."""
        chosen, centres, sides, things = [], [], [], []
        for row in rows.tolist():
            seen = self._seen(self.scenes.segmentation[row])
            if not seen:
                continue
            slot = seen[int(rng.integers(len(seen)))]
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
            centre, whole * rng.uniform(0.95, 2.0, count), rng.uniform(0, 2 * np.pi, count), rng.random(count) < 0.5
        )
        pictures = cut_rgb(self.views.rgb[chosen], windows, size)
        return pictures, [self.views.things[n] for n in chosen]

    def _scene_phrases(self, contents: Sequence[Sequence[Thing]], rng: np.random.Generator) -> list[Phrase]:
        """Some for each scene, and the name of every object: present in some scenes, and absent from the others."""
        phrases = [
            scene_phrase(things, self._catalogue, rng) for things in contents if things for _ in range(_PHRASES_A_SCENE)
        ]
        phrases += [named_scene_phrase(thing, rng) for thing in self._catalogue]
        return phrases + [absent_phrase(thing, rng) for thing in self._catalogue]

    def _object_phrases(self, things: Sequence[Thing], rng: np.random.Generator) -> list[Phrase]:
        """One for each of some objects, and the name of every object of the catalogue, so that like ones compete."""
        chosen = rng.permutation(len(things))[: 2 * self.settings.scene_batch]
        phrases = [object_phrase(things[n], rng) for n in chosen]
        return phrases + [named_object_phrase(thing, rng) for thing in self._catalogue]


def object_window(segmentation: NDArray[np.uint8], slot: int) -> tuple[NDArray[np.float64], float]:
    """Return centre (x, y) and side, in pixels, of the smallest upright square around an object.

    :param slot: value of the object in `segmentation` [S, S]
    """
    y, x = np.nonzero(segmentation == slot)
    centre = np.array([(x.min() + x.max()) / 2, (y.min() + y.max()) / 2])
    return centre, float(max(np.ptp(x), np.ptp(y)) + 1)
