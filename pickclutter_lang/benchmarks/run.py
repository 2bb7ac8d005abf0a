"""A run on single pictures: teacher, data set and model made from settings."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from pickclutter_lang.benchmarks.classes import class_texts
from pickclutter_lang.benchmarks.made_of import captions_of, describe_data, describe_texts
from pickclutter_lang.benchmarks.model import PictureModel, describe_architecture
from pickclutter_lang.benchmarks.settings import BenchmarkSettings, own_settings
from pickclutter_lang.benchmarks.task import Lessons, PictureTask
from pickclutter_lang.benchmarks.views import Views
from pickclutter_lang.distillation import PICTURE_TERMS, PictureObjective
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.pictures import LabelledPictures, Split, open_pictures
from pickclutter_lang.teachers import FeatureCache, Teacher, load_teacher
from pickclutter_lang.training.config import PhaseSettings
from pickclutter_lang.training.data import balanced_batches, shuffled_batches
from pickclutter_lang.training.loop import Batch
from pickclutter_lang.training.phased_run import FIRST, PhasedRun, seed_everything, use_machine

FEW, CONTINUAL = "fewshot", "continual"


class PictureRun(PhasedRun):
    """A student of single pictures with everything that training or evaluation needs; make one with `open`."""

    command = "pickclutter train-image-student"
    settings: BenchmarkSettings

    def __init__(
        self, settings: BenchmarkSettings, teacher: Teacher, data: LabelledPictures, split: Split, report: str = ""
    ) -> None:
        super().__init__(settings, teacher)
        self.data, self.split, self.report = data, split, report
        self.keep = settings.last_epochs
        self.views = Views(data.pictures, settings.views, settings.image_size, settings.centre, settings.num_workers)
        self.labels = torch.from_numpy(data.labels)

    @classmethod
    def open(cls, settings: BenchmarkSettings) -> PictureRun:
        """Open the data set and the teacher, and check a run that is already in the folder.

        :raises PickClutterError: StoreError, MissingAssetsError, TeacherError, CheckpointError or InvalidArgumentError
        """
        use_machine(settings)
        data, split, report = open_pictures(settings.data)
        teacher = load_teacher(settings.teacher.name, settings.teacher.checkpoint, device=settings.device)
        run = cls(settings, teacher, data, split, report)
        run.check_folder()
        return run

    @property
    def data_card(self) -> dict[str, Any]:
        """What the run is made of: the data set, and hashes of the texts that stand for classes and pictures."""
        return describe_data(self.data, self.split) | describe_texts(self.settings, self.data, self.split)

    @cached_property
    def _texts(self) -> list[str]:
        """What stands for each class, but for a template that is learned."""
        return class_texts(self.settings.text, self.data.classes)

    @cached_property
    def model(self) -> PictureModel:
        """The model with the weights that the seed gives."""
        seed_everything(self.settings.seed)
        model = PictureModel(self.settings, self.teacher, self.data.classes)
        return model.to(device=self.settings.device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    @property
    def architecture(self) -> dict[str, Any]:
        """What a checkpoint must share with the model."""
        return describe_architecture(self.settings, self.teacher, self.data.classes)

    @property
    def phases(self) -> Sequence[str]:
        """Distillation, fine-tuning on the few-shot pictures and, where asked for, on those of half of Y_ood."""
        return (FIRST, FEW, CONTINUAL) if self.settings.continual else (FIRST, FEW)

    @property
    def halves(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Y_ood in two halves (Table 11)."""
        middle = (len(self.split.unseen) + 1) // 2
        return self.split.unseen[:middle], self.split.unseen[middle:]

    @cached_property
    def cache(self) -> FeatureCache:
        """Where features of the teacher are kept."""
        return FeatureCache(self.settings.teacher.cache)

    @cached_property
    def teacher_whole(self) -> Tensor:
        """The teacher's features [N, D] of all pictures."""
        return self.views.whole_features(self.teacher, self.cache)

    def phase_settings(self, phase: str) -> PhaseSettings:
        """Return how a phase is optimised."""
        return self.settings.distill if phase == FIRST else self.settings.fewshot

    def train(self) -> None:
        """Train every phase; whatever is finished is left as it is.

        :raises InvalidArgumentError: when a setting does not fit, before the teacher looks at any picture
        """
        self._plain(0)
        for phase in self.phases[1:]:
            self._balanced(phase, 0)
        self._try_sizes()
        _ = self._lessons, self.teacher_whole  # what is left of the image tower's work
        self.teacher.release_image_tower()
        self.train_phases()

    def _try_sizes(self) -> None:
        """Show the student a picture of every size that it will see.

        :raises InvalidArgumentError: when it cannot read one
        """
        settings, model = self.settings, self.model
        for size in {settings.image_size, *settings.distill.image_sizes, *settings.fewshot.image_sizes}:
            try:
                with torch.no_grad():
                    model.eval().features(torch.zeros(2, 3, size, size, dtype=torch.uint8))
            except (AssertionError, RuntimeError, ValueError) as error:
                raise InvalidArgumentError(
                    f"the student {settings.student.name} cannot read pictures of {size} px ({error}); "
                    "choose another image_size"
                ) from error

    def task(self, phase: str) -> PictureTask:
        """Return what a phase trains: Y_id on X_train, then these and the few-shot pictures of Y_ood."""
        known, unseen = self.split.known, self.split.unseen
        shown = () if phase == FIRST else self.halves[0] if phase == CONTINUAL else unseen
        groups = [known, shown] if self.settings.text.closed_set else [(*known, *shown)]
        return PictureTask(
            name=phase,
            group=FIRST if phase == FIRST else FEW,
            settings=self.phase_settings(phase),
            model=self.model,
            architecture=self.architecture,
            objective=self._objective,
            lessons=self._lessons,
            classes=[group for group in groups if group],
            class_names=[item.name for item in self.data.classes],
            order=self._plain if phase == FIRST else lambda epoch: self._balanced(phase, epoch),
            key=(self.settings.seed, self.phases.index(phase)),
            validation=self.split.id,
        )

    def without_places(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Return settings without what changes no result: where things lie, and on what they are computed."""
        return own_settings(settings) | {"seed": settings["seed"]}

    def _plain(self, epoch: int) -> list[Batch]:
        rows, size = self.split.train, self.settings.distill.batch_size
        key = (self.settings.seed, 0, epoch)
        passes = [shuffled_batches(len(rows), size, (*key, n)) for n in range(self.settings.repeats)]
        return [[(0, rows[place]) for place in batch] for one in passes for batch in one]

    def _balanced(self, phase: str, epoch: int) -> list[Batch]:
        tune, train = self.settings.fewshot, self.split.train
        few = self.split.fewshot
        if phase == CONTINUAL:
            few = tuple(row for row in few if int(self.labels[row]) in self.halves[0])
        key = (self.settings.seed, self.phases.index(phase), epoch)
        batches = balanced_batches(len(few), len(train), tune.batch_size, tune.passes, key)
        return [[(0, train[place]) for place in rest] + [(1, few[place]) for place in own] for own, rest in batches]

    @cached_property
    def _objective(self) -> PictureObjective:
        values = self.settings.objective
        return PictureObjective(
            {name: getattr(values, name) for name in PICTURE_TERMS},
            temperature=values.temperature,
            similarity=values.similarity,  # type: ignore[arg-type]  # checked by its settings
            top_k=values.top_k,
            filter_vlprox=values.filter_vlprox,
            filter_im_cst=values.filter_im_cst,
        )

    @cached_property
    def _lessons(self) -> Lessons:
        rows, needs = (*self.split.train, *self.split.fewshot), self._objective.needs
        place = torch.full((len(self.labels),), -1)
        place[list(rows)] = torch.arange(len(rows))
        teacher = None
        if needs("teacher") and self.settings.views.crops:
            teacher = self.views.crop_features(self.teacher, self.cache, rows)
        elif needs("teacher"):
            teacher = self.teacher_whole[list(rows)][:, None]
        return Lessons(
            self.views, self.labels, place, teacher, self.caption_features(rows) if needs("captions") else None
        )

    def caption_features(self, rows: Sequence[int]) -> Tensor:
        """Return the teacher's features [n, D] of the captions of some pictures.

        :raises InvalidArgumentError: when one of them has none
        """
        said = captions_of(self.data, rows)
        texts = sorted(set(said))
        features = self.teacher.encode_text(texts, self.settings.text.truncate)
        number = {text: n for n, text in enumerate(texts)}
        return features[[number[text] for text in said]].cpu()

    def teacher_texts(self) -> Tensor:
        """Return the teacher's features [C, D] of the texts of all classes, by their names in a closed set."""
        return self.teacher.encode_text(self._texts, self.settings.text.truncate).cpu()
