"""Runs on single images that take seconds: views of toy objects, an untrained teacher, a small student."""

from __future__ import annotations

from pathlib import Path

from helpers.image_data import toy_views
from helpers.scene_runs import make_teacher
from pickclutter_lang.commands.app import compose_config
from pickclutter_lang.experiments.images.config import ImageTrainConfig
from pickclutter_lang.experiments.images.image_run import ImageRun


def make_toys(folder: Path, objects: int = 6, views: int = 16) -> list[str]:
    """Make views of objects and an untrained teacher; return the overrides that point to them."""
    toy_views(folder / "views", objects, views)
    teacher = make_teacher(folder / "teacher")
    return [
        "recipe=smoke", "student.name=timm/test_resnet", "num_threads=1", "precision=float32", "data.image_size=32",
        f"data.root={folder / 'views'}", f"teacher.checkpoint={teacher}", f"teacher.cache={folder / 'cache'}",
    ]  # fmt: skip


def config(*overrides: str) -> ImageTrainConfig:
    return compose_config(ImageTrainConfig, "train_image_student", overrides)


def trained(*overrides: str) -> ImageRun:
    run = ImageRun.open(config(*overrides))
    run.train()
    return run
