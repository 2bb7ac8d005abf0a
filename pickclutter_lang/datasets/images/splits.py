"""Splits of classes and images into training, evaluation and few-shot sets (section 4 of the paper).

The authors published lists of images (`train_data.txt`, ...), which are matched with the images on disk. Some people
have the images in folders of the same meaning. Without either, a seed draws the split.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.datasets.images.dataset import ClassSplit, ImageClass, ImageDataset, ImageFiles
from pickclutter_lang.errors import DatasetError, InvalidArgumentError, MissingAssetsError

SUBSETS = ("train", "id", "ood", "fewshot")
LISTS = {"train": "train_data.txt", "id": "val_on_train_data.txt", "ood": "val_data.txt"}
"""Lists of the authors. X_train and X_id hold the seen classes, X_ood the unseen ones."""
FOLDERS = {"train": "train", "id": "val_on_train", "ood": "val"}
"""The same as folders, with class folders in each."""
_TRAIN_FRACTION = 0.7
_INDEX, _LETTER = re.compile(r"^\d+\.(?=\D)"), re.compile(r"^/?[a-z]/")


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
        for name in ("seen", "unseen", *SUBSETS):
            values = getattr(self, name)
            if len(set(values)) < len(values):
                raise DatasetError(f"expected each entry of {name} once, but {len(values) - len(set(values))} repeat")
        for one, other in (("seen", "unseen"), *combinations(SUBSETS, 2)):
            both = sorted(set(getattr(self, one)) & set(getattr(self, other)))
            if both:
                raise DatasetError(f"expected {one} and {other} to share nothing, but {len(both)} are both: {both[:5]}")

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
            wrong = set(labels[list(rows)].tolist()) ^ set(wanted)
            if wrong:
                raise DatasetError(f"expected {subset} to have exactly its own classes, but {sorted(wrong)} differ")
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
            rows = _shuffled(np.flatnonzero(labels == label), seed, label)
            if len(rows) < least:
                raise _too_few(names[label] if names else f"class {label}", first, least, len(rows))
            cut = shots if first == "fewshot" else min(max(round(_TRAIN_FRACTION * len(rows)), 1), len(rows) - 1)
            subsets[first] += rows[:cut]
            subsets[rest] += rows[cut:]
    split = Split(*halves, **{subset: tuple(sorted(rows)) for subset, rows in subsets.items()})
    split.check(labels)
    return split


def listed_split(
    folder: str | Path, data: ImageDataset, *, seed: int, shots: int = 5, allow_missing: bool = False
) -> tuple[Split, list[str]]:
    """Split by the authors' lists, whose lines are `split/class/file`; a class may be spelled differently on disk.

    :param folder: holds `train_data.txt`, `val_on_train_data.txt` (X_id) and `val_data.txt` (X_ood)
    :param seed: draws `shots` images of each unseen class out of X_ood, which are then no subset of it
    :param allow_missing: skip listed images that are missing, and classes without images
    :return: the split, and what of lists and images does not fit, to print
    :raises MissingAssetsError: when a list, or a listed image, is not there
    :raises InvalidArgumentError: for a line of another form
    :raises DatasetError: for an image or class in two lists that must differ, or a class with too few images
    """
    listed = {subset: _read_list(Path(folder) / name) for subset, name in LISTS.items()}
    matcher = ClassMatcher(data.classes)
    row_of: dict[tuple[int | None, str], int] = {
        (int(label), name.rsplit("/", 1)[-1]): row
        for row, (label, name) in enumerate(zip(data.labels, data.images.ids, strict=True))
    }
    rows: dict[str, list[int]] = {}
    notes, absent = [], False
    for subset, entries in listed.items():
        place = {label: matcher.find(label) for label, _ in entries}
        found = {(label, file): row_of.get((place[label], file)) for label, file in entries}
        rows[subset] = sorted(row for row in found.values() if row is not None)
        missing = ["/".join(entry) for entry, row in found.items() if row is None]
        absent = absent or bool(missing)
        there = f"{len(found) - len(missing)} of {len(found)} images are there"
        notes.append(f"{LISTS[subset]}: {there}{_such_as(missing, 'not')}")
    _check_listed(listed)
    used = {row for of_subset in rows.values() for row in of_subset}
    unlisted = [name for row, name in enumerate(data.images.ids) if row not in used]
    notes += [f"{len(unlisted)} images are in no list{_such_as(unlisted, 'such as')}"] if unlisted else []
    if absent and not allow_missing:
        raise MissingAssetsError(
            f"expected every listed image among those of {data.name}; complete them, or skip the absent ones with "
            f"data.allow_missing=true: {'; '.join(notes)}"
        )
    if not all(rows.values()):
        raise MissingAssetsError(f"expected images of every list: {'; '.join(notes)}")
    return _split_by_subsets(rows, data, seed, shots), notes


def folder_split(data: ImageDataset, *, seed: int, shots: int = 5) -> Split | None:
    """Split by the folders of the authors' layout, `train/<class>`, `val_on_train/<class>` and `val/<class>`.

    :param seed: as of `listed_split`
    :return: None for images that lie otherwise
    :raises DatasetError: as `listed_split`
    """
    if not isinstance(data.images, ImageFiles):
        return None
    subset_of = {folder: subset for subset, folder in FOLDERS.items()}
    parts = [path.parents[1].name for path in data.images.paths]
    if set(parts) != set(subset_of):
        return None
    rows: dict[str, list[int]] = {subset: [] for subset in FOLDERS}
    for row, part in enumerate(parts):
        rows[subset_of[part]].append(row)
    return _split_by_subsets(rows, data, seed, shots)


def subsample(
    data: ImageDataset, split: Split, classes: int | None, per_class: int | None
) -> tuple[ImageDataset, Split]:
    """Return a small version: the first classes of either half, and the first images of each in each subset.

    :param classes: seen and as many unseen classes (None: all)
    :param per_class: images of a class in a subset (None: all)
    """
    if classes is None and per_class is None:
        return data, split
    halves = split.seen[:classes], split.unseen[:classes]
    chosen = {*halves[0], *halves[1]}
    subsets: dict[str, list[int]] = {subset: [] for subset in SUBSETS}
    for subset, rows in subsets.items():
        taken: Counter[int] = Counter()
        for row in getattr(split, subset):
            label = int(data.labels[row])
            if label in chosen and (per_class is None or taken[label] < per_class):
                taken[label] += 1
                rows.append(row)
    kept = sorted(row for rows in subsets.values() for row in rows)
    row_of, class_of = ({old: new for new, old in enumerate(items)} for items in (kept, sorted(chosen)))
    images = data.images.subset(kept)
    smaller = replace(
        data,
        classes=tuple(data.classes[n] for n in class_of),
        labels=np.array([class_of[int(label)] for label in data.labels[kept]], dtype=np.int64),
        images=images,
        captions={name: data.captions[name] for name in images.ids if name in data.captions},
        class_split=None,
    )
    seen, unseen = (tuple(class_of[n] for n in half) for half in halves)
    return smaller, Split(seen, unseen, **{name: tuple(row_of[n] for n in rows) for name, rows in subsets.items()})


def read_lines(path: Path) -> list[str]:
    """Return the lines of a text file, without empty ones at its end.

    :raises MissingAssetsError: when there is no such file
    :raises InvalidArgumentError: when it is no text
    """
    try:
        return path.read_text(encoding="utf-8").rstrip().splitlines()
    except FileNotFoundError as error:
        raise MissingAssetsError(f"expected the file {path}, but it is not there") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidArgumentError(f"expected a text file (UTF-8) at {path}, but: {error}") from error


def normalize_name(name: str) -> str:
    """Return a name without what spellings differ in.

    Case, a number in front (`001.`), a letter's folder in front (`a/`), and which signs stand between the words.
    """
    return re.sub(r"[\W_]+", " ", _LETTER.sub("", _INDEX.sub("", name))).strip().lower()


def humanize(folder: str) -> str:
    """Return the name of a class as a prompt has it, from its folder: `001.Black_footed_Albatross` has three words."""
    return re.sub(r"[_\s]+", " ", _INDEX.sub("", folder)).strip()


class ClassMatcher:
    """Finds a class by its folder, or else by its name; a spelling that fits two classes finds neither."""

    def __init__(self, classes: Sequence[ImageClass]) -> None:
        self._exact = {item.folder: n for n, item in enumerate(classes)}
        self._spelled: list[dict[str, int]] = []
        for texts in ([item.folder for item in classes], [item.name for item in classes]):
            keys = [normalize_name(text) for text in texts]
            times = Counter(keys)
            self._spelled.append({key: n for n, key in enumerate(keys) if times[key] == 1})

    def find(self, name: str) -> int | None:
        """Return the index of a class, None where there is none of that name."""
        if name in self._exact:
            return self._exact[name]
        key = normalize_name(name)
        return next((spelled[key] for spelled in self._spelled if key in spelled), None)


def _read_list(path: Path) -> list[tuple[str, str]]:
    """Return class and file of each line."""
    rows = []
    for number, line in enumerate(read_lines(path), 1):
        parts = line.strip().split("/")
        if len(parts) < 3 or not all(parts):
            raise InvalidArgumentError(f"expected `split/class/file` in line {number} of {path}, but got {line!r}")
        rows.append(("/".join(parts[1:-1]), parts[-1]))
    return rows


def _check_listed(listed: Mapping[str, Sequence[tuple[str, str]]]) -> None:
    """Check that no image is listed twice."""
    entries = Counter((normalize_name(label), file) for rows in listed.values() for label, file in rows)
    (label, file), times = entries.most_common(1)[0] if entries else (("", ""), 0)
    if times > 1:
        raise DatasetError(f"expected each image in {', '.join(LISTS.values())} once, but {label}/{file} is repeated")


def _split_by_subsets(rows: Mapping[str, Sequence[int]], data: ImageDataset, seed: int, shots: int) -> Split:
    """Return the split of the rows of `train`, `id` and `ood`, after few-shot images are drawn out of the last."""
    by_class: dict[str, dict[int, list[int]]] = {subset: {} for subset in rows}
    for subset, members in rows.items():
        for row in members:
            by_class[subset].setdefault(int(data.labels[row]), []).append(row)
    seen, unseen = sorted({*by_class["train"], *by_class["id"]}), sorted(by_class["ood"])
    for subset, classes, least in (("train", seen, 1), ("id", seen, 1), ("ood", unseen, shots + 1)):
        for n in classes:
            if len(by_class[subset].get(n, [])) < least:
                raise _too_few(data.classes[n].folder, subset, least, len(by_class[subset].get(n, [])))
    fewshot = {row for n in unseen for row in _shuffled(by_class["ood"][n], seed, n)[:shots]}
    ood = tuple(row for row in rows["ood"] if row not in fewshot)
    split = Split(
        tuple(seen), tuple(unseen), tuple(rows["train"]), tuple(rows["id"]), ood, tuple(sorted(fewshot))
    )  # fmt: skip
    split.check(data.labels)
    return split


def _too_few(name: str, subset: str, least: int, count: int) -> DatasetError:
    advice = "lower data.shots, or take" if subset in ("fewshot", "ood") else "take"
    return DatasetError(
        f"expected at least {least} images of {name} in {subset}, but got {count}; {advice} more images of it"
    )


def _shuffled(rows: Sequence[int] | NDArray[np.int64], seed: int, label: int) -> list[int]:
    """Return the rows of a class in the order in which a seed draws them; it does not depend on other classes."""
    order: list[int] = np.random.default_rng([seed, label]).permutation(np.asarray(rows, dtype=np.int64)).tolist()
    return order


def _such_as(items: Sequence[str], word: str) -> str:
    return f", {word} {', '.join(items[:3])}" if items else ""
