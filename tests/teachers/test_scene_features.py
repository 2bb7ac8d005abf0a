"""The teacher encodes images once for each content, and prompts once for each step and evaluation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from open_clip.transform import PreprocessCfg

from helpers.scene_data import make_toy_store
from helpers.scene_runs import config, make_teacher, make_toys
from pickclutter_lang.datasets.scene_images import SceneDataset
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.experiments.scenes.scene_protocol import evaluate_run
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.students import student
from pickclutter_lang.teachers import FeatureCache, OpenClipTeacher, load_teacher
from pickclutter_lang.teachers.scene_features import teacher_features
from pickclutter_lang.training.logger import TrainingLogger

FLIPS = "data.augmentation.flips=[horizontal]"
Change = Callable[[OpenClipTeacher, SceneDataset, Path], tuple[OpenClipTeacher, SceneDataset]]


def scene_set(folder: Path, *overrides: str) -> SceneDataset:
    return SceneDataset(SceneStore.open(folder), config("data.crop_size=32", FLIPS, *overrides).data)


class Counting(OpenClipTeacher):
    """A teacher that counts the images it encodes."""

    def __init__(self, teacher: OpenClipTeacher, preprocess: PreprocessCfg | None = None) -> None:
        super().__init__(teacher.model, teacher.config, preprocess or teacher.preprocess.config)
        self.images = 0

    def encode_image(self, images: torch.Tensor) -> torch.Tensor:
        self.images += len(images)
        return super().encode_image(images)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store of 8 scenes, a teacher, and the cached features of the scenes."""
    root = tmp_path_factory.mktemp("cache")
    make_toy_store(root / "scenes", "train", 8)
    make_teacher(root / "teacher")
    teacher_features(load_teacher("pocket", root / "teacher"), scene_set(root / "scenes"), FeatureCache(root / "cache"))
    return root


def other_weights(teacher: OpenClipTeacher, scenes: SceneDataset, root: Path) -> tuple[OpenClipTeacher, SceneDataset]:
    return load_teacher("pocket", make_teacher(root / "teacher", seed=1)), scenes


def other_preprocessing(
    teacher: OpenClipTeacher, scenes: SceneDataset, root: Path
) -> tuple[OpenClipTeacher, SceneDataset]:
    return Counting(teacher, replace(teacher.preprocess.config, mean=(0.4, 0.5, 0.6))), scenes


def other_scenes(teacher: OpenClipTeacher, scenes: SceneDataset, root: Path) -> tuple[OpenClipTeacher, SceneDataset]:
    make_toy_store(root / "scenes", "train", 8, seed=1)
    return teacher, scene_set(root / "scenes")


def other_crop_size(teacher: OpenClipTeacher, scenes: SceneDataset, root: Path) -> tuple[OpenClipTeacher, SceneDataset]:
    return teacher, scene_set(scenes.store.path, "data.crop_size=24")


CHANGES: list[Change] = [other_weights, other_preprocessing, other_scenes, other_crop_size]


def directly(teacher: OpenClipTeacher, scenes: SceneDataset) -> torch.Tensor:
    return teacher.encode_image(teacher.preprocess(scenes.hand_images(range(len(scenes)))))


def test_a_second_run_reads_what_the_first_computed(root: Path) -> None:
    teacher, scenes = Counting(load_teacher("pocket", root / "teacher")), scene_set(root / "scenes")
    cached = teacher_features(teacher, scenes, FeatureCache(root / "cache"))
    assert teacher.images == 0
    torch.testing.assert_close(cached[:, 0], directly(teacher, scenes), atol=1e-5, rtol=0)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_change_is_noticed(root: Path, tmp_path: Path, change: Change) -> None:
    cache = FeatureCache(root / "cache")
    teacher, scenes = load_teacher("pocket", root / "teacher"), scene_set(root / "scenes")
    before = teacher_features(teacher, scenes, cache)
    teacher, scenes = change(teacher, scenes, tmp_path)
    teacher = Counting(teacher)
    found = teacher_features(teacher, scenes, cache)
    assert teacher.images == 2 * len(scenes)  # as they are, and flipped
    torch.testing.assert_close(found[:, 0], directly(teacher, scenes), atol=1e-5, rtol=0)
    assert not torch.allclose(found, before, atol=1e-4)


def test_a_flip_more_computes_that_one_alone(root: Path) -> None:
    teacher = Counting(load_teacher("pocket", root / "teacher"))
    scenes = scene_set(root / "scenes", "data.augmentation.flips=[horizontal,vertical]")
    teacher_features(teacher, scenes, FeatureCache(root / "cache"))
    assert teacher.images == 2 * len(scenes)


def count_calls(monkeypatch: pytest.MonkeyPatch, owner: type, name: str) -> list[str]:
    """Return a list that grows by one with each call of a method."""
    calls, original = [], getattr(owner, name)

    def counting(*args: Any, **kwargs: Any) -> Any:
        calls.append(name)
        return original(*args, **kwargs)

    monkeypatch.setattr(owner, name, counting)
    return calls


@pytest.mark.slow
def test_prompts_are_encoded_once_per_step_and_once_per_evaluation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = SceneRun.open(
        config(*make_toys(tmp_path), f"out={tmp_path / 'run'}", "distill.epochs=2", "few_shot.epochs=1")
    )
    encoded = count_calls(monkeypatch, OpenClipTeacher, "encode_token_embeddings")
    steps = count_calls(monkeypatch, TrainingLogger, "step")
    monkeypatch.setattr(student, "_BATCH_SIZE", 3)  # so that an evaluation has several batches
    run.train()
    validations, saved = 2, 2  # each phase saves the text features of its labels
    assert len(steps) > 10 and len(encoded) == len(steps) + validations + saved
    encoded.clear()
    evaluate_run(run)
    assert len(encoded) == 3  # one in each stage: zero-shot, retrieval, few-shot
