"""The training phase `crop_classifier` of a run on scenes: a second student that classifies object crops."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import torch

from pickclutter_lang.datasets.scene_images import ObjectCropDataset
from pickclutter_lang.errors import DatasetError
from pickclutter_lang.experiments.scenes.config import CropClassifierPhaseConfig
from pickclutter_lang.experiments.scenes.crop_task import CropTask
from pickclutter_lang.experiments.stages import CROP_CLASSIFIER, FEW_SHOT
from pickclutter_lang.students.crop_classifier import CropClassifier
from pickclutter_lang.students.student import MultiLabelStudent, resolve_bf16
from pickclutter_lang.training.experiment import Phase

if TYPE_CHECKING:
    from pickclutter_lang.experiments.scenes.scene_run import SceneRun

_ALL = ("id", "ood")


def crop_classifier_phase(run: SceneRun, config: CropClassifierPhaseConfig) -> Phase:
    """Return the phase, which starts from the student of scenes after fine-tuning."""
    names, columns = run.label_names(_ALL), run.label_indices(_ALL)

    @cache
    def model() -> CropClassifier:
        train = run.config
        untrained = replace(train.student, pretrained=False)  # its weights come from the student of scenes
        classifier = CropClassifier(
            MultiLabelStudent(untrained, train.data.camera_spec, run.teacher.embed_dim).student,
            len(names),
            use_bf16=resolve_bf16(train.precision, train.device),
        )
        return classifier.to(device=train.device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    def task() -> CropTask:
        train, few_shot, validation = (
            ObjectCropDataset(run.scenes[store], columns) for store in ("train", "fewshot", "id")
        )
        return CropTask(
            name=CROP_CLASSIFIER,
            config=config,
            model=model(),
            architecture=run.architecture,
            labels=names,
            train=train,
            few_shot=few_shot,
            validation=validation,
            key=(run.config.seed, 2),
            num_workers=run.config.num_workers,
        )

    @torch.no_grad()
    def initialize() -> None:
        run.load_weights(FEW_SHOT)
        model().student.load_state_dict(run.model.student.state_dict())
        model().set_class_embeddings(run.model.prompts.encode(names).positive)  # by prompts learned for scenes

    return Phase(CROP_CLASSIFIER, config, model, task, initialize, check=lambda: _check_stores(run))


def _check_stores(run: SceneRun) -> None:
    """Check that the stores have what objects are cut out by and, in a policy, their thresholds come from."""
    try:
        for name in ("train", "id", "fewshot"):
            run.scenes[name].segmentation([0])
            run.scenes[name].instance_ids([0], [0])
        for name in ("id", "fewshot"):
            run.scenes[name].load_images("hand", "depth", [0])
    except DatasetError as error:
        raise DatasetError(
            f"{error}; object crops need it: collect the scenes again, or train with crop_classifier=none"
        ) from error
