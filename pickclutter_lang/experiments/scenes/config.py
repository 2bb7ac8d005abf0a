"""Configuration of runs on scenes and of commands that use them; `TrainConfig()` is what `train-affordance` trains."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from pickclutter_lang.datasets.config import SceneDataConfig
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.students.config import PromptConfig
from pickclutter_lang.training.config import FewShotConfig, PhaseConfig, RunConfig
from pickclutter_lang.utils.constants import TEMPERATURE
from pickclutter_lang.utils.validation import (
    MAX_WORKERS,
    above,
    at_least,
    check_device,
    check_folder,
    check_image_size,
    check_path,
    check_values,
    one_of,
    within,
)

TRAIN_COMMAND = "pickclutter train-affordance"
"""What trains such a run, for messages."""


@dataclass
class ObjectiveConfig:
    """Weights of the losses (0: not computed) and their parameters; see `distillation.SceneObjective`."""

    cls: Annotated[float, at_least, 0.0] = 1.0
    """Weight of the asymmetric loss on the labels."""
    im_cst: Annotated[float, at_least, 0.0] = 1.0
    """Weight of L_im-cst between the pooled features of student and teacher."""
    region_cls: Annotated[float, at_least, 0.0] = 0.0
    """Weight of the asymmetric loss on the labels of each cell of the feature map, by the stores' segmentation."""
    region_contrastive: Annotated[float, at_least, 0.0] = 0.0
    """Weight of L_im-cst between an object's features in the map and the teacher's features of its crop."""
    region_proximity: Annotated[float, at_least, 0.0] = 0.0
    """Weight of L_vlprox between the same, over a vocabulary."""
    scene_proximity: Annotated[float, at_least, 0.0] = 0.0
    """Weight of L_vlprox of full scenes, over texts sampled from a vocabulary."""
    detach_focus: bool = False
    """Take the focusing weights of the asymmetric loss for constants in its gradient, as in the paper's program."""
    temperature: Annotated[float, above, 0.0] = TEMPERATURE
    """Temperature of `im_cst` and `region_contrastive`."""
    similarity: Annotated[str, one_of, ("squared_distance", "cosine")] = "squared_distance"
    """Similarity of the same: `squared_distance`, as in the paper, or `cosine`, as in its program."""
    extra: dict[str, float] | None = None
    """Weights of losses of your own, {module:attribute: weight}; see `distillation.Objective`."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        for name, weight in (self.extra or {}).items():
            at_least(f"objective.extra.{name}", weight, 0.0)


@dataclass
class CropClassifierPhaseConfig(FewShotConfig):
    """Training of the crop classifier: a second student, which names single objects on crops of them."""

    epochs: int = 24
    batch_size: int = 48
    repeats: int = 6
    crop_size: Annotated[int, check_image_size] = 128
    """Side of the object crops in pixels."""

    def validate(self, name: str) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        super().validate(name)
        if self.image_size_schedule:
            raise InvalidArgumentError(
                f"expected no {name}.image_size_schedule: object crops have one size, {name}.crop_size"
            )


@dataclass
class TrainConfig(RunConfig):
    """A run: distillation on X_train, fine-tuning on the few-shot scenes, and a crop classifier if there is one."""

    method: str = "cls_imcst"
    """Name of the method, a row of Table 12. The preset of this name sets it."""
    scenes: str = "runs/scenes"
    """Folder with the scene stores `train`, `id`, `ood` and `fewshot`."""
    data: SceneDataConfig = field(default_factory=SceneDataConfig)
    prompts: PromptConfig = field(default_factory=PromptConfig)
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    selection_metric: Annotated[str, one_of, ("map", "f1")] = "map"
    """Metric on X_id that chooses the epoch: `map` or `f1`. X_ood chooses nothing."""
    num_threads: int | None = 1
    distilled_run: str | None = None
    """Folder of a run to take the distillation from, with equal settings and scenes for it. null: distill."""
    crop_classifier: CropClassifierPhaseConfig | None = None
    """null: no crop classifier. `crop_classifier=default` trains one."""

    def __post_init__(self) -> None:
        """Fill in `${scenes}`, as hydra does for a command."""
        stores = {name: getattr(self.data, name) for name in ("train", "id", "ood", "fewshot")}
        filled: dict[str, Any] = {name: path.replace("${scenes}", self.scenes) for name, path in stores.items()}
        unlabeled = self.data.unlabeled
        filled["unlabeled"] = unlabeled and unlabeled.replace("${scenes}", self.scenes)
        self.data = replace(self.data, **filled)
        self.teacher = replace(self.teacher, cache=self.teacher.cache.replace("${scenes}", self.scenes))

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        super().validate()
        for part in (self.data, self.prompts, self.objective):
            part.validate()
        if self.retrieval.keys == "teacher" and not self.objective.im_cst:
            raise InvalidArgumentError(
                "expected objective.im_cst above 0 with retrieval.keys=teacher, since only that trains what is "
                "compared with the teacher's features; choose another method, or retrieval.keys=student"
            )
        if self.crop_classifier is not None:
            self.crop_classifier.validate("crop_classifier")
            if list(self.data.cameras) != ["hand"] or self.data.depth:
                raise InvalidArgumentError(
                    "expected data=hand_rgb for object crops, which are cut out of the hand camera's RGB; "
                    "choose it, or crop_classifier=none"
                )

    @property
    def phases(self) -> dict[str, PhaseConfig]:
        """How each phase is optimized, by its name, in their order."""
        return super().phases | ({} if self.crop_classifier is None else {"crop_classifier": self.crop_classifier})


CALIBRATIONS = {"few_shot": ("id", "fewshot"), "id": ("id",), "unlabeled": ("id", "unlabeled")}
"""`calibration` -> the scene stores that thresholds come from."""


@dataclass
class TrainedRunConfig:
    """A student of a finished run."""

    run: Annotated[str, check_path]
    """Folder of the run, `out` of `pickclutter train-affordance`."""
    phase: Annotated[str, one_of, ("distill", "few_shot")] = "few_shot"
    """Phase after which the student is taken: `few_shot`, or `distill` (before fine-tuning)."""
    scenes: Annotated[str | None, check_folder] = None
    """Folder with the stores `train`, `id`, `ood` and `fewshot`, if they were moved."""
    num_threads: Annotated[int, within, 1, MAX_WORKERS] | None = None
    """Threads of torch. null: torch's default."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        check_values(self)


