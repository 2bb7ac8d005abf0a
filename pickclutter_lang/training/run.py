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

from pickclutter_lang.command import typed
from pickclutter_lang.distillation import TERMS, Objective, Words
from pickclutter_lang.errors import CheckpointError, InvalidArgumentError, StoreError
from pickclutter_lang.language.vocabulary import vocabulary
from pickclutter_lang.objects.catalogue import paper_catalogue
from pickclutter_lang.students.closeup import CloseUpStudent
from pickclutter_lang.teachers import FeatureCache, Teacher, load_teacher
from pickclutter_lang.training.batches import BatchLoader, Source, Vocabulary
from pickclutter_lang.training.closeup_task import CloseUpTask
from pickclutter_lang.training.config import CloseUpSettings, EvaluateSettings, PhaseSettings, TrainSettings
from pickclutter_lang.training.crops import teacher_crops
from pickclutter_lang.training.cutouts import CutOuts
from pickclutter_lang.training.data import SceneSet, balanced_batches, open_scenes, shuffled_batches, teacher_features
from pickclutter_lang.training.loop import Batch, Task
from pickclutter_lang.training.model import AffordanceModel, Scorer, describe_architecture, takes_bfloat16
from pickclutter_lang.training.phased_run import FIRST, SETTINGS_FILE, PhasedRun, seed_everything, use_machine
from pickclutter_lang.training.scene_task import SceneTask
from pickclutter_lang.training.zero_shot import ABSENT, PRESENT, SINGLE

FEW, CLOSE_UPS = "fewshot", "closeups"
PHASES = (FIRST, FEW)
"""Those of the student of scenes."""
_MAY_DIFFER = ("out", "threads", "device", "num_workers", "scenes")


