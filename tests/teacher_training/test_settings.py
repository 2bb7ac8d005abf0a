"""Settings of `train-teacher` that do not go together, and labels of a model card that are alike."""

from __future__ import annotations

from typing import Any

import pytest

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.teacher_training.config import TeacherTrainConfig
from pickclutter_lang.teacher_training.teacher_report import _unique


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"images": "i", "occlusion": 0.4}, "expected no occlusion with images"),
        ({"images": "i", "hold_out_compositions": True}, "expected no hold_out_compositions with images"),
        ({"images": "i", "scene_batch_size": 8}, "expected no scene_batch_size with images"),
        ({"images": "i", "min_crop_size": 99}, "expected no min_crop_size with images"),
        ({"views": ["v"], "scene_batch_size": 8}, r"expected no scene_batch_size with scenes=\[\]"),
        ({"views": ["v"], "min_crop_size": 99}, r"expected no min_crop_size with scenes=\[\]"),
        ({"views": ["v"], "crops_per_scene": 2}, r"expected no crops_per_scene with scenes=\[\]"),
        ({"views": ["v"], "warmup_fraction": 1.5}, "expected warmup_fraction to lie between 0"),
        ({"images": "i", "unseen_views": ["v"]}, "expected no unseen_views with images"),
        ({"views": ["v"], "unseen_images": "i"}, "expected no unseen_images with views"),
        ({"views": ["v"], "images_half": "first"}, "expected no images_half with views"),
        ({"views": ["v"], "pretrained": "t", "exclude_split": "ood"}, "expected exclude_split=none"),
        ({"views": ["v"], "pretrained": "t", "hold_out_compositions": True}, "hold_out_compositions=false with pretr"),
    ],
)
def test_a_setting_without_effect_or_sense_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        TeacherTrainConfig("out", **given).validate()


def test_the_smallest_batch_is_one_that_is_drawn() -> None:
    for scenes, smallest in ((["s"], 4), ([], 32)):
        config = TeacherTrainConfig("out", scenes=scenes, views=["v"], scene_batch_size=4, view_batch_size=32)
        assert config.smallest_batch == smallest


def test_labels_that_are_alike_are_numbered() -> None:
    assert _unique("kinds", []) == "kinds"
    assert _unique("kinds", ["kinds", "ycb"]) == "kinds (2)" and _unique("a", ["a", "a (2)"]) == "a (3)"