_OF_RUN = ("scenes", "device", "report_only")
_OF_POLICY = ("out", "trust_code")


@dataclass
class AffordanceEvalConfig:
    """Evaluation of a finished run, or of a policy on any scene store, or on frames of a camera."""

    run: Annotated[str | None, check_path] = None
    """Folder of the run, `out` of `pickclutter train-affordance`."""
    policy: Annotated[str | None, check_path] = None
    """Instead of `run`: policy folder of `pickclutter export-policy`, or `open`, whose scores of the labels of `store`
    are evaluated."""
    store: Annotated[str | None, check_folder] = None
    """With `policy`: a scene store of any objects."""
    frames: Annotated[str | None, check_folder] = None
    """With `policy`: instead of `store`, a folder of labeled RGB-D frames of any camera."""
    annotations: Annotated[str | None, check_path, ".json"] = None
    """With `frames`: the file with the names of their objects. null: `annotations.json` in the folder."""
    names: list[str] = field(default_factory=list)
    """With `frames`: names that are asked. []: what the policy was taught, else all that are in the frames."""
    scenes: Annotated[str | None, check_folder] = None
    """With `run`: folder with the stores `train`, `id`, `ood` and `fewshot`, if they were moved."""
    num_threads: Annotated[int, within, 1, MAX_WORKERS] | None = None
    """Threads of torch. null: torch's default."""
    device: str = "cpu"
    """torch's name of the device, of a run."""
    report_only: bool = False
    """Write the report of a run from `result.json` and the saved scores. This needs no scenes and no teacher."""
    out: Annotated[str, check_path] = "runs/policy_scores"
    """With `policy`: folder of the result and the scores. A run has its own."""
    trust_code: bool = False
    """Open a policy folder that names code outside this package (`student.name=module:attribute`)."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        sources = sum(given is not None for given in (self.store, self.frames))
        if (self.run is None) == (self.policy is None) or sources != (self.policy is not None):
            raise InvalidArgumentError(
                "expected run= (a finished run), or policy= and one of store= and frames= (a policy folder, and a "
                "scene store or a folder of frames)"
            )
        if self.frames is None and (self.annotations is not None or self.names):
            raise InvalidArgumentError("expected frames= with annotations= and names=")
        form, others = ("run", _OF_POLICY) if self.policy is None else ("policy", _OF_RUN)
        given = [key for key in others if getattr(self, key) != getattr(type(self), key)]
        if given:
            raise InvalidArgumentError(f"expected no {given[0]}= with {form}=, which has no use for it")
        check_values(self)
        check_device(self.device)


@dataclass
class ReproduceTable12Config:
    """A sweep over methods, splits of the objects, seeds and draws of runs on scenes, and Table 12."""

    methods: list[str] = field(default_factory=lambda: ["closed_set", "cls", "cls_imcst", "cls_imcst_semantic"])
    """Rows of the table: presets of `method`. The default are the paper's four."""
    seeds: list[int] = field(default_factory=lambda: [0, 1, 2])
    """Seeds of each method's runs."""
    object_splits: list[int] = field(default_factory=lambda: [0])
    """Which objects are unseen: 0 the paper's choice, 1 to 4 drawn ones. The scenes of K lie in `scenes`/splitK; those
    of 0 may lie in `scenes` itself."""
    draws: list[int] = field(default_factory=lambda: [0])
    """Draws of the few-shot scenes: 0 the store `fewshot`, 1 the store `fewshot_1`. They share one distillation."""
    workers: int = 2
    """Runs side by side, each with one thread."""
    out: str = "runs/table12"
    """Folder of the runs (METHOD/seedS, METHOD/splitK_seedS_drawD), of their logs, and of the table."""
    tables_only: bool = False
    """Write the table from only finished runs. They may lie under `out` in any depth. Where `methods`, `seeds`,
    `object_splits` or `draws` are given, only those count."""
    tables: str | None = None
    """Folder of table12.md, table12.csv and report.html. null: `out`."""
    compare: list[str] | None = None
    """Pairs to compare over equal seeds, such as ["best - cls_imcst_semantic"], or "best - always_yes", with
    all-positive. null: each of the paper's methods with the one before it, `best` with `cls_imcst_semantic`, or else
    the last of them, and with its ablations; the last of the paper's, and `best`, with all-positive."""
