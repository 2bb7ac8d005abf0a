"""Which images of which dataset are used, and how they are split."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from omegaconf import MISSING

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.validation import MAX_SEED, at_least, check_image_size, check_values, one_of, within

IMAGE_CACHE = "runs/image_cache"
"""Folder of what is computed from images, unless settings name another."""


@dataclass
class ImageDataConfig:
    """A dataset on disk and its split.

    Without the authors' split, half of the classes are seen. `seed` draws them, and the few-shot images in any case.
    """

    name: str = MISSING
    """One of `pickclutter_lang.datasets.images.loaders.SETS`, or a function of your own, `module:attribute`."""
    root: str = MISSING
    """Folder of the dataset, as its archives unpack."""
    classes: str | None = None
    """File of the class names of an `image_folder`. null: `classes.json` in `root` or next to it, if there is one."""
    half: Annotated[str, one_of, ("first", "second")] | None = None
    """`first` or `second`: half of the images of each class of an `image_folder`, in the order of their names' hashes;
    the teacher's `images_half` is the other. Images that the teacher was trained on are then refused. null: all."""
    author_lists: str | None = None
    """Folder of the authors' split lists and texts. null: the split of the folders, or a seeded one."""
    descriptions: str | None = None
    """File of `pickclutter describe-labels`. Only `text.descriptions=own` trains on it; Table 6 and Figure 4 measure it
    in any case. null: what the dataset itself has."""
    captions: str | None = None
    """JSON lines with `id` and `text`, as of `pickclutter caption-images`. null: what the dataset itself has."""
    extra_views: list[str] = field(default_factory=list)
    """More folders of `pickclutter render-object-views`, only for `object_views`."""
    image_size: Annotated[int, check_image_size] = 128
    """Side in pixels of the squares to which images are resized."""
    seed: Annotated[int, within, 0, MAX_SEED] = 0
    """Seed of the split."""
    shots: Annotated[int, at_least, 1] = 5
    """Few-shot images of each class of Y_ood."""
    cache: str | None = None
    """Folder that keeps the resized images. null: that of the teacher's features."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        for key in ("name", "root"):
            if getattr(self, key) == MISSING:
                raise InvalidArgumentError(f"expected a value for data.{key}; give it, data.{key}=...")
        check_values(self, "data.")
        for key, only in (("classes", "image_folder"), ("half", "image_folder"), ("extra_views", "object_views")):
            if getattr(self, key) and self.name != only:
                raise InvalidArgumentError(f"expected {key} only with {only}, but got it with {self.name}")
