"""`SceneRun`: one experiment on scenes, with the teacher, stores and student that its configuration names."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pickclutter_lang.datasets.scene_images import SceneDataset, load_scene_datasets
from pickclutter_lang.experiments.scenes.config import TRAIN_COMMAND, TrainConfig
from pickclutter_lang.experiments.scenes.crop_classifier import CropPhase
from pickclutter_lang.experiments.scenes.scene_parts import SceneParts
from pickclutter_lang.experiments.scenes.scene_phase import ScenePhase
from pickclutter_lang.experiments.scenes.trained_run import (
    LABELS_FILE,
    LabelFeatures,
    check_distilled_run,
    take_distillation,
)
from pickclutter_lang.experiments.stages import CROP_CLASSIFIER, DISTILL, FEW_SHOT
from pickclutter_lang.experiments.teacher_keys import teacher_keys
from pickclutter_lang.language.descriptions import description_origins
from pickclutter_lang.objects.catalog_file import CATALOG_FILE, write_catalog
from pickclutter_lang.students.student import MultiLabelStudent, resolve_bf16
from pickclutter_lang.teachers import FeatureCache, Teacher
from pickclutter_lang.training.experiment import MultiPhaseExperiment, configure_torch
from pickclutter_lang.training.parallel import main_first
from pickclutter_lang.training.trainer import Phase
from pickclutter_lang.utils.ranks import is_main


class SceneRun(MultiPhaseExperiment):
    """A student of scenes with everything that its training or its evaluation needs; created by `SceneRun.open`."""

    kind = "scenes"
    command = TRAIN_COMMAND
    config: TrainConfig

    def __init__(self, config: TrainConfig, teacher: Teacher, scenes: dict[str, SceneDataset]) -> None:
        super().__init__(config, teacher)
        self.parts = SceneParts(config, teacher, scenes)
        self.scenes = scenes
        self.unseen = self.parts.unseen

    @classmethod
    def open(cls, config: TrainConfig) -> SceneRun:
        """Open the stores and the teacher, and check a run that is already in the folder.

        :raises PickClutterError: DatasetError, MismatchError, TeacherError, CheckpointError or InvalidArgumentError
        """
        from pickclutter_lang.teachers import load_teacher  # takes seconds

        configure_torch(config)
        scenes = load_scene_datasets(config.data)
        bf16 = resolve_bf16(config.precision, config.device)
        teacher = load_teacher(config.teacher.name, config.teacher.checkpoint, device=config.device, use_bf16=bf16)
        run = cls(config, teacher, scenes)
        run.validate_run_dir()
        return run

    @property
    def name(self) -> str:
        """The method: a row of Table 12."""
        return self.config.method

    @property
    def data_provenance(self) -> dict[str, Any]:
        """Content hash and number of scenes of each store."""
        return {name: {"scenes": len(s), "content": s.content_hash} for name, s in self.scenes.items()}

    @property
    def identity(self) -> dict[str, Any]:
        """What is written when a run starts: that of every run, and the content hash of its descriptions."""
        return {
            **super().identity,
            "descriptions": description_origins(self.config.prompts.sources, self.parts.own_catalog),
        }

    @property
    def model(self) -> MultiLabelStudent:
        """The student, which all phases train."""
        return self.parts.model

    @cached_property
    def phases(self) -> dict[str, Phase]:
        """Distillation, fine-tuning on the few-shot scenes and, where configured, the crop classifier."""
        phases: dict[str, Phase] = {name: ScenePhase(self.parts, name) for name in (DISTILL, FEW_SHOT)}
        if self.config.crop_classifier is not None:
            phases[CROP_CLASSIFIER] = CropPhase(self.parts, self.config.crop_classifier)
        return phases

    def validate_run_dir(self) -> None:
        """Check the stores, the run whose distillation is taken over, and the run that is in the folder.

        :raises PickClutterError: DatasetError, CheckpointError, TeacherError, MismatchError or InvalidArgumentError
        """
        self.parts.check_masks()
        if self.config.distilled_run is not None:
            check_distilled_run(Path(self.config.distilled_run), self.folder, self.identity)
        super().validate_run_dir()

    def train(self) -> None:
        """Train all phases; whatever is finished is left as it is."""
        with self.training():
            if self.parts.own_catalog is not None and is_main():
                write_catalog(self.folder / CATALOG_FILE, self.parts.own_catalog)
            with main_first():
                if is_main() and self.config.distilled_run is not None:
                    take_distillation(Path(self.config.distilled_run), self.config)
                _ = self.parts.sources
                if self.config.retrieval.keys == "teacher":
                    _ = self.teacher_keys
            self.teacher.free_image_encoder()  # of CLIP ViT-L/14 1.2 GB that no step needs
            _ = self.parts.vocabulary  # what the teacher cannot encode is found before anything is written
            self.train_phases()
            for phase in (DISTILL, FEW_SHOT) if is_main() else ():
                if not (self.folder / phase / LABELS_FILE).is_file():
                    self.load_weights(phase)
                    self.label_features().save(self.folder / phase)

    @cached_property
    def teacher_keys(self) -> Tensor:
        """The teacher's features [M, V, D] of V views of the few-shot scenes' hand-camera images, for retrieval."""
        scenes = self.scenes["fewshot"]
        cache = FeatureCache(self.config.teacher.cache)
        rows = range(len(scenes))
        views = self.config.retrieval.key_views
        image_ids = scenes.content_hash, f"hand_rgb crop_size={scenes.crop_size}"
        return teacher_keys(self.teacher, cache, scenes.hand_images, rows, views, image_ids)

    @torch.no_grad()
    def label_features(self) -> LabelFeatures:
        """Return the text features of all labels, by the weights that are loaded."""
        size = self.scenes["train"].store.image_size
        features = self.model.prompts.encode(list(self.unseen))
        return LabelFeatures(self.unseen, size, features)
