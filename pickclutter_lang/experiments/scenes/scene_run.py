"""`SceneRun`: one experiment on scenes, with the teacher, stores and student that its configuration names."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pickclutter_lang.datasets.scene_images import UNLABELED, SceneDataset, depth_statistics, load_scene_datasets
from pickclutter_lang.distillation import SceneObjective, VocabularyFeatures
from pickclutter_lang.experiments.scenes.config import TRAIN_COMMAND, TrainConfig
from pickclutter_lang.experiments.scenes.crop_classifier import CropPhase
from pickclutter_lang.experiments.scenes.scene_phase import DataSource, ScenePhase, Vocabulary
from pickclutter_lang.experiments.scenes.trained_run import (
    LABELS_FILE,
    LabelFeatures,
    names_of,
    take_distillation,
)
from pickclutter_lang.experiments.stages import CROP_CLASSIFIER, DISTILL, FEW_SHOT
from pickclutter_lang.experiments.teacher_keys import teacher_keys
from pickclutter_lang.language.descriptions import description_origins, swapped_names
from pickclutter_lang.language.label_names import vocabulary
from pickclutter_lang.objects.catalog_file import CATALOG_FILE, CatalogEntry, write_catalog
from pickclutter_lang.students.label_encoders import build_label_encoder
from pickclutter_lang.students.student import MultiLabelStudent, resolve_bf16
from pickclutter_lang.teachers import FeatureCache, Teacher
from pickclutter_lang.teachers.scene_features import encode_regions, teacher_features
from pickclutter_lang.teachers.zero_shot import ABSENT_TEMPLATE, PHOTO_TEMPLATE, PRESENT_TEMPLATE
from pickclutter_lang.training.experiment import MultiPhaseExperiment, configure_torch
from pickclutter_lang.training.parallel import main_first
from pickclutter_lang.training.trainer import Phase, seed_everything
from pickclutter_lang.utils.ranks import is_main


class SceneRun(MultiPhaseExperiment):
    """A student of scenes with everything that its training or its evaluation needs; created by `SceneRun.open`."""

    kind, command = "scenes", TRAIN_COMMAND
    config: TrainConfig

    def __init__(self, config: TrainConfig, teacher: Teacher, scenes: dict[str, SceneDataset]) -> None:
        super().__init__(config, teacher)
        self.scenes = scenes

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
    def own_catalog(self) -> tuple[CatalogEntry, ...] | None:
        """The catalog of one's own objects; None for scenes of other objects."""
        return self.scenes["train"].store.own_catalog

    @property
    def description_provenance(self) -> dict[str, Any]:
        """See `description_origins`."""
        return description_origins(self.config.prompts.sources, self.own_catalog)

    @property
    def identity(self) -> dict[str, Any]:
        """What is written when a run starts: that of every run, and the content hash of its descriptions."""
        return {**super().identity, "descriptions": self.description_provenance}

    @cached_property
    def model(self) -> MultiLabelStudent:
        """The model with the weights that the seed gives."""
        seed_everything(self.config.seed)
        config, own, labels = self.config, self.own_catalog, list(self.unseen)
        model = MultiLabelStudent(
            config.student,
            config.data.camera_spec,
            self.teacher.embed_dim,
            lambda: build_label_encoder(config.prompts, self.teacher, labels, self.description_owners, own),
            resolve_bf16(config.precision, config.device),
        )
        if self.config.data.depth:
            model.set_depth_statistics(*depth_statistics(self.scenes["train"]))
        return model.to(device=self.config.device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    @cached_property
    def phases(self) -> dict[str, Phase]:
        """Distillation, fine-tuning on the few-shot scenes and, where configured, the crop classifier."""
        phases: dict[str, Phase] = {name: ScenePhase(self, name) for name in (DISTILL, FEW_SHOT)}
        if self.config.crop_classifier is not None:
            phases[CROP_CLASSIFIER] = CropPhase(self, self.config.crop_classifier)
        return phases

    @cached_property
    def unseen(self) -> dict[str, bool]:
        """Name of each label -> whether it is of Y_ood, in the order of the stores' columns."""
        store = self.scenes["train"].store
        columns = store.split_label_indices("ood")
        return {name: column in columns for column, name in enumerate(store.label_names)}

    def label_names(self, *splits: str) -> list[str]:
        """Return the names of the labels of Y_id (`id`), Y_ood (`ood`) or both."""
        return names_of(self.unseen, *splits)

    @property
    def description_owners(self) -> dict[str, str]:
        """Label -> the label whose descriptions it gets, where the configuration swaps them."""
        groups = [self.label_names(split) for split in ("id", "ood")]
        return swapped_names(groups, self.config.seed) if self.config.prompts.descriptions_of == "other" else {}

    def train(self) -> None:
        """Train all phases; whatever is finished is left as it is."""
        with self.training():
            if self.own_catalog is not None and is_main():
                write_catalog(self.folder / CATALOG_FILE, self.own_catalog)
            with main_first():
                if is_main() and self.config.distilled_run is not None:
                    take_distillation(Path(self.config.distilled_run), self.config)
                _ = self.sources
                if self.config.retrieval.keys == "teacher":
                    _ = self.teacher_keys
            self.teacher.free_image_encoder()  # of CLIP ViT-L/14 1.2 GB that no step needs
            _ = self.vocabulary  # what the teacher cannot encode is found before anything is written
            self.train_phases()
            for phase in (DISTILL, FEW_SHOT) if is_main() else ():
                if not (self.folder / phase / LABELS_FILE).is_file():
                    self.load_weights(phase)
                    self.label_features().save(self.folder / phase)

    @cached_property
    def teacher_keys(self) -> Tensor:
        """The teacher's features [M, V, D] of V views of the few-shot scenes' hand-camera images, for retrieval."""
        scenes, cache = self.scenes["fewshot"], FeatureCache(self.config.teacher.cache)
        rows, views = range(len(scenes)), self.config.retrieval.key_views
        image_ids = scenes.content_hash, f"hand_rgb crop_size={scenes.crop_size}"
        return teacher_keys(self.teacher, cache, scenes.hand_images, rows, views, image_ids)

    @torch.no_grad()
    def label_features(self) -> LabelFeatures:
        """Return the text features of all labels, by the weights that are loaded."""
        size, features = self.scenes["train"].store.image_size, self.model.prompts.encode(list(self.unseen))
        return LabelFeatures(self.unseen, size, features)

    @cached_property
    def objective(self) -> SceneObjective:
        """What the student is trained with."""
        settings, temperature = vars(self.config.objective), 1 / self.teacher.logit_scale
        return SceneObjective.of_settings(settings, vocabulary_temperature=temperature)

    @cached_property
    def vocabulary(self) -> Vocabulary | None:
        """The texts that student and teacher are compared on, without names and synonyms of objects of Y_ood."""
        if not self.objective.needs("vocabulary", "vocabulary_probabilities"):
            return None
        unseen = self.label_names("ood")
        words = [*unseen, *self.scenes["train"].store.synonyms_of(unseen)]
        unlabeled = self.scenes[UNLABELED].present_names if UNLABELED in self.scenes else []
        texts = vocabulary([*self.label_names("id"), *unlabeled], excluded=words)
        forms = (PHOTO_TEMPLATE, PRESENT_TEMPLATE, ABSENT_TEMPLATE)
        features = (self.teacher.encode_text([form.format(label=text) for text in texts]) for form in forms)
        return Vocabulary(texts, VocabularyFeatures(*features))

    @cached_property
    def sources(self) -> dict[str, DataSource]:
        """The stores to train on, with what the objective needs of the teacher."""
        cache, needs = FeatureCache(self.config.teacher.cache), self.objective.needs
        with_images, with_regions = needs("teacher"), needs("region_features", "teacher_region_features")
        return {
            name: DataSource(
                scenes,
                teacher_features(self.teacher, scenes, cache) if with_images else None,
                encode_regions(self.teacher, scenes, cache) if with_regions else None,
                labeled=name != UNLABELED,
            )
            for name, scenes in self.scenes.items()
            if name in ("train", "fewshot", UNLABELED)
        }
