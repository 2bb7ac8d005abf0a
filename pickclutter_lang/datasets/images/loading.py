"""Loads a dataset of images with its split, and reports what does not fit."""

from __future__ import annotations

from pathlib import Path

from pickclutter_lang.datasets.images.author_splits import (
    FOLDERS,
    LISTS,
    has_lists,
    read_author_lists,
    read_class_folders,
)
from pickclutter_lang.datasets.images.config import ImageDataConfig
from pickclutter_lang.datasets.images.dataset import ImageDataset
from pickclutter_lang.datasets.images.loaders import load_set
from pickclutter_lang.datasets.images.metadata import LABELS, read_texts, with_captions, with_descriptions, with_texts
from pickclutter_lang.datasets.images.sources import ImageFiles
from pickclutter_lang.datasets.images.splits import SUBSETS, Split, seeded_split, subsample
from pickclutter_lang.errors import MissingAssetsError
from pickclutter_lang.language.descriptions import read_descriptions


def load_image_dataset(config: ImageDataConfig) -> tuple[ImageDataset, Split, str]:
    """Load a dataset and split it; nothing that is on disk or in a list is left out without a word.

    :return: the images, the split, and a report to print: counts, and what does not match
    :raises InvalidArgumentError, MissingAssetsError, DatasetError: as the set's loader, `read_author_lists`,
        `read_texts`, `with_descriptions`, `with_captions` and `seeded_split`
    """
    config.validate()
    loaded = load_set(config)
    data, notes = loaded.data, list(loaded.notes)
    if config.author_lists and (Path(config.author_lists) / LABELS).is_file():
        data, more = with_texts(data, read_texts(config.author_lists))
        notes += more
    if config.descriptions:
        data, more = with_descriptions(data, read_descriptions(config.descriptions).texts)
        notes += more
    if config.captions:
        data, more = with_captions(data, config.captions)
        notes += more
    split, more = _split(data, config)
    data, split = subsample(data, split, config.max_classes, config.max_per_class)
    split.check(data.labels)
    notes += [*more, *_twins(data, split)]
    return data, split, "\n".join([_counts(data, split), *(f"- {note}" for note in notes)])


def _split(data: ImageDataset, config: ImageDataConfig) -> tuple[Split, tuple[str, ...]]:
    if config.author_lists and has_lists(config.author_lists):
        split, report = read_author_lists(
            config.author_lists,
            data,
            seed=config.seed,
            shots=config.shots,
            allow_missing=config.allow_missing,
        )
        return split, tuple(report.notes())
    if config.author_lists and not (Path(config.author_lists) / LABELS).is_file():
        raise MissingAssetsError(f"expected {', '.join((*LISTS.values(), LABELS))} in {config.author_lists}")
    notes = [f"no lists in {config.author_lists}"] if config.author_lists else []
    if has_lists(config.root):
        notes.append(f"the lists in {config.root} are not used; name that folder as data.author_lists")
    by_folders = read_class_folders(data, seed=config.seed, shots=config.shots)
    if by_folders is not None:
        return by_folders, (*notes, f"split by the folders {', '.join(FOLDERS.values())}")
    split = seeded_split(
        data.labels,
        len(data.classes),
        seed=config.seed,
        shots=config.shots,
        halves=data.class_split,
        train_fraction=config.train_fraction,
        names=[item.name for item in data.classes],
    )
    return split, (*notes, *([f"split by seed {config.seed}"] if notes else []))


def _twins(data: ImageDataset, split: Split) -> list[str]:
    """Return a line on evaluated images that have the bytes of a trained or few-shot one, where there are any."""
    if not isinstance(data.images, ImageFiles):
        return []
    digests = data.images.file_hashes
    trained = {digests[row]: row for row in (*split.train, *split.fewshot)}
    twins = [row for row in (*split.id, *split.ood) if digests[row] in trained]
    if not twins:
        return []
    ids, first = data.images.ids, twins[0]
    return [
        f"{len(twins)} images of X_id and X_ood have the bytes of one that is trained on, such as {ids[first]} and "
        f"{ids[trained[digests[first]]]}"
    ]


def _counts(data: ImageDataset, split: Split) -> str:
    parts = ", ".join(f"{part} {len(getattr(split, part))}" for part in SUBSETS)
    return (
        f"{data.name}: {len(data.images.ids)} images of {len(data.classes)} classes; {len(split.seen)} classes "
        f"known, {len(split.unseen)} unseen; images: {parts}"
    )
