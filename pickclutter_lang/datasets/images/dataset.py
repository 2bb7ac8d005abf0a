"""A dataset of labeled images, whatever its layout on disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.datasets.images.sources import ImageSource
from pickclutter_lang.errors import InvalidArgumentError, MissingAssetsError
from pickclutter_lang.utils.validation import check_line

ClassSplit = tuple[tuple[int, ...], tuple[int, ...]]
"""Classes of Y_id, and of Y_ood."""


@dataclass(frozen=True)
class ImageClass:
    """A class of images: its folder (the first part of its images' ids), and its name in a prompt."""

    folder: str
    name: str
    description: str = ""
    category: str = ""


@dataclass(frozen=True)
class ImageDataset:
    """A dataset: N images, and for each the index of its class in `classes`.

    `captions` has a text for the ids of some or all images. `class_split` are the classes (Y_id, Y_ood) where the
    dataset itself defines them.
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
    """Check that names are lines of text, and that no two classes share a folder or a name, whatever its case.

    :raises InvalidArgumentError: naming what is wrong
    """
    for item in classes:
        check_line(f"the name of the class in {item.folder!a}", item.name)
    for what, values in (
        ("folder", [item.folder for item in classes]),
        ("name", [item.name.lower() for item in classes]),
    ):
        twice = sorted(value for value, times in Counter(values).items() if times > 1)
        if twice:
            raise InvalidArgumentError(f"expected a different {what} for each class, but these are shared: {twice}")
