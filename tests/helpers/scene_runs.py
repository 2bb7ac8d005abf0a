"""Runs that take seconds: toy scenes, a tiny untrained teacher, a small student."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import torch

from helpers.scene_data import make_toy_stores
from pickclutter_lang.commands.app import compose_config
from pickclutter_lang.experiments.scenes.config import TrainConfig
from pickclutter_lang.experiments.scenes.scene_protocol import evaluate_run
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.teachers.pocket import POCKET_CONFIG, build_pocket_model, save_pocket_model

LEARNER = "student.name=timm/resnet10t"
"""In place of that of SMALL, which is too small to learn much or to see single objects."""
SMALL = (
    "student.name=timm/test_resnet",
    "data.image_size=32",
    "data.crop_size=null",
    "precision=float32",
    "distill.epochs=3",
    "distill.batch_size=8",
    "few_shot.epochs=2",
    "few_shot.batch_size=8",
    "num_threads=1",
)


def make_teacher(folder: Path, embed_dim: int = 32, seed: int = 0) -> Path:
    """Write an untrained teacher of the pocket teacher's form."""
    config = copy.deepcopy(POCKET_CONFIG)
    config["model_cfg"]["embed_dim"] = embed_dim
    config["model_cfg"]["vision_cfg"]["timm_model_name"] = "test_resnet"
    config["model_cfg"]["vision_cfg"]["image_size"] = config["preprocess_cfg"]["size"] = 32
    config["model_cfg"]["text_cfg"].update(width=32, heads=2, layers=1)
    torch.manual_seed(seed)
    model = build_pocket_model(config)
    save_pocket_model(folder, model, config, None)
    return folder


def make_toys(folder: Path, **changes: Any) -> list[str]:
    """Make stores and a teacher; return the overrides that point to them."""
    make_toy_stores(folder / "scenes", **changes)
    return [f"scenes={folder / 'scenes'}", f"teacher.checkpoint={make_teacher(folder / 'teacher')}", *SMALL]


def config(*overrides: str) -> TrainConfig:
    return compose_config(TrainConfig, "train_affordance", overrides)


def make_finished_run(folder: Path, size: int, *overrides: str) -> SceneRun:
    """Train a run of one epoch a phase on images of a size, in `folder/run`, and evaluate it."""
    run = SceneRun.open(
        config(
            *make_toys(folder, size=size), f"out={folder / 'run'}", "distill.epochs=1", "few_shot.epochs=1", *overrides
        )
    )
    run.train()
    evaluate_run(run)
    return run


def names_of_objects(split: str) -> list[str]:
    return [item.name for item in paper_catalog() if item.split == split]
