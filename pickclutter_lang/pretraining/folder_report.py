"""Held-out figures of a teacher that was trained on a user's own pictures, and their tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from pickclutter_lang.pretraining.config import TeacherTrainSettings
from pickclutter_lang.pretraining.folder_data import FolderPictures, PictureClass
from pickclutter_lang.pretraining.tables import percent, table
from pickclutter_lang.teachers.pocket import PocketTeacher
from pickclutter_lang.training.zero_shot import SINGLE, encode_pictures

_AT_ONCE = 256


def evaluate_folder(teacher: PocketTeacher, settings: TeacherTrainSettings) -> dict[str, Any]:
    """Measure a teacher on `held_out_images`, zero-shot.

    :return: `pictures` (of classes that were trained on, top-1 among all of these: number of `pictures`, of `classes`;
        `overall` and `mean_class`: top-1 by name; `by_description`: top-1 by the first sentence of the description,
        where all classes have one), `classes` (top-1 by name of each), and `unseen` (as `pictures`, of classes that
        were not trained on, by folder or name, among themselves, with their `folders`; at least two); all are empty
        where there is no picture
    """
    if not settings.held_out_images:
        return {"pictures": {}, "classes": {}, "unseen": {}}
    trained = FolderPictures.open(str(settings.images), settings.classes).classes
    held_out = FolderPictures.open(settings.held_out_images, settings.classes)
    known = {item.folder for item in trained} | {item.thing.name for item in trained}
    unseen = [item for item in held_out.classes if not {item.folder, item.thing.name} & known]
    figures, classes = _top1(teacher, held_out, trained)
    others: dict[str, Any] = {}
    if len(unseen) > 1:
        others = _top1(teacher, held_out, unseen)[0] | {"folders": [item.folder for item in unseen]}
    return {"pictures": figures, "classes": classes, "unseen": others}


def _top1(
    teacher: PocketTeacher, held_out: FolderPictures, among: Sequence[PictureClass]
) -> tuple[dict[str, Any], dict[str, float]]:
    """Return the figures of the pictures of some classes, told apart among these, and top-1 by name of each class."""
    column = {item.folder: n for n, item in enumerate(among)}
    rows = [row for row, owner in enumerate(held_out.owner) if held_out.classes[owner].folder in column]
    if not rows:
        return {}, {}
    owners = torch.tensor([column[held_out.classes[held_out.owner[row]].folder] for row in rows])
    pictures = held_out.at(teacher.image_size)
    parts = [rows[n : n + _AT_ONCE] for n in range(0, len(rows), _AT_ONCE)]
    features = torch.cat([encode_pictures(teacher, pictures.read(part)) for part in parts])

    def hits(texts: Sequence[str]) -> torch.Tensor:
        return (features @ teacher.encode_text(texts).T).argmax(dim=1) == owners

    by_name = hits([SINGLE.format(label=item.thing.name) for item in among])
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
        parts += [_sentence("classes that it was trained on", figures["pictures"]), table(["class", "top-1"], rows)]
    if figures["unseen"]:
        parts.append(_sentence("classes that it **never saw**, told apart among themselves", figures["unseen"]))
        parts.append(f"These are: {', '.join(figures['unseen']['folders'])}.\n")
    if len(parts) == 1:
        parts.append("None: there were no `held_out_images`.\n")
    return "\n".join(parts)


def _sentence(what: str, found: Mapping[str, Any]) -> str:
    return (
        f"Zero-shot top-1 in percent, {found['classes']} {what}, on {found['pictures']} pictures: "
        f"{percent(found['overall'])} by name (mean over classes {percent(found['mean_class'])}), "
        f"{percent(found.get('by_description'))} by the first sentence of the description. Chance is "
        f"{percent(1 / found['classes'])}.\n"
    )
