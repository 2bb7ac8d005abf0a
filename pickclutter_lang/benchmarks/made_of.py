"""What a run is made of: its data set, the texts of its classes, its captions."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pickclutter_lang.benchmarks.classes import OWN, class_texts
from pickclutter_lang.benchmarks.settings import BenchmarkSettings, TextSettings
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.pictures import LabelledPictures, Split
from pickclutter_lang.pictures.splits import PARTS


def describe_data(data: LabelledPictures, split: Split) -> dict[str, Any]:
    """Return name, content hash and sizes of a data set, its halves, and a hash of what is in which part."""
    names, ids = [item.name for item in data.classes], data.pictures.ids
    parts = {part: [ids[row] for row in getattr(split, part)] for part in PARTS}
    return {
        "name": data.name,
        "content": data.pictures.content,
        "split": _digest([f"{part} {item}" for part, items in parts.items() for item in items]),
        "known": [names[n] for n in split.known],
        "unseen": [names[n] for n in split.unseen],
        **{part: len(items) for part, items in parts.items()},
    }


def describe_texts(settings: BenchmarkSettings, data: LabelledPictures, split: Split) -> dict[str, str]:
    """Return hashes of the texts that stand for classes, and of the captions that a loss needs.

    :raises InvalidArgumentError: when a description or a caption is lacking
    """
    learned = captions_of(data, (*split.train, *split.fewshot)) if settings.objective.cap else []
    return {"texts": _digest(class_texts(settings.text, data.classes)), "captions": _digest(learned)}


def captions_of(data: LabelledPictures, rows: Sequence[int]) -> list[str]:
    """Return the captions of some pictures.

    :raises InvalidArgumentError: when one of them has none
    """
    ids = [data.pictures.ids[row] for row in rows]
    lacking = [item for item in ids if item not in data.captions]
    if lacking:
        raise InvalidArgumentError(
            f"expected a caption of every picture for objective.cap, but {len(lacking)} have none, such as "
            f"{lacking[0]}; name a file of captions (JSON lines: id, text) as data.captions, made by "
            "pickclutter caption-images, or do without the runs that need them"
        )
    return [data.captions[item] for item in ids]


def space_texts(settings: TextSettings, data: LabelledPictures, split: Split) -> dict[str, list[str]]:
    """Return what Table 6 and Figure 4 look at: names of Y_ood, and descriptions and captions where none is lacking."""
    unseen = [data.classes[n] for n in split.unseen]
    if len(unseen) < 2:
        return {}
    found = {}
    for kind, source in (("names", None), ("descriptions", settings.descriptions or OWN)):
        if source != OWN or all(item.description for item in unseen):
            found[kind] = class_texts(replace(settings, descriptions=source, closed_set=False), unseen)
    if all(data.pictures.ids[row] in data.captions for row in split.ood):
        found["captions"] = captions_of(data, split.ood)
    return found


def describe_spaces(settings: TextSettings, data: LabelledPictures, split: Split) -> dict[str, str]:
    """Return a hash of each kind of `space_texts`."""
    return {kind: _digest(texts) for kind, texts in space_texts(settings, data, split).items()}


def _digest(texts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
