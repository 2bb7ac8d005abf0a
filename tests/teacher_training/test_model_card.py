"""What a model card says of the images that a teacher was trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.own_objects import own_entry
from helpers.scene_data import make_toy_store
from helpers.teacher_data import write_views
from pickclutter_lang.datasets.object_views import write_object_views
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.objects.catalog_file import words_of_entry
from pickclutter_lang.teacher_training.config import TeacherTrainConfig
from pickclutter_lang.teacher_training.model_card import write_model_card
from pickclutter_lang.teacher_training.teacher_report import evaluate_teacher
from pickclutter_lang.teachers.pocket import PocketTeacher, load_pocket_teacher

PROCEDURAL, SCANS = "procedural models made by this project's code", "scans of the YCB object set"


@pytest.fixture(scope="module")
def teacher() -> PocketTeacher:
    return load_pocket_teacher()


def own_views(folder: Path, objects: str, **config: Any) -> Path:
    entry = own_entry("tea_mug")
    rows = [words_of_entry(entry, entry.catalog_object((0.1, 0.1, 0.1)))]
    rgb, mask = np.zeros((1, 32, 32, 3), np.uint8), np.ones((1, 32, 32), bool)
    write_object_views(folder, rgb, mask, np.zeros(1, np.int32), rows, {"objects": objects, **config})
    return folder


@pytest.mark.parametrize(
    ("objects", "random_objects", "said", "unsaid"),
    [
        ("proxy", 1, f"show {PROCEDURAL}.", "imported"),
        ("./mine", 0, "show imported objects.", PROCEDURAL),
        ("./mine", 2, f"show {PROCEDURAL}, and imported objects.", SCANS),
        (["ycb", "./mine"], 0, SCANS, PROCEDURAL),
    ],
)
def test_the_card_says_what_the_images_show(
    teacher: PocketTeacher, tmp_path: Path, objects: Any, random_objects: int, said: str, unsaid: str
) -> None:
    if objects == "proxy":
        views = write_views(tmp_path / "views", 0)
    else:
        views = own_views(tmp_path / "views", objects, random_objects=random_objects)
    config = TeacherTrainConfig(str(tmp_path / "out"), views=[str(views)], sentence_weight=0.0)
    teacher.save_pretrained(tmp_path / "teacher")
    write_model_card(tmp_path / "teacher", evaluate_teacher(teacher, config), config, 60.0)
    card = " ".join((tmp_path / "teacher" / "MODEL_CARD.md").read_text().split())
    assert said in card and unsaid not in card
    assert ("Nor any scan" in card) is (objects == "proxy")


def test_scenes_of_another_object_split_are_evaluated_on_its_labels(teacher: PocketTeacher, tmp_path: Path) -> None:
    store = make_toy_store(tmp_path / "id", "id", 6, size=32, object_split=2)
    views = write_views(tmp_path / "views", 0)
    config = TeacherTrainConfig(
        str(tmp_path / "out"), views=[str(views)], unseen_scenes=[str(store.path)], sentence_weight=0.0
    )
    found = evaluate_teacher(teacher, config)["scenes"]["proxy, id, 32 px, object split 2, whole"]
    columns = {split: store.labels("visible")[:, store.split_label_indices(split)] for split in ("id", "ood")}
    shares = columns["id"].mean(axis=0)
    assert found["map_always_yes"] == pytest.approx(shares[shares > 0].mean())
    assert set(store.split_label_indices("id")) != set(paper_catalog().indices("id")) and not columns["ood"].any()
