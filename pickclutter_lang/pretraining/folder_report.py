"""Held-out figures of a teacher that was trained on a user's own pictures, and their tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.pretraining.config import TeacherTrainSettings
from pickclutter_lang.pretraining.folder_data import FolderPictures
from pickclutter_lang.pretraining.tables import percent, table
from pickclutter_lang.teachers.pocket import PocketTeacher
from pickclutter_lang.training.zero_shot import SINGLE, encode_pictures

_AT_ONCE = 256


def evaluate_folder(teacher: PocketTeacher, settings: TeacherTrainSettings) -> dict[str, Any]:
    """Measure a teacher on `held_out_images`, zero-shot: top-1 among all classes it was trained on.

    :return: `pictures` (their number, of `classes` classes; `overall` and `mean_class`: top-1 by name;
        `by_description`: top-1 by the first sentence of the description, where all classes have one) and `classes`
        (top-1 by name of each); both empty when there are no held-out pictures
    :raises InvalidArgumentError: for a class of the held-out pictures that was not trained on
    """
    if not settings.held_out_images:
        return {"pictures": {}, "classes": {}}
    trained = FolderPictures.open(str(settings.images), settings.classes).classes
    held_out = FolderPictures.open(settings.held_out_images, settings.classes)
    column = {item.folder: n for n, item in enumerate(trained)}
    unknown = sorted({item.folder for item in held_out.classes} - set(column))
    if unknown:
        raise InvalidArgumentError(
            f"expected held-out pictures of classes that were trained on, but these folders were not: {unknown}"
        )
    owners = torch.tensor([column[held_out.classes[n].folder] for n in held_out.owner])
    pictures, rows = held_out.at(teacher.image_size), range(len(held_out.paths))
    features = torch.cat(
        [encode_pictures(teacher, pictures.read(rows[n : n + _AT_ONCE])) for n in range(0, len(rows), _AT_ONCE)]
    )

    def hits(texts: Sequence[str]) -> torch.Tensor:
        return (features @ teacher.encode_text(texts).T).argmax(dim=1) == owners

    by_name = hits([SINGLE.format(label=item.thing.name) for item in trained])
    classes = {trained[n].thing.name: float(by_name[owners == n].double().mean()) for n in sorted(set(owners.tolist()))}
    figures = {
        "pictures": len(rows),
        "classes": len(trained),
        "overall": float(by_name.double().mean()),
        "mean_class": float(np.mean(list(classes.values()))),
    }
    if all(item.sentences for item in trained):
        figures["by_description"] = float(hits([item.sentences[0] for item in trained]).double().mean())
    return {"pictures": figures, "classes": classes}


def folder_sections(figures: Mapping[str, Any]) -> str:
    """Return the section `Held-out figures` of such a teacher's card, in Markdown.

    :param figures: of `evaluate_folder`
    """
    found = figures["pictures"]
    if not found:
        return "## Held-out figures\n\nNone: there were no `held_out_images`.\n"
    rows = [[name, percent(share)] for name, share in sorted(figures["classes"].items(), key=lambda row: row[1])]
    return (
        f"## Held-out figures\n\nZero-shot top-1 in percent among {found['classes']} classes, on {found['pictures']} "
        f"pictures: {percent(found['overall'])} by name (mean over classes {percent(found['mean_class'])}), "
        f"{percent(found.get('by_description'))} by the first sentence of the description. Chance is "
        f"{percent(1 / found['classes'])}.\n\n" + table(["class", "top-1"], rows)
    )
