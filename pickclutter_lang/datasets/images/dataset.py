"""Images with their classes: what a data set is, however it lies on disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.datasets.images.sources import ImageSource
from pickclutter_lang.errors import InvalidArgumentError, MissingAssetsError

ClassSplit = tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True)
class ImageClass:
    """A class of images: its folder (the first part of its images' ids), and what it is called in a text."""

    folder: str
    name: str
    description: str = ""
    category: str = ""


@dataclass(frozen=True)
class ImageDataset:
    """A data set: N images, and for each the place of its class in `classes`.

    `captions` has a text for the ids of some or all images. `halves` are the classes (Y_id, Y_ood) where the data set
    itself says so.
    """

    name: str
    classes: tuple[ImageClass, ...]
    labels: NDArray[np.int64]
    images: ImageSource
    captions: Mapping[str, str] = field(default_factory=dict)
    class_split: ClassSplit | None = None

    def __post_init__(self) -> None:
        """Check that all fits together.

        :raises InvalidArgumentError: for two classes with one folder or name, or labels that are none
        :raises MissingAssetsError: for a class without images
        """
        check_class_names(self.classes)
        if self.labels.shape != (len(self.images.ids),):
            raise InvalidArgumentError(
                f"expected a label for each of {len(self.images.ids)} images, but got {list(self.labels.shape)}"
            )
        if len(self.labels) and not 0 <= self.labels.min() <= self.labels.max() < len(self.classes):
            raise InvalidArgumentError(f"expected labels below the number of classes, {len(self.classes)}")
        counts = np.bincount(self.labels, minlength=len(self.classes))
        empty = [item.folder for item, count in zip(self.classes, counts, strict=True) if count == 0]
        if empty:
            raise MissingAssetsError(f"expected images of every class, but there are none of {', '.join(empty)}")


def check_class_names(classes: Sequence[ImageClass]) -> None:
    """Check that classes can be told apart by their folder and by their name; case does not tell names apart.

    :raises InvalidArgumentError: naming what is shared
    """
    for what, values in (
        ("folder", [item.folder for item in classes]),
        ("name", [item.name.lower() for item in classes]),
    ):
        twice = sorted(value for value, times in Counter(values).items() if times > 1)
        if twice:
            raise InvalidArgumentError(f"expected a {what} of its own for each class, but these are shared: {twice}")
