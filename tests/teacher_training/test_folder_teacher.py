"""A pocket teacher of a user's own folder of images: what is read, what is refused, a real tiny run."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from helpers.paths import SCRIPTS
from pickclutter_lang.errors import InvalidArgumentError, MissingAssetsError
from pickclutter_lang.teacher_training.folder_batches import FolderBatchSampler, FolderImages, read_classes
from pickclutter_lang.teacher_training.folder_report import evaluate_folder, folder_sections
from pickclutter_lang.teacher_training.provenance import check_held_out_objects
from pickclutter_lang.teachers import load_teacher

COLOURS = {"Red-Beet": (150, 20, 60), "banana": (230, 210, 30), "Lime": (60, 190, 40)}
TINY = (
    "steps=6",
    "view_batch_size=6",
    "crop_sizes=[32]",
    "sentence_weight=0",
    "bf16=false",
    "lr=0.002",
    "save_every=3",
)


def paint(folder: Path, count: int, seed: int) -> Path:
    """Write images of a colored square for each class."""
    rng = np.random.default_rng(seed)
    for name, color in COLOURS.items():
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
    rows = [
        {
            "folder": "Red-Beet",
            "name": "Beetroot",
            "coarse": "vegetable",
            "description": "A dark ball. It is tasty.",
        },
        {"folder": "banana", "category": "fruit"},
    ]
    path.write_text(json.dumps({"classes": rows}))
    return path


def wanted(tmp_path: Path, **changes: object) -> object:
    from pickclutter_lang.commands.hydra_app import compose_config
    from pickclutter_lang.teacher_training.config import TeacherTrainConfig

    given = [f"{key}={value}" for key, value in changes.items()]
    overrides = ["teacher_data=image_folder", f"out={tmp_path / 'run'}", *TINY, *given]
    return compose_config(TeacherTrainConfig, "train_teacher", overrides)


def test_classes_are_named_by_the_file_or_their_folder(tmp_path: Path, classes: Path) -> None:
    found = read_classes(paint(tmp_path / "train", 1, 0), classes)
    assert [(item.folder, item.attributes.name, item.attributes.category) for item in found] == [
        ("Lime", "lime", ""),
        ("Red-Beet", "beetroot", "vegetable"),
        ("banana", "banana", "fruit"),
    ]
    assert found[1].sentences == ("A dark ball.", "It is tasty.")


def test_what_is_wrong_with_a_folder_is_named(tmp_path: Path, classes: Path) -> None:
    with pytest.raises(MissingAssetsError, match="folder of images for each class"):
        read_classes(tmp_path / "nowhere")
    folder = paint(tmp_path / "train", 1, 0)
    (folder / "empty").mkdir()
    with pytest.raises(MissingAssetsError, match="empty"):
        FolderImages.open(str(folder))
    (folder / "empty" / "x.jpg").write_bytes(b"no image")
    images = FolderImages.open(str(folder))
    with pytest.raises(InvalidArgumentError, match=r"empty.x\.jpg"):
        images.at(16).load(range(len(images.paths)))
    classes.write_text('[{"name": "x"}]')
    with pytest.raises(InvalidArgumentError, match="folder"):
        read_classes(folder, classes)
    (folder / "LIME").mkdir()
    with pytest.raises(InvalidArgumentError, match="lime"):
        read_classes(folder)


def test_a_batch_depends_on_seed_and_step_and_knows_what_is_true(tmp_path: Path, classes: Path) -> None:
    config = wanted(tmp_path, images=paint(tmp_path / "train", 3, 0), classes=classes)
    data, other = (FolderBatchSampler(FolderImages.open(config.images, config.classes), config, 48) for _ in range(2))
    batch, again = data.batch(2), other.batch(2)
    assert torch.equal(batch.objects, again.objects) and batch.object_texts == again.object_texts
    assert not torch.equal(batch.objects, data.batch(3).objects)
    assert batch.objects.shape == (6, 3, 32, 32) and len(batch.scenes) == 0
    names = batch.object_targets[:, batch.attribute_slices["name"]]
    assert names.shape[1] == 3 and (names.sum(dim=1) == 1).all()
    assert batch.object_targets[:, : len(batch.objects)].diagonal().all()  # each image's own caption


@pytest.mark.slow
def test_the_script_trains_exports_and_measures(tmp_path: Path, classes: Path) -> None:
    train, held = paint(tmp_path / "train", 4, 0), paint(tmp_path / "held", 2, 1)
    given = [
        "teacher_data=image_folder",
        f"images={train}",
        f"held_out_images={held}",
        f"classes={classes}",
        f"out={tmp_path}/o",
    ]
    script = SCRIPTS / "train_teacher.py"
    done = subprocess.run(
        [sys.executable, script, *given, *TINY, "out=o"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    card = (tmp_path / "o" / "teacher" / "MODEL_CARD.md").read_text()
    assert (
        "teacher_data=image_folder" in card
        and "| beetroot |" in card
        and str(tmp_path) not in card
        and "YCB" not in card
    )
    figures = json.loads((tmp_path / "o" / "teacher" / "figures.json").read_text())
    teacher = load_teacher("pocket", checkpoint=str(tmp_path / "o" / "teacher"))
    config = wanted(tmp_path, images=train, unseen_images=held, classes=classes)
    assert figures == evaluate_folder(teacher, config)
    assert figures["pictures"]["pictures"] == 6 and set(figures["classes"]) == {"lime", "beetroot", "banana"}
    for number, name in enumerate(("durian", "plum")):
        (held / name).mkdir()
        Image.new("RGB", (8, 8), (200 * number, 90, 40)).save(held / name / "0.png")
    with_others = evaluate_folder(teacher, config)
    assert {**with_others, "unseen": {}} == figures
    assert with_others["unseen"]["classes"] == with_others["unseen"]["pictures"] == 2
    section = folder_sections(with_others)
    assert "2 classes that it **never saw**" in section and "durian, plum" in section
    nothing = evaluate_folder(teacher, wanted(tmp_path, images=train))
    assert nothing == {"pictures": {}, "classes": {}, "unseen": {}} and "None" in folder_sections(nothing)


def test_a_picture_is_trained_on_or_measured_on(tmp_path: Path) -> None:
    train, held = paint(tmp_path / "train", 2, 0), paint(tmp_path / "held", 2, 1)
    check_held_out_objects(wanted(tmp_path, images=train, unseen_images=held))
    shutil.copy(train / "Lime" / "0.png", held / "Lime" / "other.png")
    with pytest.raises(InvalidArgumentError, match=r"held-out images .*other\.png"):
        check_held_out_objects(wanted(tmp_path, images=train, unseen_images=held))


def test_renders_or_pictures_but_not_both(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="but got both"):
        wanted(tmp_path, images="x", scenes="[y]", views="[z]")
