"""Configurations built in Python, without hydra: the defaults of the commands, and runs of a few seconds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from helpers.image_data import toy_views
from helpers.scene_data import make_toy_stores
from helpers.scene_runs import make_teacher
from pickclutter_lang.commands.app import compose_config
from pickclutter_lang.datasets.config import AugmentationConfig, SceneDataConfig
from pickclutter_lang.datasets.images.config import ImageDataConfig
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.experiments.images.config import ImageObjectiveConfig, ImageTrainConfig
from pickclutter_lang.experiments.images.image_protocol import evaluate_images
from pickclutter_lang.experiments.images.image_run import ImageRun
from pickclutter_lang.experiments.scenes.config import ObjectiveConfig, TrainConfig
from pickclutter_lang.experiments.scenes.scene_protocol import evaluate_run
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.policy_making.config import PolicyExportConfig
from pickclutter_lang.teacher_training.config import TeacherTrainConfig
from pickclutter_lang.teachers.config import TeacherConfig
from pickclutter_lang.training.config import FewShotConfig, PhaseConfig, RetrievalConfig


def test_the_defaults_are_those_of_the_commands() -> None:
    TrainConfig().validate()
    assert TrainConfig() == compose_config(TrainConfig, "train_affordance", [])
    assert TrainConfig().data.train == "runs/scenes/train"
    assert TrainConfig(scenes="a").teacher.cache == "a/teacher_features"
    data = ImageDataConfig("object_views", "runs/views")
    objective = ImageObjectiveConfig(cls=1.0)
    built = ImageTrainConfig(data=data, objective=objective)
    assert built == compose_config(ImageTrainConfig, "train_image_student", ["objective.cls=1"])
    assert built.data.cache == built.teacher.cache and data.cache is None
    assert PolicyExportConfig("a").out == "a/policy"
    given = ["scenes=[a]", "views=[b]", "out=c"]
    assert TeacherTrainConfig("c", ["a"], ["b"]) == compose_config(TeacherTrainConfig, "train_teacher", given)


def test_two_configurations_do_not_share_their_parts() -> None:
    data = SceneDataConfig()
    first, second = TrainConfig(scenes="a", data=data), TrainConfig(scenes="b", data=data)
    assert (first.data.id, second.data.id, data.id) == ("a/id", "b/id", "${scenes}/id")
    first.data.augmentation = replace(first.data.augmentation, shift=0.5)
    assert TrainConfig().data.augmentation.shift == 0.06


def test_a_missing_value_is_named() -> None:
    with pytest.raises(InvalidArgumentError, match=r"expected a value for data\.root"):
        ImageTrainConfig(data=ImageDataConfig("flower102"), objective=ImageObjectiveConfig(cls=1.0)).validate()


@pytest.mark.parametrize(
    ("config", "key"),
    [
        (TrainConfig(few_shot=FewShotConfig(schedule="never")), "few_shot.schedule"),  # whose default is another's
        (TrainConfig(distill=PhaseConfig(milestones=[3, 0])), "distill.milestones"),
        (TrainConfig(retrieval=RetrievalConfig(alpha=-1.0)), "retrieval.alpha"),
        (TrainConfig(data=SceneDataConfig(augmentation=AugmentationConfig(shift=2.0))), "data.augmentation.shift"),
        (TrainConfig(num_threads=0), "num_threads"),
        (TrainConfig(seed=0.5), "seed"),  # type: ignore[arg-type]
    ],
)
def test_a_value_out_of_its_bounds_is_named(config: TrainConfig, key: str) -> None:
    with pytest.raises(InvalidArgumentError, match=f"expected {key} to"):
        config.validate()


@pytest.mark.slow
def test_a_run_on_scenes_needs_no_hydra(tmp_path: Path) -> None:
    config = TrainConfig(
        scenes=str(make_toy_stores(tmp_path / "scenes")),
        data=SceneDataConfig(image_size=32, crop_size=None),
        teacher=TeacherConfig(checkpoint=str(make_teacher(tmp_path / "teacher"))),
        objective=ObjectiveConfig(im_cst=0.5),
        distill=PhaseConfig(epochs=1, batch_size=8),
        few_shot=FewShotConfig(epochs=1, batch_size=8),
        precision="float32",
        out=str(tmp_path / "run"),
    )
    config.validate()
    run = SceneRun.open(config)
    run.train()
    evaluate_run(run)
    assert (tmp_path / "run" / "result.json").is_file()
    assert (tmp_path / "scenes" / "teacher_features").is_dir()


@pytest.mark.slow
def test_a_run_on_single_images_needs_no_hydra(tmp_path: Path) -> None:
    toy_views(tmp_path / "views", objects=6, views=16)
    config = ImageTrainConfig(
        data=ImageDataConfig("object_views", str(tmp_path / "views"), image_size=32, shots=2),
        image_size=32,
        teacher=TeacherConfig(checkpoint=str(make_teacher(tmp_path / "teacher")), cache=str(tmp_path / "cache")),
        objective=ImageObjectiveConfig(cls=1.0, im_cst=1.0),
        distill=PhaseConfig(epochs=1, batch_size=8),
        few_shot=FewShotConfig(epochs=1, batch_size=4, repeats=1),
        precision="float32",
        num_threads=1,
        out=str(tmp_path / "run"),
    )
    config.validate()
    run = ImageRun.open(config)
    run.train()
    evaluate_images(run)
    assert (tmp_path / "run" / "result.json").is_file()
