"""Captions of one's own classes and objects: a text that is too long is named before the training."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers.own_objects import own_entry
from helpers.teacher_data import write_views
from pickclutter_lang.datasets.object_views import write_object_views
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.captions import (
    Caption,
    absent_caption,
    attribute_prompt,
    named_object_caption,
    named_scene_caption,
    object_caption,
)
from pickclutter_lang.language.object_attributes import attributes_of
from pickclutter_lang.objects.catalog_file import CatalogEntry, words_of_entry
from pickclutter_lang.teacher_training.caption_lengths import _OF_CLASS, _OF_OBJECT, _check, check_captions
from pickclutter_lang.teacher_training.config import TeacherTrainConfig
from pickclutter_lang.teacher_training.train import train_teacher
from pickclutter_lang.teacher_training.trainable_teacher import TrainablePocketTeacher
from pickclutter_lang.teachers.open_clip_teacher import count_tokens
from pickclutter_lang.teachers.pocket import POCKET_CONFIG

CONTEXT_LENGTH = POCKET_CONFIG["model_cfg"]["text_cfg"]["context_length"]


def images_of(folder: Path, *names: str) -> str:
    for name in names:
        (folder / name).mkdir(parents=True)
        Image.new("RGB", (8, 8), folder.name).save(folder / name / "0.png")
    return str(folder)


def own_views(folder: Path, entry: CatalogEntry) -> str:
    rgb, mask = np.zeros((1, 32, 32, 3), np.uint8), np.ones((1, 32, 32), bool)
    rows = [words_of_entry(entry, entry.catalog_object((0.1, 0.1, 0.1)))]
    write_object_views(folder, rgb, mask, np.zeros(1, np.int32), rows, {"objects": "mine"})
    return str(folder)


@pytest.mark.parametrize("unseen", [False, True])
def test_a_sentence_of_a_class_that_is_too_long_is_named_before_the_training(tmp_path: Path, unseen: bool) -> None:
    seen, held = (images_of(tmp_path / name, "lime", *plus) for name, plus in (("red", ["beet"]), ("blue", ["plum"])))
    name = "plum" if unseen else "beet"
    rows = [{"folder": name, "description": "A dark ball. " + "It is red " * 20}]
    (tmp_path / "classes.json").write_text(json.dumps(rows))
    config = TeacherTrainConfig(
        str(tmp_path / "out"), images=seen, unseen_images=held if unseen else None, classes=f"{tmp_path}/classes.json"
    )
    with pytest.raises(InvalidArgumentError, match=f"one of '{name}' .*: 'It is red .*shorten it in .*/classes.json"):
        train_teacher(config)
    assert not (tmp_path / "out").exists()


def test_a_long_name_of_a_folder_and_a_long_word_of_an_object_are_named(tmp_path: Path) -> None:
    folder = images_of(tmp_path / "red", "lime", "beet" + " b" * 70)
    with pytest.raises(InvalidArgumentError, match=r"shorten it in the name of its folder in .*red"):
        check_captions(TeacherTrainConfig("out", images=folder))
    entry = own_entry("tea_mug")
    fitting = own_views(tmp_path / "fitting", entry)
    check_captions(TeacherTrainConfig("out", views=[fitting, str(write_views(tmp_path / "proxy", 0))]))
    for number, change in enumerate(({"synonyms": ("cup " * 70,)}, {"description": "round " * 60})):
        views = own_views(tmp_path / str(number), replace(entry, **change))  # type: ignore[arg-type]
        with pytest.raises(InvalidArgumentError, match=f"one of 'tea mug' .* in its catalog.yaml, and make {views}"):
            check_captions(TeacherTrainConfig("out", views=[fitting, views]))


@pytest.mark.parametrize("template", [_OF_CLASS, _OF_OBJECT])
def test_no_caption_of_what_fits_is_longer_than_the_context(template: str) -> None:
    fixed = count_tokens([template.format(a="a tea mug", bare="tea mug", sentence="")], CONTEXT_LENGTH)[0]
    longest = " ".join(["round"] * (CONTEXT_LENGTH - fixed))
    word = " ".join(["thin"] * (CONTEXT_LENGTH - 9))
    _check("tea mug", (word,), (longest,), template, "a file")
    with pytest.raises(InvalidArgumentError, match="caption of 65"):
        _check("tea mug", (), (longest + " round",), template, "a file")
    with pytest.raises(InvalidArgumentError, match="caption of 65"):
        _check("tea mug", (word + " thin",), (), template, "a file")
    item = attributes_of(replace(own_entry("tea_mug"), synonyms=(word,), description=longest).catalog_object())
    rng = np.random.default_rng(0)
    draw: list[Callable[[], Caption]] = [
        lambda: object_caption(item, rng),
        lambda: named_object_caption(item, rng, 0.5),
    ]
    draw += (
        [lambda: named_scene_caption(item, rng), lambda: absent_caption(item, rng)] if template == _OF_OBJECT else []
    )
    texts = [one().text for _ in range(200) for one in draw]
    texts += [
        attribute_prompt(kind, word, n).text for kind in ("category", "shape", "material", "use") for n in range(4)
    ]
    assert max(count_tokens(texts, CONTEXT_LENGTH)) == CONTEXT_LENGTH


def test_a_caption_of_many_names_is_cut() -> None:
    trainable = TrainablePocketTeacher(POCKET_CONFIG)
    text = "a photo of a table with " + " and ".join(["a very long name"] * 20)
    assert trainable.encode_texts([text, "a mug"]).isfinite().all()