class Run(PhasedRun):
    """A student of scenes with everything that its training or its evaluation needs; make one with `Run.open`."""

    command = "pickclutter train-affordance"
    settings: TrainSettings

    def __init__(self, settings: TrainSettings, teacher: Teacher, scenes: dict[str, SceneSet]) -> None:
        super().__init__(settings, teacher)
        self.scenes = scenes
        self.select = settings.select
        self._sources: dict[str, Source] = {}

    @classmethod
    def open(cls, settings: TrainSettings) -> Run:
        """Open the stores and the teacher, and check a run that is already in the folder.

        :raises PickClutterError: StoreError, StoreMismatchError, TeacherError, CheckpointError or InvalidArgumentError
        """
        use_machine(settings)
        scenes = open_scenes(settings.data)
        teacher = load_teacher(settings.teacher.name, settings.teacher.checkpoint, device=settings.device)
        run = cls(settings, teacher, scenes)
        needs = run._objective.needs
        for name in ("train", "fewshot"):
            if needs("crops") or needs("covers"):
                scenes[name].segments([0])
            if needs("covers"):
                scenes[name].slots([0], [0])
        if settings.closeups is not None:
            run._check_closeups()
        run.check_folder()
        return run

    @property
    def data_card(self) -> dict[str, Any]:
        """Content hash and number of scenes of each store."""
        return {name: {"scenes": len(s), "content": s.content} for name, s in self.scenes.items()}

    @cached_property
    def model(self) -> AffordanceModel:
        """The model with the weights that the seed gives."""
        seed_everything(self.settings.seed)
        model = AffordanceModel(self.settings, self.teacher, self.names(("id",)))
        if self.settings.data.depth:
            model.set_depth_statistics(*depth_statistics(self.scenes["train"]))
        return model.to(device=self.settings.device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    @property
    def architecture(self) -> dict[str, Any]:
        """What a checkpoint must share with the model."""
        return describe_architecture(self.settings, self.teacher)

    @property
    def phases(self) -> Sequence[str]:
        """Distillation, fine-tuning on the few-shot scenes and, where asked for, close-ups of single objects."""
        return PHASES if self.settings.closeups is None else (*PHASES, CLOSE_UPS)

    def phase_settings(self, phase: str) -> PhaseSettings:
        """Return how a phase is optimised."""
        if phase == CLOSE_UPS:
            return self._closeup_settings
        return self.settings.distill if phase == FIRST else self.settings.fewshot

    def columns(self, splits: tuple[str, ...]) -> list[int]:
        """Return the label columns of Y_id, Y_ood or both, in catalogue order."""
        store = self.scenes["train"].store
        return sorted(column for split in splits for column in store.split_columns(split))  # type: ignore[arg-type]

    def names(self, splits: tuple[str, ...]) -> list[str]:
        """Return the names of the label columns of Y_id, Y_ood or both."""
        return [self.scenes["train"].names[column] for column in self.columns(splits)]

    def train(self) -> None:
        """Train all phases; whatever is finished is left as it is."""
        for source in ("train", "fewshot"):
            self._source(source)
        self.teacher.release_image_tower()  # of CLIP ViT-L/14 1.2 GB that no step needs
        self.train_phases()

    def task(self, phase: str) -> Task:
        """Return what a phase trains: Y_id on the training scenes, then all labels on the few-shot scenes too, then
        the names of single objects of both.
        """
        if phase == CLOSE_UPS:
            return self._closeup_task()
        settings, seed = self.settings, self.settings.seed
        train, few = self._source("train"), self._source("fewshot")

        def plain(epoch: int) -> list[Batch]:
            rows = shuffled_batches(len(train.scenes), settings.distill.batch_size, (seed, 0, epoch))
            return [[(0, row) for row in batch] for batch in rows]

        def balanced(epoch: int) -> list[Batch]:
            tune, key = settings.fewshot, (seed, 1, epoch)
            rows = balanced_batches(len(few.scenes), len(train.scenes), tune.batch_size, tune.passes, key)
            return [[(0, row) for row in rest] + [(1, row) for row in own] for own, rest in rows]

        first = phase == FIRST
        loader = BatchLoader(
            [train] if first else [train, few],
            self.columns(("id",) if first else ("id", "ood")),
            (seed, 0 if first else 1),
            self._objective,
            bank=settings.objective.bank,
            vocabulary=self._vocabulary,
        )
        return SceneTask(
            name=phase,
            settings=self.phase_settings(phase),
            model=self.model,
            loader=loader,
            order=plain if first else balanced,
            validation=self.scenes["id"] if first else None,
            select=settings.select,
            num_workers=settings.num_workers,
        )

    def begin(self, phase: str) -> None:
        """Load what a phase starts from: the student of close-ups from the one of scenes after fine-tuning."""
        if phase == CLOSE_UPS:
            self.load_weights(FEW)
            self.closeup_model.student.load_state_dict(self.model.student.state_dict())
            with torch.no_grad():  # the texts that were learned for scenes
                self.closeup_model.set_texts(self.model.prompts.encode(self.names(("id", "ood"))).positive)
        else:
            super().begin(phase)

    @cached_property
    def closeup_model(self) -> CloseUpStudent:
        """The student of close-ups; its weights are those of no phase yet."""
        settings = self.settings
        empty = replace(settings, student=replace(settings.student, pretrained=False))  # its weights come from another
        model = CloseUpStudent(Scorer(empty, self.teacher.embed_dim).student, len(self.names(("id", "ood"))))
        model.mixed = takes_bfloat16(settings.precision, settings.device)
        return model.to(device=settings.device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    def load_closeups(self) -> CloseUpStudent | None:
        """Return the student of close-ups, trained and in eval mode; None for a run without.

        :raises CheckpointError: when that phase is not finished
        """
        if self.settings.closeups is None:
            return None
        self.load_phase(CLOSE_UPS, self.closeup_model)
        return self.closeup_model

    @property
    def _closeup_settings(self) -> CloseUpSettings:
        if self.settings.closeups is None:
            raise InvalidArgumentError("expected a run with close-ups; train one with closeups=quick")
        return self.settings.closeups

    def _check_closeups(self) -> None:
        """Check that the stores have what close-ups are cut out by and, in a policy, their thresholds come from."""
        try:
            for name in ("train", "id", "fewshot"):
                self.scenes[name].segments([0])
                self.scenes[name].slots([0], [0])
            for name in ("id", "fewshot"):
                self.scenes[name].pictures("hand", "depth", [0])
        except StoreError as error:
            raise StoreError(
                f"{error}; close-ups need it: collect the scenes anew, or train with closeups=none"
            ) from error

    def _closeup_task(self) -> CloseUpTask:
        columns = self.columns(("id", "ood"))
        return CloseUpTask(
            name=CLOSE_UPS,
            settings=self._closeup_settings,
            model=self.closeup_model,
            architecture=self.architecture,
            labels=self.names(("id", "ood")),
            train=CutOuts(self.scenes["train"], columns),
            few=CutOuts(self.scenes["fewshot"], columns),
            known=CutOuts(self.scenes["id"], columns),
            key=(self.settings.seed, 2),
            num_workers=self.settings.num_workers,
        )

    def without_places(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Return settings without what changes no result: where things lie, and on what they are computed."""
        own = {key: dict(value) if isinstance(value, dict) else value for key, value in settings.items()}
        for key in _MAY_DIFFER:
            own.pop(key, None)
        for key in ("train", "id", "ood", "fewshot", "splits", "memory_limit"):  # content is compared by its hash
            own["data"].pop(key, None)
        own["teacher"].pop("cache", None)
        own["student"].pop("recompute", None)
        own["objective"].setdefault("local_cls", 0.0)  # runs of before are without
        own.setdefault("closeups", None)
        return own

    @cached_property
    def _objective(self) -> Objective:
        values = self.settings.objective
        return Objective(
            {name: getattr(values, name) for name in TERMS},
            temperature=values.temperature,
            word_temperature=values.word_temperature or 1 / self.teacher.logit_scale,
            top_words=values.top_words,
            gamma_negative=values.gamma_negative,
            gamma_positive=values.gamma_positive,
            clip=values.clip,
        )

    @cached_property
    def _vocabulary(self) -> Vocabulary | None:
        """The texts that student and teacher are compared on, without names and synonyms of objects of Y_ood."""
        if not self._objective.needs("words"):
            return None
        known = paper_catalogue()
        held_out = self.names(("ood",))
        other_words = [word for item in known if item.name in held_out for word in item.synonyms]
        texts = vocabulary(self.names(("id",)), excluded=[*held_out, *other_words])
        forms = (SINGLE, PRESENT, ABSENT)
        words = Words(*(self.teacher.encode_text([form.format(label=text) for text in texts]) for form in forms))
        return Vocabulary(texts, words, self.settings.objective.words)

    def _source(self, name: str) -> Source:
        if name not in self._sources:
            cache, scenes = FeatureCache(self.settings.teacher.cache), self.scenes[name]
            needs = self._objective.needs
            self._sources[name] = Source(
                scenes,
                teacher_features(self.teacher, scenes, cache) if needs("teacher") else None,
                teacher_crops(self.teacher, scenes, cache) if needs("crops") else None,
            )
        return self._sources[name]


def saved_settings(request: EvaluateSettings) -> TrainSettings:
    """Return the settings of a run in a folder, for the machine and the places that are asked for.

    :raises CheckpointError: when there is no run in the folder, or its settings cannot be read
    """
    path = Path(request.run) / SETTINGS_FILE
    try:
        values = json.loads(path.read_text())["settings"]
        settings = typed(TrainSettings, OmegaConf.create(values))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise CheckpointError(
            f"expected a run at {request.run}, but {SETTINGS_FILE} is not there; "
            f"make it: pickclutter train-affordance out={request.run}"
        ) from error
    except (json.JSONDecodeError, KeyError, InvalidArgumentError) as error:
        raise CheckpointError(f"{path} is damaged or of another version ({error})") from error
    settings.out, settings.threads, settings.device = request.run, request.threads, request.device
    if request.scenes is not None:
        for name in ("train", "id", "ood", "fewshot"):
            setattr(settings.data, name, str(Path(request.scenes) / name))
        settings.teacher.cache = str(Path(request.scenes) / "teacher_features")
    return settings


def depth_statistics(scenes: SceneSet, sample: int = 256) -> tuple[torch.Tensor, torch.Tensor]:
    """Return mean and standard deviation [cameras] of the depth in metres over some scenes, where something is seen."""
    images = scenes.batch(range(min(sample, len(scenes))))
    depths = [images[:, channel] for channel in range(3, images.shape[1], 4)]
    seen = [depth[depth > 0] if bool((depth > 0).any()) else torch.zeros(2) for depth in depths]
    return torch.stack([d.mean() for d in seen]), torch.stack([d.std() for d in seen])
