"""The settings of a training run of the pocket teacher."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from pickclutter_lang.errors import InvalidArgumentError


@dataclass
class TeacherTrainConfig:
    """What the pocket teacher is trained on and for how long.

    Either `images`, a folder with a folder of images for each class (`classes`: a JSON file with their names and
    descriptions, see `read_classes`; `held_out_images`: such a folder that gives the figures), or renders: `scenes`
    and `views` are folders of scene stores and of views; `held_out_scenes` and `held_out_views` are never trained on
    and give the figures of the model card. `view` is the side, in pixels, of the smallest window of a scene's image
    that is shown (the objects lie in the middle); a quarter of the windows are closer, about an object. A step sees
    `scene_batch_size` scenes, as many crops of their objects, and `view_batch_size` views, the latter two as images of
    one of `crop_sizes` pixels. `exclude_split=ood` trains a teacher that never sees an object of Y_ood and whose
    captions never name one: views of them are left out, and scenes with them are refused (the words that the sentence
    model teaches may be any); `none` leaves out nothing. `lr` is the learning rate of the image tower, `text_lr` that
    of the text tower. `sentence_weight` weighs the language of a sentence-embedding model
    (`teacher_training/sentence_loss.py`); 0 does without. `bf16` runs the towers in bfloat16. A checkpoint is written
    every `save_every` steps. `out` takes log, checkpoints and the exported teacher.
    """

    scenes: list[str]
    views: list[str]
    unseen_scenes: list[str]
    unseen_views: list[str]
    images: str | None
    unseen_images: str | None
    classes: str | None
    exclude_split: str
    min_crop_size: int
    steps: int
    scene_batch_size: int
    view_batch_size: int
    crop_sizes: list[int]
    lr: float
    text_lr: float
    weight_decay: float
    warmup_fraction: float
    sigmoid_weight: float
    sentence_weight: float
    bf16: bool
    num_threads: int | None
    seed: int
    save_every: int
    out: str

    def validate(self) -> None:
        """Raise `InvalidArgumentError` for values outside their range."""
        if not self.images and not (self.scenes and self.views):
            raise InvalidArgumentError(
                "expected at least one folder each in scenes and views, or images, but got none: "
                "teacher_data=renders takes "
                "scenes=[...] views=[...], teacher_data=image_folder takes images=..."
            )
        if self.images and (self.scenes or self.views):
            raise InvalidArgumentError("expected either images or scenes and views, but got both")
        if self.exclude_split not in ("none", "ood"):
            raise InvalidArgumentError(f"expected exclude to be none or ood, but got {self.exclude_split!r}")
        least = {
            "min_crop_size": 16,
            "steps": 1,
            "scene_batch_size": 2,
            "view_batch_size": 1,
            "seed": 0,
            "save_every": 1,
        }
        for name, low in least.items():
            if getattr(self, name) < low:
                raise InvalidArgumentError(f"expected {name} of at least {low}, but got {getattr(self, name)}")
        if not self.crop_sizes or min(self.crop_sizes) < 32:
            raise InvalidArgumentError(f"expected object_sizes of at least 32 pixels, but got {self.crop_sizes}")
        for name in ("lr", "text_lr"):
            if not getattr(self, name) > 0:
                raise InvalidArgumentError(f"expected {name} larger than 0, but got {getattr(self, name)}")
        for name in ("weight_decay", "warmup_fraction", "sigmoid_weight", "sentence_weight"):
            if not 0 <= getattr(self, name) <= 10:
                raise InvalidArgumentError(f"expected {name} between 0 and 10, but got {getattr(self, name)}")

    def choices(self) -> dict[str, Any]:
        """Return the settings that decide the weights, but for where the data lies."""
        folders = ("scenes", "views", "images", "classes", "unseen_scenes", "unseen_views", "unseen_images")
        return {k: v for k, v in asdict(self).items() if k not in (*folders, "out", "save_every", "num_threads")}
