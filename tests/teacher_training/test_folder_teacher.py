"""A pocket teacher of a folder of images: classes, batches, errors, and a real tiny run."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers.scene_runs import make_teacher
from pickclutter_lang.commands import main
from pickclutter_lang.commands.app import compose_config
from pickclutter_lang.errors import InvalidArgumentError, MissingAssetsError
from pickclutter_lang.teacher_training.config import TeacherTrainConfig
from pickclutter_lang.teacher_training.data import TeacherData, class_attributes, class_sentences, open_images
from pickclutter_lang.teacher_training.evaluation import evaluate_teacher
from pickclutter_lang.teachers.pocket import TRAINING_IMAGES, load_pocket_teacher
from pickclutter_lang.teachers.training_images import write_training_images

COLORS = {"Red-Beet": (150, 20, 60), "banana": (230, 210, 30), "Lime": (60, 190, 40)}
TINY = (
    *("steps=6", "view_batch_size=6", "crop_sizes=[32]", "sentence_weight=0", "bf16=false", "lr=0.002"),
    "save_every=3",
)


def paint(folder: Path, count: int, seed: int) -> Path:
    """Write images of a colored square for each class."""
    rng = np.random.default_rng(seed)
    for name, color in COLORS.items():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            image = rng.integers(90, 120, (40, 50, 3), dtype=np.uint8)
            y, x = rng.integers(2, 18, 2)
            image[y : y + 20, x : x + 20] = color
            Image.fromarray(image).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PICKCLUTTER_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    path = tmp_path / "classes.json"
    beet = {"folder": "Red-Beet", "name": "Beetroot", "coarse": "vegetable", "description": "A dark ball. It is tasty."}
    path.write_text(json.dumps({"classes": [beet, {"folder": "banana", "category": "fruit"}]}))
    return path


def make_config(tmp_path: Path, **changes: object) -> TeacherTrainConfig:
    overrides = [f"{key}={value}" for key, value in changes.items()]
    overrides = ["teacher_data=image_folder", f"out={tmp_path / 'run'}", *TINY, *overrides]
    return compose_config(TeacherTrainConfig, "train_teacher", overrides)


def test_classes_are_named_by_the_file_or_their_folder(tmp_path: Path, classes: Path) -> None:
    found = open_images(str(paint(tmp_path / "train", 1, 0)), str(classes)).classes
    known = [class_attributes(item) for item in found]
    assert [(item.name, item.category) for item in known] == [
        ("lime", ""),
        ("beetroot", "vegetable"),
        ("banana", "fruit"),
    ]
    assert class_sentences(found[1]) == ["A dark ball.", "It is tasty."]
    images = open_images(str(tmp_path / "train"))  # with the file that lies next to it
    assert [item.name for item in images.classes] == ["Lime", "Beetroot", "banana"]
    (tmp_path / "train" / "classes.json").write_text('[{"folder": "Lime", "name": "green lime"}]')
    images = open_images(str(tmp_path / "train"))
    assert [item.name for item in images.classes] == ["green lime", "Red Beet", "banana"]


def test_faulty_folders_are_named(tmp_path: Path, classes: Path) -> None:
    with pytest.raises(MissingAssetsError, match="nowhere"):
        open_images(str(tmp_path / "nowhere"))
    folder = paint(tmp_path / "train", 1, 0)
    (folder / "empty").mkdir()
    with pytest.raises(MissingAssetsError, match="empty"):
        open_images(str(folder))
    (folder / "empty" / "x.jpg").write_bytes(b"no image")
    images = open_images(str(folder)).images
    with pytest.raises(InvalidArgumentError, match=r"empty.x\.jpg"):
        images.load(range(len(images.ids)))


@pytest.mark.slow
def test_the_command_trains_exports_and_evaluates(tmp_path: Path, classes: Path) -> None:
    train, held = paint(tmp_path / "train", 4, 0), paint(tmp_path / "held", 2, 1)
    words = [f"images={train}", f"unseen_images={held}", f"classes={classes}", "images_half=first", f"out={tmp_path}/o"]
    main(["train-teacher", "teacher_data=image_folder", *words, *TINY])
    folder = tmp_path / "o" / "teacher"
    assert str(tmp_path) not in (folder / "README.md").read_text()
    figures = json.loads((folder / "figures.json").read_text())
    trained = json.loads((folder / TRAINING_IMAGES).read_text())
    ids = open_images(str(train), half="first").images.file_hashes
    assert trained == sorted(value.hex()[:32] for value in ids) and len(trained) == 6
    config = make_config(tmp_path, images=train, images_half="first", unseen_images=held, classes=classes)
    teacher = load_pocket_teacher(folder)
    assert figures == evaluate_teacher(teacher, TeacherData.open(config))
    assert figures["images"]["images"] == 6 and set(figures["classes"]) == {"lime", "beetroot", "banana"}
    for number, name in enumerate(("durian", "plum")):
        (held / name).mkdir()
        Image.new("RGB", (8, 8), (200 * number, 90, 40)).save(held / name / "0.png")
    unseen = evaluate_teacher(teacher, TeacherData.open(config))["unseen"]
    assert unseen["classes"] == unseen["images"] == 2
    nothing = TeacherData.open(replace(config, unseen_images=None))
    assert evaluate_teacher(teacher, nothing) == {"images": {}, "classes": {}, "unseen": {}}


def test_an_image_is_in_training_or_evaluation(tmp_path: Path) -> None:
    train, held = paint(tmp_path / "train", 2, 0), paint(tmp_path / "held", 2, 1)
    config = make_config(tmp_path, images=train, unseen_images=held)
    TeacherData.open(config)
    first = make_teacher(tmp_path / "first")
    write_training_images(first, open_images(str(held)).images.file_hashes[:2])
    with pytest.raises(InvalidArgumentError, match="pretrained"):
        TeacherData.open(replace(config, pretrained=str(first)))
    shutil.copy(train / "Lime" / "0.png", held / "Lime" / "other.png")
    with pytest.raises(InvalidArgumentError, match="unseen_images"):
        TeacherData.open(config)
