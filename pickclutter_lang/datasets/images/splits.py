"""Splits of classes and images into training, evaluation and few-shot sets (section 4 of the paper)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.datasets.images.dataset import ClassSplit, ImageDataset
from pickclutter_lang.errors import DatasetError, InvalidArgumentError

SUBSETS = ("train", "id", "ood", "fewshot")


@dataclass(frozen=True)
class Split:
    """Classes Y_id (`seen`) and Y_ood (`unseen`), and the rows of X_train, X_id, X_ood and of the few-shot images.

    Few-shot images are of unseen classes and no subset of X_ood.
    """

    seen: tuple[int, ...]
    unseen: tuple[int, ...]
    train: tuple[int, ...]
    id: tuple[int, ...]
    ood: tuple[int, ...]
    fewshot: tuple[int, ...]

    def __post_init__(self) -> None:
        """Check that nothing is in two places.

        :raises DatasetError: for a class that is both seen and unseen, or an image that is in two subsets
        """
        shared = sorted(set(self.seen) & set(self.unseen))
        if shared:
            raise DatasetError(f"expected seen and unseen classes to differ, but {len(shared)} are both: {shared[:5]}")
        for name in ("seen", "unseen", *SUBSETS):
            values = getattr(self, name)
            if len(set(values)) < len(values):
                raise DatasetError(f"expected each entry of {name} once, but {len(values) - len(set(values))} repeat")
        for one, other in combinations(SUBSETS, 2):
            both = sorted(set(getattr(self, one)) & set(getattr(self, other)))
            if both:
                raise DatasetError(
                    f"{one} and {other} share {len(both)} images, such as row {both[0]}; what is trained on must not "
                    "be evaluated on"
                )

    def check(self, labels: NDArray[np.int64]) -> None:
        """Check the subsets against the classes of the images.

        :param labels: [N], the class of each image
        :raises DatasetError: for an image whose class is not of its subset, a class that a subset lacks, or unseen
            classes with different numbers of few-shot images
        """
        for subset in SUBSETS:
            wanted, rows = self.seen if subset in ("train", "id") else self.unseen, getattr(self, subset)
            if rows and not 0 <= min(rows) <= max(rows) < len(labels):
                raise DatasetError(f"expected rows of {subset} below {len(labels)}, but got {min(rows)} to {max(rows)}")
            present = set(labels[list(rows)].tolist())
            if present - set(wanted):
                raise DatasetError(
                    f"{subset} has images of other classes than its own: {sorted(present - set(wanted))}"
                )
            if set(wanted) - present:
                raise DatasetError(f"{subset} has no image of the classes {sorted(set(wanted) - present)}")
        shots = np.bincount(labels[list(self.fewshot)], minlength=1)
        if len(set(shots[list(self.unseen)].tolist())) > 1:
            raise DatasetError(f"expected as many few-shot images of each unseen class, but got {shots.tolist()}")


def seeded_split(
    labels: NDArray[np.int64],
    n_classes: int,
    *,
    seed: int,
    shots: int = 5,
    halves: ClassSplit | None = None,
    train_fraction: float = 0.7,
    names: Sequence[str] | None = None,
) -> Split:
    """Split as the paper does: half of the classes are seen, and about 70% of their images are for training.

    :param labels: [N], the class of each image
    :param shots: few-shot images of each unseen class, which are not in X_ood
    :param halves: classes (Y_id, Y_ood) where they are given
    :param names: of the classes, for messages
    :raises DatasetError: naming a class with too few images, or when there are no unseen classes
    """
    if halves is None:
        order = np.random.default_rng(seed).permutation(n_classes).tolist()
        half = (n_classes + 1) // 2
        halves = tuple(sorted(order[:half])), tuple(sorted(order[half:]))
    if not all(halves):
        raise DatasetError(
            f"expected seen and unseen classes, but got {len(halves[0])} and {len(halves[1])}; views of own objects "
            "take them from `split: unseen` in catalog.yaml, other data needs two classes or more"
        )
    subsets: dict[str, list[int]] = {subset: [] for subset in SUBSETS}
    for group, first, rest, least in ((halves[0], "train", "id", 2), (halves[1], "fewshot", "ood", shots + 1)):
        for label in group:
            rows = shuffled(np.flatnonzero(labels == label), seed, label)
            if len(rows) < least:
                name = names[label] if names else f"class {label}"
                advice = "lower data.shots, or take" if first == "fewshot" else "take"
                raise DatasetError(
                    f"expected at least {least} images of {name}, but got {len(rows)}; {advice} more images of it"
                )
            cut = shots if first == "fewshot" else min(max(round(train_fraction * len(rows)), 1), len(rows) - 1)
            subsets[first] += rows[:cut]
            subsets[rest] += rows[cut:]
    split = Split(*halves, **{subset: tuple(sorted(rows)) for subset, rows in subsets.items()})
    split.check(labels)
    return split


def subsample(
    data: ImageDataset, split: Split, classes: int | None, per_class: int | None
) -> tuple[ImageDataset, Split]:
    """Return a small version: the first classes of either half, and the first images of each in each subset.

    :param classes: seen and as many unseen classes (None: all)
    :param per_class: images of a class in a subset (None: all)
    """
    if classes is None and per_class is None:
        return data, split
    known, unseen = split.seen[:classes], split.unseen[:classes]
    subsets = {subset: _first(getattr(split, subset), data.labels, {*known, *unseen}, per_class) for subset in SUBSETS}
    kept_rows = sorted(row for rows in subsets.values() for row in rows)
    class_rows = sorted({*known, *unseen})
    row_of, class_of = ({old: new for new, old in enumerate(items)} for items in (kept_rows, class_rows))
    images = data.images.subset(kept_rows)
    smaller = replace(
        data,
        classes=tuple(data.classes[n] for n in class_rows),
        labels=np.array([class_of[int(label)] for label in data.labels[kept_rows]], dtype=np.int64),
        images=images,
        captions={name: data.captions[name] for name in images.ids if name in data.captions},
        class_split=None,
    )
    halves = (tuple(class_of[n] for n in group) for group in (known, unseen))
    return smaller, Split(*halves, **{subset: tuple(row_of[row] for row in rows) for subset, rows in subsets.items()})


def shuffled(rows: Sequence[int] | NDArray[np.int64], seed: int, label: int) -> list[int]:
    """Return the rows of a class in the order in which a seed draws them; it does not depend on other classes."""
    order: list[int] = np.random.default_rng([seed, label]).permutation(np.asarray(rows, dtype=np.int64)).tolist()
    return order


def _first(rows: Sequence[int], labels: NDArray[np.int64], classes: set[int], max_count: int | None) -> list[int]:
    """Return the rows of some classes, of each the first `max_count`."""
    if max_count is not None and max_count < 1:
        raise InvalidArgumentError(f"expected at least 1 image of a class, but got {max_count}")
    taken: dict[int, int] = dict.fromkeys(classes, 0)
    chosen = []
    for row in rows:
        label = int(labels[row])
        if label in taken and (max_count is None or taken[label] < max_count):
            taken[label] += 1
            chosen.append(row)
    return chosen
