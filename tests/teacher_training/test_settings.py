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
        ({"images": "i", "unseen_views": ["v"]}, "expected no unseen_views with images"),
        ({"views": ["v"], "unseen_images": "i"}, "expected no unseen_images with views"),
        ({"views": ["v"], "images_half": "first"}, "expected no images_half with views"),
        ({"views": ["v"], "pretrained": "t", "exclude_split": "ood"}, "expected exclude_split=none"),
        ({"views": ["v"], "pretrained": "t", "hold_out_compositions": True}, "hold_out_compositions=false with pretr"),
    ],
)
def test_a_setting_without_effect_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        TeacherTrainConfig("out", **given).validate()


def test_labels_that_are_alike_are_numbered() -> None:
    assert _unique("kinds", []) == "kinds"
    assert _unique("kinds", ["kinds", "ycb"]) == "kinds (2)" and _unique("a", ["a", "a (2)"]) == "a (3)"
