"""Texts of classes and images, the label encoder that settings ask for, and hashes of what a run learns from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pickclutter_lang.datasets.images.dataset import ImageClass, ImageDataset
from pickclutter_lang.datasets.images.splits import SUBSETS, Split
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.experiments.images.config import ClassTextConfig, ImageTrainConfig
from pickclutter_lang.language.descriptions import BLIND, DESCRIPTION_TEMPLATE, STYLES, describe, read_descriptions
from pickclutter_lang.students.label_encoders import ClosedSetEncoder, FixedLabelEncoder, PromptLabelEncoder
from pickclutter_lang.students.prompts import LearnedPrompts
from pickclutter_lang.teachers import Teacher

_OWN = "own"
"""Descriptions of the data set itself."""


def build_class_encoder(
    config: ClassTextConfig, teacher: Teacher, classes: Sequence[ImageClass]
) -> FixedLabelEncoder | PromptLabelEncoder | ClosedSetEncoder:
    """Build the configured encoder of the names of classes.

    :raises InvalidArgumentError: when a text is too long for the teacher, or a class lacks the configured description
    """
    names = [item.name for item in classes]
    if config.closed_set:
        return ClosedSetEncoder(names, teacher.embed_dim, parameters=("vectors",))
    if not config.n_ctx:
        return FixedLabelEncoder(names, teacher.encode_text(class_texts(config, classes), config.truncate))
    texts = dict(zip(names, class_texts(config, classes, behind_context=True), strict=True))
    prompts = LearnedPrompts(
        teacher, list(texts.values()), n_context=config.n_ctx, dual=False, init=(config.context_init, None),
        truncate=config.truncate,
    )  # fmt: skip
    return PromptLabelEncoder(prompts, lambda labels: [[texts[label] for label in labels]])


def check_texts(config: ClassTextConfig, teacher: Teacher, classes: Sequence[ImageClass]) -> None:
    """Check the prompts of the classes without encoding them.

    :raises PickClutterError: what `build_class_encoder` raises
    """
    if config.n_ctx:
        build_class_encoder(config, teacher, classes)
    elif not config.closed_set:
        teacher.tokenize(class_texts(config, classes), config.truncate)


def class_texts(config: ClassTextConfig, classes: Sequence[ImageClass], *, behind_context: bool = False) -> list[str]:
    """Return the text of every class, with its description where the settings name a source of them.

    :param behind_context: leave out the template, which a learned context replaces
    :raises InvalidArgumentError, UnknownObjectError: naming the classes without a description
    :raises DatasetError: when a file is not there
    """
    names = [item.name for item in classes]
    source = config.descriptions
    if source is None:
        return names if behind_context else [config.template.format(name=name) for name in names]
    if source == _OWN:
        texts = [item.description for item in classes]
        lacking = [name for name, text in zip(names, texts, strict=True) if not text]
        if lacking:
            raise InvalidArgumentError(
                f"expected a description of every class, but the data set has none of {', '.join(lacking[:5])}; name a "
                "file of them as data.descriptions (make it: pickclutter describe-labels labels=[...] out=FILE.json)"
            )
    elif config.style_dir is None or source not in (*STYLES, *BLIND):
        texts = read_descriptions(source).of(names)
    else:
        path = Path(config.style_dir) / f"{BLIND.get(source, source)}.json"
        known = read_descriptions(path)
        if source in BLIND and known.images_seen:
            raise InvalidArgumentError(
                f"expected descriptions from only the names in {path}, but their writer had images of the objects; "
                "have others written: pickclutter describe-labels"
            )
        texts = known.of(names)
    template = DESCRIPTION_TEMPLATE if behind_context else f"a photo of {DESCRIPTION_TEMPLATE}"
    return [describe(name, text, template) for name, text in zip(names, texts, strict=True)]


def captions_of(data: ImageDataset, rows: Sequence[int]) -> list[str]:
    """Return the captions of some images.

    :raises InvalidArgumentError: when one of them has none
    """
    ids = [data.images.ids[row] for row in rows]
    lacking = [item for item in ids if item not in data.captions]
    if lacking:
        raise InvalidArgumentError(
            f"expected a caption of every image for objective.cap, but {len(lacking)} have none, such as "
            f"{lacking[0]}; name a file of pickclutter caption-images as data.captions"
        )
    return [data.captions[item] for item in ids]


def space_texts(config: ClassTextConfig, data: ImageDataset, split: Split) -> dict[str, list[str]]:
    """Return the texts of Table 6 and Figure 4: names of Y_ood, and descriptions and captions where none is missing."""
    unseen = [data.classes[n] for n in split.unseen]
    if len(unseen) < 2:
        return {}
    texts = {}
    for kind, source in (("names", None), ("descriptions", config.descriptions or _OWN)):
        if source != _OWN or all(item.description for item in unseen):
            texts[kind] = class_texts(replace(config, descriptions=source, closed_set=False), unseen)
    if all(data.images.ids[row] in data.captions for row in split.ood):
        texts["captions"] = captions_of(data, split.ood)
    return texts


def describe_data(config: ImageTrainConfig, data: ImageDataset, split: Split) -> dict[str, Any]:
    """Return the provenance of a run: name, content and sizes of its data set, its halves, and hashes of its texts.

    `split` is a hash of what is in which part, `texts` of the class texts, `captions` of those that a loss takes.

    :raises InvalidArgumentError: when a description or a caption is lacking
    """
    names = [item.name for item in data.classes]
    ids = data.images.ids
    parts = {part: [ids[row] for row in getattr(split, part)] for part in SUBSETS}
    needed = config.objective.build().needs("captions")
    captions = captions_of(data, (*split.train, *split.fewshot)) if needed else []
    return {
        "name": data.name,
        "content": data.images.content_hash,
        "split": digest([f"{part} {item}" for part, items in parts.items() for item in items]),
        "seen": [names[n] for n in split.seen],
        "unseen": [names[n] for n in split.unseen],
        **{part: len(items) for part, items in parts.items()},
        "texts": digest(class_texts(config.text, data.classes)),
        "captions": digest(captions),
    }


def digest(texts: Sequence[str]) -> str:
    """Return a hash (sha256, hex) of texts."""
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
