"""A run: teacher, scenes and model made from settings, trained in a folder that can be gone on with."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from omegaconf import OmegaConf

from pickclutter_lang.command import typed
from pickclutter_lang.distillation import TERMS, Objective, Words
from pickclutter_lang.errors import CheckpointError, InvalidArgumentError, StoreMismatchError
from pickclutter_lang.language.vocabulary import vocabulary
from pickclutter_lang.objects.catalogue import paper_catalogue
from pickclutter_lang.teachers import FeatureCache, Teacher, load_teacher
from pickclutter_lang.training.batches import Batch, Source, Vocabulary
from pickclutter_lang.training.checkpoint import (
    check_fits,
    describe_differences,
    epoch_folder,
    load_checkpoint,
    restore_model,
    saved_epochs,
)
from pickclutter_lang.training.config import EvaluateSettings, TrainSettings
from pickclutter_lang.training.crops import teacher_crops
from pickclutter_lang.training.data import SceneSet, balanced_batches, open_scenes, shuffled_batches, teacher_features
from pickclutter_lang.training.loop import Phase, Trainer, best_epoch
from pickclutter_lang.training.model import AffordanceModel, describe_architecture
from pickclutter_lang.training.monitor import write_json
from pickclutter_lang.training.zero_shot import ABSENT, PRESENT, SINGLE

SETTINGS_FILE = "settings.json"
PHASES = ("distill", "fewshot")
_MAY_DIFFER = ("out", "threads", "device", "scenes")


@dataclass
class Run:
    """Everything that a training or an evaluation needs; make one with `Run.open`."""

    settings: TrainSettings
    teacher: Teacher
    scenes: dict[str, SceneSet]
    _sources: dict[str, Source] = field(default_factory=dict)

    @classmethod
    def open(cls, settings: TrainSettings) -> Run:
        """Open the stores and the teacher, and check a run that is already in the folder.

        :raises PickClutterError: StoreError, StoreMismatchError, TeacherError, CheckpointError or InvalidArgumentError
        """
        if settings.threads is not None:
            torch.set_num_threads(settings.threads)
        try:
            device = torch.device(settings.device)
            torch.empty(1, device=device)
        except (RuntimeError, AssertionError) as error:
            raise InvalidArgumentError(f"expected a device that torch can use, but got {settings.device!r}") from error
        scenes = open_scenes(settings.data)
        teacher = load_teacher(settings.teacher.name, settings.teacher.checkpoint, device=settings.device)
        run = cls(settings, teacher, scenes)
        if run._objective.needs("crops"):
            for name in ("train", "fewshot"):
                scenes[name].segments([0])
        run._check_folder()
        return run

    @property
    def folder(self) -> Path:
        """Where everything of this run lies."""
        return Path(self.settings.out)

    @property
    def teacher_card(self) -> dict[str, Any]:
        """What a checkpoint says of the teacher."""
        return {
            "name": self.settings.teacher.name,
            "embed_dim": self.teacher.embed_dim,
            "fingerprint": self.teacher.fingerprint,
        }

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

    def columns(self, splits: tuple[str, ...]) -> list[int]:
        """Return the label columns of Y_id, Y_ood or both, in catalogue order."""
        store = self.scenes["train"].store
        return sorted(column for split in splits for column in store.split_columns(split))  # type: ignore[arg-type]

    def names(self, splits: tuple[str, ...]) -> list[str]:
        """Return the names of the label columns of Y_id, Y_ood or both."""
        return [self.scenes["train"].names[column] for column in self.columns(splits)]

    def train(self) -> None:
        """Distil, then fine-tune on the few-shot scenes; whatever is finished is left as it is."""
        write_json(self.folder / SETTINGS_FILE, self._identity())
        for source in ("train", "fewshot"):
            self._source(source)
        self.teacher.release_image_tower()  # of CLIP ViT-L/14 1.2 GB that no step needs
        for name in PHASES:
            self._train_phase(name)

    def load_weights(self, phase: str) -> list[dict[str, Any]]:
        """Load the resulting weights of a phase into the model and return its history, a row for each epoch.

        :raises CheckpointError: when the phase is not finished
        """
        folder = self.folder / phase
        epochs, wanted = saved_epochs(folder), self.settings.distill.epochs
        if phase == "fewshot":
            wanted = self.settings.fewshot.epochs
        if not epochs or epochs[-1] < wanted:
            raise CheckpointError(
                f"expected {wanted} finished epochs in {folder}, but there are {epochs[-1] if epochs else 0}; "
                f"run scripts/train_affordance.py with out={self.folder} first"
            )
        history: list[dict[str, Any]] = load_checkpoint(epoch_folder(folder, epochs[-1])).state["history"]
        checkpoint = load_checkpoint(epoch_folder(folder, best_epoch(history, self.settings.select)))
        check_fits(checkpoint, self.model.architecture, self.teacher_card)
        restore_model(checkpoint, self.model)
        self.model.eval()
        return history

    def _train_phase(self, name: str) -> None:
        trainer = self._trainer(name)
        if not trainer.resume():
            if name == "fewshot":
                self.load_weights("distill")
            seed_everything(self.settings.seed + trainer.phase.number)
        trainer.run(self.folder / "tensorboard" / name)

    def _trainer(self, name: str) -> Trainer:
        phase = self._phase(name)
        return Trainer(
            self.model,
            self._objective,
            phase,
            self.folder / name,
            self.settings.seed,
            self.teacher_card,
            bank=self.settings.objective.bank,
            vocabulary=self._vocabulary,
        )

    def _phase(self, name: str) -> Phase:
        settings, seed = self.settings, self.settings.seed
        train, few = self._source("train"), self._source("fewshot")
        if name == "distill":

            def plain(epoch: int) -> list[Batch]:
                rows = shuffled_batches(len(train.scenes), settings.distill.batch_size, (seed, 0, epoch))
                return [[(0, row) for row in batch] for batch in rows]

            columns = self.columns(("id",))
            return Phase(name, 0, settings.distill, [train], columns, plain, self.scenes["id"], settings.select)

        def balanced(epoch: int) -> list[Batch]:
            tune = settings.fewshot
            key = (seed, 1, epoch)
            rows = balanced_batches(len(few.scenes), len(train.scenes), tune.batch_size, tune.passes, key)
            return [[(0, row) for row in rest] + [(1, row) for row in own] for own, rest in rows]

        columns = self.columns(("id", "ood"))
        return Phase(name, 1, settings.fewshot, [train, few], columns, balanced, None, settings.select)

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

    def _identity(self) -> dict[str, Any]:
        return {"settings": self.settings.as_dict(), "data": self.data_card, "teacher": self.teacher_card}

    def _check_folder(self) -> None:
        """Check that a run in the folder was started with these settings, these scenes and this teacher."""
        path = self.folder / SETTINGS_FILE
        if not path.is_file():
            return
        saved, own = json.loads(path.read_text()), json.loads(json.dumps(self._identity()))
        architecture = describe_architecture(self.settings, self.teacher)
        for phase in PHASES:
            for epoch in saved_epochs(self.folder / phase)[-1:]:
                checkpoint = load_checkpoint(epoch_folder(self.folder / phase, epoch))
                check_fits(checkpoint, architecture, self.teacher_card)
        differences = describe_differences(saved["data"], own["data"])
        if differences:
            raise StoreMismatchError(
                f"the run at {self.folder} was started on other scenes (there / now): {'; '.join(differences)}; "
                "use the scenes it was started with, or choose another out"
            )
        for part in (saved["settings"], own["settings"]):
            _drop_places(part)
        differences = describe_differences(saved["settings"], own["settings"])
        if differences:
            raise InvalidArgumentError(
                f"the run at {self.folder} was started with other settings (there / now): {'; '.join(differences)}; "
                "use the same settings, or choose another out"
            )


def seed_everything(seed: int) -> None:
    """Seed the global generators of python, numpy and torch, which libraries draw from (dropout, first weights)."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


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
            f"make it: python scripts/train_affordance.py out={request.run}"
        ) from error
    except (json.JSONDecodeError, KeyError, InvalidArgumentError) as error:
        raise CheckpointError(f"{path} is damaged or of another version ({error})") from error
    settings.out, settings.threads, settings.device = request.run, request.threads, request.device
    if request.scenes is not None:
        for name in ("train", "id", "ood", "fewshot"):
            setattr(settings.data, name, str(Path(request.scenes) / name))
        settings.teacher.cache = str(Path(request.scenes) / "teacher_features")
    return settings


def _drop_places(settings: dict[str, Any]) -> None:
    """Remove what does not change a result: where things lie, and on what they are computed."""
    for key in _MAY_DIFFER:
        settings.pop(key, None)
    for key in ("train", "id", "ood", "fewshot", "splits", "memory_limit"):  # their content is compared by its hash
        settings["data"].pop(key, None)
    settings["teacher"].pop("cache", None)


def depth_statistics(scenes: SceneSet, sample: int = 256) -> tuple[torch.Tensor, torch.Tensor]:
    """Return mean and standard deviation [cameras] of the depth in metres over some scenes, where something is seen."""
    images = scenes.batch(range(min(sample, len(scenes))))
    depths = [images[:, channel] for channel in range(3, images.shape[1], 4)]
    seen = [depth[depth > 0] if bool((depth > 0).any()) else torch.zeros(2) for depth in depths]
    return torch.stack([d.mean() for d in seen]), torch.stack([d.std() for d in seen])
