"""Held-out figures of a teacher that was trained on a user's own images, and their tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from pickclutter_lang.teacher_training.config import TeacherTrainConfig
from pickclutter_lang.teacher_training.folder_batches import ClassText, FolderImages
from pickclutter_lang.teachers.pocket import PocketTeacher
from pickclutter_lang.teachers.zero_shot import PHOTO_TEMPLATE, encode_images
from pickclutter_lang.utils.markdown import markdown_table, percent

_AT_ONCE = 256


def evaluate_folder(teacher: PocketTeacher, config: TeacherTrainConfig) -> dict[str, Any]:
    """Measure a teacher on `held_out_images`, zero-shot.

    :return: `images` (of classes that were trained on, top-1 among all of these: number of `images`, of `classes`;
        `overall` and `mean_class`: top-1 by name; `by_description`: top-1 by the first sentence of the description,
        where all classes have one), `classes` (top-1 by name of each), and `unseen` (as `images`, of classes that
        were not trained on, by folder or name, among themselves, with their `folders`; at least two); all are empty
        where there is no image
    """
    if not config.unseen_images:
        return {"pictures": {}, "classes": {}, "unseen": {}}
    trained = FolderImages.open(str(config.images), config.classes).classes
    unseen_images = FolderImages.open(config.unseen_images, config.classes)
    known = {item.folder for item in trained} | {item.attributes.name for item in trained}
    unseen = [item for item in unseen_images.classes if not {item.folder, item.attributes.name} & known]
    figures, classes = _top1(teacher, unseen_images, trained)
    others: dict[str, Any] = {}
    if len(unseen) > 1:
        others = _top1(teacher, unseen_images, unseen)[0] | {"folders": [item.folder for item in unseen]}
    return {"pictures": figures, "classes": classes, "unseen": others}


def _top1(
    teacher: PocketTeacher, unseen: FolderImages, among: Sequence[ClassText]
) -> tuple[dict[str, Any], dict[str, float]]:
    """Return the figures of the images of some classes, told apart among these, and top-1 by name of each class."""
    column = {item.folder: n for n, item in enumerate(among)}
    rows = [row for row, owner in enumerate(unseen.owner) if unseen.classes[owner].folder in column]
    if not rows:
        return {}, {}
    owners = torch.tensor([column[unseen.classes[unseen.owner[row]].folder] for row in rows])
    images = unseen.at(teacher.image_size)
    parts = [rows[n : n + _AT_ONCE] for n in range(0, len(rows), _AT_ONCE)]
    features = torch.cat([encode_images(teacher, images.load(part)) for part in parts])

    def hits(texts: Sequence[str]) -> torch.Tensor:
        return (features @ teacher.encode_text(texts).T).argmax(dim=1) == owners

    by_name = hits([PHOTO_TEMPLATE.format(label=item.attributes.name) for item in among])
    classes = {among[n].thing.name: float(by_name[owners == n].double().mean()) for n in sorted(set(owners.tolist()))}
    figures = {
        "pictures": len(rows),
        "classes": len(among),
        "overall": float(by_name.double().mean()),
        "mean_class": float(np.mean(list(classes.values()))),
    }
    if all(item.sentences for item in among):
        figures["by_description"] = float(hits([item.sentences[0] for item in among]).double().mean())
    return figures, classes


def folder_sections(figures: Mapping[str, Any]) -> str:
    """Return the section `Held-out figures` of such a teacher's card, in Markdown.

    :param figures: of `evaluate_folder`
    """
    parts = ["## Held-out figures\n"]
    if figures["pictures"]:
        rows = [[name, percent(share)] for name, share in sorted(figures["classes"].items(), key=lambda row: row[1])]
        table = markdown_table(["class", "top-1"], rows)
        parts += [_sentence("classes that it was trained on", figures["pictures"]), f"{table}\n"]
    if figures["unseen"]:
        parts.append(_sentence("classes that it **never saw**, told apart among themselves", figures["unseen"]))
        parts.append(f"These are: {', '.join(figures['unseen']['folders'])}.\n")
    if len(parts) == 1:
        parts.append("None: there were no `held_out_images`.\n")
    return "\n".join(parts)


def _sentence(what: str, found: Mapping[str, Any]) -> str:
    return (
        f"Zero-shot top-1 in percent, {found['classes']} {what}, on {found['pictures']} images: "
        f"{percent(found['overall'])} by name (mean over classes {percent(found['mean_class'])}), "
        f"{percent(found.get('by_description'), '-')} by the first sentence of the description. Chance is "
        f"{percent(1 / found['classes'])}.\n"
    )
