"""What a model card says, and that the shipped one has the figures beside it."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest

from helpers.scene_data import make_toy_store
from helpers.scene_runs import make_teacher
from helpers.teacher_data import write_views
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.teacher_training.config import TeacherTrainConfig
from pickclutter_lang.teacher_training.data import TeacherData
from pickclutter_lang.teacher_training.evaluation import evaluate_teacher
from pickclutter_lang.teacher_training.model_card import figure_sections, write_model_card
from pickclutter_lang.teachers.pocket import load_pocket_teacher

SHIPPED = Path(str(files("pickclutter_lang.assets") / "pocket_teacher"))


def test_the_shipped_card_has_the_shipped_figures() -> None:
    card = (SHIPPED / "README.md").read_text()
    figures = json.loads((SHIPPED / "figures.json").read_text())
    assert figure_sections(figures) in card and load_pocket_teacher().fingerprint in card


def test_scenes_of_another_object_split_are_evaluated_on_its_labels(tmp_path: Path) -> None:
    store = make_toy_store(tmp_path / "id", "id", 6, size=32, object_split=2)
    views = write_views(tmp_path / "views", 0)
    config = TeacherTrainConfig(
        str(tmp_path / "out"), views=[str(views)], unseen_scenes=[str(store.path)], sentence_weight=0.0
    )
    teacher = load_pocket_teacher()
    data = TeacherData.open(config)
    figures = evaluate_teacher(teacher, data)
    found = figures["scenes"]["proxy, id, 32 px, object split 2, whole"]
    columns = {split: store.array("visible")[:, store.split_label_indices(split)] for split in ("id", "ood")}
    shares = columns["id"].mean(axis=0)
    assert found["map_always_yes"] == pytest.approx(shares[shares > 0].mean())
    assert set(store.split_label_indices("id")) != set(paper_catalog().indices("id")) and not columns["ood"].any()
    folder = make_teacher(tmp_path / "teacher")
    write_model_card(folder, figures, config, data, 60.0)
    card = (folder / "README.md").read_text()
    assert figure_sections(figures) in card
