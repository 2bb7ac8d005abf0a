"""The settings that say which images are used, and how they are split."""

from __future__ import annotations

from dataclasses import dataclass

from pickclutter_lang.errors import InvalidArgumentError


@dataclass
class ImageDataConfig:
    """A data set on disk and its split.

    `name` is one of `pickclutter_lang.datasets.images.loaders.SETS`, `root` is where it lies. `classes` is the file of
    names of an `image_folder` (null: `classes.json` in `root` or beside it, where there is one); `views` are further
    folders of `views_per_object`. `lists` is a folder with the authors' lists and texts; null: the folders of the
    authors' layout say the split, elsewhere it is half of the classes and `train_fraction` of their images, drawn by
    `seed`, which draws `shots` few-shot images of each unseen class in any case. `captions` is a file of JSON lines,
    `descriptions` one of `pickclutter describe-labels` (null: what the data set itself has).
    Images are kept as squares of `side` pixels under `cache`. `max_classes` of either half and `max_per_class` of a
    part make a small version (null: all).
    `allow_missing` goes on without images that lists or labels name and that are not there.
    """

    name: str
    root: str
    classes: str | None
    author_lists: str | None
    descriptions: str | None
    captions: str | None
    extra_views: list[str]
    image_size: int
    seed: int
    shots: int
    train_fraction: float
    max_classes: int | None
    max_per_class: int | None
    allow_missing: bool
    cache: str

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        for key, low in {"image_size": 16, "seed": 0, "shots": 1, "max_classes": 1, "max_per_class": 1}.items():
            value = getattr(self, key)
            if value is not None and value < low:
                raise InvalidArgumentError(f"expected {key} of at least {low}, but got {value}")
        if not 0 < self.train_fraction < 1:
            raise InvalidArgumentError(f"expected train_fraction between 0 and 1, but got {self.train_fraction}")
        for key, only in (("classes", "image_folder"), ("extra_views", "object_views")):
            if getattr(self, key) and self.name != only:
                raise InvalidArgumentError(f"expected {key} with {only} alone, but got it with {self.name}")
