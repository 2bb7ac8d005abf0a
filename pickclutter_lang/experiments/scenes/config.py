"""The settings of a training run. Their values live in `configs/`; here are their types and what is allowed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from pickclutter_lang.datasets.config import SceneDataConfig
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.students.config import PromptConfig, StudentConfig
from pickclutter_lang.teachers.config import TeacherConfig
from pickclutter_lang.training.config import FewShotConfig, PhaseConfig
from pickclutter_lang.utils.validation import above, at_least, one_of, within


@dataclass
class ObjectiveConfig:
    """Weights of the terms, and the parameters of the losses; see `pickclutter_lang.distillation.Objective`.

    `bank` is the number of teacher features of other training images that are drawn for each batch as further
    negatives of `im_cst`; `words` that of texts of the vocabulary that are drawn for `pairwise`.
    `vocabulary_temperature` is that of `region_proximity` and `pairwise` (null: the teacher's own).
    """

    cls: float
    im_cst: float
    region_contrastive: float
    region_proximity: float
    scene_proximity: float
    negative_bank_size: int
    vocabulary_batch_size: int
    vocabulary_temperature: float | None
    vocabulary_top_k: int
    gamma_negative: float
    gamma_positive: float
    clip: float
    temperature: float
    region_cls: float = 0.0  # runs of before are without

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        weights = ("cls", "im_cst", "region_cls", "region_contrastive", "region_proximity", "scene_proximity")
        for name in (*weights, "gamma_negative", "gamma_positive"):
            at_least(f"objective.{name}", getattr(self, name), 0.0)
        within("objective.clip", self.clip, 0.0, 1.0)
        at_least("objective.negative_bank_size", self.negative_bank_size, 0)
        for name in ("vocabulary_batch_size", "vocabulary_top_k"):
            at_least(f"objective.{name}", getattr(self, name), 1)
        above("objective.temperature", self.temperature, 0.0)
        if self.vocabulary_temperature is not None:
            above("objective.vocabulary_temperature", self.vocabulary_temperature, 0.0)


@dataclass
class CropClassifierPhaseConfig(FewShotConfig):
    """The third phase: a second student names single objects, on object crops with a side of `size` pixels.

    An epoch goes `passes` times over the objects of the few-shot scenes, which fill at most half of a batch.
    """

    crop_size: int

    def validate(self, name: str) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        super().validate(name)
        at_least(f"{name}.crop_size", self.crop_size, 16)
        if self.image_size_schedule:
            raise InvalidArgumentError(f"expected no {name}.image_sizes: object crops have one size, {name}.crop_size")


@dataclass
class TrainConfig:
    """A run: distillation on `data.train` (`distill`), then fine-tuning on `data.fewshot` (`fewshot`).

    With `closeups` a second student, which starts from the first, is trained to name single objects (null: none).

    `method` names the row of Table 12 that the settings make (configs/method).
    `scenes` is the folder under which the stores lie by default. `select` is the metric on X_id by which the best
    epoch is chosen; the evaluation on X_ood never chooses anything. `num_threads` is torch's number of threads (null:
    its own choice); `device` is torch's name of a device. `precision` of the student's network: `float32`, `bfloat16`,
    or `auto`, which is `bfloat16` where the CPU multiplies it in hardware, and `float32` elsewhere. `num_workers`
    processes prepare images ahead of the training (0: none), which changes no result.
    """

    method: str
    scenes: str
    data: SceneDataConfig
    teacher: TeacherConfig
    student: StudentConfig
    prompts: PromptConfig
    objective: ObjectiveConfig
    distill: PhaseConfig
    few_shot: FewShotConfig
    selection_metric: str
    precision: str
    seed: int
    num_threads: int | None
    device: str
    out: str
    num_workers: int = 0
    crop_classifier: CropClassifierPhaseConfig | None = None  # runs of before are without

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        for part in (self.data, self.student, self.prompts, self.objective):
            part.validate()
        self.distill.validate("distill")
        self.few_shot.validate("few_shot")
        if self.crop_classifier is not None:
            self.crop_classifier.validate("crop_classifier")
            if list(self.data.cameras) != ["hand"] or self.data.depth:
                raise InvalidArgumentError(
                    "expected data=hand_rgb for object crops, which are cut out of the hand camera's RGB; choose "
                    "it, or "
                    "crop_classifier=none"
                )
        one_of("selection_metric", self.selection_metric, ("map", "f1"))
        one_of("precision", self.precision, ("auto", "float32", "bfloat16"))
        at_least("seed", self.seed, 0)
        at_least("num_workers", self.num_workers, 0)
        if self.num_threads is not None:
            at_least("num_threads", self.num_threads, 1)

    @property
    def phases(self) -> dict[str, PhaseConfig]:
        """How each phase is optimized, by its name, in their order."""
        phases: dict[str, PhaseConfig] = {"distill": self.distill, "few_shot": self.few_shot}
        return phases if self.crop_classifier is None else phases | {"crop_classifier": self.crop_classifier}

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as nested JSON values."""
        return asdict(self)


@dataclass
class EvaluateConfig:
    """Which run to evaluate again; `scenes` is where its stores lie now, if they were moved.

    `report_only`: write the report from `result.json` and the saved predictions; no scenes are needed and no teacher.
    """

    run: str
    scenes: str | None
    num_threads: int | None
    device: str
    report_only: bool = False
