"""Configuration of the training of a pocket teacher."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.training.logger import check_report_to
from pickclutter_lang.utils.validation import (
    MAX_BATCH_SIZE,
    MAX_IMAGE_SIZE,
    MAX_SEED,
    MAX_WORKERS,
    above,
    at_least,
    check_image_size,
    check_path,
    check_values,
    one_of,
    within,
)

_OF_IMAGES = ("images_half", "unseen_images", "classes")
_OF_SCENES = ("min_crop_size", "scene_batch_size", "crops_per_scene")
_OF_RENDERS = (
    *("unseen_scenes", "unseen_views", "exclude_split", "strong_augmentation", "occlusion", "low_resolution"),
    *("max_names", *_OF_SCENES),
)


@dataclass
class TeacherTrainConfig:
    """Training of a pocket teacher, on scenes and object views, or on images in a folder for each class.

    A step sees `scene_batch_size` scenes, as many object crops of them, and `view_batch_size` views.
    """

    out: Annotated[str, check_path]
    """Folder for log, checkpoints and the exported teacher."""
    scenes: list[str] = field(default_factory=list)
    """Scene stores to train on. []: none, only views."""
    views: list[str] = field(default_factory=list)
    """Folders of object views to train on."""
    unseen_scenes: list[str] = field(default_factory=list)
    """Scene stores for the numbers of the model card, never trained on."""
    unseen_views: list[str] = field(default_factory=list)
    """Folders of object views for the numbers of the model card, never trained on."""
    images: str | None = None
    """Folder with a folder of images for each class, instead of scenes and views."""
    images_half: Annotated[str, one_of, ("first", "second")] | None = None
    """`first` or `second`: train on half of the images of each class, see `data.half`, which takes the other. null:
    all."""
    unseen_images: str | None = None
    """Such a folder for the numbers of the model card. null: no numbers."""
    classes: str | None = None
    """JSON list of the classes of `images`: folder, name, category, description. null: `classes.json` in the folder of
    images or next to it, where it is there."""
    exclude_split: Annotated[str, one_of, ("none", "ood")] = "none"
    """`ood`: train on no image and no caption of an object of Y_ood. `none`: exclude nothing."""
    min_crop_size: Annotated[int, check_image_size] = 150
    """Side in pixels of the smallest center crop of a scene."""
    steps: Annotated[int, at_least, 1] = 1800
    """Steps of the optimizer."""
    scene_batch_size: Annotated[int, within, 2, MAX_BATCH_SIZE] = 24
    """Scenes in a batch, and object crops in a batch."""
    crops_per_scene: Annotated[int, at_least, 1] = 1
    """Object crops of each scene, at most as many as objects are visible."""
    view_batch_size: Annotated[int, within, 1, MAX_BATCH_SIZE] = 32
    """Object views, or images, in a batch."""
    max_names: Annotated[int, within, 2, 10**6] = 96
    """Names that compete for the objects of a batch of renders: all where there are no more, else those in it and some
    others."""
    strong_augmentation: bool = False
    """Change light, colors and noise strongly, and put views on another ground: for renders that must serve scans."""
    occlusion: Annotated[float, within, 0.0, 1.0] = 0.0
    """Fraction of the views of which another view's object hides a part, as in a pile."""
    low_resolution: Annotated[float, within, 0.0, 1.0] = 0.0
    """Fraction of the object crops and views that are blurred, as if a side had a quarter of its pixels or more."""
    pretrained: Annotated[str | None, check_path] = None
    """Folder of an exported teacher whose weights the training starts from. null: those for ImageNet."""
    crop_sizes: list[Annotated[int, within, 32, MAX_IMAGE_SIZE]] = field(default_factory=lambda: [96, 96, 160])
    """Sides in pixels of object crops and views, one of which is drawn for each batch."""
    lr: Annotated[float, above, 0.0] = 0.0015
    """Learning rate of the image tower."""
    head_lr: Annotated[float, above, 0.0] | None = None
    """Learning rate of the image encoder's projection, which is new where the rest comes from ImageNet. null: `lr`."""
    text_lr: Annotated[float, above, 0.0] = 0.0007
    """Learning rate of the text tower."""
    text_steps: Annotated[int, within, 0, 10**6] = 0
    """Steps that fit the text encoder to the sentence encoder before the first image (extra `llm`). 0: none."""
    weight_decay: Annotated[float, within, 0, 10] = 0.05
    """Weight decay of both towers."""
    warmup_fraction: Annotated[float, within, 0.0, 1.0] = 0.05
    """Fraction of the steps over which the learning rates warm up."""
    sigmoid_weight: Annotated[float, within, 0, 10] = 1.0
    """Weight of the sigmoid losses."""
    sentence_weight: Annotated[float, within, 0, 10] = 0.5
    """Weight of the distillation from a sentence-embedding model. 0: none, and no extra is needed."""
    bf16: bool = True
    """Run the towers in bfloat16. false is faster on CPUs without AMX."""
    report_to: list[str] = field(default_factory=list)
    """Trackers beside TensorBoard: `wandb`. They change no result."""
    num_threads: Annotated[int, within, 1, MAX_WORKERS] | None = None
    """Threads of torch. null: its own choice."""
    num_workers: Annotated[int, within, 0, MAX_WORKERS] = 0
    """Processes that prefetch batches. They change no result."""
    seed: Annotated[int, within, 0, MAX_SEED] = 0
    """Seed of the weights and the batches."""
    save_every: Annotated[int, at_least, 1] = 100
    """Steps between two checkpoints, a divisor of `steps`."""

    def validate(self) -> None:
        """Raise `InvalidArgumentError` for values outside their range, and for keys without a use."""
        if not (self.images or self.views) or (self.images and (self.scenes or self.views)):
            raise InvalidArgumentError(
                "expected either views, with scenes or alone (teacher_data=renders), or images "
                f"(teacher_data=image_folder), but got views={self.views}, scenes={self.scenes}, images={self.images}"
            )
        default = type(self)(out=self.out)
        for key in _OF_RENDERS if self.images else (*_OF_IMAGES, *(() if self.scenes else _OF_SCENES)):
            if getattr(self, key) != getattr(default, key):
                form = "images" if self.images else f"scenes={self.scenes} and views"
                raise InvalidArgumentError(f"expected no {key} with {form}, but got {getattr(self, key)!r}")
        if self.pretrained is not None and (self.text_steps or self.exclude_split != "none"):
            raise InvalidArgumentError(
                "expected text_steps=0 and exclude_split=none with pretrained, whose text encoder is trained, and "
                f"whose data nobody can leave out, but got {self.text_steps} and {self.exclude_split}"
            )
        check_values(self)
        check_report_to(self.report_to)
        if not self.crop_sizes:
            raise InvalidArgumentError("expected crop_sizes of at least 32 pixels, but got none")
        if self.steps % min(self.save_every, self.steps):
            raise InvalidArgumentError(
                f"expected steps that save_every={self.save_every} divides, but got steps={self.steps}"
            )

    @property
    def smallest_batch(self) -> int:
        """Rows of the smaller batch of those that are drawn, of scenes and of views or images."""
        return min(self.scene_batch_size, self.view_batch_size) if self.scenes else self.view_batch_size

    def choices(self) -> dict[str, Any]:
        """Return the values that decide the weights, except the paths of the data."""
        folders = ("scenes", "views", "images", "classes", "unseen_scenes", "unseen_views", "unseen_images")
        left_out = (*folders, "out", "save_every", "num_threads", "num_workers", "report_to", "pretrained")
        return {k: v for k, v in asdict(self).items() if k not in left_out}
