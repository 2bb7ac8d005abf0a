"""What one step of training the pocket teacher sees, whatever images it is trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from pickclutter_lang.language.object_attributes import ObjectAttributes


@dataclass(frozen=True)
class Batch:
    """What one step sees; images are float32 in 0..1. There may be no scenes.

    `scenes` [B, 3, S, S]; `regions` int64 [R, 2] (scene, slot + 1) with `segmentation` uint8 [B, S, S]; `objects`
    [K, 3, s, s], crops and views. `scene_targets` [B, P] and `object_targets` [R + K, Q] say which phrases hold. The
    last 2 * `names` scene texts say of each nameable object of the scenes that it is there, then that it is not.
    `kinds` are the columns of the object texts that are of one kind (`name`, `color`, ...), among which one may ask;
    `tags` say what they mean, from the first of these columns to the last text.
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
    """Draws the batch of a step from (seed, step) alone; `nameable` and `words` are all that its captions may say."""

    named_objects: list[ObjectAttributes]
    words: dict[str, list[str]]

    def batch(self, step: int) -> Batch:
        """Return the batch of a step."""
