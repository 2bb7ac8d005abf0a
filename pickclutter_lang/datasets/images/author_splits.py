"""The splits of the paper's authors: by their lists, matched with the images on disk, or by their folders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pickclutter_lang.datasets.images.class_names import ClassMatcher, normalize_name
from pickclutter_lang.datasets.images.dataset import ImageDataset
from pickclutter_lang.datasets.images.metadata import read_lines
from pickclutter_lang.datasets.images.sources import ImageFiles
from pickclutter_lang.datasets.images.splits import Split, shuffled
from pickclutter_lang.errors import DatasetError, InvalidArgumentError, MissingAssetsError

# X_train and X_id hold the seen classes, X_ood the unseen ones.
LISTS = {"train": "train_data.txt", "id": "val_on_train_data.txt", "ood": "val_data.txt"}
FOLDERS = {"train": "train", "id": "val_on_train", "ood": "val"}
"""The same as folders, with class folders in each."""

Entry = tuple[str, str]
"""Class and file of an image."""


@dataclass(frozen=True)
class SplitReport:
    """How lists and images fit: per subset (`train`, `id`, `ood`) what is `listed` and of that what is `absent`.

    `unlisted` are ids of images that are in no list. `absent_classes` are listed classes of which there is no
    image, `unlisted_classes` the folders of classes that no list names.
    """

    listed: Mapping[str, int]
    absent: Mapping[str, tuple[str, ...]]
    unlisted: tuple[str, ...]
    absent_classes: tuple[str, ...]
    unlisted_classes: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether every listed image is there."""
        return not any(self.absent.values())

    def notes(self) -> list[str]:
        """Return a line for each list, and for everything that does not fit."""
        lines = [
            f"{LISTS[subset]}: {count - len(self.absent[subset])} of {count} images are there"
            + _such_as(self.absent[subset], "; absent")
            for subset, count in self.listed.items()
        ]
        for what, items in (
            ("images are in no list", self.unlisted),
            ("listed classes have no image", self.absent_classes),
            ("classes are in no list", self.unlisted_classes),
        ):
            if items:
                lines.append(f"{len(items)} {what}{_such_as(items, ',')}")
        return lines

    def text(self) -> str:
        """Return the notes, one per line."""
        return "\n".join(self.notes())


def read_author_lists(
    folder: str | Path, data: ImageDataset, *, seed: int, shots: int = 5, allow_missing: bool = False
) -> tuple[Split, SplitReport]:
    """Split by lists whose lines are `split/class/file`; a class may be spelled in another way than on disk.

    :param folder: holds `train_data.txt`, `val_on_train_data.txt` (X_id) and `val_data.txt` (X_ood)
    :param seed: draws `shots` images of each unseen class out of X_ood, which are then no subset of it
    :param allow_missing: skip listed images that are missing, and classes without images
    :raises MissingAssetsError: when a list, or a listed image, is not there
    :raises InvalidArgumentError: for a line of another form
    :raises DatasetError: for an image or class in two lists that must differ, or a class with too few images
    """
    listed = {subset: _read(Path(folder) / name) for subset, name in LISTS.items()}
    _check_listed(listed, LISTS)
    rows, report = _match(listed, data)
    if not report.complete and not allow_missing:
        raise MissingAssetsError(
            f"expected every listed image among those of {data.name}, but members are absent; complete the images, or "
            f"skip them with data.allow_missing=true: {'; '.join(report.notes())}"
        )
    if not all(rows.values()):
        raise MissingAssetsError(
            f"expected images of every list, but there are none of members: {'; '.join(report.notes())}"
        )
    return _split(rows, data, seed, shots, LISTS), report


def has_lists(folder: str | Path) -> bool:
    """Return whether any of the lists is in a folder; one that is not complete is for `read_author_lists` to refuse."""
    return any((Path(folder) / name).is_file() for name in LISTS.values())


def read_class_folders(data: ImageDataset, *, seed: int, shots: int = 5) -> Split | None:
    """Split by the folders of the authors' layout, `train/<class>`, `val_on_train/<class>` and `val/<class>`.

    :param seed: as of `read_author_lists`
    :return: None for images that lie otherwise
    :raises DatasetError: as `read_author_lists`
    """
    if not isinstance(data.images, ImageFiles):
        return None
    part_of = {folder: subset for subset, folder in FOLDERS.items()}
    part_names = [path.parents[1].name for path in data.images.paths]
    if set(part_names) != set(part_of):
        return None
    rows: dict[str, list[int]] = {subset: [] for subset in FOLDERS}
    for row, part_name in enumerate(part_names):
        rows[part_of[part_name]].append(row)
    folder_of = [data.classes[int(label)].folder for label in data.labels]
    listed = {subset: [(folder_of[n], data.images.paths[n].name) for n in members] for subset, members in rows.items()}
    _check_listed(listed, FOLDERS)
    return _split(rows, data, seed, shots, FOLDERS)


