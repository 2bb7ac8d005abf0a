"""Evaluation of a teacher that was trained on a user's own images, and its section of the model card."""

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

_BATCH_SIZE = 256


def evaluate_folder(teacher: PocketTeacher, config: TeacherTrainConfig) -> dict[str, Any]:
    """Evaluate a teacher on `unseen_images`, zero-shot.

    :return: `images` (of classes that were trained on, top-1 among all of these: number of `images`, of `classes`;
        `overall` and `mean_class`: top-1 by name; `by_description`: top-1 by the first sentence of the description,
        where all classes have one), `classes` (top-1 by name of each), and `unseen` (as `images`, of classes that
        were not trained on, by folder or name, among themselves, with their `folders`; at least two); all are empty
        where there is no image
    """
    if not config.unseen_images:
        return {"images": {}, "classes": {}, "unseen": {}}
    trained = FolderImages.trained_on(config).classes
    unseen_images = FolderImages.open(config.unseen_images, config.classes)
    trained_names = {item.folder for item in trained} | {item.attributes.name for item in trained}
    unseen = [item for item in unseen_images.classes if not {item.folder, item.attributes.name} & trained_names]
    metrics, classes = _top1(teacher, unseen_images, trained)
    unseen_metrics: dict[str, Any] = {}
    if len(unseen) > 1:
        unseen_metrics = _top1(teacher, unseen_images, unseen)[0] | {"folders": [item.folder for item in unseen]}
    return {"images": metrics, "classes": classes, "unseen": unseen_metrics}


def _top1(
    teacher: PocketTeacher, unseen: FolderImages, candidates: Sequence[ClassText]
) -> tuple[dict[str, Any], dict[str, float]]:
    """Return the metrics of the images of some classes, classified among these, and top-1 of each class."""
    position = {item.folder: n for n, item in enumerate(candidates)}
    rows = [row for row, n in enumerate(unseen.class_index) if unseen.classes[n].folder in position]
    if not rows:
        return {}, {}
    targets = torch.tensor([position[unseen.classes[unseen.class_index[row]].folder] for row in rows])
    images = unseen.at(teacher.image_size)
    parts = [rows[n : n + _BATCH_SIZE] for n in range(0, len(rows), _BATCH_SIZE)]
    features = torch.cat([encode_images(teacher, images.load(part)) for part in parts])

    def hits(texts: Sequence[str]) -> torch.Tensor:
        return (features @ teacher.encode_text(texts).T).argmax(dim=1) == targets

    by_name = hits([PHOTO_TEMPLATE.format(label=item.attributes.name) for item in candidates])
    classes = {
        candidates[n].attributes.name: float(by_name[targets == n].double().mean())
        for n in sorted(set(targets.tolist()))
    }
    metrics = {
        "images": len(rows),
        "classes": len(candidates),
        "overall": float(by_name.double().mean()),
        "mean_class": float(np.mean(list(classes.values()))),
    }
    if all(item.sentences for item in candidates):
        metrics["by_description"] = float(hits([item.sentences[0] for item in candidates]).double().mean())
    return metrics, classes


def folder_sections(metrics: Mapping[str, Any], pretrained: bool = False) -> str:
    """Return the section `Held-out metrics` of such a teacher's model card, in Markdown.

    :param metrics: of `evaluate_folder`
    :param pretrained: whether the training started from another teacher, which may have seen more
    """
    unseen = "that it **never saw**"
    parts = ["## Held-out metrics\n"]
    if metrics["images"]:
        rows = [[name, percent(share)] for name, share in sorted(metrics["classes"].items(), key=lambda row: row[1])]
        table = markdown_table(["class", "top-1"], rows)
        parts += [_sentence("classes that it was trained on", metrics["images"]), f"{table}\n"]
    if pretrained:
        unseen = "that this training did not show"
        parts.append("What the teacher that it started from saw, it saw too: see the model card of that one.\n")
    if metrics["unseen"]:
        parts.append(_sentence(f"classes {unseen}, among themselves", metrics["unseen"]))
        parts.append(f"These are: {', '.join(metrics['unseen']['folders'])}.\n")
    if not metrics["images"] and not metrics["unseen"]:
        parts.append("None: there were no `unseen_images`.\n")
    return "\n".join(parts)


def _sentence(description: str, metrics: Mapping[str, Any]) -> str:
    return (
        f"Zero-shot top-1 in percent, {metrics['classes']} {description}, on {metrics['images']} images: "
        f"{percent(metrics['overall'])} by name (mean over classes {percent(metrics['mean_class'])}), "
        f"{percent(metrics.get('by_description'), '-')} by the first sentence of the description. Chance is "
        f"{percent(1 / metrics['classes'])}.\n"
    )
