"""Which scenes and cameras a student sees, with which label, and how its images are augmented."""

from __future__ import annotations

from dataclasses import dataclass

from pickclutter_lang.datasets.cameras import CameraSpec
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.constants import CAMERAS, LABELS
from pickclutter_lang.utils.validation import at_least, one_of, within


@dataclass
class AugmentationConfig:
    """How one training image is changed, drawn per image and epoch.

    `flips`: any of `horizontal`, `vertical`, each with probability 1/2. `shift`: largest shift, as a share of the
    side, in both directions. `brightness` and `contrast`: largest relative change.
    """

    flips: list[str]
    shift: float
    brightness: float
    contrast: float

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        for flip in self.flips:
            one_of("data.augmentation.flips", flip, ("horizontal", "vertical"))
        for name in ("shift", "brightness", "contrast"):
            within(f"data.augmentation.{name}", getattr(self, name), 0.0, 1.0)


@dataclass
class SceneDataConfig:
    """Which scenes, seen by which cameras, with which label.

    `train`, `id`, `ood`, `fewshot` are the folders of four scene stores; `splits` has for any of them the path of a
    JSON list of the scene ids that are used. `view` is the side in pixels of the center of the stored image that is
    used, `image_size` the side to which it is resized. Labels: `present`, `visible` or `graspable`. Stores up to
    `max_cache_bytes` bytes of images are kept in memory, larger ones are read per batch.
    """

    train: str
    id: str
    ood: str
    fewshot: str
    scene_subsets: dict[str, str]
    cameras: list[str]
    depth: bool
    crop_size: int | None
    image_size: int
    target_label: str
    max_cache_bytes: int
    augmentation: AugmentationConfig

    @property
    def camera_spec(self) -> CameraSpec:
        """The images that a student takes."""
        return CameraSpec(tuple(self.cameras), self.depth)

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        one_of("data.target_label", self.target_label, LABELS)
        for name in self.scene_subsets:
            one_of("a key of data.scene_subsets", name, ("train", "id", "ood", "fewshot"))
        for camera in self.cameras:
            one_of("data.cameras", camera, CAMERAS)
        if "hand" not in self.cameras or len(set(self.cameras)) != len(self.cameras):
            raise InvalidArgumentError(f"expected data.cameras to be [hand] or [hand, base], but got {self.cameras}")
        at_least("data.image_size", self.image_size, 16)
        at_least("data.max_cache_bytes", self.max_cache_bytes, 0)
        if self.crop_size is not None:
            at_least("data.crop_size", self.crop_size, 16)
        self.augmentation.validate()
