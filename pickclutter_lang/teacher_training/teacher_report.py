"""Held-out figures of the pocket teacher, each a number that its model card prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pickclutter_lang.datasets.object_views import ObjectViewDataset
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.datasets.transforms.squares import bounding_square, crop_squares
from pickclutter_lang.metrics.multilabel import multilabel_row, trivial_predictors
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.teacher_training.config import TeacherTrainConfig
from pickclutter_lang.teacher_training.probes import probe_metrics
from pickclutter_lang.teacher_training.render_sources import MIN_VISIBLE_FRACTION
from pickclutter_lang.teachers.pocket import PocketTeacher
from pickclutter_lang.teachers.zero_shot import (
    ABSENT_TEMPLATE,
    PHOTO_TEMPLATE,
    PRESENT_TEMPLATE,
    encode_images,
    prompt_pair_probabilities,
)
from pickclutter_lang.utils.constants import ROBOT_SEGMENT

_CROP_EVERY = 2
# The objects lie in the middle of the hand camera's image.
_WINDOWS = {"whole": 1.0, "middle": 0.7}


def evaluate_teacher(teacher: PocketTeacher, config: TeacherTrainConfig) -> dict[str, Any]:
    """Measure a teacher on the held-out scenes and views of its settings, zero-shot, with fixed prompts.

    :return: `scenes` (rows for each store, for the whole image and its middle and for groups of names: multi-label
        metrics of the label `visible`), `crops` (rows for each store: top-1 over all names on crops of seen objects,
        of every other scene), `views` and `attributes` (rows for each folder and group of things: see
        `probe_metrics`), `objects` (per object: top-1 on views and on crops)
    """
    scenes: dict[str, Any] = {}
    crops: dict[str, Any] = {}
    views: dict[str, Any] = {}
    attributes: dict[str, Any] = {}
    objects: dict[str, dict[str, list[bool]]] = {}
    names = _Names(teacher)
    for folder in config.unseen_scenes:
        store = SceneStore.open(folder)
        label = f"{store.manifest.object_set}, {store.manifest.split}, {store.image_size} px"
        scenes |= {f"{label}, {key}": row for key, row in _scene_rows(teacher, store, names).items()}
        hits = _crop_hits(teacher, store, names)
        crops |= {f"{label}{key}": row for key, row in _crop_rows(hits).items()}
        _collect(objects, hits, "crops")
    for folder in config.unseen_views:
        found = ObjectViewDataset.open(folder)
        label = f"{found.config['objects']}, {found.config.get('selection', 'paper')}"
        figures = probe_metrics(teacher, found)
        views |= {f"{label}, {group}": row for group, row in figures["names"].items()}
        attributes |= {f"{label}, {group}": row for group, row in figures["attributes"].items()}
        _collect(objects, figures["hits"], "views")
    shares = {
        name: {kind: float(np.mean(kinds[kind])) if kinds.get(kind) else None for kind in ("views", "crops")}
        for name, kinds in objects.items()
    }
    return {"scenes": scenes, "crops": crops, "views": views, "attributes": attributes, "objects": shares}


class _Names:
    """The catalog's names and the text features that they are found by."""

    def __init__(self, teacher: PocketTeacher) -> None:
        catalog = paper_catalog()
        self.names = catalog.names
        self.index = {item.model_id: n for n, item in enumerate(catalog)}
        self.splits = [item.split for item in catalog]
        self.single, self.present, self.absent = (
            teacher.encode_text([form.format(label=name) for name in self.names])
            for form in (PHOTO_TEMPLATE, PRESENT_TEMPLATE, ABSENT_TEMPLATE)
        )


def _scene_rows(teacher: PocketTeacher, store: SceneStore, names: _Names) -> dict[str, dict[str, float]]:
    """Label whole scenes: a name's probability is the softmax over its prompts with "with a" and "without a".

    Of a split with Y_id objects alone only their names are asked for; of another one also those of Y_ood apart.
    """
    splits = [names.splits[names.index[model_id]] for model_id in store.model_ids]
    asked = {"": ["id"]} if store.manifest.split in ("train", "id") else {"": ["id", "ood"], ", Y_ood alone": ["ood"]}
    truth = torch.from_numpy(store.labels("visible"))
    rows = {}
    for window, share in _WINDOWS.items():
        side = round(share * store.image_size)
        start = (store.image_size - side) // 2
        images = store.images("hand", "rgb")[:, start : start + side, start : start + side]
        columns = [names.index[model_id] for model_id in store.model_ids]
        features = encode_images(teacher, images)
        found = prompt_pair_probabilities(features, names.present[columns], names.absent[columns], teacher.logit_scale)
        for group, wanted in asked.items():
            kept = [n for n, split in enumerate(splits) if split in wanted]
            always = trivial_predictors(truth[:, kept].float().mean(dim=0), truth[:, kept])["always_yes"]
            rows[window + group] = {
                "scenes": len(store),
                **multilabel_row(found[:, kept], truth[:, kept]),
                "f1_always_yes": always["f1"],
                "map_always_yes": always["map"],
            }
    return rows


def _crop_hits(teacher: PocketTeacher, store: SceneStore, names: _Names) -> dict[str, list[bool]]:
    """Return for each name whether each crop of the object was named rightly."""
    crops, owners = _crops(store, names)
    best = (encode_images(teacher, crops) @ names.single.T).argmax(dim=1).tolist()
    hits: dict[str, list[bool]] = {}
    for owner, found in zip(owners, best, strict=True):
        hits.setdefault(names.names[owner], []).append(owner == found)
    return hits


def _crops(store: SceneStore, names: _Names) -> tuple[NDArray[np.uint8], list[int]]:
    """Cut every seen object out of every other scene; return the crops and the objects' places in the catalog."""
    rgb, segmentation = store.images("hand", "rgb"), store.images("hand", "segmentation")
    actors = store.array("actors")
    rows, squares, owners = [], [], []
    for row in range(0, len(store), _CROP_EVERY):
        counts = np.bincount(segmentation[row].ravel(), minlength=ROBOT_SEGMENT + 1)
        for instance_id in np.flatnonzero(counts[1:ROBOT_SEGMENT] >= MIN_VISIBLE_FRACTION * segmentation[row].size) + 1:
            rows.append(row)
            squares.append(bounding_square(segmentation[row] == instance_id))
            owners.append(names.index[store.model_ids[actors[row, instance_id - 1]]])
    return crop_squares(rgb[rows], squares), owners


def _crop_rows(hits: Mapping[str, Sequence[bool]]) -> dict[str, dict[str, float]]:
    """Return top-1 over all names, for all crops, and for those of Y_ood objects if there are any."""
    split = {item.name: item.split for item in paper_catalog()}
    rows = {}
    for label, wanted in (("", ("id", "ood")), (", Y_ood alone", ("ood",))):
        found = [hit for name, some in hits.items() if split[name] in wanted for hit in some]
        if found:
            rows[label] = {"crops": len(found), "top1": float(np.mean(found))}
    return rows


def _collect(objects: dict[str, dict[str, list[bool]]], hits: Mapping[str, Sequence[bool]], kind: str) -> None:
    for name, some in hits.items():
        objects.setdefault(name, {}).setdefault(kind, []).extend(some)
