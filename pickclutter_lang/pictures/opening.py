"""From settings to pictures, split and report."""

from __future__ import annotations

from pathlib import Path

from pickclutter_lang.errors import MissingAssetsError
from pickclutter_lang.language.descriptions import read_descriptions
from pickclutter_lang.pictures.labelled import LabelledPictures
from pickclutter_lang.pictures.lists import FOLDERS, LISTS, has_lists, read_folders, read_lists
from pickclutter_lang.pictures.pictures import FilePictures
from pickclutter_lang.pictures.sets import load_set
from pickclutter_lang.pictures.settings import PictureSettings
from pickclutter_lang.pictures.splits import PARTS, Split, limited, seeded_split
from pickclutter_lang.pictures.texts import LABELS, read_texts, with_captions, with_descriptions, with_texts


def open_pictures(settings: PictureSettings) -> tuple[LabelledPictures, Split, str]:
    """Load a data set and split it; nothing that is on disk or in a list is left out without a word.

    :return: the pictures, the split, and a report for people: counts, and what does not match
    :raises InvalidArgumentError, MissingAssetsError, StoreError: as the set's loader, `read_lists`, `read_texts`,
        `with_descriptions`, `with_captions` and `seeded_split`
    """
    settings.validate()
    loaded = load_set(settings)
    data, notes = loaded.data, list(loaded.notes)
    if settings.lists and (Path(settings.lists) / LABELS).is_file():
        data, more = with_texts(data, read_texts(settings.lists))
        notes += more
    if settings.descriptions:
        data, more = with_descriptions(data, read_descriptions(settings.descriptions).texts)
        notes += more
    if settings.captions:
        data, more = with_captions(data, settings.captions)
        notes += more
    split, more = _split(data, settings)
    data, split = limited(data, split, settings.max_classes, settings.max_per_class)
    split.check(data.labels)
    notes += [*more, *_twins(data, split)]
    return data, split, "\n".join([_counts(data, split), *(f"- {note}" for note in notes)])


def _split(data: LabelledPictures, settings: PictureSettings) -> tuple[Split, tuple[str, ...]]:
    if settings.lists and has_lists(settings.lists):
        split, report = read_lists(
            settings.lists,
            data,
            seed=settings.seed,
            shots=settings.shots,
            allow_missing=settings.allow_missing,
        )
        return split, tuple(report.notes())
    if settings.lists and not (Path(settings.lists) / LABELS).is_file():
        raise MissingAssetsError(f"expected {', '.join((*LISTS.values(), LABELS))} in {settings.lists}")
    notes = [f"no lists in {settings.lists}"] if settings.lists else []
    if has_lists(settings.root):
        notes.append(f"the lists in {settings.root} are not used; name that folder as data.lists")
    by_folders = read_folders(data, seed=settings.seed, shots=settings.shots)
    if by_folders is not None:
        return by_folders, (*notes, f"split as the folders {', '.join(FOLDERS.values())} say")
    split = seeded_split(
        data.labels,
        len(data.classes),
        seed=settings.seed,
        shots=settings.shots,
        halves=data.halves,
        train_share=settings.train_share,
        names=[item.name for item in data.classes],
    )
    return split, (*notes, *([f"split by seed {settings.seed}"] if notes else []))


def _twins(data: LabelledPictures, split: Split) -> list[str]:
    """Return a line on evaluated pictures that have the bytes of a trained or few-shot one, where there are any."""
    if not isinstance(data.pictures, FilePictures):
        return []
    digests = data.pictures.digests
    trained = {digests[row]: row for row in (*split.train, *split.fewshot)}
    twins = [row for row in (*split.id, *split.ood) if digests[row] in trained]
    if not twins:
        return []
    ids, first = data.pictures.ids, twins[0]
    return [
        f"{len(twins)} pictures of X_id and X_ood have the bytes of one that is trained on, such as {ids[first]} and "
        f"{ids[trained[digests[first]]]}"
    ]


def _counts(data: LabelledPictures, split: Split) -> str:
    parts = ", ".join(f"{part} {len(getattr(split, part))}" for part in PARTS)
    return (
        f"{data.name}: {len(data.pictures.ids)} pictures of {len(data.classes)} classes; {len(split.known)} classes "
        f"known, {len(split.unseen)} unseen; pictures: {parts}"
    )
