"""What a run on scenes and its phases share: stores, teacher, student, loss, and what the loss needs of the teacher."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from pickclutter_lang.datasets.scene_images import UNLABELED, SceneDataset, depth_statistics
from pickclutter_lang.distillation import SceneObjective, VocabularyFeatures
from pickclutter_lang.experiments.scenes.config import TrainConfig
from pickclutter_lang.experiments.scenes.trained_run import names_of
from pickclutter_lang.language.descriptions import swapped_names
from pickclutter_lang.language.label_names import vocabulary
from pickclutter_lang.objects.catalog_file import CatalogEntry
from pickclutter_lang.students.label_encoders import build_label_encoder
from pickclutter_lang.students.student import MultiLabelStudent, resolve_bf16
from pickclutter_lang.teachers import FeatureCache, Teacher
from pickclutter_lang.teachers.scene_features import RegionFeatures, encode_regions, teacher_features
from pickclutter_lang.teachers.zero_shot import ABSENT_TEMPLATE, PHOTO_TEMPLATE, PRESENT_TEMPLATE
from pickclutter_lang.training.trainer import seed_everything

_TRAINED = ("train", UNLABELED, "fewshot")


@dataclass(frozen=True)
class DataSource:
    """Scenes to train on, and what the objective needs of the teacher: features [N, V, D] of the images (V as in
    `flip_variants`), and features of the objects in them. Labels of scenes that are not `labeled` are never read.
    """

    scenes: SceneDataset
    features: Tensor | None = None
    crops: RegionFeatures | None = None
    labeled: bool = True


@dataclass(frozen=True)
class Vocabulary:
    """Texts without an article, and the teacher's features of them."""

    texts: Sequence[str]
    features: VocabularyFeatures


@dataclass(frozen=True)
class SceneParts:
    """The settings of a run, its teacher and its stores by name; all else is made of these at its first use."""

    config: TrainConfig
    teacher: Teacher
    scenes: Mapping[str, SceneDataset]

    @property
    def own_catalog(self) -> tuple[CatalogEntry, ...] | None:
        """The catalog of one's own objects; None for scenes of other objects."""
        return self.scenes["train"].store.own_catalog

    @cached_property
    def unseen(self) -> dict[str, bool]:
        """Name of each label -> whether it is of Y_ood, in the order of the stores' columns."""
        store = self.scenes["train"].store
        columns = store.split_label_indices("ood")
        return {name: column in columns for column, name in enumerate(store.label_names)}

    @property
    def description_owners(self) -> dict[str, str]:
        """Label -> the label whose descriptions it gets, where the configuration swaps them."""
        groups = [names_of(self.unseen, split) for split in ("id", "ood")]
        return swapped_names(groups, self.config.seed) if self.config.prompts.descriptions_of == "other" else {}

    def check_masks(self) -> None:
        """Raise DatasetError where a store lacks the masks that the objective needs."""
        for name in [name for name in _TRAINED if name in self.scenes]:
            if self.objective.needs("coverage", "region_features", "teacher_region_features"):
                self.scenes[name].segmentation([0])
            if self.objective.needs("coverage") and name != UNLABELED:
                self.scenes[name].instance_ids([0], [0])

    @cached_property
    def model(self) -> MultiLabelStudent:
        """The model with the weights that the seed gives."""
        seed_everything(self.config.seed)
        model = MultiLabelStudent(
            self.config.student,
            self.config.data.camera_spec,
            self.teacher.embed_dim,
            lambda: build_label_encoder(
                self.config.prompts, self.teacher, list(self.unseen), self.description_owners, self.own_catalog
            ),
            resolve_bf16(self.config.precision, self.config.device),
        )
        if self.config.data.depth:
            model.set_depth_statistics(*depth_statistics(self.scenes["train"]))
        return model.to(device=self.config.device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    @cached_property
    def objective(self) -> SceneObjective:
        """What the student is trained with."""
        settings = vars(self.config.objective)
        temperature = 1 / self.teacher.logit_scale
        return SceneObjective.of_settings(settings, vocabulary_temperature=temperature)

    @cached_property
    def vocabulary(self) -> Vocabulary | None:
        """The texts that student and teacher are compared on, without names and synonyms of objects of Y_ood."""
        if not self.objective.needs("vocabulary", "vocabulary_probabilities"):
            return None
        unseen = names_of(self.unseen, "ood")
        words = [*unseen, *self.scenes["train"].store.synonyms_of(unseen)]
        unlabeled = self.scenes[UNLABELED].present_names if UNLABELED in self.scenes else []
        texts = vocabulary([*names_of(self.unseen, "id"), *unlabeled], excluded=words)
        forms = (PHOTO_TEMPLATE, PRESENT_TEMPLATE, ABSENT_TEMPLATE)
        features = (self.teacher.encode_text([form.format(label=text) for text in texts]) for form in forms)
        return Vocabulary(texts, VocabularyFeatures(*features))

    @cached_property
    def sources(self) -> dict[str, DataSource]:
        """The stores to train on, with what the objective needs of the teacher."""
        cache = FeatureCache(self.config.teacher.cache)
        needs = self.objective.needs
        with_images = needs("teacher")
        with_regions = needs("region_features", "teacher_region_features")
        return {
            name: DataSource(
                scenes,
                teacher_features(self.teacher, scenes, cache) if with_images else None,
                encode_regions(self.teacher, scenes, cache) if with_regions else None,
                labeled=name != UNLABELED,
            )
            for name, scenes in self.scenes.items()
            if name in _TRAINED
        }
