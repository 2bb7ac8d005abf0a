"""Provenance of a run on single images: hashes of its data set, class texts and captions."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pickclutter_lang.datasets.images import ImageDataset, Split
from pickclutter_lang.datasets.images.splits import SUBSETS
from pickclutter_lang.distillation.extra_losses import load_extra_losses
from pickclutter_lang.distillation.image_objective import IMAGE_ARGUMENTS
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.experiments.images.class_texts import DATASET_DESCRIPTIONS, class_texts
from pickclutter_lang.experiments.images.config import ClassTextConfig, ImageObjectiveConfig, ImageTrainConfig
from pickclutter_lang.teachers import Teacher
from pickclutter_lang.teachers.known_words import zero_words_note
from pickclutter_lang.teachers.training_images import note_of_trained_images


def annotated(report: str, data: ImageDataset, teacher: Teacher, config: ImageTrainConfig) -> str:
    """Return the report on a data set with what is to know of it with the teacher of a run."""
    names = [] if config.text.closed_set else [item.name for item in data.classes]
    notes = note_of_trained_images(data, config.teacher.checkpoint), zero_words_note(teacher, names)
    return "\n".join([report, *(f"- {note}" for note in notes if note)])


def describe_data(data: ImageDataset, split: Split) -> dict[str, Any]:
    """Return name, content hash and sizes of a data set, its halves, and a hash of what is in which part."""
    names, ids = [item.name for item in data.classes], data.images.ids
    parts = {part: [ids[row] for row in getattr(split, part)] for part in SUBSETS}
    return {
        "name": data.name,
        "content": data.images.content_hash,
        "split": _digest([f"{part} {item}" for part, items in parts.items() for item in items]),
        "seen": [names[n] for n in split.seen],
        "unseen": [names[n] for n in split.unseen],
        **{part: len(items) for part, items in parts.items()},
    }


def needs_captions(objective: ImageObjectiveConfig) -> bool:
    """Return whether L_cap, or a loss of one's own, takes captions."""
    own = load_extra_losses(objective.extra, IMAGE_ARGUMENTS) if objective.extra else {}
    return bool(objective.cap) or any("captions" in loss.arguments for loss in own.values())


def describe_texts(config: ImageTrainConfig, data: ImageDataset, split: Split) -> dict[str, str]:
    """Return hashes of the class texts, and of the captions that a loss needs.

    :raises InvalidArgumentError: when a description or a caption is lacking
    """
    needed = needs_captions(config.objective)
    learned = captions_of(data, (*split.train, *split.fewshot)) if needed else []
    return {"texts": _digest(class_texts(config.text, data.classes)), "captions": _digest(learned)}


def captions_of(data: ImageDataset, rows: Sequence[int]) -> list[str]:
    """Return the captions of some images.

    :raises InvalidArgumentError: when one of them has none
    """
    ids = [data.images.ids[row] for row in rows]
    lacking = [item for item in ids if item not in data.captions]
    if lacking:
        raise InvalidArgumentError(
            f"expected a caption of every image for objective.cap, but {len(lacking)} have none, such as "
            f"{lacking[0]}; name a file of captions (JSON lines: id, text) as data.captions, written by "
            "pickclutter caption-images, or do without the runs that need them"
        )
    return [data.captions[item] for item in ids]


def space_texts(config: ClassTextConfig, data: ImageDataset, split: Split) -> dict[str, list[str]]:
    """Return the texts of Table 6 and Figure 4: names of Y_ood, and descriptions and captions where none is missing."""
    unseen = [data.classes[n] for n in split.unseen]
    if len(unseen) < 2:
        return {}
    found = {}
    for kind, source in (("names", None), ("descriptions", config.descriptions or DATASET_DESCRIPTIONS)):
        if source != DATASET_DESCRIPTIONS or all(item.description for item in unseen):
            found[kind] = class_texts(replace(config, descriptions=source, closed_set=False), unseen)
    if all(data.images.ids[row] in data.captions for row in split.ood):
        found["captions"] = captions_of(data, split.ood)
    return found


def describe_spaces(config: ClassTextConfig, data: ImageDataset, split: Split) -> dict[str, str]:
    """Return a hash of each kind of `space_texts`."""
    return {kind: _digest(texts) for kind, texts in space_texts(config, data, split).items()}


def _digest(texts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