def _read(path: Path) -> list[Entry]:
    """Return class and file of each line."""
    rows = []
    for number, line in enumerate(read_lines(path), 1):
        subsets = line.strip().split("/")
        if len(subsets) < 3 or not all(subsets):
            raise InvalidArgumentError(f"expected `split/class/file` in line {number} of {path}, but got {line!r}")
        rows.append(("/".join(subsets[1:-1]), subsets[-1]))
    if not rows:
        raise InvalidArgumentError(f"expected images in the list {path}, but it is empty")
    return rows


def _check_listed(listed: Mapping[str, Sequence[Entry]], titles: Mapping[str, str]) -> None:
    owner: dict[Entry, str] = {}
    for subset, rows in listed.items():
        for label, file in rows:
            key = (normalize_name(label), file)
            if key in owner:
                raise DatasetError(
                    f"expected each image once, but {label}/{file} is in {titles[owner[key]]} and "
                    f"{'again in ' if owner[key] == subset else ''}{titles[subset]}"
                )
            owner[key] = subset
    seen, unseen = (
        {label for (label, _), subset in owner.items() if (subset == "ood") == ood} for ood in (False, True)
    )
    if seen & unseen:
        raise DatasetError(
            f"expected the classes of {titles['ood']} neither in {titles['train']} nor in {titles['id']}, but "
            f"{len(seen & unseen)} are, such as {sorted(seen & unseen)[0]}"
        )


def _match(listed: Mapping[str, Sequence[Entry]], data: ImageDataset) -> tuple[dict[str, list[int]], SplitReport]:
    """Return the rows of each subset that are there."""
    matcher = ClassMatcher(data.classes)
    place = {label: matcher.find(label) for entries in listed.values() for label, _ in entries}
    row_of = {
        (int(label), name.rsplit("/", 1)[-1]): row
        for row, (label, name) in enumerate(zip(data.labels, data.images.ids, strict=True))
    }
    rows: dict[str, list[int]] = {subset: [] for subset in listed}
    absent: dict[str, tuple[str, ...]] = {}
    for subset, entries in listed.items():
        found = [(entry, row_of.get((-1 if (n := place[entry[0]]) is None else n, entry[1]))) for entry in entries]
        rows[subset] = sorted(row for _, row in found if row is not None)
        absent[subset] = tuple("/".join(entry) for entry, row in found if row is None)
    used, placed = {row for subset in rows.values() for row in subset}, set(place.values())
    report = SplitReport(
        listed={subset: len(entries) for subset, entries in listed.items()},
        absent=absent,
        unlisted=tuple(name for row, name in enumerate(data.images.ids) if row not in used),
        absent_classes=tuple(label for label, n in place.items() if n is None),
        unlisted_classes=tuple(c.folder for n, c in enumerate(data.classes) if n not in placed),
    )
    return rows, report


def _split(
    rows: Mapping[str, Sequence[int]], data: ImageDataset, seed: int, shots: int, titles: Mapping[str, str]
) -> Split:
    by_class: dict[str, dict[int, list[int]]] = {subset: {} for subset in rows}
    for subset, members in rows.items():
        for row in members:
            by_class[subset].setdefault(int(data.labels[row]), []).append(row)
    seen, unseen = sorted({*by_class["train"], *by_class["id"]}), sorted(by_class["ood"])
    for subset, classes, least in (("train", seen, 1), ("id", seen, 1), ("ood", unseen, shots + 1)):
        for n in classes:
            count = len(by_class[subset].get(n, []))
            if count < least:
                raise DatasetError(
                    f"expected at least {least} of the images of {data.classes[n].folder} in {titles[subset]}, but "
                    f"{count} are there"
                )
    fewshot = {row for n in unseen for row in shuffled(by_class["ood"][n], seed, n)[:shots]}
    split = Split(
        seen=tuple(seen),
        unseen=tuple(unseen),
        train=tuple(rows["train"]),
        id=tuple(rows["id"]),
        ood=tuple(row for row in rows["ood"] if row not in fewshot),
        fewshot=tuple(sorted(fewshot)),
    )
    split.check(data.labels)
    return split


def _such_as(items: Sequence[str], opening: str) -> str:
    return f"{opening} such as {', '.join(items[:3])}" if items else ""
