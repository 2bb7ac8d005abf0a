"""A pocket teacher of a user's own images: reading the folder, errors, and a real tiny run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from helpers.forkserver import run_python
from helpers.paths import SCRIPTS
from helpers.scene_runs import make_teacher
from pickclutter_lang.commands import main
from pickclutter_lang.errors import InvalidArgumentError, MissingAssetsError
from pickclutter_lang.teacher_training.config import TeacherTrainConfig
from pickclutter_lang.teacher_training.folder_batches import FolderBatchSampler, FolderImages, read_classes
from pickclutter_lang.teacher_training.folder_report import evaluate_folder, folder_sections
from pickclutter_lang.teacher_training.provenance import check_held_out_objects
from pickclutter_lang.teachers.pocket import TRAINING_IMAGES, load_pocket_teacher
from pickclutter_lang.teachers.training_images import write_training_images

COLORS = {"Red-Beet": (150, 20, 60), "banana": (230, 210, 30), "Lime": (60, 190, 40)}
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


def make_config(tmp_path: Path, **changes: object) -> TeacherTrainConfig:
    from pickclutter_lang.commands.app import compose_config

    overrides = [f"{key}={value}" for key, value in changes.items()]
    overrides = ["teacher_data=image_folder", f"out={tmp_path / 'run'}", *TINY, *overrides]
    return compose_config(TeacherTrainConfig, "train_teacher", overrides)


def test_classes_are_named_by_the_file_or_their_folder(tmp_path: Path, classes: Path) -> None:
    class_texts = read_classes(paint(tmp_path / "train", 1, 0), classes)
    assert [(item.folder, item.attributes.name, item.attributes.category) for item in class_texts] == [
        ("Lime", "lime", ""),
        ("Red-Beet", "beetroot", "vegetable"),
        ("banana", "banana", "fruit"),
    ]
    assert class_texts[1].sentences == ("A dark ball.", "It is tasty.")


def test_names_lie_in_the_folder_or_next_to_it(tmp_path: Path, classes: Path) -> None:
    images = FolderImages.open(str(paint(tmp_path / "train", 1, 0)))
    assert [item.attributes.name for item in images.classes] == ["lime", "beetroot", "banana"]
    (tmp_path / "train" / "classes.json").write_text('[{"folder": "Lime", "name": "green lime"}]')
    images = FolderImages.open(str(tmp_path / "train"))
    assert [item.attributes.name for item in images.classes] == ["green lime", "red beet", "banana"]


def test_what_the_first_teacher_saw_is_not_held_out(tmp_path: Path) -> None:
    unseen = paint(tmp_path / "unseen", 1, 1)
    pretrained = make_teacher(tmp_path / "first")
    write_training_images(pretrained, FolderImages.open(str(unseen)).at(1).file_hashes[:2])
    config = make_config(tmp_path, images=paint(tmp_path / "train", 1, 0), unseen_images=unseen, pretrained=pretrained)
    with pytest.raises(InvalidArgumentError, match=r"images that are not trained on, but 2 are, such as Lime/0\.png"):
        check_held_out_objects(config)
    metrics = {"images": {}, "classes": {}, "unseen": {"images": 2, "classes": 2, "overall": 0.5, "mean_class": 0.5,
                                                       "folders": ["durian", "plum"]}}  # fmt: skip
    section = folder_sections(metrics, pretrained=True)
    assert "2 classes that this training did not show" in section and "it saw too" in section


def test_the_command_prints_what_it_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    places = [f"images={paint(tmp_path / 'train', 1, 0)}", f"unseen_images={paint(tmp_path / 'unseen', 2, 1)}"]
    main(["train-teacher", "teacher_data=image_folder", *places, f"out={tmp_path / 'run'}", *TINY, "steps=1"])
    *table, path = capsys.readouterr().out.splitlines()
    assert table[:2] == ["Held-out metrics", "| class | top-1 |"] and path.startswith("the teacher is in ")
    assert {line.split(" | ")[0] for line in table[3:]} == {"| banana", "| lime", "| red beet"}


def test_a_single_class_is_refused(tmp_path: Path) -> None:
    for name in ("Lime", "banana"):
        shutil.rmtree(paint(tmp_path / "train", 1, 0) / name if name == "Lime" else tmp_path / "train" / name)
    with pytest.raises(InvalidArgumentError, match=r"two classes or more in .*train, but got 'Red-Beet' alone"):
        FolderImages.trained_on(make_config(tmp_path, images=tmp_path / "train"))


def test_faulty_folders_are_named(tmp_path: Path, classes: Path) -> None:
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


def test_the_hash_is_the_same_in_every_process(tmp_path: Path) -> None:
    rows = [{"folder": name, "category": f"category of {name}"} for name in COLORS]
    (tmp_path / "classes.json").write_text(json.dumps(rows))
    paint(tmp_path / "train", 1, 0)
    code = (
        "from pickclutter_lang.teacher_training.folder_batches import FolderImages\n"
        "print(FolderImages.open('train', 'classes.json').content_hash)"
    )
    hashes = set()
    for seed in ("0", "1"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        hashes.add(done.stdout.strip())
    rows[0]["category"] = "another"
    (tmp_path / "classes.json").write_text(json.dumps(rows))
    hashes.add(FolderImages.open(str(tmp_path / "train"), str(tmp_path / "classes.json")).content_hash)
    assert len(hashes) == 2


def test_a_batch_depends_on_seed_and_step_and_has_true_targets(tmp_path: Path, classes: Path) -> None:
    config = make_config(tmp_path, images=paint(tmp_path / "train", 3, 0), classes=classes)
    data, other = (
        FolderBatchSampler(FolderImages.open(str(config.images), config.classes), config, 48) for _ in range(2)
    )
    batch, repeated = data.batch(2), other.batch(2)
    assert torch.equal(batch.objects, repeated.objects) and batch.object_texts == repeated.object_texts
    assert not torch.equal(batch.objects, data.batch(3).objects)
    assert batch.objects.shape == (6, 3, 32, 32) and len(batch.scenes) == 0
    names = batch.object_targets[:, batch.attribute_slices["name"]]
    assert names.shape[1] == 3 and (names.sum(dim=1) == 1).all()
    assert batch.object_targets[:, : len(batch.objects)].diagonal().all()  # each image's own caption


@pytest.mark.slow
def test_the_command_trains_exports_and_evaluates(tmp_path: Path, classes: Path) -> None:
    train, test_images = paint(tmp_path / "train", 4, 0), paint(tmp_path / "held", 2, 1)
    overrides = [
        "teacher_data=image_folder",
        f"images={train}",
        f"unseen_images={test_images}",
        f"classes={classes}",
        f"out={tmp_path}/o",
    ]
    overrides.append("images_half=first")
    process = run_python([str(SCRIPTS / "train_teacher.py"), *overrides, *TINY, "out=o"], tmp_path)
    assert process.returncode == 0, process.stderr
    model_card = (tmp_path / "o" / "teacher" / "MODEL_CARD.md").read_text()
    assert (
        "teacher_data=image_folder" in model_card
        and "| beetroot |" in model_card
        and str(tmp_path) not in model_card
        and "YCB" not in model_card
    )
    metrics = json.loads((tmp_path / "o" / "teacher" / "figures.json").read_text())
    teacher = load_pocket_teacher(tmp_path / "o" / "teacher")
    assert "images_half=first" in model_card and "on 6 images, the first half of each class" in model_card
    trained = json.loads((tmp_path / "o" / "teacher" / TRAINING_IMAGES).read_text())
    ids = FolderImages.open(str(train), half="first").at(1).file_hashes
    assert trained == sorted(value.hex()[:32] for value in ids) and len(trained) == 6
    config = make_config(tmp_path, images=train, images_half="first", unseen_images=test_images, classes=classes)
    assert metrics == evaluate_folder(teacher, config)
    assert metrics["images"]["images"] == 6 and set(metrics["classes"]) == {"lime", "beetroot", "banana"}
    for number, name in enumerate(("durian", "plum")):
        (test_images / name).mkdir()
        Image.new("RGB", (8, 8), (200 * number, 90, 40)).save(test_images / name / "0.png")
    with_unseen = evaluate_folder(teacher, config)
    assert {**with_unseen, "unseen": {}} == metrics
    assert with_unseen["unseen"]["classes"] == with_unseen["unseen"]["images"] == 2
    section = folder_sections(with_unseen)
    assert "2 classes that it **never saw**" in section and "durian, plum" in section
    without_images = evaluate_folder(teacher, make_config(tmp_path, images=train))
    assert without_images == {"images": {}, "classes": {}, "unseen": {}} and "None" in folder_sections(without_images)


def test_an_image_is_in_training_or_evaluation(tmp_path: Path) -> None:
    train, test_images = paint(tmp_path / "train", 2, 0), paint(tmp_path / "held", 2, 1)
    check_held_out_objects(make_config(tmp_path, images=train, unseen_images=test_images))
    shutil.copy(train / "Lime" / "0.png", test_images / "Lime" / "other.png")
    with pytest.raises(InvalidArgumentError, match=r"held-out images .*other\.png"):
        check_held_out_objects(make_config(tmp_path, images=train, unseen_images=test_images))


def test_a_half_is_of_images_and_one_of_two(tmp_path: Path) -> None:
    for changes in ({"images": "x", "images_half": "third"}, {"scenes": "[y]", "views": "[z]", "images_half": "first"}):
        with pytest.raises(InvalidArgumentError, match="images_half"):
            make_config(tmp_path, **{"images": "null", **changes})


def test_renders_or_images_but_not_both(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="but got both"):
        make_config(tmp_path, images="x", scenes="[y]", views="[z]")
