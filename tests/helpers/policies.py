"""A run and its exported policies."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from helpers.scene_runs import LEARNER, SMALL, config
from pickclutter_lang.datasets.scene_images import SceneDataset
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.policy.torch_networks import CROP_CLASSIFIER_PREFIX, save_pretrained
from pickclutter_lang.policy_folder.folder import (
    PolicyConfig,
    PromptArchitecture,
    StudentArchitecture,
    StudentSpec,
    Thresholds,
)
from pickclutter_lang.policy_making.stored_scenes import scene_to_observation
from pickclutter_lang.students.config import StudentConfig
from pickclutter_lang.students.prompts import PromptFeatures
from pickclutter_lang.students.student import CropClassifier, MultiLabelStudent, build_student
from pickclutter_lang.teachers.config import TeacherReference

SIDE = 48  # of the images; the student sees them at 32 pixels


def opened(exported: Path, phase: str) -> SceneRun:
    """The run again, with the weights of a phase."""
    overrides = [f"scenes={exported / 'scenes'}", f"teacher.checkpoint={exported / 'teacher'}", *SMALL, LEARNER]
    run = SceneRun.open(config(*overrides, f"out={exported / 'run'}", "distill.epochs=1", "few_shot.epochs=1"))
    run.load_weights(phase)
    return run


def changed(exported: Path, part: str, **values: Any) -> bytes:
    """The configuration of a policy with other values in one part; None: without the key."""
    content = json.loads((exported / "few_shot" / "policy.json").read_text())
    left_out = [key for key, value in values.items() if value is None]
    content[part] = {key: value for key, value in (content[part] | values).items() if key not in left_out}
    return json.dumps(content).encode()


def random_policy(folder: Path, **changes: Any) -> Path:
    """Write a policy with random weights and a threshold for each name; `changes` are of its `StudentSpec`."""
    names = changes.get("names", ("lemon", "dice", "a red teapot", "banana"))
    spec = StudentSpec(
        phase="few_shot",
        target_label="visible",
        network=StudentArchitecture("timm/test_resnet", 16, False, 0.07),
        precision="float32",
        cameras=("hand",),
        depth=False,
        camera_size=SIDE,
        crop_size=SIDE,
        image_size=32,
        prompts=PromptArchitecture(4, False, False),
        names=names,
        teacher=TeacherReference("pocket", None, "0" * 64),
    )
    spec = replace(spec, **changes)
    torch.manual_seed(0)
    text = PromptFeatures(torch.randn(len(names), 16), torch.randn(len(names), 16))
    model = MultiLabelStudent(spec.network.student_config, spec.camera_spec, 16)
    model.set_depth_statistics(torch.tensor([0.4]), torch.tensor([0.1]))
    weights = model.state_dict()
    thresholds = {name: 0.4 + 0.05 * n for n, name in enumerate(names)}
    together = None
    if spec.object_crop_size is not None:
        crops = CropClassifier(build_student(StudentConfig("timm/test_resnet"), 3, 16), len(names))
        crops.set_class_embeddings(torch.randn(len(names), 16))
        weights |= {f"{CROP_CLASSIFIER_PREFIX}{name}": value for name, value in crops.state_dict().items()}
        together = {name: value / 2 for name, value in thresholds.items()}
    save_pretrained(folder, PolicyConfig(spec, Thresholds(0.5, thresholds, None, together)), weights, text)
    return folder


def looks_of(scenes: SceneDataset) -> list[dict[str, Any]]:
    """Every scene of a store as an observation."""
    return [scene_to_observation(scenes, row) for row in range(len(scenes))]
