"""tiered-ImageNet: the 351 classes of its `train`, from its own folders or from those of ImageNet's `train`."""

from __future__ import annotations

from pathlib import Path

from pickclutter_lang.datasets.images.author_splits import FOLDERS
from pickclutter_lang.datasets.images.config import ImageDataConfig
from pickclutter_lang.datasets.images.loaders.dataset_spec import (
    DatasetSpec,
    LoadResult,
    first_folder,
    from_folders,
    named_folders,
)
from pickclutter_lang.datasets.images.metadata import LABELS, read_lines
from pickclutter_lang.errors import InvalidArgumentError, MissingAssetsError

SPEC = DatasetSpec(
    "tiered-ImageNet's train",
    351,
    448695,
    "train/<wnid>/*.JPEG",
    "https://www.image-net.org (the images), https://github.com/renmengye/few-shot-ssl-public (the classes)",
)
CLASSES = "train.csv"


def load(config: ImageDataConfig) -> LoadResult:
    """Load folders of wnids; of a full ImageNet those in `train.csv`, in `root` or in the folder of the lists.

    A class is called by its wnid until `label2text.txt` in the folder of the lists says more.

    :raises InvalidArgumentError: when there are too many classes and no `train.csv` to choose from them
    """
    root = Path(config.root)
    folders, notes = named_folders(root if (root / FOLDERS["id"]).is_dir() else first_folder(root, "train"), SPEC)
    listed = next((p / CLASSES for p in (root, *_lists(config)) if (p / CLASSES).is_file()), None)
    if listed:
        chosen = {line.split(",")[0].strip() for line in read_lines(listed)}
        absent = sorted(chosen - {item.folder for item in folders.values()})
        folders = {path: item for path, item in folders.items() if item.folder in chosen}
        if not folders:
            raise MissingAssetsError(f"expected folders of the classes in {listed}, such as {absent[0]}, in {root}")
        notes += [f"{len(absent)} classes of {listed} have no folder, such as {absent[0]}"] if absent else []
    elif len(folders) > SPEC.num_classes:
        raise InvalidArgumentError(
            f"expected the {SPEC.num_classes} classes of {SPEC.title} in {root}, but got {len(folders)}; put the "
            f"{CLASSES} of its class split there, from {SPEC.source}"
        )
    if not any((folder / LABELS).is_file() for folder in _lists(config)):
        notes.append(f"classes are called by their wnid: name a folder with {LABELS} as lists")
    loaded = from_folders(config, folders, SPEC)
    return LoadResult(loaded.data, (*notes, *loaded.notes))


def _lists(config: ImageDataConfig) -> list[Path]:
    return [Path(config.author_lists)] if config.author_lists else []
