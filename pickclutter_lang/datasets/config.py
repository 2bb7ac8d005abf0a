"""Which scenes and cameras a student sees, with which label, and how its images are augmented."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.constants import CAMERAS, LABELS
from pickclutter_lang.utils.validation import at_least, check_folder, check_image_size, one_of, within

CameraKey = tuple[str, str]
"""(camera, modality): `hand` or `base`, and `rgb` or `depth`."""


@dataclass(frozen=True)
class CameraSpec:
    """The images that a student takes: RGB of each camera and, with `depth`, its depth."""

    cameras: tuple[str, ...]
    depth: bool

    @property
    def keys(self) -> list[CameraKey]:
        """Keys of the images, in the order of the channels."""
        modalities = ("rgb", "depth") if self.depth else ("rgb",)
        return [(camera, modality) for camera in self.cameras for modality in modalities]

    @property
    def channels(self) -> int:
        """Number of input channels: 3 or 4 for each camera."""
        return len(self.cameras) * (4 if self.depth else 3)


@dataclass
class AugmentationConfig:
    """Random changes of a training image, drawn for each image and epoch."""

    flips: list[Annotated[str, one_of, ("horizontal", "vertical")]] = field(default_factory=lambda: ["horizontal"])
    """Any of `horizontal` and `vertical`, each with probability 1/2. A vertical flip moves the gripper elsewhere."""
    shift: Annotated[float, within, 0.0, 1.0] = 0.06
    """Largest shift in both directions, as a fraction of the side."""
    brightness: Annotated[float, within, 0.0, 1.0] = 0.2
    """Largest relative change of the brightness."""
    contrast: Annotated[float, within, 0.0, 1.0] = 0.2
    """Largest relative change of the contrast."""


@dataclass
class SceneDataConfig:
    """Scenes, cameras and label of a student.

    `${scenes}` is the value of the key `scenes` of the run.
    """

    train: str = "${scenes}/train"
    """Folder of the scene store of X_train."""
    id: str = "${scenes}/id"
    """Folder of the scene store of X_id."""
    ood: str = "${scenes}/ood"
    """Folder of the scene store of X_ood."""
    fewshot: str = "${scenes}/fewshot"
    """Folder of the scene store with the few-shot scenes."""
    unlabeled: Annotated[str | None, check_folder] = None
    """Folder of a scene store whose labels are not used, such as one of kinds: in distillation the student follows the
    teacher on it. It must hold no object of Y_ood. null: none."""
    unlabeled_batch_size: Annotated[int, at_least, 1] = 16
    """Its scenes in each batch of the distillation, besides `distill.batch_size`."""
    few_shot_draw: Annotated[int, at_least, 0] = 0
    """Which draw of the few-shot scenes: 0 is the store at `fewshot`, 1 the one at `fewshot` with `_1` added, etc."""
    few_shot_labels: str | None = None
    """Labels of the few-shot scenes by a large model, `labels.json` of `pickclutter label`: what it named in a scene
    counts as its label, whatever `target_label` is. null: those of the simulator."""
    scene_subsets: dict[str, str] | None = None
    """For any store a JSON list of the scene ids to use: {fewshot: few.json}. null: all scenes of each store."""
    cameras: list[Annotated[str, one_of, CAMERAS]] = field(default_factory=lambda: ["hand"])
    """[hand] or [hand, base]."""
    depth: bool = False
    """Use the depth of the cameras too."""
    crop_size: Annotated[int | None, check_image_size] = 128
    """Side in pixels of the center crop, where the objects are. null: the full image."""
    image_size: Annotated[int, check_image_size] = 128
    """Side in pixels to which the crop is resized."""
    region_crops: Annotated[str, one_of, ("context", "object")] = "context"
    """What the teacher sees of an object in its crop: `context`, its surroundings too, or `object`, it alone on gray at
    the size that an embedded teacher knows objects by."""
    target_label: Annotated[str, one_of, LABELS] = "graspable"
    """Label to predict: `graspable`, `visible` or `present`."""
    max_cache_bytes: Annotated[int, at_least, 0] = 1_000_000_000
    """Bytes of images that a store keeps in memory. Larger stores are read for each batch."""
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)

    @property
    def camera_spec(self) -> CameraSpec:
        """The images that a student takes."""
        return CameraSpec(tuple(self.cameras), self.depth)

    @property
    def stores(self) -> dict[str, str]:
        """Name -> folder of each scene store; `fewshot` is that of the draw."""
        few_shot = f"{self.fewshot}_{self.few_shot_draw}" if self.few_shot_draw else self.fewshot
        return {"train": self.train, "id": self.id, "ood": self.ood, "fewshot": few_shot}

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        for name in self.scene_subsets or {}:
            one_of("a key of data.scene_subsets", name, ("train", "id", "ood", "fewshot", "unlabeled"))
        if "unlabeled" in (self.scene_subsets or {}) and self.unlabeled is None:
            raise InvalidArgumentError(
                "expected data.unlabeled=FOLDER with data.scene_subsets={unlabeled: ...}, but there are no unlabeled "
                "scenes; give their folder, choose method=open, or leave that subset away"
            )
        if "hand" not in self.cameras or len(set(self.cameras)) != len(self.cameras):
            raise InvalidArgumentError(f"expected data.cameras to be [hand] or [hand, base], but got {self.cameras}")
