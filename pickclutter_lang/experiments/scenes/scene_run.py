"""A run on scenes: teacher, scenes and model made from settings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from omegaconf import OmegaConf

from pickclutter_lang.datasets.object_crops import ObjectCropDataset
from pickclutter_lang.datasets.scene_images import SceneDataset, load_scene_datasets
from pickclutter_lang.distillation import LOSS_NAMES, SceneObjective, VocabularyFeatures
from pickclutter_lang.errors import CheckpointError, DatasetError, InvalidArgumentError
from pickclutter_lang.experiments.scenes.config import CropClassifierPhaseConfig, EvaluateConfig, TrainConfig
from pickclutter_lang.experiments.scenes.crop_task import CropTask
from pickclutter_lang.experiments.scenes.scene_batches import BatchLoader, DataSource, Vocabulary
from pickclutter_lang.experiments.scenes.scene_task import SceneTask
from pickclutter_lang.experiments.scenes.trained_student import (
    LABEL_FEATURES_FILE,
    LabelFeatures,
    architecture_signature,
)
from pickclutter_lang.language.vocabulary import vocabulary
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.students.crop_classifier import CropClassifier
from pickclutter_lang.students.label_encoders import build_label_encoder
from pickclutter_lang.students.model import MultiLabelStudent, PromptedStudent, resolve_bf16
from pickclutter_lang.teachers import FeatureCache, Teacher, load_teacher
from pickclutter_lang.teachers.region_features import encode_regions
from pickclutter_lang.teachers.scene_features import teacher_features
from pickclutter_lang.teachers.zero_shot import ABSENT_TEMPLATE, PHOTO_TEMPLATE, PRESENT_TEMPLATE
from pickclutter_lang.training.config import PhaseConfig
from pickclutter_lang.training.experiment import (
    CONFIG_FILE,
    DISTILL,
    MultiPhaseExperiment,
    configure_torch,
    seed_everything,
)
from pickclutter_lang.training.sampling import balanced_batches, shuffled_batches
from pickclutter_lang.training.trainer import Batch, Task
from pickclutter_lang.utils.cli import parse_config

FEW_SHOT, CROP_CLASSIFIER = "few_shot", "crop_classifier"
PHASES = (DISTILL, FEW_SHOT)
"""Those of the student of scenes."""
_MACHINE_KEYS = ("out", "num_threads", "device", "num_workers", "scenes")


class SceneRun(MultiPhaseExperiment):
    """A student of scenes with everything that its training or its evaluation needs; make one with `Run.open`."""

    command = "pickclutter train-affordance"
    config: TrainConfig

    def __init__(self, config: TrainConfig, teacher: Teacher, scenes: dict[str, SceneDataset]) -> None:
        super().__init__(config, teacher)
        self.scenes = scenes
        self.selection_metric = config.selection_metric
        self._sources: dict[str, DataSource] = {}

    @classmethod
    def open(cls, config: TrainConfig) -> SceneRun:
        """Open the stores and the teacher, and check a run that is already in the folder.

        :raises PickClutterError: DatasetError, MismatchError, TeacherError, CheckpointError or InvalidArgumentError
        """
        configure_torch(config)
        scenes = load_scene_datasets(config.data)
        teacher = load_teacher(config.teacher.name, config.teacher.checkpoint, device=config.device)
        run = cls(config, teacher, scenes)
        needs = run._objective.needs
        for name in ("train", "fewshot"):
            if needs("teacher_region_features") or needs("coverage"):
                scenes[name].segmentation([0])
            if needs("coverage"):
                scenes[name].instance_ids([0], [0])
        if config.crop_classifier is not None:
            run._check_crop_data()
        run.validate_run_dir()
        return run

    @property
    def data_provenance(self) -> dict[str, Any]:
        """Content hash and number of scenes of each store."""
        return {name: {"scenes": len(s), "content": s.content_hash} for name, s in self.scenes.items()}

    @cached_property
    def model(self) -> PromptedStudent:
        """The model with the weights that the seed gives."""
        seed_everything(self.config.seed)
        config, labels = self.config, self.label_names(("id",))
        model = PromptedStudent(
            config.student,
            config.data.camera_spec,
            self.teacher.embed_dim,
            lambda: build_label_encoder(config.prompts, self.teacher, labels),
            labels,
            resolve_bf16(config.precision, config.device),
        )
        if self.config.data.depth:
            model.set_depth_statistics(*depth_statistics(self.scenes["train"]))
        return model.to(device=self.config.device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    @property
    def architecture(self) -> dict[str, Any]:
        """What a checkpoint must share with the model."""
        return architecture_signature(self.config, self.teacher.embed_dim)

    @property
    def phases(self) -> Sequence[str]:
        """Distillation, fine-tuning on the few-shot scenes and, where asked for, object crops of single objects."""
        return PHASES if self.config.crop_classifier is None else (*PHASES, CROP_CLASSIFIER)

    def phase_config(self, phase: str) -> PhaseConfig:
        """Return how a phase is optimized."""
        if phase == CROP_CLASSIFIER:
            return self._crop_phase_config
        return self.config.distill if phase == DISTILL else self.config.few_shot

    def label_indices(self, splits: tuple[str, ...]) -> list[int]:
        """Return the label columns of Y_id, Y_ood or both, in catalog order."""
        store = self.scenes["train"].store
        return sorted(column for split in splits for column in store.split_label_indices(split))  # type: ignore[arg-type]

    def label_names(self, splits: tuple[str, ...]) -> list[str]:
        """Return the names of the label columns of Y_id, Y_ood or both."""
        return [self.scenes["train"].label_names[column] for column in self.label_indices(splits)]

    def train(self) -> None:
        """Train all phases; whatever is finished is left as it is."""
        for source in ("train", "fewshot"):
            self._source(source)
        self.teacher.free_image_encoder()  # of CLIP ViT-L/14 1.2 GB that no step needs
        self.train_phases()
        for phase in PHASES:
            path = self.folder / phase / LABEL_FEATURES_FILE
            if not path.is_file():
                self.load_weights(phase)
                self.label_features().save(path)

    @torch.no_grad()
    def label_features(self) -> LabelFeatures:
        """Return the text features of all labels, by the weights that are loaded."""
        names, unseen = self.label_names(("id", "ood")), set(self.label_names(("ood",)))
        return LabelFeatures(
            names=tuple(names),
            unseen=tuple(name in unseen for name in names),
            camera_size=self.scenes["train"].store.image_size,
            features=self.model.prompts.encode(names),
        )

    def task(self, phase: str) -> Task:
        """Return what a phase trains: Y_id on the training scenes, then all labels on the few-shot scenes too, then
        the names of single objects of both.
        """
        if phase == CROP_CLASSIFIER:
            return self._crop_task()
        config, seed = self.config, self.config.seed
        train, few = self._source("train"), self._source("fewshot")

        def plain(epoch: int) -> list[Batch]:
            rows = shuffled_batches(len(train.scenes), config.distill.batch_size, (seed, 0, epoch))
            return [[(0, row) for row in batch] for batch in rows]

        def balanced(epoch: int) -> list[Batch]:
            tune, key = config.few_shot, (seed, 1, epoch)
            rows = balanced_batches(len(few.scenes), len(train.scenes), tune.batch_size, tune.repeats, key)
            return [[(0, row) for row in rest] + [(1, row) for row in own] for own, rest in rows]

        first = phase == DISTILL
        loader = BatchLoader(
            [train] if first else [train, few],
            self.label_indices(("id",) if first else ("id", "ood")),
            (seed, 0 if first else 1),
            self._objective,
            bank=config.objective.negative_bank_size,
            vocabulary=self._vocabulary,
        )
        return SceneTask(
            name=phase,
            config=self.phase_config(phase),
            model=self.model,
            architecture=self.architecture,
            loader=loader,
            order=plain if first else balanced,
            validation=self.scenes["id"] if first else None,
            selection_metric=config.selection_metric,
            num_workers=config.num_workers,
        )

    def initialize_phase(self, phase: str) -> None:
        """Load what a phase starts from: the student of object crops from the one of scenes after fine-tuning."""
        if phase == CROP_CLASSIFIER:
            self.load_weights(FEW_SHOT)
            self.crop_classifier.student.load_state_dict(self.model.student.state_dict())
            with torch.no_grad():  # the texts that were learned for scenes
                self.crop_classifier.set_class_embeddings(
                    self.model.prompts.encode(self.label_names(("id", "ood"))).positive
                )
        else:
            super().initialize_phase(phase)

    @cached_property
    def crop_classifier(self) -> CropClassifier:
        """The student of object crops; its weights are those of no phase yet."""
        config = self.config
        untrained = replace(config.student, pretrained=False)  # its weights come from the student of scenes
        model = CropClassifier(
            MultiLabelStudent(untrained, config.data.camera_spec, self.teacher.embed_dim).student,
            len(self.label_names(("id", "ood"))),
            use_bf16=resolve_bf16(config.precision, config.device),
        )
        return model.to(device=config.device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    def load_crop_classifier(self) -> CropClassifier | None:
        """Return the student of object crops, trained and in eval mode; None for a run without.

        :raises CheckpointError: when that phase is not finished
        """
        if self.config.crop_classifier is None:
            return None
        self.load_phase(CROP_CLASSIFIER, self.crop_classifier)
        return self.crop_classifier

    @property
    def _crop_phase_config(self) -> CropClassifierPhaseConfig:
        if self.config.crop_classifier is None:
            raise InvalidArgumentError("expected a run with object crops; train one with crop_classifier=default")
        return self.config.crop_classifier

    def _check_crop_data(self) -> None:
        """Check that the stores have what object crops are cut out by and, in a policy, their thresholds come from."""
        try:
            for name in ("train", "id", "fewshot"):
                self.scenes[name].segmentation([0])
                self.scenes[name].instance_ids([0], [0])
            for name in ("id", "fewshot"):
                self.scenes[name].load_images("hand", "depth", [0])
        except DatasetError as error:
            raise DatasetError(
                f"{error}; object crops need it: collect the scenes anew, or train with crop_classifier=none"
            ) from error

    def _crop_task(self) -> CropTask:
        columns = self.label_indices(("id", "ood"))
        return CropTask(
            name=CROP_CLASSIFIER,
            config=self._crop_phase_config,
            model=self.crop_classifier,
            architecture=self.architecture,
            labels=self.label_names(("id", "ood")),
            train=ObjectCropDataset(self.scenes["train"], columns),
            few_shot=ObjectCropDataset(self.scenes["fewshot"], columns),
            validation=ObjectCropDataset(self.scenes["id"], columns),
            key=(self.config.seed, 2),
            num_workers=self.config.num_workers,
        )

    def comparable_config(self, config: dict[str, Any]) -> dict[str, Any]:
        """Return settings without what changes no result: where things lie, and on what they are computed."""
        own = {key: dict(value) if isinstance(value, dict) else value for key, value in config.items()}
        for key in _MACHINE_KEYS:
            own.pop(key, None)
        for key in (
            "train",
            "id",
            "ood",
            "fewshot",
            "scene_subsets",
            "max_cache_bytes",
        ):  # content is compared by its hash
            own["data"].pop(key, None)
        own["teacher"].pop("cache", None)
        own["student"].pop("activation_checkpointing", None)
        own["objective"] = {"region_cls": 0.0, "extra": None} | own["objective"]  # runs of before are without
        own.setdefault("crop_classifier", None)
        return own

    @cached_property
    def _objective(self) -> SceneObjective:
        values = self.config.objective
        return SceneObjective(
            {name: getattr(values, name) for name in LOSS_NAMES},
            temperature=values.temperature,
            vocabulary_temperature=values.vocabulary_temperature or 1 / self.teacher.logit_scale,
            vocabulary_top_k=values.vocabulary_top_k,
            gamma_negative=values.gamma_negative,
            gamma_positive=values.gamma_positive,
            clip=values.clip,
            extra=values.extra,
        )

    @cached_property
    def _vocabulary(self) -> Vocabulary | None:
        """The texts that student and teacher are compared on, without names and synonyms of objects of Y_ood."""
        if not self._objective.needs("vocabulary"):
            return None
        known = paper_catalog()
        unseen = self.label_names(("ood",))
        other_words = [word for item in known if item.name in unseen for word in item.synonyms]
        texts = vocabulary(self.label_names(("id",)), excluded=[*unseen, *other_words])
        forms = (PHOTO_TEMPLATE, PRESENT_TEMPLATE, ABSENT_TEMPLATE)
        words = VocabularyFeatures(
            *(self.teacher.encode_text([form.format(label=text) for text in texts]) for form in forms)
        )
        return Vocabulary(texts, words, self.config.objective.vocabulary_batch_size)

    def _source(self, name: str) -> DataSource:
        if name not in self._sources:
            cache, scenes = FeatureCache(self.config.teacher.cache), self.scenes[name]
            needs = self._objective.needs
            self._sources[name] = DataSource(
                scenes,
                teacher_features(self.teacher, scenes, cache) if needs("teacher") else None,
                encode_regions(self.teacher, scenes, cache) if needs("teacher_region_features") else None,
            )
        return self._sources[name]


def load_run_config(request: EvaluateConfig) -> TrainConfig:
    """Return the settings of a run in a folder, for the machine and the places that are asked for.

    :raises CheckpointError: when there is no run in the folder, or its settings cannot be read
    """
    path = Path(request.run) / CONFIG_FILE
    try:
        values = json.loads(path.read_text())["settings"]
        config = parse_config(TrainConfig, OmegaConf.create(values))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise CheckpointError(
            f"expected a run at {request.run}, but {CONFIG_FILE} is not there; "
            f"make it: pickclutter train-affordance out={request.run}"
        ) from error
    except (json.JSONDecodeError, KeyError, InvalidArgumentError) as error:
        raise CheckpointError(f"{path} is damaged or of another version ({error})") from error
    config.out, config.num_threads, config.device = request.run, request.num_threads, request.device
    if request.scenes is not None:
        for name in ("train", "id", "ood", "fewshot"):
            setattr(config.data, name, str(Path(request.scenes) / name))
        config.teacher.cache = str(Path(request.scenes) / "teacher_features")
    return config


def depth_statistics(scenes: SceneDataset, sample: int = 256) -> tuple[torch.Tensor, torch.Tensor]:
    """Return mean and standard deviation [cameras] of the depth in meters over some scenes, where something is seen."""
    images = scenes.batch(range(min(sample, len(scenes))))
    depths = [images[:, channel] for channel in range(3, images.shape[1], 4)]
    seen = [depth[depth > 0] if bool((depth > 0).any()) else torch.zeros(2) for depth in depths]
    return torch.stack([d.mean() for d in seen]), torch.stack([d.std() for d in seen])
