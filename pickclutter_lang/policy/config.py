"""`PolicyConfig`, the content of a policy folder's `policy.json`: all settings that inference needs."""

from __future__ import annotations

from dataclasses import dataclass, field

from pickclutter_lang.datasets.config import CameraSpec
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.students.config import PromptConfig, StudentConfig
from pickclutter_lang.teachers.reference import TeacherReference
from pickclutter_lang.utils.constants import CAMERAS, LABELS
from pickclutter_lang.utils.json_files import Text
from pickclutter_lang.utils.validation import MAX_IMAGE_SIZE, at_least, one_of, within

SCHEMA = 3


@dataclass(frozen=True)
class StudentArchitecture:
    """Network, output stride and pooling of a student; see `pickclutter_lang.students.config.StudentConfig`."""

    name: Text
    output_stride: int | None
    dropout: bool
    temperature: float
    negative_attention: str = "positive"

    @property
    def student_config(self) -> StudentConfig:
        """The configuration of a network that gets its weights from the folder."""
        return StudentConfig(
            name=self.name,
            output_stride=self.output_stride,
            pretrained=False,
            dropout=self.dropout,
            temperature=self.temperature,
            negative_attention=self.negative_attention,
        )


@dataclass(frozen=True)
class PromptArchitecture:
    """How new names become prompts: the number of context vectors, and what happens to long names."""

    n_ctx: int
    truncate: bool
    closed_set: bool

    @property
    def prompt_config(self) -> PromptConfig:
        """The configuration of a label encoder that gets its weights from the folder; names have no descriptions."""
        return PromptConfig(
            n_ctx=self.n_ctx,
            positive_init=None,
            negative_init=None,
            descriptions=None,
            extra_descriptions=[],
            truncate=self.truncate,
            closed_set=self.closed_set,
        )


@dataclass(frozen=True)
class StudentSpec:
    """The student of a policy folder: all that its networks are built from.

    - `phase`: the training phase that the weights are of, `distill` or `few_shot`
    - `target_label`: what scores are of, `present`, `visible` or `graspable`
    - `precision`: of the network, `float32`, `bfloat16` or `auto` (bfloat16 on CPUs that multiply it in hardware);
      `int8` in folders of `pickclutter export-runtime` alone
    - `cameras`, `depth`: the images that the student takes
    - `camera_size`: side in pixels of the images that cameras give; the student sees their central `crop_size` pixels,
      resized to `image_size`
    - `names`: names whose text features lie in the folder
    - `teacher`: encodes new names
    - `object_crop_size`: side in pixels of the crop classifier's images; None for a student without one
    - `unseen_names`: those of `names` that are of Y_ood; None in a folder of version 0.2.0, which does not say it
    """

    phase: str
    target_label: str
    network: StudentArchitecture
    precision: str
    cameras: tuple[str, ...]
    depth: bool
    camera_size: int
    crop_size: int
    image_size: int
    prompts: PromptArchitecture
    names: tuple[Text, ...]
    teacher: TeacherReference
    object_crop_size: int | None
    unseen_names: tuple[Text, ...] | None = None

    @property
    def camera_spec(self) -> CameraSpec:
        """The images that the student takes."""
        return CameraSpec(self.cameras, self.depth)

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        one_of("phase", self.phase, ("distill", "few_shot"))
        one_of("target_label", self.target_label, LABELS)
        one_of("precision", self.precision, ("auto", "float32", "bfloat16", "int8"))
        for camera in self.cameras:
            one_of("cameras", camera, CAMERAS)
        for key in ("crop_size", "image_size", "object_crop_size"):
            if getattr(self, key) is not None:
                within(key, getattr(self, key), 1, MAX_IMAGE_SIZE)
        within("camera_size", self.camera_size, self.crop_size, MAX_IMAGE_SIZE)
        at_least("number of cameras", len(self.cameras), 1)
        at_least("number of names", len(self.names), 1)
        if len(set(self.names)) < len(self.names):
            raise InvalidArgumentError("expected different names, but one of them occurs twice")
        others = sorted(set(self.unseen_names or ()) - set(self.names))
        if others:
            raise InvalidArgumentError(f"expected unseen_names out of names, but got {', '.join(others)}")


@dataclass(frozen=True)
class Thresholds:
    """Scores in 0..1 from which a name is predicted present.

    - `default`: of names that are not in `names`; that of the unseen objects
    - `names`: of each name of the folder
    - `crop_classifier`: of each name of the folder, for the combined score of the student and the crop classifier
    """

    default: float
    names: dict[str, float]
    crop_classifier: dict[str, float] | None

    def validate(self, student: StudentSpec) -> None:
        """Raise InvalidArgumentError for a threshold that is missing or not in 0..1."""
        within("default", self.default, 0.0, 1.0)
        if (self.crop_classifier is None) != (student.object_crop_size is None):
            raise InvalidArgumentError("expected thresholds of the crop classifier where there is one, and only there")
        for key, thresholds in (("names", self.names), ("crop_classifier", self.crop_classifier)):
            if thresholds is None:
                continue
            missing = [name for name in student.names if name not in thresholds]
            if missing:
                raise InvalidArgumentError(
                    f"expected a threshold of each name in thresholds.{key}, but there is none of {', '.join(missing)}"
                )
            for name, value in thresholds.items():
                within(f"thresholds.{key}.{name}", value, 0.0, 1.0)


@dataclass(frozen=True)
class PolicyConfig:
    """Configuration of a policy folder: its student, and the thresholds of its scores.

    `metrics`: those of the run's evaluation, 0..1, such as `mAP, unseen names`; empty where there was none.
    """

    student: StudentSpec
    thresholds: Thresholds
    metrics: dict[str, float] = field(default_factory=dict)

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        for name, value in self.metrics.items():
            within(f"metrics.{name}", value, 0.0, 1.0)
        self.student.validate()
        self.thresholds.validate(self.student)
