"""Configuration of the commands that use trained runs, or train a sweep of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.object_storage import check_scenes
from pickclutter_lang.utils.validation import (
    check_device,
    check_path,
    check_repository,
    check_threads,
    one_of,
    within,
)

CALIBRATIONS = {"few_shot": ("id", "fewshot"), "id": ("id",), "unlabeled": ("id", "unlabeled")}
"""`calibration` -> the scene stores that thresholds come from."""


@dataclass
class TrainedRunConfig:
    """A student of a finished run."""

    run: str
    """Folder of the run, `out` of `pickclutter train-affordance`."""
    phase: str = "few_shot"
    """Phase after which the student is taken: `few_shot`, or `distill` (before fine-tuning)."""
    scenes: str | None = None
    """Folder with the stores `train`, `id`, `ood` and `fewshot`, if they were moved."""
    num_threads: int | None = None
    """Threads of torch. null: torch's default."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        one_of("phase", self.phase, ("distill", "few_shot"))
        check_threads(self.num_threads)
        check_path("run", self.run)
        check_scenes("scenes", self.scenes)


@dataclass
class PolicyExportConfig(TrainedRunConfig):
    """Export of a policy folder."""

    out: str = "${run}/policy"
    """Folder of the policy. The files of a policy in it are replaced."""
    false_positive_rate: float = 0.07
    """Fraction of the absent objects that the thresholds let pass, on X_id and on the few-shot scenes."""
    calibration: str | None = None
    """Scenes that thresholds come from: `id` (X_id), `few_shot` (X_id and the few-shot scenes, which have labels of
    unseen objects), or `unlabeled` (X_id and the unlabeled scenes, which lack the unseen objects). null: `id` before
    fine-tuning and `few_shot` after it."""
    half: bool = False
    """Write the weights in half precision (float16): half the bytes. Networks compute as before."""
    precision: str | None = None
    """In which the policy computes: `float32`, `bfloat16`, or `auto` (bfloat16 where the CPU has it in hardware). null:
    as the run."""
    push_to: str | None = None
    """Repository `owner/name` of the Hugging Face Hub that the folder is pushed to, with a model card. null: none."""
    private: bool = False
    """Make that repository private if it is new."""

    def __post_init__(self) -> None:
        """Fill in `${run}`, as hydra does for a command."""
        self.out = self.out.replace("${run}", self.run)

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        super().validate()
        check_path("out", self.out)
        within("false_positive_rate", self.false_positive_rate, 0.0, 1.0)
        if self.calibration is not None:
            one_of("calibration", self.calibration, [*CALIBRATIONS])
        if self.precision is not None:
            one_of("precision", self.precision, ("auto", "float32", "bfloat16"))
        if self.push_to is not None:
            check_repository("push_to", self.push_to)


_OF_RUN, _OF_POLICY = ("scenes", "device", "report_only"), ("out", "trust_code")


@dataclass
class AffordanceEvalConfig:
    """Evaluation of a finished run, or of a policy on any scene store."""

    run: str | None = None
    """Folder of the run, `out` of `pickclutter train-affordance`."""
    policy: str | None = None
    """Instead of `run`: policy folder of `pickclutter export-policy`, or `open`, whose scores of the labels of `store`
    are evaluated."""
    store: str | None = None
    """With `policy`: a scene store of any objects."""
    scenes: str | None = None
    """With `run`: folder with the stores `train`, `id`, `ood` and `fewshot`, if they were moved."""
    num_threads: int | None = None
    """Threads of torch. null: torch's default."""
    device: str = "cpu"
    """torch's name of the device, of a run."""
    report_only: bool = False
    """Write the report of a run from `result.json` and the saved predictions. This needs no scenes and no teacher."""
    out: str = "runs/policy_scores"
    """With `policy`: folder of the result and the predictions. A run has its own."""
    trust_code: bool = False
    """Open a policy folder that names code outside this package (`student.name=module:attribute`)."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        if (self.run is None) == (self.policy is None) or (self.policy is None) != (self.store is None):
            raise InvalidArgumentError(
                "expected run= (a finished run), or policy= and store= (a policy folder and a scene store)"
            )
        form, others = ("run", _OF_POLICY) if self.policy is None else ("policy", _OF_RUN)
        given = [key for key in others if getattr(self, key) != getattr(type(self), key)]
        if given:
            raise InvalidArgumentError(f"expected no {given[0]}= with {form}=, which has no use for it")
        check_threads(self.num_threads)
        check_device(self.device)
        check_path("run", self.run)
        check_path("policy", self.policy)
        check_scenes("scenes", self.scenes)
        check_scenes("store", self.store)
        check_path("out", self.out)


@dataclass
class OnnxExportConfig(TrainedRunConfig):
    """Export of an ONNX file."""

    names: list[str] | None = None
    """Labels of the exported student, any names. null: those of the run."""
    out: str = "${run}/student.onnx"
    """The ONNX file."""

    def __post_init__(self) -> None:
        """Fill in `${run}`, as hydra does for a command."""
        self.out = self.out.replace("${run}", self.run)

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        super().validate()
        check_path("out", self.out, ".onnx")


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
    """Write the table from finished runs alone. They may lie under `out` in any depth. Where `methods`, `seeds`,
    `object_splits` or `draws` are given, those alone count."""
    tables: str | None = None
    """Folder of table12.md, table12.csv and report.html. null: `out`."""
    compare: list[str] | None = None
    """Pairs to compare over equal seeds, such as ["best - cls_imcst_semantic"], or "best - always_yes", with
    all-positive. null: each of the paper's methods with the one before it, `best` with `cls_imcst_semantic`, or else
    the last of them, and with its ablations; the last of the paper's, and `best`, with all-positive."""
