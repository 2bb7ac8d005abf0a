"""`Batch`: the images, captions and match targets of one training step, for renders and for folders alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from pickclutter_lang.language.object_attributes import ObjectAttributes


@dataclass(frozen=True)
class Batch:
    """Images (float32 in 0..1), captions and targets of one training step. There may be no scenes.

    `scenes` [B, 3, S, S]; `regions` int64 [R, 2] (scene, instance id) with `segmentation` uint8 [B, S, S]; `objects`
    [K, 3, s, s], crops and views. `scene_targets` [B, P] and `object_targets` [R + K, Q], bool, say which captions are
    true. The last 2 * `names` scene texts assert the presence, then the absence, of each named object of the scenes.
    `attribute_slices` are the columns of object texts of one type (`name`, `color`, ...), which compete with each
    other. `tags` are the tags of these texts, from the first of these columns to the last text.
    """

    scenes: Tensor
    segmentation: Tensor
    regions: Tensor
    objects: Tensor
    scene_texts: list[str]
    scene_targets: Tensor
    object_texts: list[str]
    object_targets: Tensor
    names: int
    attribute_slices: dict[str, slice]
    tags: list[str]


class BatchSource(Protocol):
    """Samples the batch of a step from (seed, step) alone; its captions use `named_objects` and `words` alone.

    No text that the teacher learns from may contain one of the `held_out_phrases`.
    """

    named_objects: list[ObjectAttributes]
    words: dict[str, list[str]]
    held_out_phrases: tuple[str, ...]

    def batch(self, step: int) -> Batch:
        """Return the batch of a step."""
