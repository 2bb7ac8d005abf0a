"""What one step of training the pocket teacher sees, whatever pictures it is trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from pickclutter_lang.language.things import Thing


@dataclass(frozen=True)
class Batch:
    """What one step sees; pictures are float32 in 0..1. There may be no scenes.

    `scenes` [B, 3, S, S]; `regions` int64 [R, 2] (scene, slot + 1) with `segmentation` uint8 [B, S, S]; `objects`
    [K, 3, s, s], crops and views. `scene_truth` [B, P] and `object_truth` [R + K, Q] say which phrases hold. The last
    2 * `names` scene texts say of each nameable object of the scenes that it is there, then that it is not. `kinds`
    are the columns of the object texts that are of one kind (`name`, `colour`, ...), among which one may ask; `tags`
    say what they mean, from the first of these columns to the last text.
    """

    scenes: Tensor
    segmentation: Tensor
    regions: Tensor
    objects: Tensor
    scene_texts: list[str]
    scene_truth: Tensor
    object_texts: list[str]
    object_truth: Tensor
    names: int
    kinds: dict[str, slice]
    tags: list[str]


class BatchSource(Protocol):
    """Draws the batch of a step from (seed, step) alone; `nameable` and `words` are all that its captions may say."""

    nameable: list[Thing]
    words: dict[str, list[str]]

    def batch(self, step: int) -> Batch:
        """Return the batch of a step."""
