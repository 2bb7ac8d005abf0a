"""Splits of classes and images into training, evaluation and few-shot sets (section 4 of the paper).

The authors published lists of images (`train_data.txt`, ...), which are matched with the images on disk. Some people
have the images in folders of the same meaning. Without either, a seed draws the split.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.datasets.images.dataset import ImageClass, ImageDataset
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

    def check(self, labels: NDArray[np.int64]) -> None:
        """Check that nothing is in two places, and that each subset has images of its own classes, all of them.

        :param labels: [N], the class of each image
        :raises DatasetError: naming the subsets that do not fit
        """
        for names in (("seen", "unseen"), SUBSETS):
            times = Counter(value for name in names for value in getattr(self, name))
            twice = [value for value, number in times.items() if number > 1]
            if twice:
                raise DatasetError(f"expected each entry of {', '.join(names)} once, but {twice[:5]} are there twice")
        for subset in SUBSETS:
            wanted = self.seen if subset in ("train", "id") else self.unseen
            wrong = set(labels[list(getattr(self, subset))].tolist()) ^ set(wanted)
            if wrong or not wanted:
                raise DatasetError(f"expected {subset} to have exactly its own classes, but {sorted(wrong)} differ")


def seeded_split(data: ImageDataset, seed: int, shots: int) -> Split:
    """Split as the paper does: half of the classes are seen, and about 70% of their images are for training.

    :param seed: draws the halves, where the data set does not define them, and the images
    :param shots: few-shot images of each unseen class, which are not in X_ood
    :raises DatasetError: naming a class with too few images, or when there are no unseen classes
    """
    order = np.random.default_rng(seed).permutation(len(data.classes)).tolist()
    half = (len(data.classes) + 1) // 2
    seen, unseen = data.class_split or (tuple(sorted(order[:half])), tuple(sorted(order[half:])))
    if not seen or not unseen:
        raise DatasetError(
            f"expected seen and unseen classes, but got {len(seen)} and {len(unseen)}; views of own objects take them "
            "from `split: unseen` in catalog.yaml, other data needs two classes or more"
        )
    rows: dict[str, list[int]] = {"train": [], "id": [], "ood": np.flatnonzero(np.isin(data.labels, unseen)).tolist()}
    for label in seen:
        drawn = _shuffled(np.flatnonzero(data.labels == label).tolist(), seed, label)
        cut = min(max(round(_TRAIN_FRACTION * len(drawn)), 1), len(drawn) - 1)
        rows["train"] += drawn[:cut]
        rows["id"] += drawn[cut:]
    return _with_few_shot(rows, data, seed, shots)


def listed_split(folder: Path, data: ImageDataset, seed: int, shots: int) -> Split:
    """Split by the authors' lists, whose lines are `split/class/file`; a class may be spelled differently on disk.

    :param folder: holds `train_data.txt`, `val_on_train_data.txt` (X_id) and `val_data.txt` (X_ood)
    :param seed: draws `shots` images of each unseen class out of X_ood, which are then no subset of it
    :raises MissingAssetsError: when a list, or a listed image, is not there
    :raises InvalidArgumentError: for a line of another form
    :raises DatasetError: for a class with too few images
    """
    listed = {subset: _read_list(folder / name) for subset, name in LISTS.items()}
    place = match_classes((label for entries in listed.values() for label, _ in entries), data.classes)
    row_of = {
        (int(label), name.rsplit("/", 1)[-1]): row
        for row, (label, name) in enumerate(zip(data.labels, data.images.ids, strict=True))
    }
    rows: dict[str, list[int]] = {}
    absent: list[str] = []
    for subset, entries in listed.items():
        found = [row_of.get((place.get(label, -1), file)) for label, file in entries]
        rows[subset] = sorted(row for row in found if row is not None)
        absent += ["/".join(entry) for entry, row in zip(entries, found, strict=True) if row is None]
    if absent:
        raise MissingAssetsError(
            f"expected every image that {folder} lists among those of {data.name}, but {len(absent)} are not there, "
            f"such as {', '.join(absent[:3])}; complete them, or take them out of the lists"
        )
    return _with_few_shot(rows, data, seed, shots)


def folder_split(data: ImageDataset, seed: int, shots: int) -> Split | None:
    """Split by the folders of the authors' layout, `train/<class>`, `val_on_train/<class>` and `val/<class>`.

    :return: None for images that lie otherwise
    :raises DatasetError: as `listed_split`
    """
    parts = [path.parents[1].name for path in data.images.paths]
    if set(parts) != set(FOLDERS.values()):
        return None
    rows = {subset: [row for row, part in enumerate(parts) if part == name] for subset, name in FOLDERS.items()}
    return _with_few_shot(rows, data, seed, shots)


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


def match_classes(names: Iterable[str], classes: Sequence[ImageClass]) -> dict[str, int]:
    """Return the index of the class that each name means, by its folder or else by its name.

    Names without a class are left out, as are spellings that fit two classes.
    """
    exact = {item.folder: n for n, item in enumerate(classes)}
    by_spelling: list[dict[str, int]] = []
    for texts in ([item.folder for item in classes], [item.name for item in classes]):
        keys = [normalize_name(text) for text in texts]
        times = Counter(keys)
        by_spelling.append({key: n for n, key in enumerate(keys) if times[key] == 1})
    found = {}
    for name in dict.fromkeys(names):
        options = (exact.get(name), *(of.get(normalize_name(name)) for of in by_spelling))
        found[name] = next((option for option in options if option is not None), -1)
    return {name: n for name, n in found.items() if n >= 0}


def _read_list(path: Path) -> list[tuple[str, str]]:
    """Return class and file of each line."""
    rows = []
    for number, line in enumerate(read_lines(path), 1):
        parts = line.strip().split("/")
        if len(parts) < 3 or not all(parts):
            raise InvalidArgumentError(f"expected `split/class/file` in line {number} of {path}, but got {line!r}")
        rows.append(("/".join(parts[1:-1]), parts[-1]))
    return rows


def _with_few_shot(rows: Mapping[str, Sequence[int]], data: ImageDataset, seed: int, shots: int) -> Split:
    """Return the split of the rows of `train`, `id` and `ood`, after few-shot images are drawn out of the last."""
    by_class: dict[str, dict[int, list[int]]] = {subset: {} for subset in rows}
    for subset, members in rows.items():
        for row in members:
            by_class[subset].setdefault(int(data.labels[row]), []).append(row)
    seen = sorted({*by_class["train"], *by_class["id"]})
    unseen = sorted(by_class["ood"])
    for subset, classes, least in (("train", seen, 1), ("id", seen, 1), ("ood", unseen, shots + 1)):
        for n in classes:
            count = len(by_class[subset].get(n, []))
            if count < least:
                raise DatasetError(
                    f"expected at least {least} images of {data.classes[n].name} in {subset}, but got {count}; lower "
                    "data.shots, or take more images of it"
                )
    few_shot = {row for n in unseen for row in _shuffled(by_class["ood"][n], seed, n)[:shots]}
    train, known = (tuple(sorted(rows[subset])) for subset in ("train", "id"))
    ood = tuple(row for row in rows["ood"] if row not in few_shot)
    return Split(tuple(seen), tuple(unseen), train, known, ood, tuple(sorted(few_shot)))


def _shuffled(rows: Sequence[int], seed: int, label: int) -> list[int]:
    """Return the rows of a class in the order in which a seed draws them; it does not depend on other classes."""
    order: list[int] = np.random.default_rng([seed, label]).permutation(np.asarray(rows, dtype=np.int64)).tolist()
    return order
