"""Halves of the images of a folder: one for the teacher, the other for its students, and never the same image."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from helpers.image_data import config, paint_classes
from helpers.image_runs import config as image_config
from helpers.scene_runs import make_teacher
from pickclutter_lang.datasets.images.dataset import ImageDataset
from pickclutter_lang.datasets.images.loaders import load_set
from pickclutter_lang.errors import MismatchError, TeacherError
from pickclutter_lang.experiments.images.image_run import ImageRun
from pickclutter_lang.teacher_training.data import open_images
from pickclutter_lang.teachers.pocket import TRAINING_IMAGES
from pickclutter_lang.teachers.training_images import (
    check_untrained_images,
    note_of_trained_images,
    write_training_images,
)


def half_of(tmp_path: Path, half: str | None) -> ImageDataset:
    return load_set(config(tmp_path, half=half))


def hashes_of(tmp_path: Path, half: str) -> list[bytes]:
    return list(half_of(tmp_path, half).images.file_hashes)


def test_halves_are_all_images_of_each_class_and_follow_the_names_hashes(tmp_path: Path) -> None:
    paint_classes(tmp_path / "data", ["a", "b"], 5)
    first, second = (half_of(tmp_path, half).images.ids for half in ("first", "second"))
    assert not set(first) & set(second) and {*first, *second} == set(half_of(tmp_path, None).images.ids)
    by_hash = sorted((f"p{n}.png" for n in range(5)), key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    for folder in "ab":
        assert {name for name in first if name.startswith(folder)} == {f"{folder}/{name}" for name in by_hash[:3]}
    assert open_images(str(tmp_path / "data"), None, "first").images.ids == first


def test_an_image_of_the_teacher_is_refused_whatever_its_name(tmp_path: Path) -> None:
    paint_classes(tmp_path / "data", ["a", "b"], 6)
    teacher = tmp_path / "teacher"
    write_training_images(teacher, hashes_of(tmp_path, "first"))
    assert len(json.loads((teacher / TRAINING_IMAGES).read_text())) == 6
    check_untrained_images(half_of(tmp_path, "second"), str(teacher))
    check_untrained_images(half_of(tmp_path, "first"), None)
    assert note_of_trained_images(half_of(tmp_path, None), str(teacher))
    assert note_of_trained_images(half_of(tmp_path, "second"), str(teacher)) == ""
    second = hashes_of(tmp_path, "second")
    write_training_images(tmp_path / "later", second, pretrained=str(teacher))
    with pytest.raises(MismatchError, match="6 of 6"):
        check_untrained_images(half_of(tmp_path, "first"), str(tmp_path / "later"))
    with pytest.raises(MismatchError, match="6 of 12"):
        check_untrained_images(half_of(tmp_path, None), str(teacher))
    taken = tmp_path / "data" / half_of(tmp_path, "first").images.ids[0]
    (tmp_path / "copies" / "c").mkdir(parents=True)
    (tmp_path / "copies" / "c" / "other.png").write_bytes(taken.read_bytes())
    with pytest.raises(MismatchError, match=r"c/other\.png"):
        check_untrained_images(load_set(config(tmp_path, root=str(tmp_path / "copies"))), str(teacher))
    (teacher / TRAINING_IMAGES).unlink()
    with pytest.raises(TeacherError, match="images_half"):
        check_untrained_images(half_of(tmp_path, "second"), str(teacher))


def test_a_run_refuses_the_half_of_its_teacher(tmp_path: Path) -> None:
    paint_classes(tmp_path / "data", ["a", "b", "c", "d"], 10)
    teacher = make_teacher(tmp_path / "teacher")
    write_training_images(teacher, hashes_of(tmp_path, "first"))
    overrides = [
        "dataset=image_folder", "recipe=smoke", "data.shots=1", f"data.root={tmp_path / 'data'}", "objective.cls=1",
        f"teacher.checkpoint={teacher}", f"teacher.cache={tmp_path / 'cache'}", f"out={tmp_path / 'run'}",
    ]  # fmt: skip
    run = ImageRun.open(image_config(*overrides, "data.half=second"))
    assert set(run.parts.data.images.ids) == set(half_of(tmp_path, "second").images.ids)
    with pytest.raises(MismatchError, match="20 of 20"):
        ImageRun.open(image_config(*overrides, "data.half=first"))
